import { afterAll, beforeAll, expect, it } from 'vitest';
import type { Done, StepRunner } from '../../fixtures/step-runner.ts';
import { hashOf, openStepRunner } from '../../fixtures/step-runner.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { testMeters } from '../../fixtures/meters.ts';

/** Rows of several deliveries are kept together as they were cut, and are cut again. */

const DATE = '2024-01-15';
/** More rows than are tried for what they have in common, the last of which is another. */
const METERS = 50;

let runner: StepRunner;
let slice: Done;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
  const meters = Array.from({ length: METERS }, (_, meter) => ({
    id: `M${meter}`,
    whOf: (slot: number) => meter + slot,
  }));
  const rows = bulkFile({ [DATE]: meters })
    .trimEnd()
    .split('\n');
  const text = rows.map(
    (row, place) => `${row},${place === 0 ? 'quality' : place === rows.length - 1 ? 'E' : 'A'}\n`,
  );
  const file = await runner.file('bulk.csv', text.join(''));
  [slice] = (await runner.slice({ part: 'readings', path: file }, [DATE])) as [Done];
});
afterAll(() => runner.close());

const FORMS = {
  parquet: 'FORMAT PARQUET',
  csv: `FORMAT CSV, HEADER, DELIMITER ';', QUOTE '"', ESCAPE '"'`,
};

/** The rows of the slice, joined in another order and cut again. */
async function cutAgain(form: keyof typeof FORMS, columns = '*'): Promise<Done> {
  const joined = await runner.file(`joined.${form}`, '');
  const { path } = slice.outputs['slice']!;
  await runner.sql((sql) =>
    sql.run(
      `COPY (SELECT ${columns} FROM read_parquet('${path}') ORDER BY hash(start_s)) TO '${joined}' (${FORMS[form]})`,
    ),
  );
  const known = await runner.recognise(joined);
  expect(known).toMatchObject({
    kind: 'joined readings',
    from: DATE,
    to: DATE,
    rows: METERS * 48,
    extension: form,
  });
  const [again] = await runner.slice({ part: 'readings', path: joined }, [DATE]);
  return again!;
}

it('rows that were joined are cut to the bytes that their own file gave', async () => {
  expect(hashOf(await cutAgain('parquet'), 'slice')).toBe(hashOf(slice, 'slice'));
});

it('rows that earlier releases joined as CSV are cut to the same bytes', async () => {
  const columns = `* REPLACE ('0123456789ab' AS file)`;
  expect(hashOf(await cutAgain('csv', columns), 'slice')).toBe(
    hashOf(await cutAgain('parquet', columns), 'slice'),
  );
});

it('rows that earlier releases joined with what was published of each are cut to the same bytes', async () => {
  const columns = `* REPLACE (strftime(to_timestamp(start_s), '%Y-%m-%dT%H:%M:%SZ') AS stamp, CAST(energy_wh AS VARCHAR) AS value)`;
  for (const form of ['parquet', 'csv'] as const)
    expect(
      hashOf(
        await cutAgain(form, columns.replace('REPLACE (', `REPLACE ('0123456789ab' AS file, `)),
        'slice',
      ),
    ).toBe(hashOf(await cutAgain('parquet', `* REPLACE ('0123456789ab' AS file)`), 'slice'));
});
