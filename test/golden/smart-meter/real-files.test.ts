import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { exportTable } from '../../../src/cli/look/export.ts';
import { importFile } from '../../../src/engine/download/import-file.ts';
import type { FleetDay } from '../../../src/datasets/smart-meter/marts/day.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { describeOnRealFiles, realData } from '../../fixtures/real-data.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const KAGGLE = 'smart-meter/kaggle_smart_meter_data_excel.csv';
const LINKY = 'smart-meter/linky_30min_dst_2023-10-29.csv';

let engine: TestEngine;
beforeEach(async () => {
  engine = await openTestEngine([testMeters]);
});
afterEach(() => engine.close());

function rowsOf(sql: string): Promise<Record<string, number>[]> {
  return engine.sql!.session((session) => session.rows<Record<string, number>>(sql));
}

async function fleetOf(date: string): Promise<FleetDay> {
  const { outcome } = await runDay(engine, 'smart-meter', date, { offline: true });
  expect(outcome.verdict).toBe('ok');
  const file = path.join(
    engine.home,
    'store',
    'processed',
    'metrics',
    `meter_metrics_${date}.json`,
  );
  return JSON.parse(await readFile(file, 'utf8')) as FleetDay;
}

describeOnRealFiles('labelled half-hours of one meter', [KAGGLE], () => {
  it('are 105 days of UTC, whose first day has the figures that were worked out by hand', async () => {
    const taken = await importFile(engine, 'smart-meter', realData(KAGGLE), testControl());
    expect(taken).toMatchObject({
      days: 105,
      failed: [],
      recognised: { part: 'readings', from: '2024-01-01', to: '2024-04-14', rows: 5_000 },
    });
    const { metrics } = await fleetOf('2024-01-01');
    expect(metrics).toHaveLength(2 - 1);
    const [fleet] = metrics;
    expect(fleet).toMatchObject({
      segment: 'fleet',
      meters: 1,
      observed: 48,
      expected: 48,
      anomaly_count: 2,
      peak_hour: 15,
    });
    expect(fleet!.total_kwh).toBeCloseTo(163.57621102, 8);
    expect(fleet!.avg_kwh).toBeCloseTo(3.40783773, 8);
    expect(fleet!.peak_kwh).toBeCloseTo(6.83713031, 8);
    expect(fleet!.consumption_variance).toBeCloseTo(2.36451631, 8);
    const asked = { from: '2024-01-01', to: '2024-01-01' };
    const hours = path.join(engine.home, 'hours.parquet');
    await exportTable(testContext(engine), { table: 'meter_hours_full', ...asked, output: hours });
    const [hour] = await rowsOf(`SELECT * FROM '${hours}' ORDER BY hour_timestamp LIMIT 1`);
    expect(hour!['avg_consumption_kwh']).toBeCloseTo(4.04870821, 8);
    expect(hour!['std_consumption_kwh']).toBeCloseTo(0.74832928, 8);
    // The query of the documentation, at the first row with a full window.
    const readings = path.join(engine.home, 'readings.parquet');
    await exportTable(testContext(engine), { table: 'meter_readings', ...asked, output: readings });
    const page = await readFile('docs/datasets/smart-meter.md', 'utf8');
    const sql = /```sql\n(.*?)```/su.exec(page)![1]!.replace('readings.parquet', readings);
    const windows = await rowsOf(sql);
    expect(windows[46]).toMatchObject({ std_24h: null, consumption_vs_avg_ratio: null });
    expect(windows[47]!['avg_1h']).toBeCloseTo(4.24706955, 8);
    expect(windows[47]!['avg_24h']).toBeCloseTo(3.40783773, 8);
    expect(windows[47]!['std_24h']).toBeCloseTo(1.53769838, 8);
    expect(windows[47]!['consumption_vs_avg_ratio']).toBeCloseTo(1.61740987, 8);
  });
});

describeOnRealFiles('a Linky export of the autumn day', [LINKY], () => {
  it('has eight intervals of 524 Wh in all, that end at their stamps', async () => {
    const taken = await importFile(engine, 'smart-meter', realData(LINKY), testControl());
    expect(taken).toMatchObject({
      days: 1,
      recognised: { from: '2023-10-29', to: '2023-10-29', rows: 8 },
    });
    const { metrics, load } = await fleetOf('2023-10-29');
    expect(metrics[0]).toMatchObject({ total_kwh: 0.524, observed: 8, expected: 50 });
    expect(load.map(({ slot }) => slot)).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(load.map(({ hour }) => hour)).toEqual([0, 1, 1, 2, 2, 2, 2, 3]);
  });
});
