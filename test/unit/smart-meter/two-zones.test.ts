import { afterAll, beforeAll, expect, it } from 'vitest';
import { dailySql } from '../../../src/datasets/smart-meter/marts/daily.ts';
import type { LocalArtefact } from '../../../src/pipelines/dataset.ts';
import { zonedDay } from '../../../src/pipelines/zoned-day.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { dayUnit, hashOf, openStepRunner } from '../../fixtures/step-runner.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';

/**
 * A day on which Paris has 23 hours and UTC has 24, and a meter that files of both zones tell of.
 */

const DAY = '2024-03-31';
const WEEK_BEFORE = '2024-03-24';

let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
});
afterAll(() => runner.close());

/** The readings of a day, of which the later half is of UTC, in this order. */
async function readingsOf(date: string, order: 'ASC' | 'DESC'): Promise<LocalArtefact> {
  const text = bulkFile({ [date]: [{ id: 'A', whOf: (slot) => 100 + slot }] });
  const lines = text.split('\n');
  // A gap, for which an estimate is looked for.
  const file = await runner.file('bulk.csv', lines.filter((_, line) => line !== 21).join('\n'));
  const made = await runner.days([{ part: 'readings', path: file }], [date], 'transform/readings');
  const readings = made.get(date)!['transform/readings']!.outputs['readings']!;
  const path = await runner.file(`${date}-${order}.parquet`, '');
  await runner.sql((sql) =>
    sql.run(`COPY (SELECT * REPLACE (CASE WHEN slot < 24 THEN zone ELSE 'UTC' END AS zone) FROM read_parquet('${readings.path}')
      ORDER BY start_at ${order}) TO '${path}' (FORMAT PARQUET)`),
  );
  return { ...readings, path };
}

it('a meter of two zones has the zone of its earliest interval, in whatever order its rows are', async () => {
  const expected = await Promise.all(
    (['ASC', 'DESC'] as const).map(async (order) => {
      const { path } = await readingsOf(DAY, order);
      const day = zonedDay(DAY, 'Europe/Paris');
      return runner.sql((sql) =>
        sql.rows(`SELECT expected FROM (${dailySql(`'${path}'`, { scope: DAY, day })})`),
      );
    }),
  );
  expect(expected).toEqual([[{ expected: 46 }], [{ expected: 46 }]]);
});

it('its estimates are the same as well, on the day and a week after', async () => {
  const hashes = await Promise.all(
    (['ASC', 'DESC'] as const).map(async (order) => {
      const [readings, before] = [
        await readingsOf(DAY, order),
        await readingsOf(WEEK_BEFORE, order),
      ];
      const [daily] = await runner.step('metrics/daily', [
        dayUnit(DAY, { readings: [readings], meters: [] }),
      ]);
      const inputs = {
        readings: [readings],
        daily: [daily!.outputs['daily']!],
        readings_7: [before],
      };
      const [own] = await runner.step('metrics/estimates', [dayUnit(DAY, inputs)]);
      return hashOf(own, 'estimates');
    }),
  );
  expect(new Set(hashes).size).toBe(1);
});
