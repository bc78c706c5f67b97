import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { retain as retainCommand } from '../../src/cli/stores/retain.ts';
import { importFile } from '../../src/engine/download/import-file.ts';
import { namesUnder } from '../../src/engine/download/raw-names.ts';
import { retain } from '../../src/engine/upkeep/retain.ts';
import { verifyDays } from '../../src/engine/verify/verify-day.ts';
import { definePipeline } from '../../src/pipelines/define-pipeline.ts';
import { isExpired } from '../../src/pipelines/retention.ts';
import { configuredDatasets } from '../../src/workers/configured-datasets.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { testMeters } from '../fixtures/meters.ts';
import { runDay } from '../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';

/** Half-hours of the first day are past their two years, its daily figures are not. */
const [OLD, NEW] = ['2024-03-05', '2026-06-01'] as const;
const request = { pipeline: 'smart-meter', dryRun: false };

let engine: TestEngine;
let given: string;
let now: Date;
// Made once, because that is what takes long: each test finds days from which less or as much was
// removed as it removes.
beforeAll(async () => {
  now = new Date('2026-06-10T10:00:00Z');
  const datasets = Object.values(configuredDatasets({ 'smart-meter': testMeters }, {}));
  engine = await openTestEngine(datasets, { now: () => now });
  given = await mkdtemp(path.join(tmpdir(), 'quotidien-given-'));
  const lines = [OLD, NEW].flatMap((date) =>
    Array.from({ length: 46 }, (_, slot) => {
      const at = new Date(Date.parse(`${date}T02:00:00Z`) + slot * 1_800_000).toISOString();
      return ['A', 'B'].map((meter) => `${meter},${at},${100 + ((slot * 7) % 13)}\n`);
    }),
  );
  const file = path.join(given, 'bulk.csv');
  await writeFile(file, `meter_id,start_at,wh\n${lines.flat().join('')}`);
  await importFile(engine, 'smart-meter', file, testControl());
  for (const date of [OLD, NEW]) await runDay(engine, 'smart-meter', date);
});
afterAll(async () => {
  await engine.close();
  await rm(given, { recursive: true });
});

async function verified(): Promise<(readonly [result: string, destroyed: number])[]> {
  const { days } = await verifyDays(engine, testControl(), {
    pipeline: 'smart-meter',
    dates: [OLD, NEW],
  });
  return days.map(({ result, destroyed = 0 }) => [result, destroyed] as const);
}

const tablesOf = (prefix: string): Promise<string[]> => namesUnder(engine.objects, [prefix]);

describe('retention', () => {
  it('lists tables, days, bytes and grounds, and changes nothing when it is only asked', async () => {
    const before = await tablesOf('');
    const context = testContext(engine);
    await retainCommand(context, { pipeline: 'smart-meter', dryRun: true });
    const text = context.terminal.text();
    expect(text).toMatch(/transform\/readings:readings {2}1 object, .* 2024-03-05/);
    expect(text).toContain('half-hours for two years');
    expect(text).not.toContain(NEW);
    expect(text).not.toContain('metrics/daily:daily');
    expect(await tablesOf('')).toEqual(before);
  });

  it('removes what is past its time, after which days still verify and are not made again', async () => {
    const removed = await retain(engine, testControl(), request);
    expect(removed.tables.map(({ table }) => table)).toContain('download/readings:slice');
    expect((await tablesOf('core/smart-meter/readings/')).join()).not.toContain(OLD);
    expect((await tablesOf('core/smart-meter/readings/')).join()).toContain(NEW);
    expect((await tablesOf('metrics/smart-meter/daily/')).join()).toContain(OLD);
    const [old, young] = await verified();
    expect(old![0]).toBe('identical');
    expect(old![1]).toBeGreaterThan(3);
    expect(young).toEqual(['identical', 0]);
    expect((await runDay(engine, 'smart-meter', OLD)).plan.upToDate).toBe(true);
    expect((await retain(engine, testControl(), request)).tables).toEqual([]);
  });

  it('keeps raw files from the day on which they came', async () => {
    await retain(engine, testControl(), request);
    expect(await tablesOf('raw/smart-meter/')).toHaveLength(1);
    now = new Date('2026-10-10T10:00:00Z');
    await retain(engine, testControl(), request);
    expect(await tablesOf('raw/smart-meter/')).toEqual([]);
    expect((await verified()).map(([result]) => result)).toEqual(['identical', 'identical']);
    expect((await runDay(engine, 'smart-meter', NEW)).plan.upToDate).toBe(true);
  });

  it('counts whole months after that of the data', () => {
    const retention = { months: 24, basis: 'as the law says' };
    expect(isExpired(retention, '2024-05-31', '2026-06-10')).toBe(true);
    expect(isExpired(retention, '2024-06-01', '2026-06-30')).toBe(false);
    expect(isExpired(retention, '2024-06', '2026-06-30')).toBe(false);
    expect(isExpired(retention, '2024', '2026-12-31')).toBe(false);
    expect(isExpired(retention, 'all', '2099-01-01')).toBe(false);
    const { definition } = tinyDataset();
    const [part] = definition.parts;
    const wrong = {
      ...definition,
      parts: [{ ...part!, rawRetention: { months: 0, basis: '' } }, definition.parts[1]!],
    };
    expect(() => definePipeline(wrong)).toThrow('kept for 0 months');
  });
});
