import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { stalePeriods } from '../../../src/engine/derive/stale-periods.ts';
import { verifyPeriod } from '../../../src/engine/verify/verify-period.ts';
import { addDays, datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { CivilDate } from '../../../src/pipelines/vocabulary.ts';
import {
  FORMULAS,
  GRAPH,
  PRICES,
  SINCE,
  TODAY,
  graphDatasets,
  hashesOf,
  rollUpAnnounced,
  setDay,
} from '../../fixtures/period-graph-dataset.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const MONTHS = ['2023-11', '2023-12', '2024-01', '2024-02', '2024-03'];
const YEARS = ['2023', '2024'];
const PERIODS = [...MONTHS, ...YEARS, 'all'];

type Days = Map<CivilDate, number>;

/**
 * What the definition says, computed without the engine: what each output reads, and its number.
 */
class Model {
  readonly days: Days = new Map();
  readonly prices: Days = new Map();
  /** By output, everything that it was ever made from. */
  readonly #made = new Map<string, Set<string>>();

  /** Makes everything; returns the outputs whose inputs are others than ever before. */
  make(): string[] {
    const ran: string[] = [];
    const values = new Map<string, number>();
    const output = (step: string, period: string, read: Record<string, number[]>): void => {
      const inputs = Object.fromEntries(Object.entries(read).filter(([, list]) => list.length > 0));
      const name = `${step} ${period}`;
      const known = this.#made.get(name) ?? new Set();
      if (!known.has(JSON.stringify(inputs))) ran.push(name);
      this.#made.set(name, known.add(JSON.stringify(inputs)));
      values.set(name, FORMULAS[step]?.(inputs) ?? 0);
    };
    const month = (period: string): number[] => [values.get(`rollup/month ${period}`) ?? []].flat();
    for (const [place, period] of MONTHS.entries()) {
      const days = [...this.days].sort().filter(([date]) => date.startsWith(period));
      if (days.length === 0) continue;
      const before = place === 0 ? [] : month(MONTHS[place - 1] ?? '');
      output('rollup/month', period, { days: days.map(([, value]) => value), before });
    }
    const all = MONTHS.flatMap(month);
    if (all.length > 0) output('rollup/history', 'all', { months: all });
    for (const year of YEARS) {
      const months = MONTHS.filter((period) => period.startsWith(year)).flatMap(month);
      const largest = [values.get('rollup/history all') ?? []].flat();
      if (months.length > 0)
        output('rollup/year', year, { months, largest, price: this.#priceOf(year) });
    }
    return ran;
  }

  #priceOf(year: string): number[] {
    const end = `${year}-12-31`;
    const held = [...this.prices]
      .sort()
      .filter(([date]) => date <= end && date >= addDays(end, -60));
    return held.slice(-1).map(([, price]) => price);
  }
}

const DATES = [
  ...datesBetween(SINCE, '2023-11-03'),
  '2023-12-31',
  '2024-01-01',
  '2024-01-02',
  '2024-03-30',
];
const PRICE_DATES = ['2023-10-20', '2023-11-15', '2023-12-31'];

const change = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({
      of: fc.constant(GRAPH),
      date: fc.constantFrom(...DATES),
      value: fc.nat(40),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      of: fc.constant(PRICES),
      date: fc.constantFrom(...PRICE_DATES),
      value: fc.nat(3),
    }),
  },
);
/** Each element is heard at once. */
const history = fc.array(fc.array(change, { minLength: 1, maxLength: 3 }), {
  minLength: 1,
  maxLength: 7,
});

async function withEngine<T>(work: (engine: TestEngine) => Promise<T>): Promise<T> {
  const engine = await openTestEngine(graphDatasets(), {
    now: () => new Date(`${TODAY}T12:00:00Z`),
  });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

async function setAll(engine: TestEngine, { days, prices }: Model): Promise<void> {
  for (const [date, value] of days) await setDay(engine, GRAPH, date, value);
  for (const [date, value] of prices) await setDay(engine, PRICES, date, value);
}

describe('periods that read days, periods, the history and other pipelines', () => {
  it('are made again where what they read has changed and nowhere else, with the bytes of a fresh build', async () => {
    await fc.assert(
      fc.asyncProperty(history, async (steps) => {
        const model = new Model();
        await withEngine(async (engine) => {
          for (const changes of steps) {
            for (const { of, date, value } of changes) {
              await setDay(engine, of, date, value);
              (of === GRAPH ? model.days : model.prices).set(date, value);
            }
            const dates = [...model.days.keys()].sort();
            const stale = await stalePeriods(engine, GRAPH, dates);
            const expected = model.make();
            // Of changed days the rollup hears by itself; of another pipeline it is told what
            // `stale` says.
            const isTold = changes.some(({ of }) => of === PRICES);
            const ran = await rollUpAnnounced(engine, isTold ? stale.map(({ date }) => date) : []);
            expect(ran.toSorted()).toEqual(expected.toSorted());
            expect(stale.map(({ step, period }) => `${step} ${period}`)).toEqual(
              expect.arrayContaining(ran),
            );
            expect(await stalePeriods(engine, GRAPH, dates)).toEqual([]);
          }
          const made = await hashesOf(engine, PERIODS);
          const fresh = await withEngine(async (other) => {
            await setAll(other, model);
            await rollUpAnnounced(other);
            return hashesOf(other, PERIODS);
          });
          expect(made).toEqual(fresh);
          for (const name of Object.keys(made)) {
            const period = name.split(' ')[1] ?? '';
            expect(await verifyPeriod(engine, testControl(), GRAPH, period)).toMatchObject({
              result: 'identical',
            });
          }
        });
      }),
      { numRuns: 8 },
    );
  });

  it('stop at the month whose bytes a late day leaves as they were', async () => {
    await withEngine(async (engine) => {
      await setDay(engine, GRAPH, '2023-11-01', 12);
      await setDay(engine, GRAPH, '2024-01-01', 40);
      await setDay(engine, PRICES, '2023-11-15', 2);
      await rollUpAnnounced(engine);
      await setDay(engine, GRAPH, '2023-11-02', 3);
      expect(await rollUpAnnounced(engine)).toEqual(['rollup/month 2023-11']);
      // 25 are two tens: the history has the same largest month, the year of the change another
      // sum.
      await setDay(engine, GRAPH, '2023-11-02', 13);
      expect(await rollUpAnnounced(engine)).toEqual([
        'rollup/month 2023-11',
        'rollup/history all',
        'rollup/year 2023',
      ]);
    });
  });

  it('are made again for a state of another pipeline when its bytes are others, and not for a version alone', async () => {
    await withEngine(async (engine) => {
      await setDay(engine, GRAPH, '2023-11-01', 12);
      await setDay(engine, PRICES, '2023-11-15', 2);
      await rollUpAnnounced(engine);
      // Nearer to the end of the year, and the same price.
      await setDay(engine, PRICES, '2023-12-31', 2);
      expect(await stalePeriods(engine, GRAPH, ['2023-11-01'])).toEqual([]);
      await setDay(engine, PRICES, '2023-11-15', 5);
      expect(await stalePeriods(engine, GRAPH, ['2023-11-01'])).toEqual([]);
      await setDay(engine, PRICES, '2023-12-31', 3);
      expect(await stalePeriods(engine, GRAPH, ['2023-11-01'])).toEqual([
        {
          period: '2023',
          step: 'rollup/year',
          reason: expect.stringContaining('price') as string,
          date: '2023-11-01',
        },
      ]);
      expect(await rollUpAnnounced(engine, ['2023-11-01'])).toEqual(['rollup/year 2023']);
    });
  });

  it('make no period of which nothing is there but the state before it', async () => {
    await withEngine(async (engine) => {
      await setDay(engine, GRAPH, '2023-11-01', 12);
      await rollUpAnnounced(engine);
      expect(Object.keys(await hashesOf(engine, PERIODS))).toEqual([
        'rollup/month 2023-11',
        'rollup/year 2023',
        'rollup/history all',
      ]);
    });
  });
});
