import { describe, expect, it } from 'vitest';
import { THRESHOLDS } from '../../../src/datasets/cityflow/thresholds.ts';
import type { Digest } from '../../../src/datasets/cityflow/metrics/digest.ts';
import { counterAvailability } from '../../../src/datasets/cityflow/metrics/patterns.ts';
import { counterName } from '../../../src/datasets/cityflow/studies/counter-name.ts';
import { fisherInterval, linksOf } from '../../../src/datasets/cityflow/studies/correlate.ts';
import type { Link } from '../../../src/datasets/cityflow/studies/correlate.ts';
import type { DayFigures } from '../../../src/datasets/cityflow/studies/figures.ts';
import { STUDY_LIMITS } from '../../../src/datasets/cityflow/studies/limits.ts';
import { linksSql } from '../../../src/datasets/cityflow/studies/links-sql.ts';
import { sensorDays } from '../../../src/datasets/cityflow/studies/sensors.ts';
import { addDays, datesBetween } from '../../../src/pipelines/civil-date.ts';
import { createDuckDbEngine } from '../../../src/storage/sql/duckdb.ts';

const DAY = '2025-11-04';
const CLOCK = Array.from({ length: 24 }, (_, hour) => hour);
const ALL = 2 ** 24 - 1;

describe('normalised counter names', () => {
  it.each([
    [
      '97 avenue Denfert Rochereau SO-NE',
      '97 avenue Denfert Rochereau',
      'avenue Denfert Rochereau',
      'SO-NE',
    ],
    ['Totem 64 Rue de Rivoli O-E', '64 rue de Rivoli', 'rue de Rivoli', 'O-E'],
    ['Face au 25 quai de l’Oise  NE-SO', "25 quai de l'Oise", "quai de l'Oise", 'NE-SO'],
    [
      '36 bis bd. de Ménilmontant N – S',
      '36 bis boulevard de Ménilmontant',
      'boulevard de Ménilmontant',
      'N-S',
    ],
    ['Pont de Bercy', 'pont de Bercy', 'pont de Bercy', null],
  ])('%s', (published, nom_normalise, voie, sens) => {
    expect(counterName(published)).toMatchObject({ nom_normalise, voie, sens });
  });

  it('are one place however they are written', () => {
    const [first, ...others] = [
      '12 Bd Ménilmontant N-S',
      'Totem 12 boulevard  Menilmontant S-N',
      '12 bld. Ménilmontant',
    ];
    for (const other of others) expect(counterName(other).cle).toBe(counterName(first).cle);
  });
});

function figures(date: string, rest: Partial<DayFigures>): DayFigures {
  return {
    date,
    ...{
      bikes: null,
      vehicles: null,
      lost_minutes: null,
      saturated_arcs: null,
      temp_c: null,
      precip_mm: null,
    },
    ...{
      wind_kmh: null,
      works_active: null,
      disruptions: null,
      metro_reliability: null,
      validations: null,
    },
    quality_pct: null,
    ...rest,
  };
}

/** Numbers without rhythm, the same in every run. */
function noise(seed: number): number {
  return ((Math.sin(seed * 12.9898) * 43758.5453) % 1) * 100;
}

function linkOf(found: readonly Link[], nom: string, decalage: number): Link | undefined {
  return found.find((link) => link.nom === nom && link.decalage_jours === decalage);
}

const SIXTY = datesBetween(addDays(DAY, -59), DAY);

describe('correlations', () => {
  it('have the interval of Fisher’s z: r = 0.5 of 28 days lies between 0.156 and 0.736', () => {
    const [low, high] = fisherInterval(0.5, 28);
    expect([low.toFixed(3), high.toFixed(3)]).toEqual(['0.156', '0.736']);
  });

  it('find the lag: what fell two days before goes along with the traffic of the day', () => {
    const days = SIXTY.map((date, place) =>
      figures(date, {
        precip_mm: noise(place),
        vehicles: 1_000 - 3 * noise(place - 2),
        lost_minutes: noise(place * 7),
      }),
    );
    const found = linksOf(days, STUDY_LIMITS);
    expect(linkOf(found, 'précipitations × véhicules', 2)).toMatchObject({
      n: 58,
      r: -1,
      ic_bas: -1,
    });
    expect(Math.abs(linkOf(found, 'précipitations × véhicules', 0)!.r!)).toBeLessThan(0.5);
  });

  it.each([
    'température × véhicules',
    'perturbations × véhicules',
    'chantiers × vélos',
    'qualité de service × validations',
  ])('%s is told of 20 days and not of 19', (nom) => {
    const quarter = (place: number): string => addDays('2020-01-01', place * 60);
    const days = (count: number): DayFigures[] =>
      Array.from({ length: count }, (_, place) =>
        figures(quarter(place), {
          ...{
            temp_c: noise(place),
            disruptions: noise(place + 50),
            works_active: noise(place + 90),
          },
          ...{
            quality_pct: noise(place + 13),
            vehicles: noise(place + 7),
            bikes: noise(place + 3),
            validations: place,
          },
        }),
      );
    expect(linkOf(linksOf(days(20), STUDY_LIMITS), nom, 0)).toMatchObject({ n: 20, note: null });
    const few = linkOf(linksOf(days(19), STUDY_LIMITS), nom, 0);
    expect(few).toMatchObject({ n: 19, r: null, ic_bas: null, note: 'pas assez de jours' });
  });

  it('count what is published by the quarter once a quarter', () => {
    const days = datesBetween('2024-01-01', '2024-09-30').map((date, place) =>
      figures(date, { quality_pct: 90 + Math.floor(place / 91), validations: noise(place) }),
    );
    expect(
      linkOf(linksOf(days, STUDY_LIMITS), 'qualité de service × validations', 0),
    ).toMatchObject({
      ...{ n: 274, n_independants: 3, r: null, note: 'pas assez de trimestres' },
    });
  });

  it('say so where one side does not vary', () => {
    const days = SIXTY.map((date, place) =>
      figures(date, { works_active: 12, bikes: noise(place) }),
    );
    expect(linkOf(linksOf(days, STUDY_LIMITS), 'chantiers × vélos', 0)?.note).toBe(
      'une des deux grandeurs ne varie pas',
    );
  });

  it('are the same as the question’s, which asks the SQL engine', async () => {
    const days = SIXTY.map((date, place) =>
      figures(date, {
        ...{
          temp_c: noise(place),
          precip_mm: place % 9 === 0 ? null : noise(place + 40),
          wind_kmh: 7,
        },
        ...{
          vehicles: noise(place) + noise(place + 1),
          lost_minutes: noise(place + 5),
          disruptions: noise(place + 8),
        },
        ...{
          works_active: place,
          bikes: place * place + noise(place),
          quality_pct: 95,
          validations: noise(place),
        },
      }),
    );
    const engine = createDuckDbEngine({ memoryLimitMb: 256, threads: 1, scratchRoot: '/tmp' });
    try {
      const told = await engine.session(async (sql) => {
        const values = days.map(
          (one) =>
            `(${Object.values(one)
              .map((v) => (typeof v === 'string' ? `DATE '${v}'` : String(v)))
              .join(', ')})`,
        );
        await sql.run(
          `CREATE TEMP TABLE cityflow_days AS FROM (VALUES ${values.join(', ')}) t(${Object.keys(days[0]!).join(', ')})`,
        );
        return sql.rows(linksSql(STUDY_LIMITS));
      });
      const own = linksOf(days, STUDY_LIMITS).map((link) => ({
        ...{
          name: link.nom,
          lag_days: link.decalage_jours,
          n: link.n,
          n_independent: link.n_independants,
        },
        ...{ r: link.r, low: link.ic_bas, high: link.ic_haut, note: link.note },
      }));
      expect(told).toEqual(own);
      expect(own.filter(({ r }) => r !== null).length).toBeGreaterThan(20);
    } finally {
      await engine.close();
    }
  });
});

function digest(daysAgo: number, rest: Partial<Digest> = {}): Digest {
  return {
    ...{ schema: 'cityflow.digest/1', date: addDays(DAY, -daysAgo), hours: 24, clock: CLOCK },
    ...{ bikes: null, roads: null, weather: null, works: null, traffic: null },
    ...rest,
  };
}

function roads(arcs: Record<string, number>): NonNullable<Digest['roads']> {
  const list = Object.entries(arcs).map(([id, mask]) => [id, [1, 1, mask]] as const);
  return {
    ...{ vehicles: 1, lost_minutes: 1, saturated: 0, availability: 1, by_hour: CLOCK.map(() => 1) },
    arcs: Object.fromEntries(list),
  };
}

describe('sensors', () => {
  const counter = CLOCK.map((hour) => (hour < 6 ? hour : null));
  const days = [
    digest(0, {
      roads: roads({ fine: ALL, half: 2 ** 12 - 1, dead: 0 }),
      bikes: { total: 15, by_hour: counter, counters: { c1: counter } },
    }),
    digest(1, { roads: roads({ fine: ALL, half: ALL, dead: 2 ** 20 }) }),
    null,
  ];
  const found = sensorDays(days, ['never'], new Map([['route half', 'Rue']]), THRESHOLDS);
  const of = (id: string) => found.find(({ sensor_id }) => sensor_id === id);

  it('have the share that is missing of the day and of the window, and how long each is silent', () => {
    expect(of('half')).toEqual({
      ...{
        kind: 'route',
        sensor_id: 'half',
        sensor_name: 'Rue',
        expected_hours: 24,
        observed_hours: 12,
        missing_pct: 50,
      },
      ...{ window_expected_hours: 48, window_observed_hours: 36, window_missing_pct: 25 },
      ...{ silent_hours: 12, silent_at_least: false, health: 'silencieux' },
    });
    expect(of('dead')).toMatchObject({
      missing_pct: 100,
      silent_hours: 27,
      silent_at_least: false,
      health: 'longtemps silencieux',
    });
    expect(of('fine')).toMatchObject({ missing_pct: 0, silent_hours: 0, health: 'ok' });
  });

  it('of the open network are expected though they never spoke', () => {
    expect(of('never')).toMatchObject({
      missing_pct: 100,
      silent_hours: 48,
      silent_at_least: true,
    });
  });

  it('of bikes are counters; a day without bikes is no fault of theirs', () => {
    expect(of('c1')).toMatchObject({
      kind: 'vélo',
      observed_hours: 6,
      window_expected_hours: 24,
      silent_hours: 18,
    });
    expect(sensorDays([digest(0)], ['never'], new Map(), THRESHOLDS)).toEqual([]);
  });
});

describe('counter availability', () => {
  it('is the share of hours with a value over the stored days that have bikes', () => {
    const half = CLOCK.map((hour) => (hour % 2 === 0 ? 3 : null));
    const bikes = (counters: Record<string, readonly (number | null)[]>) => ({
      bikes: { total: 1, by_hour: half, counters },
    });
    const days = [
      digest(0, bikes({ a: half, b: CLOCK })),
      digest(1, bikes({ a: CLOCK })),
      digest(2),
    ];
    expect(counterAvailability(days)).toEqual({ a: 0.75, b: 0.5 });
  });
});
