import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { hostOf } from '../../../src/cli/make/dataset-commands.ts';
import type { MeterMonth } from '../../../src/datasets/smart-meter/periods/month.ts';
import { askQuestion, questionsOf } from '../../../src/engine/look/ask-question.ts';
import { KnownVersions } from '../../../src/engine/look/known-versions.ts';
import { meterKey } from '../../../src/datasets/smart-meter/readings/meter-key.ts';
import { importFile } from '../../../src/engine/download/import-file.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import type { MadeMeter } from '../../fixtures/meter-files.ts';
import { TEST_SECRET, testMeters } from '../../fixtures/meters.ts';
import { runDays, rollUpDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * Ten meters behind T1 and ten behind T2: two days of January at 100 Wh a half-hour, two of
 * February at 50, the second of which has one larger half-hour, and lacks one of the first meter.
 * T1 was without power from 23:00 of 31 January to 01:00 of the next day.
 */

const DAYS = ['2024-01-10', '2024-01-31', '2024-02-01', '2024-02-02'];
const IDS = Array.from({ length: 20 }, (_, index) => `99000012${String(index).padStart(4, '0')}`);
const FIRST = meterKey(TEST_SECRET, IDS[0]!);

let engine: TestEngine;
beforeAll(async () => {
  engine = await openTestEngine([testMeters]);
  const days: Record<string, MadeMeter[]> = {};
  for (const date of DAYS) {
    const usual = date < '2024-02' ? 100 : 50;
    days[date] = IDS.map((id) => ({
      id,
      whOf: (slot) => (date === '2024-02-02' && slot === 38 ? 400 : usual),
    }));
  }
  const list = IDS.map((id, index) => `${id},2024-01-01,home,T${index < 10 ? 1 : 2}\n`).join('');
  const bulk = bulkFile(days).split('\n');
  const gap = bulk.findIndex((line) => line.startsWith(`${IDS[0]!},2024-02-02T05:00`));
  const files = {
    'bulk.csv': bulk.filter((_, index) => index !== gap).join('\n'),
    'list.csv': `meter_id,valid_from,segment,transformer\n${list}`,
    'outages.csv':
      'transformer,start_at,end_at\nT1,2024-01-31T23:00:00+01:00,2024-02-01T01:00:00+01:00\n',
    // 48 kWh delivered to each half of the fleet on 31 January, 24 on 1 February.
    'injected.csv': 'transformer,date,injected_wh\nT1,2024-01-31,50000\nT2,2024-01-31,60000\n',
    'billed.csv': `meter_id,start_at,end_at,billed_wh,collected_share\n${[0.9, 1]
      .map(
        (share, index) =>
          `${IDS[index]!},2024-02-01T00:00:00+01:00,2024-02-03T00:00:00+01:00,1000,${share}\n`,
      )
      .join('')}`,
  };
  expect(gap).toBeGreaterThan(0);
  for (const [name, text] of Object.entries(files)) {
    const file = path.join(engine.home, name);
    await writeFile(file, text);
    await importFile(engine, 'smart-meter', file, testControl());
  }
  await runDays(engine, 'smart-meter', DAYS, { offline: true });
  await rollUpDays(engine, 'smart-meter', DAYS);
}, 120_000);
afterAll(() => engine.close());

async function month(of: string): Promise<MeterMonth> {
  const file = path.join(engine.home, 'store', 'processed', 'metrics', `meter_month_${of}.json`);
  return JSON.parse(await readFile(file, 'utf8')) as MeterMonth;
}

async function rows(table: string, where = 'true') {
  const host = hostOf(testContext(engine), 'test', 'smart-meter');
  return host.withTables([table], (sql) =>
    sql.rows(`SELECT * FROM ${table} WHERE ${where} ORDER BY ALL`),
  );
}

async function indicators(of: string) {
  const { indicators: all } = await month(of);
  return Object.fromEntries(
    all.map(({ id, value, of: on, absent }) => [id, value === null ? absent : [value, on]]),
  );
}

/** The answer of a question of the dataset, as the API gives it. */
async function ask(id: string, asked: Record<string, string> = {}) {
  const placed = questionsOf(engine.datasets).get(id)!;
  const parameters = placed.question.parameters.parse(asked);
  return askQuestion(engine, new KnownVersions(engine), placed, parameters);
}

describe('questions', () => {
  it('tell days of the fleet, the profile of a cohort and indicators, and no meter', async () => {
    const fleet = await ask('get_meter_fleet', { start: '2024-01-31', end: '2024-02-01' });
    expect(fleet.rows.map((row) => [row['metric_date'], row['total_kwh']])).toEqual([
      ['2024-01-31', 96],
      ['2024-02-01', 48],
    ]);
    expect(fleet.sentence.en).toBe('144 kWh in 2 days.');
    expect((await ask('get_meter_fleet', { segment: 'none' })).rows).toEqual([]);
    const profile = await ask('get_meter_profile', { start: '2024-01-31', end: '2024-02-01' });
    expect(profile.rows).toHaveLength(48);
    expect(profile.rows[0]).toMatchObject({ half_hour: 0, n: 40, mean_wh: 75, p50_wh: 75 });
    const found = await ask('get_meter_indicators');
    expect(found.rows).toHaveLength(2 * 9);
    expect(
      found.rows.filter((row) => (row['value'] === null) !== (row['absent'] !== null)),
    ).toEqual([]);
  });
});

describe('a month', () => {
  it('of a meter has its sum, its mean complete day, its peak, and the ratio to the month before', async () => {
    const [january, february] = await rows('meter_months', `meter_key = '${FIRST}'`);
    expect(january).toMatchObject({
      ...{
        period: '2024-01',
        total_wh: 9_600,
        mean_day_wh: 4_800,
        peak_wh: 100,
        peak_date: '2024-01-10',
        peak_hour: 0,
      },
      ...{
        days: 2,
        complete_days: 2,
        days_of_month: 31,
        observed: 96,
        ratio_month_before: null,
        ratio_year_before: null,
      },
    });
    expect(february).toMatchObject({
      ...{
        period: '2024-02',
        total_wh: 2_400 + 2_350 + 350,
        mean_day_wh: 2_400,
        peak_wh: 400,
        peak_date: '2024-02-02',
      },
      ...{
        peak_hour: 19,
        days: 2,
        complete_days: 1,
        days_of_month: 29,
        observed: 95,
        ratio_month_before: 0.5,
      },
    });
    const [year] = await rows('meter_years', `meter_key = '${FIRST}'`);
    expect(year).toMatchObject({
      period: '2024',
      total_wh: 9_600 + 5_100,
      mean_day_wh: 4_000,
      months: 2,
      complete_days: 3,
    });
  });

  it('of the fleet is the sum of its days', async () => {
    const { metrics, days_of_month: days } = await month('2024-02');
    expect(days).toBe(29);
    expect(metrics.map(({ segment }) => segment)).toEqual(['fleet', 'home']);
    expect(metrics[0]).toMatchObject({
      ...{
        total_kwh: (20 * (2_400 + 2_750) - 50) / 1000,
        peak_kwh: 8,
        peak_date: '2024-02-02',
        peak_hour: 19,
      },
      ...{ days: 2, observed: 20 * 96 - 1, expected: 20 * 96 },
    });
    expect(
      await rows('meter_fleet_months', `segment = 'fleet' AND period = '2024-02'`),
    ).toHaveLength(1);
  });

  it('has the indicators whose inputs are there, and says of the others what is missing', async () => {
    const january = await indicators('2024-01');
    // 110 kWh in, 96 delivered, 6 % of it technical; one hour of an outage for half of the meters.
    expect(january['loss_rate']).toEqual([expect.closeTo(14 / 110, 12), 2]);
    expect(january['non_technical_rate']).toEqual([expect.closeTo((14 - 6.6) / 110, 12), 2]);
    expect(january['saidi']).toEqual([30, 20]);
    expect(january['saifi']).toEqual([0.5, 20]);
    expect(january['telemetry']).toEqual([1, 2]);
    expect(january['validity']).toEqual([1, 20 * 96]);
    for (const id of ['collection_rate', 'ami_coverage', 'forecast_mape'])
      expect(january[id]).toMatch(/^no /);
    const february = await indicators('2024-02');
    expect(february['loss_rate']).toBe('no day with injected energy and 98 % of the readings');
    // The outage began in the month before.
    expect([february['saidi'], february['saifi']]).toEqual([
      [30, 20],
      [0, 20],
    ]);
    expect(february['collection_rate']).toEqual([0.95, 2]);
    expect(await rows('meter_indicators', 'value IS NULL')).toHaveLength(3 + 4);
  });
});
