import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { MeterMonth } from '../../../src/datasets/smart-meter/periods/month.ts';
import { importFile } from '../../../src/engine/download/import-file.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import { describeOnRealFiles, realData } from '../../fixtures/real-data.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const KAGGLE = 'smart-meter/kaggle_smart_meter_data_excel.csv';
/** Worked out by hand from the published file, kWh. */
const MONTHS = {
  '2024-01': 5694.1147,
  '2024-02': 5281.9792,
  '2024-03': 5501.508,
  '2024-04': 2356.2706,
};

let engine: TestEngine;
beforeEach(async () => {
  engine = await openTestEngine([testMeters]);
});
afterEach(() => engine.close());

describeOnRealFiles('months of labelled half-hours', [KAGGLE], () => {
  it('have the totals that were worked out by hand', async () => {
    await importFile(engine, 'smart-meter', realData(KAGGLE), testControl());
    const days = datesBetween('2024-01-01', '2024-04-14');
    for (const month of Object.keys(MONTHS))
      await runDays(
        engine,
        'smart-meter',
        days.filter((date) => date.startsWith(month)),
        { offline: true },
      );
    await rollUpDays(engine, 'smart-meter', days);
    for (const [month, total] of Object.entries(MONTHS)) {
      const file = path.join(
        engine.home,
        'store',
        'processed',
        'metrics',
        `meter_month_${month}.json`,
      );
      const { metrics } = JSON.parse(await readFile(file, 'utf8')) as MeterMonth;
      expect(metrics[0]!.total_kwh).toBeCloseTo(total, 3);
    }
  }, 300_000);
});
