import { readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { FleetDay } from '../../../src/datasets/smart-meter/marts/day.ts';
import type { MeterReport } from '../../../src/datasets/smart-meter/report/model.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { importFile } from '../../../src/engine/download/import-file.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { testMeters } from '../../fixtures/meters.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/** A head-end over HTTP: the portal's clock decides what has come and what is corrected. */

const DAY = '2024-03-31';
let now = new Date('2024-04-01T10:00:00Z');
let portal: Portal;
let engine: TestEngine;

beforeEach(async () => {
  now = new Date('2024-04-01T10:00:00Z');
  portal = await startPortal({ now: () => now, meters: 100 });
  const hosts = { 'head-end': { url: portal.url, key: 'sample', requestsPerSecond: 1_000 } };
  const configured = configuredDatasets({ 'smart-meter': testMeters }, hosts)['smart-meter']!;
  engine = await openTestEngine([configured], { now: () => now });
});
afterEach(async () => {
  await engine.close();
  await portal.close();
});

async function fleet(options: { recheck?: boolean } = {}): Promise<FleetDay> {
  const { outcome } = await runDay(engine, 'smart-meter', DAY, options);
  expect(outcome.failure).toBeUndefined();
  const file = path.join(engine.home, 'store', 'processed', 'metrics', `meter_metrics_${DAY}.json`);
  return JSON.parse(await readFile(file, 'utf8')) as FleetDay;
}

it('gives the spring day of its meters, with losses by transformer, and late meters a few days later', async () => {
  const first = await fleet();
  expect(first.load).toHaveLength(46);
  // Two meters have sent nothing yet; their readings are expected all the same.
  expect(first.metrics[0]).toMatchObject({ meters: 98, expected: 46 * 100, expected_from: 'list' });
  now = new Date('2024-04-10T10:00:00Z');
  const later = await fleet({ recheck: true });
  expect(later.metrics[0]!.meters).toBe(100);
  expect(later.metrics[0]!.observed).toBeGreaterThan(first.metrics[0]!.observed);
  expect(later.losses.length).toBeGreaterThan(0);
  for (const { loss_rate: rate } of later.losses) expect(rate).toBeGreaterThan(0);
  expect(later.metrics.map(({ segment }) => segment)).toContain('home');
});

it('says in every file of its reports that a sample portal has made the readings up', async () => {
  await fleet();
  const file = (name: string) =>
    readFile(path.join(engine.home, 'store', 'processed', 'reports', name));
  const report = JSON.parse((await file(`meter_report_${DAY}.json`)).toString()) as MeterReport;
  expect(report.sample_data).toContain('head-end');
  const [head = '', ...rows] = (await file(`meter_report_${DAY}.csv`))
    .toString()
    .trimEnd()
    .split('\n');
  expect(head).toMatch(/;sample_data$/);
  expect(rows.length).toBeGreaterThan(0);
  for (const row of rows) expect(row).toMatch(/;[^;]*head-end[^;]*$/);
  expect((await file(`meter_report_${DAY}.parquet`)).includes('sample_data')).toBe(true);
  for (const page of ['report', 'quality']) {
    expect((await file(`meter_${page}_${DAY}.html`)).toString()).toMatch(
      /Données d’exemple[^.]*relevés du système de collecte/,
    );
  }
});

it('answers for one meter as the distributor’s API does, and the answer can be imported', async () => {
  const id = '10000100000003';
  const response = await fetch(
    `${portal.url}/metering_data_clc/v5/consumption_load_curve?usage_point_id=${id}&start=${DAY}&end=${DAY}`,
  );
  const file = path.join(engine.home, 'curve.json');
  await writeFile(file, await response.text());
  const taken = await importFile(engine, 'smart-meter', file, testControl());
  expect(taken).toMatchObject({ days: 1, recognised: { from: DAY, to: DAY, rows: 46 } });
});
