import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { ArcHour } from '../../../src/datasets/cityflow/metrics/arc-day.ts';
import { arcMetrics, dominantState } from '../../../src/datasets/cityflow/metrics/arc-day.ts';
import type { CountsMetrics } from '../../../src/datasets/cityflow/metrics/counts.ts';
import {
  lostMinutesPerVehicle,
  speedKmh,
} from '../../../src/datasets/cityflow/metrics/lost-time.ts';
import { stateOf, THRESHOLDS, thresholdsOf } from '../../../src/datasets/cityflow/thresholds.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';
import { checkOf, openStepRunner, readOutput, rejection } from '../../fixtures/step-runner.ts';
import { countLine, countsCsv, DISTRICTS, networkCsv, SHAPE } from './made-data.ts';

const DAY = '2025-11-04';
const PLACE = {
  id: '1',
  label: 'Rue',
  lengthM: 1_000,
  lon: 2.3,
  lat: 48.87,
  district: '75008',
  sector: 'Centre',
  zone: null,
};
const FRAME = {
  date: DAY,
  hours: Array.from(
    { length: 24 },
    (_, hour) => `${DAY}T${String(hour).padStart(2, '0')}:00:00+01:00`,
  ),
};

function hoursOf(occupancies: readonly (number | null)[], flow: number | null = 100): ArcHour[] {
  return occupancies.map((occupancy, hour) => ({ hour, flow, occupancy }));
}

describe('lost time', () => {
  it('is 0.1076 minutes a vehicle and 21,880.5 minutes for 203,317 of them over 358.7 m at 31.03 %', () => {
    const minutes = lostMinutesPerVehicle(358.7257831022023, 31.026744186046525, THRESHOLDS);
    expect(minutes).toBeCloseTo(0.1076, 4);
    expect(minutes * 203_317).toBeCloseTo(21_880.5, 1);
  });

  it('runs at 50, 40, 30 and 20 km/h', () => {
    expect([0, 29.99, 30, 49.99, 50, 69.99, 70, 100].map((k) => speedKmh(k, THRESHOLDS))).toEqual([
      50, 50, 40, 40, 30, 30, 20, 20,
    ]);
  });

  it('takes each hour with its own occupancy, not the mean of the day', () => {
    const arc = arcMetrics(PLACE, hoursOf([0, 100]), FRAME, THRESHOLDS);
    // 1 km at 20 km/h instead of 50: 3 − 1.2 minutes, for the 100 vehicles of one of the two hours.
    expect(arc.temps_perdu_total_minutes).toBe(180);
    expect(arc.temps_perdu_minutes).toBe(0.9);
  });

  it('leaves out hours that lack flow or occupancy, and is unknown without a length', () => {
    const hours: ArcHour[] = [
      { hour: 0, flow: 100, occupancy: null },
      { hour: 1, flow: null, occupancy: 80 },
    ];
    expect(arcMetrics(PLACE, hours, FRAME, THRESHOLDS).temps_perdu_total_minutes).toBeNull();
    expect(arcMetrics(PLACE, hours, FRAME, THRESHOLDS)).toMatchObject({
      debit_journalier_total: 100,
      taux_occupation_moyen: 80,
      heures_observees: 2,
    });
    expect(
      arcMetrics({ ...PLACE, lengthM: null }, hoursOf([80]), FRAME, THRESHOLDS)
        .temps_perdu_total_minutes,
    ).toBeNull();
  });
});

describe('traffic states', () => {
  it('change at exactly 15, 30 and 50 %', () => {
    expect(
      [null, 0, 14.99, 15, 29.99, 30, 49.99, 50, 100].map((k) => stateOf(k, THRESHOLDS)),
    ).toEqual([
      ...[
        'Inconnu',
        'Fluide',
        'Fluide',
        'Pré-saturé',
        'Pré-saturé',
        'Saturé',
        'Saturé',
        'Bloqué',
        'Bloqué',
      ],
    ]);
  });

  it('dominate by hours, the more congested of equals, and are unknown only without any occupancy', () => {
    expect(dominantState(hoursOf([10, 10, 60]), THRESHOLDS)).toBe('Fluide');
    expect(dominantState(hoursOf([10, 60]), THRESHOLDS)).toBe('Bloqué');
    expect(dominantState(hoursOf([null, null, 35]), THRESHOLDS)).toBe('Saturé');
    expect(dominantState(hoursOf([null]), THRESHOLDS)).toBe('Inconnu');
  });

  it('follow thresholds that a step was given', () => {
    expect(stateOf(20, thresholdsOf({ thresholds: { saturated_occupancy_pct: 18 } }))).toBe(
      'Saturé',
    );
  });
});

describe('congestion alerts', () => {
  const alertOf = (occupancies: readonly (number | null)[]) =>
    arcMetrics(PLACE, hoursOf(occupancies), FRAME, THRESHOLDS).alerte;

  it('need two hours running, or one critical one', () => {
    expect(alertOf([50, 10, 50])).toBeNull();
    expect(alertOf([10, 50, 55])).toEqual({
      severite: 'Élevée',
      taux_occupation: 55,
      depuis: FRAME.hours[1],
      heures: 2,
    });
    expect(alertOf([10, 80])).toEqual({
      severite: 'Critique',
      taux_occupation: 80,
      depuis: FRAME.hours[1],
      heures: 1,
    });
  });

  it('are not raised over a gap', () => {
    expect(alertOf([50, null, 50])).toBeNull();
    const apart: ArcHour[] = [
      { hour: 3, flow: 1, occupancy: 60 },
      { hour: 5, flow: 1, occupancy: 60 },
    ];
    expect(arcMetrics(PLACE, apart, FRAME, THRESHOLDS).alerte).toBeNull();
  });
});

describe('road counts through the steps', () => {
  let runner: StepRunner;
  beforeAll(async () => {
    runner = await openStepRunner(cityflow);
  });
  afterAll(() => runner.close());

  async function measure(
    lines: readonly string[],
    others: readonly { part: string; path: string }[] = [],
  ): Promise<CountsMetrics> {
    const path = await runner.file('counts.csv', countsCsv(lines));
    const days = await runner.days(
      [{ part: 'comptages', path }, ...others],
      [DAY],
      'metrics/comptages',
    );
    return readOutput(days.get(DAY)?.['metrics/comptages'], 'metrics');
  }

  it('never let a row of another day in: the hour that ends at midnight is yesterday’s', async () => {
    const metrics = await measure([
      countLine('2025-11-03', { arc: '1', hour: 23, q: 1_000_000, k: 99 }),
      countLine(DAY, { arc: '1', hour: 0, q: 10, k: 5 }),
      countLine(DAY, { arc: '1', hour: 23, q: 20, k: 5 }),
      countLine('2025-11-05', { arc: '1', hour: 0, q: 1_000_000, k: 99 }),
    ]);
    expect(metrics.metrics).toHaveLength(1);
    expect(metrics.totals.vehicules).toBe(30);
    expect(metrics.metrics[0]!.heure_pic).toBe(`${DAY}T23:00:00+01:00`);
  });

  it('count a row that occurs twice once, and say where two rows disagree', async () => {
    const line = countLine(DAY, { arc: '1', hour: 8, q: 500, k: 20 });
    expect((await measure([line, line])).totals.vehicules).toBe(500);
    const other = countLine(DAY, { arc: '1', hour: 8, q: 700, k: 20 });
    const path = await runner.file('counts.csv', countsCsv([line, other]));
    const days = await runner.days([{ part: 'comptages', path }], [DAY], 'transform/comptages');
    expect(checkOf(days.get(DAY)?.['transform/comptages'], 'one-value-per-hour')).toMatchObject({
      failed: 1,
      tested: 2,
    });
    expect((await measure([line, other])).totals.vehicules).toBe(700);
  });

  it('take no impossible value for an hour that has another row, and hold the day for a person', async () => {
    const lines = [
      countLine(DAY, { arc: '1', hour: 8, q: 99_999, k: 20 }),
      countLine(DAY, { arc: '1', hour: 8, q: 582, k: null }),
      countLine(DAY, { arc: '2', hour: 8, q: 100, k: 20 }),
    ];
    for (const order of [lines, lines.toReversed()]) {
      const path = await runner.file('counts.csv', countsCsv(order));
      const days = await runner.days([{ part: 'comptages', path }], [DAY], 'transform/comptages');
      expect(checkOf(days.get(DAY)?.['transform/comptages'], 'plausible-duplicates')).toMatchObject(
        {
          severity: 'hold',
          failed: 1,
          examples: [{ arc: '1', hour: 8, greatest_flow: '99999.0' }],
        },
      );
      const metrics = await measure(order);
      expect(metrics.totals.vehicules).toBe(682);
      expect(metrics.coverage.lignes_ecartees).toMatchObject({
        en_double: 1,
        valeur_impossible: 1,
      });
    }
  });

  it('believe no impossible value that stands alone either, and count it', async () => {
    const metrics = await measure([
      countLine(DAY, { arc: '1', hour: 8, q: 99_999, k: 20 }),
      countLine(DAY, { arc: '1', hour: 9, q: 100, k: 20 }),
    ]);
    expect(metrics.totals.vehicules).toBe(100);
    expect(metrics.coverage.lignes_ecartees).toMatchObject({ en_double: 0, valeur_impossible: 1 });
  });

  it('count the rows that name no arc, which are in no total', async () => {
    const named = countLine(DAY, { arc: '1', hour: 8, q: 100, k: 20 });
    const nameless = countLine(DAY, { arc: '', hour: 8, q: 400, k: 20 });
    const path = await runner.file('counts.csv', countsCsv([named, nameless]));
    const done = (
      await runner.days([{ part: 'comptages', path }], [DAY], 'transform/comptages')
    ).get(DAY);
    expect(checkOf(done?.['transform/comptages'], 'named-arcs')).toMatchObject({
      severity: 'warn',
      failed: 1,
    });
    const metrics = await measure([named, nameless]);
    expect(metrics.totals.vehicules).toBe(100);
    expect(metrics.coverage).toMatchObject({
      troncons_vus: 1,
      lignes_ecartees: { sans_troncon: 1 },
    });
  });

  it('keep with each row the words that its arc had then, none included', async () => {
    const labels = ['Rue_Neuve', '', 'Rue_Ancienne', 'Rue_Neuve'];
    const lines = labels.map((label, hour) =>
      countLine(DAY, { arc: '1', hour, q: 10, k: 5, label }),
    );
    const other = countLine(DAY, { arc: '2', hour: 1, q: 10, k: 5 });
    const path = await runner.file('counts.csv', countsCsv([...lines, other].reverse()));
    const [slice] = await runner.slice({ part: 'comptages', path }, [DAY]);
    const rows = await runner.sql((sql) =>
      sql.rows<{ label: string | null }>(
        `SELECT "Libelle" AS label FROM read_parquet('${slice!.outputs['slice']!.path}')
          ORDER BY "Identifiant arc", "Date et heure de comptage"`,
      ),
    );
    expect(rows.map(({ label }) => label ?? '')).toEqual([...labels, 'Rue_2']);
  });

  it('multiply no count by the pieces of an arc, and add its pieces up', async () => {
    const pieces = [
      SHAPE,
      '{"type": "LineString", "coordinates": [[2.302450437378247, 48.87129471535591], [2.3039, 48.8708]]}',
    ];
    const path = await runner.file(
      'network.csv',
      networkCsv(pieces.map((shape) => ({ arc: '1', shape }))),
    );
    const districts = await runner.file('districts.geojson', DISTRICTS);
    const metrics = await measure(
      [countLine(DAY, { arc: '1', hour: 8, q: 100, k: 40 })],
      [
        { part: 'referentiel', path },
        { part: 'arrondissements', path: districts },
      ],
    );
    expect(metrics.totals.vehicules).toBe(100);
    expect(metrics.metrics[0]!.longueur_metres).toBeGreaterThan(230);
    expect(metrics.metrics[0]).toMatchObject({
      arrondissement: '75001',
      zone: '1er arrondissement',
    });
    expect(metrics.coverage.longueurs).toEqual({ referentiel: 1, comptages: 0, aucune: 0 });
  });

  it('take the length of the counts’ own geometry when there is no network', async () => {
    const metrics = await measure([countLine(DAY, { arc: '1', hour: 8, q: 100, k: 40 })]);
    expect(metrics.metrics[0]).toMatchObject({ longueur_metres: 119.186, arrondissement: null });
    expect(metrics.coverage.longueurs).toEqual({ referentiel: 0, comptages: 1, aucune: 0 });
  });

  it('hold a day whose values cannot be read, and warn of impossible ones', async () => {
    const line = countLine(DAY, { arc: '1', hour: 8, q: 100, k: 40 });
    const path = await runner.file(
      'counts.csv',
      countsCsv([
        line.replace(';100.0;', ';many;'),
        countLine(DAY, { arc: '2', hour: 8, q: -5, k: 140 }),
      ]),
    );
    const done = (
      await runner.days([{ part: 'comptages', path }], [DAY], 'transform/comptages')
    ).get(DAY)?.['transform/comptages'];
    expect(checkOf(done, 'readable-values')).toMatchObject({ failed: 1, severity: 'hold' });
    expect(checkOf(done, 'plausible-values')).toMatchObject({ failed: 1, severity: 'warn' });
  });

  it('refuse what is no table of counts, and say what it is', async () => {
    const slice = async (name: string, text: string) => {
      const path = await runner.file(name, text);
      return rejection(runner.slice({ part: 'comptages', path }, [DAY]));
    };
    expect(
      await slice('lfs.csv', 'version https://git-lfs.github.com/spec/v1\noid sha256:1\n'),
    ).toMatchObject({
      code: 'SRC_SHAPE_CHANGED',
    });
    expect(await slice('page.csv', '<html>error</html>')).toMatchObject({
      code: 'SRC_SHAPE_CHANGED',
    });
    expect(await slice('empty.csv', '')).toMatchObject({ code: 'SRC_TRUNCATED' });
    expect((await slice('other.csv', 'a;b\n1;2\n')).message).toContain('identifiant arc');
    const cut = countsCsv([
      countLine(DAY, { arc: '1', hour: 8, q: 1, k: 1 }),
      countLine(DAY, { arc: '1', hour: 9, q: 1, k: 1 }),
    ]).slice(0, -60);
    expect(await slice('cut.csv', cut)).toMatchObject({ code: 'SRC_SHAPE_CHANGED' });
    const unread = countLine(DAY, { arc: '1', hour: 8, q: 1, k: 1 }).replace(
      '2025-11-04T',
      'yesterday ',
    );
    expect((await slice('time.csv', countsCsv([unread]))).message).toContain('time cannot be read');
  });
});

describe('saturated zones', () => {
  it('are districts with more than five segments whose dominant state is saturated or blocked', async () => {
    const runner = await openStepRunner(cityflow);
    const arcs = (side: number, count: number) =>
      Array.from({ length: count }, (_, index) => ({
        arc: `${side}${index}`,
        shape: shapeAt(2.3 + side * 0.1),
      }));
    // Six of the first district are saturated, five of the second; a seventh of the second is
    // fluid.
    const [first, second] = [arcs(0, 6), arcs(1, 6)];
    const rows = [...first, ...second].flatMap(({ arc }) =>
      Array.from({ length: 24 }, (_, hour) =>
        countLine(DAY, { arc, hour, q: 10, k: arc === '15' ? 5 : 40 }),
      ),
    );
    const days = await runner.days(
      [
        { part: 'comptages', path: await runner.file('counts.csv', countsCsv(rows)) },
        {
          part: 'referentiel',
          path: await runner.file('network.csv', networkCsv([...first, ...second])),
        },
        { part: 'arrondissements', path: await runner.file('districts.geojson', DISTRICTS) },
      ],
      [DAY],
      'metrics/comptages',
    );
    const metrics = await readOutput<CountsMetrics>(
      days.get(DAY)?.['metrics/comptages'],
      'metrics',
    );
    await runner.close();
    expect(metrics.by_zone.map(({ zone, troncons_satures }) => [zone, troncons_satures])).toEqual([
      ['75001', 6],
      ['75002', 5],
    ]);
    expect(metrics.zones_saturees).toEqual(['75001']);
  });
});

function shapeAt(lon: number): string {
  return JSON.stringify({
    type: 'LineString',
    coordinates: [
      [lon, 48.87],
      [lon + 0.001, 48.87],
    ],
  });
}
