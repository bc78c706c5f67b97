import { afterAll, beforeAll, expect, it } from 'vitest';
import { dailySql } from '../../../src/datasets/smart-meter/marts/daily.ts';
import type { LocalArtefact } from '../../../src/pipelines/dataset.ts';
import { zonedDay } from '../../../src/pipelines/zoned-day.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { dayUnit, hashOf, openStepRunner } from '../../fixtures/step-runner.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';

/**
 * What is made of the readings of a meter does not depend on the order in which the engine reads
 * them.
 */

const DATE = '2024-01-15';
const METERS = 12;

let runner: StepRunner;
let files: Awaited<ReturnType<StepRunner['days']>>;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
  const meters = Array.from({ length: METERS }, (_, meter) => ({
    id: `M${meter}`,
    whOf: (slot: number) => 100 + 40 * ((slot * (meter + 3)) % 48),
  }));
  const file = await runner.file('bulk.csv', bulkFile({ [DATE]: meters }));
  files = await runner.days([{ part: 'readings', path: file }], [DATE], 'metrics/curves');
});
afterAll(() => runner.close());

/** The readings of the day with some columns replaced, in an order of their own. */
async function readings(order: string, replaced = 'slot AS slot'): Promise<LocalArtefact> {
  const made = files.get(DATE)!['transform/readings']!.outputs['readings']!;
  const path = await runner.file('readings.parquet', '');
  await runner.sql((sql) =>
    sql.run(
      `COPY (SELECT * REPLACE (${replaced}) FROM read_parquet('${made.path}') ORDER BY ${order}) TO '${path}' (FORMAT PARQUET)`,
    ),
  );
  return { ...made, path };
}

it('a day is held against the course of its segment alike whatever the order of its rows', async () => {
  const curves = files.get(DATE)!['metrics/curves']!.outputs['curves']!;
  const lagsOf = async (order: string) => {
    const inputs = { readings: [await readings(order)], curves: [curves], meters: [] };
    const [made] = await runner.step('metrics/lags', [dayUnit(DATE, inputs)]);
    return { hash: hashOf(made, 'lags'), rows: made!.outputs['lags']!.ref.rows };
  };
  const inOrder = await lagsOf('meter_key, channel, start_at');
  expect(inOrder.rows).toBe(METERS);
  expect(await lagsOf('hash(meter_key, start_at)')).toEqual(inOrder);
});

it('the peak is that of the earliest of the largest values, and never an interval without one', async () => {
  const peaksOf = async (replaced: string) => {
    const { path } = await readings('hash(start_at)', replaced);
    const day = zonedDay(DATE, 'Europe/Paris');
    return runner.sql((sql) =>
      sql.rows(`SELECT DISTINCT peak_hour FROM (${dailySql(`'${path}'`, { scope: DATE, day })})`),
    );
  };
  const largest = 'CAST(CASE WHEN slot IN (21, 22, 40) THEN 9999999 ELSE 0 END AS DECIMAL(12, 5))';
  expect(await peaksOf(`${largest} AS energy_wh`)).toEqual([{ peak_hour: 10 }]);
  expect(
    await peaksOf(`CASE WHEN slot IN (1, 47) THEN NULL ELSE ${largest} END AS energy_wh`),
  ).toEqual([{ peak_hour: 10 }]);
});
