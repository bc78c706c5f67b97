import fc from 'fast-check';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { smartMeterWith } from '../../../src/datasets/smart-meter/index.ts';
import { parquetOf } from '../../../src/datasets/smart-meter/tables.ts';
import { TEST_SECRET } from '../../fixtures/meters.ts';
import { dayUnit, openStepRunner } from '../../fixtures/step-runner.ts';
import type { Done, StepRunner } from '../../fixtures/step-runner.ts';

/**
 * Whatever columns and values a file has, it is cut by numbers of its texts into the same rows as
 * it is whole, and the same of them count.
 */

const DATE = '2024-01-15';
const NOTHING = ['', '""', '  ', 'NaN', 'null'];

/**
 * Of each column that a file may have, values that are usual, and values that are wrong or missing.
 */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  channel: ['import', 'export', 'IMPORT', 'autre', ''],
  quality: ['A', 'E', 'C', 'a', 'X', ''],
  step_min: ['30', '30', '60', '10', '0', '-5', 'x', ''],
  revision: ['BRUT', 'COMPLETE', 'CORRIGE', 'brut', 'NEUF', ''],
  file_time: ['2024-01-16', '2024-01-20T05:00:00Z', 'hier', ''],
};
const METERS = ['M1', 'M2', 'M3', 'M4', 'M5', 'M6', ...NOTHING];
const STAMPS = [
  ...Array.from(
    { length: 8 },
    (_, slot) => `${DATE}T${String(10 + (slot >> 1))}:${slot % 2 === 0 ? '00' : '30'}:00Z`,
  ),
  ...[
    `${DATE}T12:10:00Z`,
    `${DATE} 09:00:00`,
    `${DATE}T09:00:00+01:00`,
    '2024-01-14T22:30:00Z',
    '2024-02-30T00:00:00Z',
  ],
  ...NOTHING,
];
const AMOUNTS = ['1', '2', '2.0', '02', '3.5', '0', '-1', '1e3', '99999999999', 'x', ...NOTHING];

const given = fc.subarray(Object.keys(VALUES)).chain((columns) =>
  fc.record({
    head: fc
      .tuple(fc.constantFrom('start_at', 'end_at'), fc.constantFrom('wh', 'kwh'))
      .map(([stamp, amount]) => ['meter_id', stamp, amount, ...columns].join(',')),
    rows: fc.array(
      fc
        .tuple(
          ...[METERS, STAMPS, AMOUNTS, ...columns.map((name) => VALUES[name]!)].map((values) =>
            fc.constantFrom(...values),
          ),
        )
        .map((cells) => cells.join(',')),
      { minLength: 1, maxLength: 60 },
    ),
  }),
);

let whole: StepRunner;
let sharded: StepRunner;
beforeAll(async () => {
  [whole, sharded] = (await Promise.all(
    [1, 4].map((shards) =>
      openStepRunner(smartMeterWith(() => Promise.resolve(TEST_SECRET), shards)),
    ),
  )) as [StepRunner, StepRunner];
});
afterAll(() => Promise.all([whole.close(), sharded.close()]));

interface Made {
  readonly rows: readonly string[];
  readonly counted: readonly unknown[];
}

/**
 * The rows of all slices by their line, and what the readings that are made of them say; an error
 * in its own words.
 */
async function madeBy(runner: StepRunner, text: string): Promise<Made | string> {
  const path = await runner.file('bulk.csv', text);
  const sliced = await runner
    .slice({ part: 'readings', path }, [DATE])
    .catch((error: unknown) => String(error));
  if (typeof sliced === 'string') return sliced.replaceAll(path, 'file');
  const [cut] = sliced as [Done];
  const rows: string[] = [];
  const counted: unknown[] = [];
  for (const slice of Object.values(cut.outputs)) {
    const [made] = (await runner.step('transform/readings', [
      dayUnit(DATE, { readings: [slice] }),
    ])) as [Done];
    await runner.sql(async (sql) => {
      for (const row of await sql.rows(`SELECT * FROM ${parquetOf([slice.path])} ORDER BY line`))
        rows.push(JSON.stringify(row));
      counted.push(
        ...(await sql.rows(`SELECT * FROM ${parquetOf([made.outputs['readings']!.path])}`)),
      );
      counted.push(
        ...(await sql.rows(`SELECT * FROM ${parquetOf([made.outputs['conflicts']!.path])}`)),
      );
    });
  }
  const lineOf = (row: string): number => (JSON.parse(row) as { line: number }).line;
  return {
    rows: rows.sort((a, b) => lineOf(a) - lineOf(b)),
    counted: counted.map((row) => JSON.stringify(row)).sort(),
  };
}

it('makes the same of a file in shards as of the whole file', async () => {
  await fc.assert(
    fc.asyncProperty(given, async ({ head, rows }) => {
      const text = `${head}\n${rows.join('\n')}\n`;
      expect(await madeBy(sharded, text)).toEqual(await madeBy(whole, text));
    }),
    { numRuns: 20 },
  );
}, 120_000);
