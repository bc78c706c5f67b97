import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { DayChanges } from '../../../src/datasets/smart-meter/anomalies/changes-step.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { dayUnit, openStepRunner, readOutput } from '../../fixtures/step-runner.ts';
import type { StepRunner } from '../../fixtures/step-runner.ts';

/**
 * Thirty meters whose usual day is 10 kWh: meter 1 used 22 kWh more, meter 2 half of it, meter 30
 * as always; scores are a thirtieth each, the last one is 1.
 */

const DAY = '2024-01-31';
let runner: StepRunner;
beforeAll(async () => {
  runner = await openStepRunner(testMeters);
});
afterAll(() => runner.close());

const TOTAL = `CASE key WHEN 1 THEN 32000 WHEN 2 THEN 5000 WHEN 30 THEN 10000 ELSE 10000 + 10 * key END`;
const TABLES = {
  daily: `SELECT CAST(key AS UBIGINT) AS meter_key, channel, CAST(CASE channel WHEN 'import' THEN ${TOTAL} ELSE 90000 END AS DECIMAL(18, 5)) AS total_wh
    FROM range(1, 31) t(key), (VALUES ('import'), ('export')) c(channel)`,
  features: `SELECT CAST(key AS UBIGINT) AS meter_key, 'home' AS segment, CAST(ln((${TOTAL} + 100) / 10100) AS FLOAT) AS use FROM range(1, 31) t(key)`,
  scores: `SELECT CAST(key AS UBIGINT) AS meter_key, key / 30 AS anomaly_score, key > 27 AS is_anomaly_ml,
    CASE WHEN key > 27 THEN CASE key WHEN 30 THEN 'drift' ELSE 'low_consumption' END END AS anomaly_type,
    CASE WHEN key > 27 THEN 'low' END AS severity, 'abc' AS model FROM range(1, 31) t(key)`,
};

async function changes(
  names: readonly (keyof typeof TABLES)[],
  where = 'true',
): Promise<DayChanges> {
  const inputs: Record<string, { scope: string; path: string; ref: never }[]> = {};
  for (const name of names) {
    const file = path.join(runner.home, `${name}-${where.length}.parquet`);
    await runner.sql((sql) =>
      sql.run(
        `COPY (SELECT * FROM (${TABLES[name]}) WHERE ${where}) TO '${file}' (FORMAT PARQUET)`,
      ),
    );
    inputs[name] = [{ scope: DAY, path: file, ref: {} as never }];
  }
  const [done] = await runner.step('metrics/changes', [dayUnit(DAY, inputs)]);
  return readOutput<DayChanges>(done, 'changes');
}

describe('what is odd in a day', () => {
  it('is told as a distribution of scores in twentieths, with the odd ones by type', async () => {
    const { scores } = await changes(['daily', 'features', 'scores']);
    expect(scores).toMatchObject({ model: 'abc', meters: 30, odd: 3 });
    expect(scores!.intervals).toHaveLength(20);
    // A score of 0.9 is in the interval that begins there, and 1 in the last one.
    expect(scores!.intervals.slice(17)).toEqual([
      { from: 0.85, to: 0.9, meters: 1, odd: 0 },
      { from: 0.9, to: 0.95, meters: 2, odd: 1 },
      { from: 0.95, to: 1, meters: 2, odd: 2 },
    ]);
    expect(scores!.intervals.reduce((sum, { meters }) => sum + meters, 0)).toBe(30);
    expect(scores!.kinds).toEqual([
      { type: 'low_consumption', severity: 'low', meters: 2 },
      { type: 'drift', severity: 'low', meters: 1 },
    ]);
  });

  it('is told as the ten meters that used most above what is usual, and those below', async () => {
    const { compared, more, less } = await changes(['daily', 'features', 'scores']);
    expect(compared).toBe(30);
    expect(more).toHaveLength(10);
    const first = { meter_key: '1', segment: 'home', total_kwh: 32, usual_kwh: 10, change_kwh: 22 };
    expect(more[0]).toEqual(first);
    expect(more[1]).toMatchObject({ meter_key: '29', change_kwh: 0.29 });
    expect(less).toEqual([
      { meter_key: '2', segment: 'home', total_kwh: 5, usual_kwh: 10, change_kwh: -5 },
    ]);
  });

  it('has no scores without a model, and none of nobody', async () => {
    expect(await changes(['daily', 'features'])).toMatchObject({ scores: null, compared: 30 });
    const nobody = await changes(['daily', 'features', 'scores'], 'meter_key > 100');
    expect(nobody).toEqual({ date: DAY, scores: null, compared: 0, more: [], less: [] });
  });
});
