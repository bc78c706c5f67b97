import { afterAll, beforeAll, expect, it } from 'vitest';
import { smartMeterWith } from '../../../src/datasets/smart-meter/index.ts';
import { parquetOf } from '../../../src/datasets/smart-meter/tables.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { TEST_SECRET } from '../../fixtures/meters.ts';
import { dayUnit, openStepRunner } from '../../fixtures/step-runner.ts';
import type { Done, StepRunner } from '../../fixtures/step-runner.ts';

/**
 * A file in shards is cut by the numbers of its texts, and slices of several files are one table of
 * readings: no row is lost or takes another's place.
 */

const DATE = '2024-01-15';
const METERS = 30;
const MADE = Array.from({ length: METERS }, (_, meter) => ({
  id: `M${meter}`,
  whOf: (slot: number) => 100 + meter + slot,
}));

/** A row of each thing that may be missing, twice: as nothing, as an empty text, as spaces. */
const LACKING = ['', '""', '  '].flatMap((nothing, nth) => [
  `${nothing},2024-01-15T0${nth}:00:00Z,5${nth}`,
  `M1,${nothing},6${nth}`,
  `M2,2024-01-15T0${nth}:10:00Z,${nothing}`,
]);

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

async function rowsOf(runner: StepRunner, text: string): Promise<unknown[]> {
  const [cut] = (await runner.slice(
    { part: 'readings', path: await runner.file('bulk.csv', text) },
    [DATE],
  )) as [Done];
  const names = Object.keys(cut.outputs).sort();
  return runner.sql(async (sql) => {
    const rows: unknown[] = [];
    for (const name of names)
      rows.push(...(await sql.rows(`SELECT * FROM ${parquetOf([cut.outputs[name]!.path])}`)));
    return rows;
  });
}

const byLine = (a: unknown, b: unknown): number =>
  (a as { line: number }).line - (b as { line: number }).line;

it('rows without a meter, a time or a value are refused in shards as they are in whole slices', async () => {
  const text = `${bulkFile({ [DATE]: MADE })}${LACKING.join('\n')}\n`;
  const rows = (await rowsOf(whole, text)).sort(byLine);
  expect(rows).toHaveLength(METERS * 48 + LACKING.length);
  expect((await rowsOf(sharded, text)).sort(byLine)).toEqual(rows);
});

it('of rows of two slices the better ones count, and all others stay', async () => {
  const slice = async (text: string) => {
    const path = await whole.file('bulk.csv', text);
    const [cut] = (await whole.slice({ part: 'readings', path }, [DATE])) as [Done];
    return cut.outputs['slice']!;
  };
  const first = await slice(bulkFile({ [DATE]: MADE }));
  // All meters but one: nearly every place in the first slice is one in the second as well.
  const corrected = bulkFile({ [DATE]: MADE.slice(1).map(({ id }) => ({ id, whOf: () => 999 })) });
  const [head, ...rows] = corrected.trimEnd().split('\n');
  const second = await slice(`${head},revision\n${rows.map((row) => `${row},CORRIGE\n`).join('')}`);
  const inputs = { readings: [first], head_end: [second] };
  const [made] = (await whole.step('transform/readings', [dayUnit(DATE, inputs)])) as [Done];
  expect(made.facts).toMatchObject({ rows: METERS * 48, duplicates: (METERS - 1) * 48 });
  const found = await whole.sql((sql) =>
    sql.rows(
      `SELECT revision, count(*) AS rows, CAST(max(energy_wh) AS INTEGER) AS wh FROM ${parquetOf([made.outputs['readings']!.path])} GROUP BY revision ORDER BY revision`,
    ),
  );
  expect(found).toEqual([
    { revision: 0, rows: 48, wh: 147 },
    { revision: 2, rows: (METERS - 1) * 48, wh: 999 },
  ]);
});
