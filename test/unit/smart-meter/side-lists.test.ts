import { afterAll, beforeAll, expect, it } from 'vitest';
import { parquetOf } from '../../../src/datasets/smart-meter/tables.ts';
import { SIDE_PARTS } from '../../../src/datasets/smart-meter/side/parts.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { openStepRunner } from '../../fixtures/step-runner.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
});
afterAll(() => runner.close());

/** By part: a file, a day, how many rows that day has, and the days that are recognised. */
const LISTS: Readonly<
  Record<string, readonly [text: string, day: string, rows: number, from: string]>
> = {
  meters: [
    'meter_id,valid_from,segment\nA,2024-01-01,home\nA,2024-02-01,shop\nB,2024-02-01,home\n',
    '2024-01-31',
    1,
    '2024-01-01',
  ],
  injected: [
    'transformer,date,injected_wh\nT,2024-01-01,5\nT,2024-01-02,6\n',
    '2024-01-02',
    1,
    '2024-01-01',
  ],
  registers: [
    'meter_id;read_at;register_wh\nA;2024-01-01T23:00:00Z;5\nA;2024-01-02T23:00:00Z;6\n',
    '2024-01-02',
    2,
    '2024-01-01',
  ],
  outages: [
    'transformer,start_at,end_at\nT,2024-01-01T10:00:00Z,2024-01-02T10:00:00Z\n',
    '2024-01-02',
    1,
    '2024-01-01',
  ],
  weather: ['date,temperature_c\n2024-01-01,-2.5\n', '2024-01-01', 1, '2024-01-01'],
  billed: [
    'meter_id,start_at,end_at,billed_wh\nA,2024-01-01T00:00:00Z,2024-01-31T00:00:00Z,9\n',
    '2024-01-15',
    1,
    '2024-01-01',
  ],
  prices: [
    'tariff,valid_from,eur_per_kwh\nbase,2024-01-01,0.25\nbase,2024-02-01,0.26\n',
    '2024-03-01',
    1,
    '2024-01-01',
  ],
};

it.each(SIDE_PARTS.map(({ id }) => id))(
  'a list of %s is recognised, and gives each day the rows that hold on it',
  async (part) => {
    const [text, day, rows, from] = LISTS[part]!;
    const file = await runner.file(`${part}.csv`, text);
    expect(await runner.recognise(file)).toMatchObject({ part, from });
    const [done] = await runner.slice({ part, path: file }, [day]);
    expect(done?.facts['rows']).toBe(rows);
  },
);

it('the newest row of a meter that is valid on a day is the one that holds', async () => {
  const file = await runner.file('meters.csv', LISTS['meters']![0]);
  const done = await runner.slice({ part: 'meters', path: file }, [
    '2023-12-31',
    '2024-01-31',
    '2024-02-01',
    '2024-02-02',
  ]);
  const segments = await Promise.all(
    done.map(async ({ outputs }) => {
      const path = outputs['slice']?.path;
      return path === undefined
        ? []
        : runner.sql((sql) =>
            sql.rows<{ segment: string }>(
              `SELECT segment FROM ${parquetOf([path])} ORDER BY segment`,
            ),
          );
    }),
  );
  expect(segments.map((rows) => rows.map(({ segment }) => segment))).toEqual([
    [],
    ['home'],
    ['home', 'shop'],
    ['home', 'shop'],
  ]);
  expect(done[2]!.outputs['slice']!.ref.sha256).toBe(done[3]!.outputs['slice']!.ref.sha256);
});

it.each([
  [
    'an instant',
    'registers',
    'meter_id;read_at;register_wh\n\nA;2024-01-01T23:00:00Z;5\nA;on Tuesday;6\n',
    /"on Tuesday" in line 4, column "read_at"/,
  ],
  [
    'a day',
    'weather',
    'date,temperature_c\n2024-01-01,-2.5\n2024-02-30,1\n',
    /"2024-02-30" in line 3, column "date"/,
  ],
  [
    'a number with a comma',
    'weather',
    'date;temperature_c\n2024-01-01;-2,5\n',
    /"-2,5" in line 2, column "temperature_c"/,
  ],
  [
    'an optional number',
    'meters',
    'meter_id,valid_from,segment,kva\nA,2024-01-01,home,6\nB,2024-01-01,home,six\n',
    /"six" in line 3, column "kva"/,
  ],
  [
    'an empty meter',
    'meters',
    'meter_id,valid_from,segment\n,2024-01-01,home\n',
    /meter_id cannot be read, such as "" in line 2/,
  ],
])(
  '%s that cannot be read refuses the list with its line and column',
  async (_, part, text, message) => {
    const file = await runner.file(`odd-${part}.csv`, text);
    await expect(runner.recognise(file)).rejects.toThrow(message);
  },
);

it.each([
  [
    'meters',
    ['A,2024-01-01,shop,T2', 'A,2024-01-01,home,T1', 'B,2024-01-01,home,T1'],
    'meter_id,valid_from,segment,transformer',
  ],
  [
    'registers',
    ['A,2024-01-01T23:00:00Z,7', 'A,2024-01-01T23:00:00Z,5', 'A,2024-01-02T23:00:00Z,9'],
    'meter_id,read_at,register_wh',
  ],
])(
  'of %s of which a list says two things, one counts, in whatever order they are',
  async (part, lines, header) => {
    const slices = await Promise.all(
      [lines, [...lines].reverse()].map(async (rows, index) => {
        const file = await runner.file(`twice-${index}.csv`, `${header}\n${rows.join('\n')}\n`);
        const [done] = await runner.slice({ part, path: file }, ['2024-01-02']);
        return done!;
      }),
    );
    expect(slices.map(({ facts }) => facts['rows'])).toEqual([2, 2]);
    expect(new Set(slices.map(({ outputs }) => outputs['slice']!.ref.sha256)).size).toBe(1);
  },
);
