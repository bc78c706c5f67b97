import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MeterWorld } from '@quotidien/sample-portal/meters/world';
import { CLOCK_DAYS, lagsBefore } from '../../../src/datasets/smart-meter/quality/fleet-rules.ts';
import { meterKey } from '../../../src/datasets/smart-meter/readings/meter-key.ts';
import { addDays, datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { LocalArtefact } from '../../../src/pipelines/dataset.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import type { MadeMeter } from '../../fixtures/meter-files.ts';
import { TEST_SECRET, testMeters } from '../../fixtures/meters.ts';
import { dayUnit, openStepRunner } from '../../fixtures/step-runner.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';

/** The rule that holds the curve of a meter against that of its segment. */

const FIRST = '2024-01-08';
const DAYS = datesBetween(FIRST, addDays(FIRST, 6));

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
});
afterAll(() => runner.close());

interface Found {
  readonly tested: number;
  /** Key and lag of the meters that fail, by key. */
  readonly failing: readonly (readonly [key: string, lag: number])[];
}

/** The readings through the steps that the rule needs, on the last of the days. */
async function judged(
  days: Readonly<Record<string, readonly MadeMeter[]>>,
  list: readonly string[],
): Promise<Found> {
  const dates = Object.keys(days);
  const done = await runner.days(
    [
      { part: 'readings', path: await runner.file('bulk.csv', bulkFile(days)) },
      {
        part: 'meters',
        path: await runner.file('m.csv', `meter_id,valid_from,segment\n${list.join('')}`),
      },
    ],
    dates,
    'metrics/daily',
  );
  const of = (date: string, step: string, output: string): LocalArtefact[] => [
    done.get(date)![step]!.outputs[output]!,
  ];
  const lags = new Map<string, LocalArtefact[]>();
  for (const date of dates) {
    const meters = of(date, 'download/meters', 'slice');
    const [curves] = await runner.step('metrics/curves', [
      dayUnit(date, { slots: of(date, 'metrics/daily', 'slots') }),
    ]);
    const [own] = await runner.step('metrics/lags', [
      dayUnit(date, {
        readings: of(date, 'transform/readings', 'readings'),
        curves: [curves!.outputs['curves']!],
        meters,
      }),
    ]);
    lags.set(date, [own!.outputs['lags']!]);
  }
  const last = dates.at(-1)!;
  const before = Array.from({ length: CLOCK_DAYS }, (_, back) => [
    lagsBefore(back),
    lags.get(addDays(last, -back)) ?? [],
  ]);
  const [rules] = await runner.step('metrics/fleet-rules', [
    dayUnit(last, {
      daily: of(last, 'metrics/daily', 'daily'),
      meters: of(last, 'download/meters', 'slice'),
      ...(Object.fromEntries(before) as Record<string, LocalArtefact[]>),
    }),
  ]);
  const { failing, tested } = rules!.outputs;
  return runner.sql(async (sql) => {
    const [counted] = await sql.rows<{ tested: number }>(
      `SELECT tested FROM read_parquet('${tested!.path}') WHERE rule = 'clock_in_step'`,
    );
    const rows = await sql.rows<{ key: string; lag: number }>(
      `SELECT CAST(meter_key AS VARCHAR) AS key, observed AS lag FROM read_parquet('${failing!.path}') WHERE rule = 'clock_in_step' ORDER BY key`,
    );
    return { tested: counted!.tested, failing: rows.map(({ key, lag }) => [key, lag]) };
  });
}

/**
 * Thirty homes of a made-up world; the curve of some is moved by half-hours, on so many of the
 * days.
 */
async function drifting(moved: Readonly<Record<number, number>>, onDays: number, days = DAYS) {
  const world = new MeterWorld({ seed: 5, meters: 80, from: FIRST, days: 7 });
  const homes = Array.from({ length: 80 }, (_, index) => index)
    .filter((index) => world.meter(index).segment === 'home' && world.truthOf(index) === undefined)
    .slice(0, 30);
  const made = days.map((date, day): [string, MadeMeter[]] => [
    date,
    homes.map((index, place) => {
      const { measured } = world.day(index, day);
      const lag = day < onDays ? (moved[place] ?? 0) : 0;
      return { id: world.meter(index).id, whOf: (slot) => measured[(slot - lag + 48) % 48]! };
    }),
  ]);
  const list = homes.map((index) => `${world.meter(index).id},2024-01-01,home\n`);
  const keyOf = (place: number): string => meterKey(TEST_SECRET, world.meter(homes[place]!).id);
  return { found: await judged(Object.fromEntries(made), list), keyOf };
}

describe('the clock of a meter', () => {
  it('that is wrong by half-hours for seven days is told with its lag, and no right one', async () => {
    const { found, keyOf } = await drifting({ 3: 2, 8: -3 }, 7);
    const expected = [
      [keyOf(3), 2],
      [keyOf(8), -3],
    ].toSorted(([a], [b]) => (String(a) < String(b) ? -1 : 1));
    expect(found).toEqual({ tested: 30, failing: expected });
  }, 120_000);

  it('that was wrong for a day of seven is not, nor one of four days', async () => {
    expect((await drifting({ 3: 2 }, 1)).found).toEqual({ tested: 30, failing: [] });
    expect((await drifting({ 3: 2 }, 4, DAYS.slice(0, 4))).found).toEqual({
      tested: 0,
      failing: [],
    });
  }, 120_000);
});
