import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { addDays } from '../../../src/pipelines/civil-date.ts';
import { meterKey } from '../../../src/datasets/smart-meter/readings/meter-key.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { TEST_SECRET, testMeters } from '../../fixtures/meters.ts';
import { openStepRunner } from '../../fixtures/step-runner.ts';
import type { Done, StepRunner } from '../../fixtures/step-runner.ts';

/**
 * Every meter uses 100 + slot Wh on the day, and that plus the week's number on the four like days
 * before. What each lacks of the day is in its name.
 */

const DAY = '2024-01-29';
const LIKE = [28, 21, 14, 7].map((back) => addDays(DAY, -back));
const LACKING: Readonly<Record<string, (slot: number) => boolean>> = {
  nothing: () => false,
  twoHours: (slot) => slot >= 10 && slot < 14,
  longer: (slot) => slot >= 10 && slot < 15,
  firstHour: (slot) => slot < 2,
  allDay: () => true,
  counted: (slot) => slot >= 10 && slot < 15,
  dark: (slot) => slot >= 10 && slot < 14,
  stranger: (slot) => slot >= 10 && slot < 15,
};
const wh = (slot: number, week = 0): number => 100 + slot + week;

let runner: StepRunner;
let made: Readonly<Record<string, Done>>;
let known: Readonly<Record<string, Done>>;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
  const names = Object.keys(LACKING);
  const like = LIKE.map((date, week) => [
    date,
    names
      .filter((name) => name !== 'stranger')
      .map((id) => ({ id, whOf: (slot: number) => wh(slot, week) })),
  ]);
  const days = Object.fromEntries([
    ...like,
    [DAY, names.map((id) => ({ id, whOf: wh }))],
  ]) as Parameters<typeof bulkFile>[0];
  const start = Date.parse(`${DAY}T00:00:00+01:00`);
  const readings = bulkFile(days)
    .split('\n')
    .filter((line) => {
      const [id = '', at = ''] = line.split(',');
      const slot = (Date.parse(at) - start) / 1_800_000;
      return !(slot >= 0 && LACKING[id]!(slot));
    })
    .join('\n');
  // 48 half-hours are 5 928 Wh; the counter says that twice as much as usual was used in the gap.
  const gap = [10, 11, 12, 13, 14].reduce((sum, slot) => sum + wh(slot), 0);
  const lists = {
    meters: `meter_id,valid_from,segment,transformer\n${names.map((id) => `${id},2024-01-01,home,${id === 'dark' ? 'T2' : 'T1'}\n`).join('')}`,
    outages: `transformer,start_at,end_at\nT2,${DAY}T05:00:00+01:00,${DAY}T06:00:00+01:00\n`,
    registers: `meter_id,read_at,register_wh\ncounted,${DAY}T00:00:00+01:00,1000\ncounted,${addDays(DAY, 1)}T00:00:00+01:00,${1000 + 5_928 + gap}\n`,
  };
  const sources = [
    { part: 'readings', path: await runner.file('bulk.csv', readings) },
    ...(await Promise.all(
      Object.entries(lists).map(async ([part, text]) => ({
        part,
        path: await runner.file(`${part}.csv`, text),
      })),
    )),
  ];
  const all = await runner.days(sources, [...LIKE, DAY], 'metrics/day');
  [made, known] = [all.get(DAY)!, all.get(LIKE[0]!)!];
}, 60_000);
afterAll(() => runner.close());

async function estimatesOf(name: string, done = made) {
  const { outputs, failure } = done['metrics/estimates']!;
  expect(failure).toBeUndefined();
  const { path } = outputs['estimates']!;
  return runner.sql((sql) =>
    sql.rows<{ slot: number; wh: number; method: string }>(
      `SELECT slot, CAST(estimate_wh AS DOUBLE) AS wh, estimate_method AS method FROM read_parquet('${path}')
       WHERE meter_key = ${meterKey(TEST_SECRET, name)} ORDER BY slot`,
    ),
  );
}

const slots = (from: number, to: number): number[] =>
  Array.from({ length: to - from }, (_, index) => from + index);
/** Mean of the three newest like days: weeks 1, 2 and 3. */
const likeDay = (from: number, to: number) =>
  slots(from, to).map((slot) => ({ slot, wh: wh(slot) + 2, method: 'like_day' }));

describe('estimates', () => {
  it('go straight over two hours, and follow like days over more, or where a side is missing', async () => {
    expect(await estimatesOf('nothing')).toEqual([]);
    expect(await estimatesOf('twoHours')).toEqual(
      slots(10, 14).map((slot) => ({ slot, wh: wh(slot), method: 'linear' })),
    );
    expect(await estimatesOf('longer')).toEqual(likeDay(10, 15));
    expect(await estimatesOf('firstHour')).toEqual(likeDay(0, 2));
    expect(await estimatesOf('allDay')).toEqual(likeDay(0, 48));
  });

  it('add up to the counter, where that has a value at both ends of the day', async () => {
    const found = await estimatesOf('counted');
    expect(new Set(found.map(({ method }) => method))).toEqual(new Set(['scaled']));
    const gap = slots(10, 15).reduce((sum, slot) => sum + wh(slot), 0);
    expect(found.reduce((sum, row) => sum + row.wh, 0)).toBeCloseTo(2 * gap, 3);
  });

  it('are not made in an outage, nor straight beside one, nor without three like days', async () => {
    // The outage is from slot 10 to 12: what is left of the gap is beside it.
    expect(await estimatesOf('dark')).toEqual(likeDay(12, 14));
    expect(await estimatesOf('stranger')).toEqual([]);
    expect(await estimatesOf('longer', known)).toEqual([]);
  });

  it('are in no sum, and in no coverage', async () => {
    const { path } = made['metrics/daily']!.outputs['daily']!;
    const [row] = await runner.sql((sql) =>
      sql.rows(`SELECT CAST(total_wh AS DOUBLE) AS wh, observed, estimated FROM read_parquet('${path}')
        WHERE meter_key = ${meterKey(TEST_SECRET, 'twoHours')}`),
    );
    expect(row).toEqual({
      wh: slots(0, 48).reduce((sum, slot) => sum + (slot >= 10 && slot < 14 ? 0 : wh(slot)), 0),
      observed: 44,
      estimated: 0,
    });
  });
});
