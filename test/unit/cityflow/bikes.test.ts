import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import type { BikesMetrics } from '../../../src/datasets/cityflow/metrics/bikes.ts';
import {
  allCounters,
  failureOf,
  isAnomalous,
  streetOf,
} from '../../../src/datasets/cityflow/metrics/bikes.ts';
import { THRESHOLDS } from '../../../src/datasets/cityflow/thresholds.ts';
import { zonedDay } from '../../../src/pipelines/zoned-day.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';
import { checkOf, openStepRunner, readOutput, rejection } from '../../fixtures/step-runner.ts';
import type { MadeBike } from './made-data.ts';
import { bikePage, bikeRecord, DISTRICTS } from './made-data.ts';

const DAY = '2025-11-04';
const clock = Array.from({ length: 24 }, (_, hour) => hour);

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(cityflow);
});
afterAll(() => runner.close());

function at(date: string, hour: number): string {
  return new Date(Date.parse(zonedDay(date, 'Europe/Paris').startAt) + hour * 3_600_000)
    .toISOString()
    .replace('.000Z', '+00:00');
}

function wholeDay(
  date: string,
  counter: string,
  bikes: (hour: number) => number | null,
  rest: Partial<MadeBike> = {},
): object[] {
  const { hours } = zonedDay(date, 'Europe/Paris');
  return Array.from({ length: hours }, (_, hour) =>
    bikeRecord({ counter, at: at(date, hour), bikes: bikes(hour), ...rest }),
  );
}

async function measure(text: string, date = DAY): Promise<BikesMetrics> {
  const path = await runner.file('bikes_data.json', text);
  const districts = await runner.file('districts.geojson', DISTRICTS);
  const days = await runner.days(
    [
      { part: 'bikes', path },
      { part: 'arrondissements', path: districts },
    ],
    [date],
    'metrics/bikes',
  );
  return readOutput(days.get(date)?.['metrics/bikes'], 'metrics');
}

describe('bike counts', () => {
  it('merge every page and every hour: the last document does not win', async () => {
    const records = [...wholeDay(DAY, 'a', () => 10), ...wholeDay(DAY, 'b', () => 20)];
    const pages = [records.slice(0, 20), records.slice(20, 40), records.slice(30)].map((page) =>
      bikePage(page, records.length),
    );
    const metrics = await measure(pages.join('\n'));
    expect(metrics.total_velos).toBe(24 * 30);
    expect(metrics.coverage).toEqual({
      compteurs: 2,
      heures_attendues: 48,
      heures_observees: 48,
      taux: 1,
    });
    expect(await measure(JSON.stringify(records))).toEqual(metrics);
  });

  it('keep one record per counter and hour, the larger, and say where they differ', async () => {
    const hour = at(DAY, 8);
    const path = await runner.file(
      'bikes_data.json',
      bikePage([
        bikeRecord({ counter: 'a', at: hour, bikes: 5 }),
        bikeRecord({ counter: 'a', at: hour, bikes: 9 }),
      ]),
    );
    const days = await runner.days([{ part: 'bikes', path }], [DAY], 'metrics/bikes');
    expect(checkOf(days.get(DAY)?.['transform/bikes'], 'one-count-per-hour').failed).toBe(1);
    const metrics = await readOutput<BikesMetrics>(days.get(DAY)?.['metrics/bikes'], 'metrics');
    expect(metrics.total_velos).toBe(9);
  });

  it('take the mean over the real hours of the day: 23, 24 or 25', async () => {
    for (const [date, hours] of [
      ['2025-03-30', 23],
      [DAY, 24],
      ['2025-10-26', 25],
    ] as const) {
      const metrics = await measure(bikePage(wholeDay(date, 'a', () => 10)), date);
      expect(allCounters(metrics)[0], date).toMatchObject({
        total_jour: 10 * hours,
        moyenne_horaire: 10,
        heures_observees: hours,
      });
    }
  });

  it('leave records of other days out', async () => {
    const records = [
      bikeRecord({ counter: 'a', at: '2025-11-03T22:59:00+00:00', bikes: 999 }),
      bikeRecord({ counter: 'a', at: at(DAY, 0), bikes: 1 }),
      bikeRecord({ counter: 'a', at: at(DAY, 24), bikes: 999 }),
    ];
    expect((await measure(bikePage(records))).total_velos).toBe(1);
  });

  it('find the district by the polygon, and none outside all of them', async () => {
    const records = [
      ...wholeDay(DAY, 'west', () => 1, { place: [2.3, 48.86] }),
      ...wholeDay(DAY, 'out', () => 2, { place: [2.6, 48.86] }),
    ];
    const metrics = await measure(bikePage(records));
    const districts = Object.fromEntries(
      allCounters(metrics).map(({ id_compteur, arrondissement }) => [id_compteur, arrondissement]),
    );
    expect(districts).toEqual({ west: '75001', out: null });
    expect(metrics.top_par_arrondissement).toEqual({ '75001': ['west'] });
  });

  it('name the counters that fail by their ids, and keep them out of the list of those that work', async () => {
    const records = [
      ...wholeDay(DAY, 'stuck', () => 7),
      ...wholeDay(DAY, 'fine', (hour) => hour + 1),
    ];
    const metrics = await measure(bikePage(records));
    expect(metrics.failing_sensors).toEqual(['stuck']);
    expect(metrics.compteurs_defaillants).toMatchObject([
      { id_compteur: 'stuck', raison: 'valeur bloquée' },
    ]);
    expect(metrics.metrics.map(({ id_compteur: id }) => id)).toEqual(['fine']);
    expect(metrics.metrics[0]).toMatchObject({ pic_horaire: 23, maximum_horaire: 24, jour: DAY });
    expect(metrics.total_velos).toBe(24 * 7 + 300);
  });

  it('list counters with an hour far above those beside it, and no commuter’s peak', async () => {
    const spike = wholeDay(DAY, 'spike', (hour) => (hour === 8 ? 900 : hour + 1));
    const metrics = await measure(
      bikePage([...spike, ...wholeDay(DAY, 'fine', (hour) => hour + 1)]),
    );
    expect(metrics.anomalies.map(({ id_compteur: id }) => id)).toEqual(['spike']);
    expect(isAnomalous([10, 40, 160, 120, 60])).toBe(false);
    expect(isAnomalous([1, 20, 1])).toBe(false);
    expect(isAnomalous([null, 900, null])).toBe(false);
    expect(isAnomalous([10, 90, null])).toBe(true);
  });

  it('give an index of at most 100, peaks and corridors', async () => {
    const records = ['a', 'b'].flatMap((counter) =>
      wholeDay(DAY, counter, (hour) => (hour === 8 ? 9_000 : 3_000), {
        name: `${counter === 'a' ? '6' : '97'} avenue Foch ${counter === 'a' ? 'E-O' : 'SO-NE'}`,
      }),
    );
    const metrics = await measure(bikePage(records));
    expect(metrics.frequentation_index).toBe(100);
    expect(metrics.heures_pointe[0]).toBe(`${DAY}T08:00:00+01:00`);
    expect(metrics.corridors).toEqual([{ voie: 'avenue Foch', compteurs: 2, total_jour: 156_000 }]);
    expect(metrics.compteurs_congestionnes).toEqual(['a', 'b']);
  });

  it('are refused without counter or offset', async () => {
    const path = await runner.file(
      'bikes.json',
      bikePage([{ id_compteur: 'a', date: '2025-11-04T08:00:00', sum_counts: 3 }]),
    );
    expect(await rejection(runner.slice({ part: 'bikes', path }, [DAY]))).toMatchObject({
      code: 'SRC_SHAPE_CHANGED',
    });
    const cut = await runner.file(
      'bikes.json',
      bikePage(wholeDay(DAY, 'a', () => 1)).slice(0, -30),
    );
    expect(await rejection(runner.slice({ part: 'bikes', path: cut }, [DAY]))).toMatchObject({
      code: 'SRC_TRUNCATED',
    });
  });
});

describe('a bike counter', () => {
  const judge = (bikes: (hour: number) => number | null) =>
    failureOf(clock.map(bikes), clock, THRESHOLDS);

  it('fails without any value, with nothing but zeros in daytime, and with more than 12 equal values', () => {
    expect(judge(() => null)).toBe('aucune donnée');
    expect(judge((hour) => (hour < 6 ? 5 : hour % 2 === 0 ? 0 : null))).toBe('nul en journée');
    expect(judge((hour) => (hour < 13 ? 7 : hour))).toBe('valeur bloquée');
  });

  it('does not fail with 12 equal values, nor with a quiet night', () => {
    expect(judge((hour) => (hour < 12 ? 7 : hour + 20))).toBeNull();
    expect(judge((hour) => (hour < 7 || hour > 20 ? 0 : hour))).toBeNull();
  });
});

describe('the street of a counter', () => {
  it('is its name without number and direction', () => {
    expect(streetOf('28 boulevard Diderot O-E')).toBe('boulevard Diderot');
    expect(streetOf('Totem 73 boulevard de Sébastopol S-N')).toBe('boulevard de Sébastopol');
    expect(streetOf('Pont National SO-NE')).toBe('Pont National');
  });
});
