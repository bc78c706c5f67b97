import { afterAll, beforeAll, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { ArcMetrics } from '../../../src/datasets/cityflow/metrics/arc-day.ts';
import type { CountsMetrics } from '../../../src/datasets/cityflow/metrics/counts.ts';
import type { NetworkMetrics } from '../../../src/datasets/cityflow/metrics/network.ts';
import type { WorksMetrics } from '../../../src/datasets/cityflow/metrics/works.ts';
import { describeOnRealFiles, realData } from '../../fixtures/real-data.ts';
import type { StepRunner, Days, Done } from '../../fixtures/step-runner.ts';
import { checkOf, dates, openStepRunner, readOutput } from '../../fixtures/step-runner.ts';

/** The publisher's own files, read as they are. */

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(cityflow);
});
afterAll(() => runner.close());

const WASHINGTON_FILE = 'paris/comptages-routiers-permanents-washington.csv';
const CONVENTION_FILE = 'paris/comptages_convention_bcg2022.csv';
const CHAMPS_FILE = 'paris/champs_elysees_2023.csv';
const WORKS_FILE = 'paris/chantiers-perturbants_lexparmap.csv';
const NETWORK_FILE = 'paris/referentiel-comptages-routiers.csv';
const DISTRICTS_FILE = 'paris/arrondissements.geojson';

const counts = (file: string) => ({ part: 'comptages', path: realData(file) });
const WASHINGTON = () => counts(WASHINGTON_FILE);
const CONVENTION = () => counts(CONVENTION_FILE);
const CHAMPS = () => counts(CHAMPS_FILE);
const WORKS = () => ({ part: 'chantiers', path: realData(WORKS_FILE) });
const NETWORK = () => ({ part: 'referentiel', path: realData(NETWORK_FILE) });
const DISTRICTS = () => ({ part: 'arrondissements', path: realData(DISTRICTS_FILE) });

const TRANSFORM = 'transform/comptages';

function steps(days: Days, id: string): Done[] {
  return [...days.values()].flatMap((done) => done[id] ?? []);
}

function total(done: readonly Done[], fact: string): number {
  return done.reduce((sum, { facts }) => sum + Number(facts[fact] ?? 0), 0);
}

function failedRows(done: readonly Done[], check: string): number {
  return done.reduce((sum, each) => sum + checkOf(each, check).failed, 0);
}

describeOnRealFiles('a year of one arc with offsets (Washington)', [WASHINGTON_FILE], () => {
  const all = dates('2023-11-01', '2024-12-05');
  let days: Days;
  beforeAll(async () => {
    days = await runner.days([WASHINGTON()], all, TRANSFORM);
  });

  it('has all 8,412 rows, 319 without flow and 379 without occupancy, and 1,209 of 9,621 hours missing', () => {
    const done = steps(days, TRANSFORM);
    const rows = total(done, 'rows');
    expect(rows).toBe(8_412);
    expect(rows - total(done, 'with_flow')).toBe(319);
    expect(rows - total(done, 'with_occupancy')).toBe(379);
    // The file begins at 03:00 of its first day and ends with its last.
    const hours =
      (Date.parse('2024-12-06T00:00:00+01:00') - Date.parse('2023-11-01T03:00:00+01:00')) /
      3_600_000;
    expect(hours).toBe(9_621);
    expect(hours - rows).toBe(1_209);
  });

  it('has no state that the occupancy does not mean, and no check that holds a day', () => {
    const done = steps(days, TRANSFORM);
    expect(
      done.reduce((sum, each) => sum + checkOf(each, 'state-follows-occupancy').tested, 0),
    ).toBe(8_412);
    for (const check of done[0]!.checks) expect(failedRows(done, check.check), check.check).toBe(0);
  });

  it('puts the midnight row into the day that ends with it', async () => {
    const done = days.get('2024-01-03')?.[TRANSFORM];
    const rows = await runner.sql((sql) =>
      sql.rows<{ hour: number; hour_start_at: string }>(
        `SELECT hour, hour_start_at FROM read_parquet('${done!.outputs['core']!.path}') ORDER BY hour`,
      ),
    );
    expect(rows[0]).toEqual({ hour: 0, hour_start_at: '2024-01-02T23:00:00Z' });
    expect(rows.at(-1)).toEqual({ hour: 23, hour_start_at: '2024-01-03T22:00:00Z' });
  });

  it('keeps rows whose arc state is “Invalide”', async () => {
    const done = days.get('2024-01-03')?.[TRANSFORM];
    const states = await runner.sql((sql) =>
      sql.rows(`SELECT published_arc_state AS state, count(*) AS rows FROM read_parquet('${done!.outputs['core']!.path}')
        GROUP BY ALL`),
    );
    expect(states).toEqual([{ state: 'Invalide', rows: 24 }]);
  });

  it('has 23 hours on the spring day with one null row, and 24 of 25 on the autumn day', () => {
    expect(days.get('2024-03-31')?.[TRANSFORM]?.facts).toMatchObject({
      rows: 23,
      observed: 22,
      expected_hours: 23,
    });
    expect(days.get('2024-10-27')?.[TRANSFORM]?.facts).toMatchObject({
      rows: 24,
      observed: 24,
      expected_hours: 25,
    });
  });
});

describeOnRealFiles('another arc with gaps of its own (Convention)', [CONVENTION_FILE], () => {
  it('has 9,294 rows, 733 of them with occupancy and without flow', async () => {
    const done = steps(
      await runner.days([CONVENTION()], dates('2021-11-01', '2022-12-07'), TRANSFORM),
      TRANSFORM,
    );
    expect(total(done, 'rows')).toBe(9_294);
    const paths = done.map(({ outputs }) => `'${outputs['core']!.path}'`);
    const [found] = await runner.sql((sql) =>
      sql.rows<{ rows: number }>(`SELECT count(*) AS rows FROM read_parquet([${paths.join(', ')}])
        WHERE occupancy_pct IS NOT NULL AND flow_vehicles IS NULL`),
    );
    expect(found!.rows).toBe(733);
    expect(failedRows(done, 'state-follows-occupancy')).toBe(0);
  });
});

describeOnRealFiles('a yearly history without offsets (Champs-Élysées)', [CHAMPS_FILE], () => {
  const year = dates('2023-01-01', '2023-12-31');

  it('loses its 744 exact duplicates, all of December, and nothing else', async () => {
    const slices = await runner.slice(CHAMPS(), year);
    expect(total(slices, 'rows')).toBe(8_759);
    expect(total(slices, 'duplicates_removed')).toBe(744);
    expect(
      total(
        slices.filter(({ scope }) => scope.startsWith('2023-12')),
        'duplicates_removed',
      ),
    ).toBe(744);
  });

  it('follows the states of codes too, and takes one of the two spring rows that mean one instant', async () => {
    const days = await runner.days([CHAMPS()], year, TRANSFORM);
    const done = steps(days, TRANSFORM);
    expect(failedRows(done, 'state-follows-occupancy')).toBe(0);
    expect(days.get('2023-03-26')?.[TRANSFORM]?.facts).toMatchObject({ rows: 23, observed: 22 });
    expect(days.get('2023-10-29')?.[TRANSFORM]?.facts).toMatchObject({
      rows: 24,
      observed: 24,
      expected_hours: 25,
    });
  });

  it('is the same day as in the export with offsets', async () => {
    const day = ['2023-11-06'];
    const [history, exported] = await Promise.all(
      [CHAMPS(), WASHINGTON()].map((source) => runner.days([source], day, TRANSFORM)),
    );
    const rowsOf = (days: Days | undefined): Promise<object[]> =>
      runner.sql((sql) =>
        sql.rows(`SELECT arc_id, hour, hour_start_at, state, CAST(round(occupancy_pct) AS INTEGER) AS occupancy
          FROM read_parquet('${days!.get('2023-11-06')![TRANSFORM]!.outputs['core']!.path}') WHERE occupancy_pct IS NOT NULL ORDER BY hour`),
      );
    expect(await rowsOf(history)).toEqual(await rowsOf(exported));
  });
});

describeOnRealFiles(
  'one real arc on one real day',
  [WASHINGTON_FILE, NETWORK_FILE, DISTRICTS_FILE],
  () => {
    const DAY = '2023-11-06';
    let metrics: CountsMetrics;
    let arc: ArcMetrics;
    beforeAll(async () => {
      const days = await runner.days(
        [WASHINGTON(), NETWORK(), DISTRICTS()],
        [DAY],
        'metrics/comptages',
      );
      metrics = await readOutput(days.get(DAY)?.['metrics/comptages'], 'metrics');
      arc = metrics.metrics[0]!;
    });

    // From the raw rows, hour by hour (k, q): L = 119.186 m; the minutes lost against 50 km/h times
    // the vehicles of the hour.
    const LOST_MINUTES = [
      ...[86.386, 89.151, 36.65, 52.156, 50.058, 19.952, 0, 0],
      // 09:00 and 10:00 have neither value; 11:00 has 775 vehicles and no occupancy.
      ...[81.428, 190.078, 76.565, 216.252, 0, 111.844, 34.934, 32.967, 77.519, 0, 0, 0, 24.099],
    ];

    it('loses the time that its hours lose, each with its own flow and occupancy', () => {
      const expected = LOST_MINUTES.reduce((sum, minutes) => sum + minutes, 0);
      expect(expected).toBeCloseTo(1_180.04, 1);
      expect(arc.temps_perdu_total_minutes).toBeCloseTo(expected, 1);
      expect(arc.temps_perdu_minutes).toBeCloseTo(expected / 18_158, 4);
    });

    it('counts 18,933 vehicles in 22 hours, most of them from 15:00 to 16:00', () => {
      expect(arc).toMatchObject({
        identifiant_arc: '4264',
        debit_journalier_total: 18_933,
        debit_max: 1_280,
        heures_debit: 22,
        heures_occupation: 21,
        heures_observees: 22,
        heure_pic: '2023-11-06T15:00:00+01:00',
      });
      expect(arc.debit_horaire_moyen).toBeCloseTo(18_933 / 22, 2);
    });

    it('is blocked in 10 of 21 hours, which is what dominates, and critical since noon', () => {
      expect(metrics.totals.heures_par_etat).toEqual({
        Inconnu: 3,
        Fluide: 1,
        'Pré-saturé': 5,
        Saturé: 5,
        Bloqué: 10,
      });
      expect(arc.etat_trafic_dominant).toBe('Bloqué');
      expect(arc.alerte).toEqual({
        severite: 'Critique',
        taux_occupation: 81.26278,
        depuis: '2023-11-06T12:00:00+01:00',
        heures: 4,
      });
    });

    it('lies in the 8th district, by its own geometry', () => {
      expect(arc).toMatchObject({
        arrondissement: '75008',
        zone: '8e arrondissement',
        longueur_metres: 119.186,
      });
    });
  },
);

describeOnRealFiles('the road network', [NETWORK_FILE, DISTRICTS_FILE], () => {
  let metrics: NetworkMetrics;
  let transformed: Done;
  beforeAll(async () => {
    const days = await runner.days([NETWORK(), DISTRICTS()], ['2024-01-15'], 'metrics/referentiel');
    transformed = days.get('2024-01-15')!['transform/referentiel']!;
    metrics = await readOutput(days.get('2024-01-15')?.['metrics/referentiel'], 'metrics');
  });

  it('has 3,348 arcs in 3,739 rows, each arc once', () => {
    expect(transformed.facts).toMatchObject({ rows: 3_348, pieces: 3_739, districts: 20 });
    expect(Object.keys(metrics.mapping)).toHaveLength(3_348);
  });

  it('measures arcs of one piece as the earlier system did, to the millimetre', () => {
    // Published by it for 5333, 4264 and 5671.
    const published = {
      '5333': 358.7257831022023,
      '4264': 119.18635794187206,
      '5671': 236.16050531108235,
    };
    for (const [arc, metres] of Object.entries(published)) {
      expect(metrics.mapping[arc]!.longueur_metres).toBeCloseTo(metres, 2);
    }
  });

  it('adds the pieces of an arc up, where the earlier system took the last of them', () => {
    expect(metrics.mapping['5113']).toMatchObject({ objets: 6, longueur_metres: 208.824 });
    expect(checkOf(transformed, 'arcs-have-a-length').failed).toBe(0);
    expect(checkOf(transformed, 'arcs-near-paris').failed).toBe(0);
  });

  it('leaves arcs outside all 20 districts without one', () => {
    expect(metrics.coverage.avec_arrondissement).toBe(3_312);
    const outside = Object.values(metrics.mapping).filter(
      ({ arrondissement }) => arrondissement === null,
    );
    expect(outside).toHaveLength(36);
  });
});

describeOnRealFiles('the roadworks', [WORKS_FILE, DISTRICTS_FILE], () => {
  const DAY = '2025-11-04';
  let days: Days;
  let metrics: WorksMetrics;
  beforeAll(async () => {
    days = await runner.days([WORKS(), DISTRICTS()], [DAY], 'metrics/chantiers');
    metrics = await readOutput(days.get(DAY)?.['metrics/chantiers'], 'metrics');
  });

  it('reads 90 records over 10 line ends inside quotes', async () => {
    expect(await runner.recognise(WORKS().path, DAY)).toMatchObject({
      part: 'chantiers',
      rows: 90,
      from: DAY,
    });
    await expect(runner.recognise(WORKS().path)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
  });

  it('keeps the work that ends before it starts, marks it, and never calls it active', () => {
    expect(checkOf(days.get(DAY)?.['transform/chantiers'], 'usable-dates')).toMatchObject({
      failed: 1,
      examples: [{ work_id: 'CP002943', starts_on: '2025-10-30', ends_on: '2025-10-24' }],
    });
    expect(metrics.coverage.sans_dates_utilisables).toEqual(['CP002943']);
    expect(metrics.chantiers_actifs.map(({ identifiant }) => identifiant)).not.toContain(
      'CP002943',
    );
  });

  it('judges what is active on the day, and places a work without postcode by its point', () => {
    for (const work of metrics.chantiers_actifs) {
      expect(work.debut! <= DAY && work.fin! >= DAY, work.identifiant).toBe(true);
    }
    const unposted = metrics.chantiers_actifs.find(({ identifiant }) => identifiant === 'CP002926');
    expect(unposted?.arrondissement).toMatch(/^750\d\d$|^$/);
  });

  it('calls districts with more than three works critical', () => {
    const counted = new Map<string, number>();
    for (const { arrondissement } of metrics.chantiers_actifs) {
      if (arrondissement !== null)
        counted.set(arrondissement, (counted.get(arrondissement) ?? 0) + 1);
    }
    const critical = [...counted].filter(([, count]) => count > 3).map(([district]) => district);
    expect(metrics.zones_critiques.map(({ arrondissement }) => arrondissement).sort()).toEqual(
      critical.sort(),
    );
    expect(critical.length).toBeGreaterThan(3);
  });
});

describeOnRealFiles('the districts', [DISTRICTS_FILE], () => {
  it('are 20, and turf finds the published area of the 11th', async () => {
    const { districtOf } = await import('../../../src/datasets/cityflow/geometry.ts');
    const { readFile } = await import('node:fs/promises');
    const collection = JSON.parse(await readFile(DISTRICTS().path, 'utf8')) as {
      features: Record<string, unknown>[];
    };
    const districts = collection.features.flatMap((feature) => districtOf(feature) ?? []);
    expect(districts.map(({ number }) => number).sort((a, b) => a - b)).toEqual(
      Array.from({ length: 20 }, (_, i) => i + 1),
    );
    const eleventh = districts.find(({ number }) => number === 11)!;
    expect(eleventh.name).toBe('Popincourt');
    // The publisher measures in the projection Lambert 93, turf on a sphere.
    expect(Math.abs(eleventh.areaM2 / 3_665_441.6 - 1)).toBeLessThan(0.005);
    expect(eleventh.contains([2.380058, 48.859059])).toBe(true);
    expect(eleventh.contains([2.3522, 48.8566])).toBe(false);
  });
});
