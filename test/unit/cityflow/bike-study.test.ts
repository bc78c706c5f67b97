import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import { STUDY_METRICS } from '../../../src/datasets/cityflow/studies/bikes.ts';
import type { BikeStudy } from '../../../src/datasets/cityflow/studies/bikes.ts';
import type { QualityMetrics } from '../../../src/datasets/cityflow/studies/quality.ts';
import { STUDY_TABLES } from '../../../src/datasets/cityflow/answers/study-tables.ts';
import { addDays, datesBetween } from '../../../src/pipelines/civil-date.ts';
import { rowsSql } from '../../../src/pipelines/tables.ts';
import { zonedDay } from '../../../src/pipelines/zoned-day.ts';
import type { Days, StepRunner } from '../../fixtures/step-runner.ts';
import { dayUnit, hashOf, openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import { bikePage, bikeRecord, DISTRICTS, WORK_HEADER } from './made-data.ts';

/**
 * Sixty days of six counters, and every metric computed again here from the counts themselves, by
 * the definition of the later system.
 */

const DAY = '2025-11-11';
const DAYS = datesBetween(addDays(DAY, -59), DAY);
const COUNTERS = ['c1', 'c2', 'c3', 'c4', 'c5', 'c6'];

interface Count {
  readonly counter: string;
  readonly date: string;
  readonly clock: number;
  readonly at: string;
  readonly bikes: number;
}

/**
 * c5 counts next to nothing; c6 ends three days before the day; c2 lacks an hour of every third
 * day; one hour of c1 stands out; the autumn day has 25 hours.
 */
function countsOf(): Count[] {
  return DAYS.flatMap((date) => {
    const { startAt, hours } = zonedDay(date, 'Europe/Paris');
    return COUNTERS.flatMap((counter, place) =>
      Array.from({ length: hours }, (_, hour): Count | undefined => {
        const at = new Date(Date.parse(startAt) + hour * 3_600_000);
        const clock = Number(
          at
            .toLocaleString('fr-FR', { hour: '2-digit', hour12: false, timeZone: 'Europe/Paris' })
            .slice(0, 2),
        );
        if (counter === 'c6' && date > addDays(DAY, -3)) return undefined;
        if (counter === 'c2' && Number(date.slice(8)) % 3 === 0 && clock === 18) return undefined;
        const rush = clock === 8 || clock === 18 ? 5 : clock > 6 && clock < 22 ? 2 : 0.4;
        const weekday = new Date(`${date}T12:00:00Z`).getUTCDay();
        const busy = (place + 1) * (weekday === 0 || weekday === 6 ? 0.6 : 1);
        const bikes =
          counter === 'c5'
            ? clock === 12
              ? 1
              : 0
            : Math.round(10 * rush * busy + ((hour * 7 + Number(date.slice(8))) % 5));
        const stands = counter === 'c1' && date === DAY && clock === 3;
        return {
          counter,
          date,
          clock,
          at: at.toISOString().replace('.000Z', '+00:00'),
          bikes: stands ? 400 : bikes,
        };
      }).filter((count) => count !== undefined),
    );
  });
}

const ALL = countsOf();

let runner: StepRunner;
let days: Days;
let study: BikeStudy;

beforeAll(async () => {
  runner = await openStepRunner(cityflow);
  const places = {
    c1: [2.3, 48.86],
    c2: [2.3, 48.86],
    c3: [2.4, 48.86],
    c4: [2.4, 48.86],
    c5: [2.4, 48.86],
    c6: [2.9, 49.5],
  } as const;
  const records = ALL.map(({ counter, at, bikes }) =>
    bikeRecord({ counter, at, bikes, place: places[counter as keyof typeof places] }),
  );
  const shape = (side: number) =>
    `"{""type"": ""Polygon"", ""coordinates"": [[[2.3, 48.86], [${2.3 + side}, 48.86], [${2.3 + side}, ${48.86 + side}], [2.3, 48.86]]]}"`;
  const works = [
    `W1;75001;1;quai;2025-10-01;2025-12-31;RESTREINTE;2;${shape(0.001)};48.86, 2.30`,
    `W2;75001;1;quai;2025-10-01;2025-12-31;IMPASSE;2;${shape(0.002)};48.86, 2.30`,
    `W3;75001;1;trottoir;2025-10-01;2025-12-31;;2;${shape(0.004)};48.86, 2.30`,
    `W4;75002;1;rue;2025-10-01;2025-12-31;SENS_UNIQUE;2;;48.86, 2.40`,
    `W5;75002;1;rue;2025-12-01;2025-12-31;SENS_UNIQUE;2;;48.86, 2.40`,
  ];
  const file = async (part: string, name: string, text: string) => ({
    part,
    path: await runner.file(name, text),
  });
  days = await runner.days(
    [
      await file('bikes', 'bikes.json', bikePage(records)),
      await file('arrondissements', 'districts.geojson', DISTRICTS),
      await file('chantiers', 'works.csv', `${WORK_HEADER}\n${works.join('\n')}\n`),
    ],
    DAYS,
    'metrics/quality',
  );
  study = await readOutput(days.get(DAY)?.['metrics/bike-study'], 'study');
}, 120_000);
afterAll(() => runner.close());

const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);
const mean = (values: readonly number[]): number => sum(values) / values.length;
const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);

function quantile(values: readonly number[], share: number): number {
  const list = sorted(values);
  const place = (list.length - 1) * share;
  const below = Math.floor(place);
  return list[below]! + (list[Math.ceil(place)]! - list[below]!) * (place - below);
}

function of(counter: string): Count[] {
  return ALL.filter((count) => count.counter === counter);
}

function dailyTotals(counter: string): Map<string, number> {
  const totals = new Map<string, number>();
  for (const { date, bikes } of of(counter)) totals.set(date, (totals.get(date) ?? 0) + bikes);
  return totals;
}

const FLOWS = new Map(
  COUNTERS.map((counter) => [counter, mean([...dailyTotals(counter).values()])]),
);

describe('the eighteen metrics', () => {
  it('are all there under their names', () => {
    expect(STUDY_METRICS).toHaveLength(18);
    expect(Object.keys(study)).toEqual(expect.arrayContaining(STUDY_METRICS));
  });

  it('debit_horaire: mean, median, least, most and sum of each counter’s hours', () => {
    for (const one of study.debit_horaire) {
      const bikes = of(one.compteur_id).map((count) => count.bikes);
      expect(one.debit_horaire_moyen).toBeCloseTo(mean(bikes), 3);
      expect(one.debit_horaire_median).toBe(quantile(bikes, 0.5));
      expect([one.debit_horaire_min, one.debit_horaire_max]).toEqual([
        Math.min(...bikes),
        Math.max(...bikes),
      ]);
      expect([one.debit_total, one.nb_mesures]).toEqual([sum(bikes), bikes.length]);
    }
    expect(study.debit_horaire).toHaveLength(6);
  });

  it('debit_journalier: sixty days of each counter, null where it did not count', () => {
    expect(study.jours).toEqual(DAYS);
    for (const { compteur_id: id, debit_journalier: flow } of study.debit_journalier) {
      const totals = dailyTotals(id);
      expect(flow).toEqual(DAYS.map((date) => totals.get(date) ?? null));
    }
  });

  it('dmja, top_compteurs: the mean of daily totals, and its ranks', () => {
    for (const { compteur_id: id, dmja } of study.dmja) expect(dmja).toBeCloseTo(FLOWS.get(id)!, 3);
    const ranked = [...FLOWS].sort(([, a], [, b]) => b - a).map(([id]) => id);
    expect(study.top_compteurs.map(({ compteur_id: id }) => id)).toEqual(ranked);
    // c2 lacks an hour of every third day: its whole days say more of it.
    const whole = study.dmja.find(({ compteur_id: id }) => id === 'c2')!;
    expect(whole.dmja_jours_complets!).toBeGreaterThan(whole.dmja);
  });

  it('profil_jour_type and heures_pointe: more than 120 % of the mean of hourly means', () => {
    const clocks = Array.from({ length: 24 }, (_, clock) =>
      mean(ALL.filter((one) => one.clock === clock).map((one) => one.bikes)),
    );
    const peaks = clocks.flatMap((value, clock) => (value > 1.2 * mean(clocks) ? [clock] : []));
    expect(study.heures_pointe.map(({ heure }) => heure)).toEqual(peaks);
    expect(peaks).toContain(8);
    expect(study.heures_pointe[0]!.debit_global_moyen).toBeCloseTo(mean(clocks), 3);
    const monday8 = ALL.filter(
      (one) => one.clock === 8 && new Date(`${one.date}T12:00:00Z`).getUTCDay() === 1,
    );
    const told = study.profil_jour_type.find(({ jour, heure }) => jour === 'Monday' && heure === 8);
    expect(told!.debit_moyen).toBeCloseTo(mean(monday8.map(({ bikes }) => bikes)), 3);
    expect(study.profil_jour_type).toHaveLength(7 * 24);
  });

  it('taux_disponibilite: hours with a count of the real hours of thirty days, the autumn day’s 25 with them', () => {
    const from = addDays(DAY, -29);
    const expected = sum(
      datesBetween(from, DAY).map((date) => zonedDay(date, 'Europe/Paris').hours),
    );
    expect(expected).toBe(721);
    for (const one of study.taux_disponibilite) {
      const there = of(one.compteur_id).filter(({ date }) => date >= from).length;
      expect(one).toMatchObject({
        nb_enregistrements_reels: there,
        nb_enregistrements_attendus: expected,
      });
      expect(one.taux_disponibilite_pct).toBeCloseTo((there / expected) * 100, 2);
    }
  });

  it('compteurs_faible_activite (below 20 % of the median) and corridors_cyclables (above the 75th percentile)', () => {
    const flows = [...FLOWS.values()];
    const low = [...FLOWS]
      .filter(([, flow]) => flow < 0.2 * quantile(flows, 0.5))
      .map(([id]) => id);
    expect(study.compteurs_faible_activite.map(({ compteur_id: id }) => id)).toEqual(low);
    expect(low).toEqual(['c5']);
    const main = [...FLOWS].filter(([, flow]) => flow > quantile(flows, 0.75)).map(([id]) => id);
    expect(study.corridors_cyclables.map(({ compteur_id: id }) => id).sort()).toEqual(main.sort());
    expect(study.corridors_cyclables[0]!.seuil_dmja).toBeCloseTo(quantile(flows, 0.75), 3);
  });

  it('compteurs_defaillants: no count for more than 24 hours up to the end of the day', () => {
    expect(study.compteurs_defaillants).toEqual([{ compteur_id: 'c6', heures_sans_donnees: 72 }]);
  });

  it('densite_par_zone: counts by district, and bikes a day for each km²', () => {
    const first = study.densite_par_zone.find(({ arrondissement }) => arrondissement === '75001')!;
    const own = [...of('c1'), ...of('c2')].map(({ bikes }) => bikes);
    expect(first).toMatchObject({ debit_total: sum(own), nb_mesures: own.length, compteurs: 2 });
    expect(first.debit_moyen).toBeCloseTo(mean(own), 3);
    // The made district: 0.15° by 0.12°, some 11 km by 13.3 km.
    expect(first.velos_jour_par_km2! / ((FLOWS.get('c1')! + FLOWS.get('c2')!) / 146.4)).toBeCloseTo(
      1,
      1,
    );
    expect(study.densite_par_zone.map(({ arrondissement }) => arrondissement)).toEqual([
      '75001',
      '75002',
    ]);
  });

  it('evolution_hebdomadaire and ratio_weekend_semaine', () => {
    const monday = study.evolution_hebdomadaire.find(
      ({ periode }) => periode === '2025-10-06/2025-10-12',
    )!;
    const total = (from: string, to: string): number =>
      sum(ALL.filter(({ date }) => date >= from && date <= to).map(({ bikes }) => bikes));
    const [week, before] = [total('2025-10-06', '2025-10-12'), total('2025-09-29', '2025-10-05')];
    expect(monday).toMatchObject({
      jours: 7,
      debit_total: week,
      debit_precedent: before,
      variation_absolue: week - before,
    });
    expect(monday.taux_croissance_pct).toBeCloseTo((week / before - 1) * 100, 2);
    const isWeekend = ({ date }: Count): boolean =>
      [0, 6].includes(new Date(`${date}T12:00:00Z`).getUTCDay());
    const [weekend, working] = [ALL.filter(isWeekend), ALL.filter((one) => !isWeekend(one))].map(
      (own) => sum(own.map(({ bikes }) => bikes)),
    );
    expect(study.ratio_weekend_semaine).toMatchObject({
      debit_weekend: weekend,
      debit_semaine: working,
    });
    expect(study.ratio_weekend_semaine!.ratio_weekend_semaine).toBeCloseTo(weekend! / working!, 3);
  });

  it('congestion_cyclable: hours of the day above 150 % of the counter’s own mean', () => {
    const expected = ALL.filter(
      ({ counter, date, bikes }) =>
        date === DAY && bikes > 1.5 * mean(of(counter).map((one) => one.bikes)),
    );
    const keys = (list: readonly { compteur_id: string; date_heure: string }[]) =>
      list.map(({ compteur_id: id, date_heure: at }) => `${id} ${at.slice(0, 13)}`).sort();
    expect(keys(study.congestion_cyclable)).toEqual(
      expected.map(({ counter, at }) => `${counter} ${at.slice(0, 13)}`).sort(),
    );
    expect(expected.length).toBeGreaterThan(4);
  });

  it('anomalies: more than three standard deviations from the counter’s own mean', () => {
    const bikes = of('c1').map((count) => count.bikes);
    const deviation = Math.sqrt(
      sum(bikes.map((value) => (value - mean(bikes)) ** 2)) / (bikes.length - 1),
    );
    const [first] = study.anomalies;
    expect(first).toMatchObject({
      compteur_id: 'c1',
      comptage_horaire: 400,
      type_anomalie: 'pic_exceptionnel',
    });
    expect(first!.zscore).toBeCloseTo((400 - mean(bikes)) / deviation, 2);
  });

  it('chantiers_actifs and score_criticite_chantiers: works on the roadway times their mean area', () => {
    expect(study.chantiers_actifs).toEqual([
      { arrondissement: '75001', nb_chantiers_actifs: 3 },
      { arrondissement: '75002', nb_chantiers_actifs: 1 },
    ]);
    const [first, second] = study.score_criticite_chantiers;
    expect(first).toMatchObject({ arrondissement: '75001', nb_chantiers_chaussee: 2 });
    expect(first!.score_criticite).toBeCloseTo(2 * first!.surface_moyenne!, 1);
    // Triangles of 0.001° and 0.002°: 4,070 m² and four times as much.
    expect(first!.surface_moyenne! / ((4_070 * 5) / 2)).toBeCloseTo(1, 1);
    expect(second).toEqual({
      arrondissement: '75002',
      nb_chantiers_chaussee: 1,
      surface_moyenne: null,
      score_criticite: null,
    });
  });
});

describe('the quality report', () => {
  it('tells of every source whether it passes, with the claim of every check', async () => {
    const quality = await readOutput<QualityMetrics>(days.get(DAY)?.['metrics/quality'], 'quality');
    expect(quality.passed).toBe(true);
    expect(quality.datasets.map(({ dataset, passed }) => [dataset, passed])).toEqual([
      ['bikes', true],
      ['chantiers', true],
    ]);
    expect(quality.absents).toEqual([
      'comptages',
      'referentiel',
      'service-quality',
      'traffic',
      'validations',
      'weather',
    ]);
    const [bikes] = quality.datasets;
    expect(bikes?.messages).toContain('ok: every record is an hour of its day');
    expect(bikes?.rows).toBe(ALL.filter(({ date }) => date === DAY).length);
  });
});

describe('the tables of the studies', () => {
  it.each(STUDY_TABLES.map((table) => [table.id, table] as const))(
    '%s has the columns that it declares',
    async (_id, table) => {
      const file = days.get(DAY)?.[table.rows.step]?.outputs[table.rows.output]?.path ?? '';
      const rows = await runner.sql((sql) => sql.rows(`FROM (${rowsSql(table, [file])})`));
      expect(rows.length).toBeGreaterThan(0);
      const declared = table.columns.map(({ name }) => name).filter((name) => name !== 'scope');
      expect(Object.keys(rows[0]!)).toEqual(declared);
    },
  );
});

describe('a day of a set', () => {
  const ids = [
    'metrics/figures',
    'metrics/links',
    'metrics/sensors',
    'metrics/bike-study',
    'metrics/quality',
  ];

  it.each(ids)('%s has the bytes that it has alone', async (id) => {
    const step = cityflow.definition.steps.find((candidate) => candidate.id === id)!;
    const inputs = step.inputs.map(({ name, step: from, output, daysBefore = 0 }) => {
      const source = days.get(addDays(DAY, -daysBefore))?.[from];
      const file = source?.outputs[output];
      return [
        name,
        file === undefined ? [] : [{ ...file, facts: source!.facts, checks: source!.checks }],
      ] as const;
    });
    const [alone] = await runner.step(id, [dayUnit(DAY, Object.fromEntries(inputs))]);
    const together = days.get(DAY)![id]!;
    expect(Object.keys(together.outputs).length).toBeGreaterThan(0);
    for (const name of Object.keys(together.outputs))
      expect(hashOf(alone, name), name).toBe(hashOf(together, name));
  });
});
