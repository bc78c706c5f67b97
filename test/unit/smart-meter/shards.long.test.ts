import { readdir, readFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { smartMeterWith } from '../../../src/datasets/smart-meter/index.ts';
import { meterKey } from '../../../src/datasets/smart-meter/readings/meter-key.ts';
import { parquetOf } from '../../../src/datasets/smart-meter/tables.ts';
import { importFile } from '../../../src/engine/download/import-file.ts';
import { cutTable, tablesOf } from '../../../src/engine/look/table-cut.ts';
import { KnownVersions } from '../../../src/engine/look/known-versions.ts';
import { readRowSets } from '../../../src/engine/look/table-rows.ts';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { bulkFile } from '../../fixtures/meter-files.ts';
import { TEST_SECRET } from '../../fixtures/meters.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/**
 * Forty meters of which one has changed its unit: days of five weeks, as a whole and in four
 * shards.
 */

/** The same weekday of four weeks, and the ends of four weeks that a day is held against. */
const HISTORY = [1, 8, 15, 22]
  .flatMap((first) => [first, first + 6])
  .map((day) => `2024-01-${String(day).padStart(2, '0')}`);
const DAY = '2024-01-29';
const SHARDS = 4;
const IDS = Array.from({ length: 40 }, (_, index) => `55000012${String(index).padStart(4, '0')}`);
const WRONG = IDS[3];

const whOf = (meter: number, slot: number): number => 100 + ((meter * 31 + slot * 17) % 90);

async function openFleet(shards: number): Promise<TestEngine> {
  const engine = await openTestEngine([smartMeterWith(() => Promise.resolve(TEST_SECRET), shards)]);
  const usual = IDS.map((id, index) => ({ id, whOf: (slot: number) => whOf(index, slot) }));
  const last = usual.map((one) => (one.id === WRONG ? { id: one.id, whOf: () => 100_000 } : one));
  const files = {
    'bulk.csv': bulkFile({
      ...Object.fromEntries(HISTORY.map((date) => [date, usual])),
      [DAY]: last,
    }),
    'list.csv': `meter_id,valid_from,segment,transformer,kva\n${IDS.map(
      (id, index) =>
        `${id},2024-01-01,${index % 3 === 0 ? 'shop' : 'home'},T${index < 20 ? 1 : 2},6\n`,
    ).join('')}`,
    'injected.csv': `transformer,date,injected_wh\nT1,${DAY},150000\nT2,${DAY},150000\n`,
  };
  for (const [name, text] of Object.entries(files)) {
    await writeFile(path.join(engine.home, name), text);
    await importFile(engine, 'smart-meter', path.join(engine.home, name), testControl());
  }
  await runDays(engine, 'smart-meter', HISTORY, { offline: true });
  await runDay(engine, 'smart-meter', DAY, { offline: true });
  return engine;
}

async function published(engine: TestEngine): Promise<Record<string, string>> {
  const folder = path.join(engine.home, 'store', 'processed');
  const files = (await readdir(folder, { recursive: true }))
    .filter((name) => name.includes(DAY))
    .sort();
  const texts = await Promise.all(files.map((name) => readFile(path.join(folder, name), 'latin1')));
  return Object.fromEntries(files.map((name, index) => [name, texts[index] ?? '']));
}

async function rowsOf(engine: TestEngine, id: string): Promise<unknown[]> {
  const table = tablesOf(engine.datasets).get(id)!;
  const known = new KnownVersions(engine);
  const cut = await cutTable(engine, known, table, { from: DAY, to: DAY });
  const rows: unknown[] = [];
  for await (const set of readRowSets(engine, cut)) rows.push(...set);
  expect(cut.versions).toHaveLength(1);
  return rows;
}

let whole: TestEngine;
let sharded: TestEngine;
beforeAll(async () => {
  [whole, sharded] = await Promise.all([openFleet(1), openFleet(SHARDS)]);
}, 240_000);
afterAll(async () => {
  await Promise.all([whole.close(), sharded.close()]);
});

describe('a fleet in shards', () => {
  it('publishes the files that it publishes as a whole', async () => {
    const files = await published(whole);
    expect(Object.keys(files).length).toBeGreaterThan(6);
    expect(await published(sharded)).toEqual(files);
  });

  it.each([
    'meter_readings',
    'meter_days',
    'meter_hours',
    'meter_features',
    'meter_failures',
    'meter_held',
  ])('gives the rows of %s in the same order', async (id) => {
    const rows = await rowsOf(whole, id);
    expect(rows.length).toBeGreaterThan(0);
    expect(await rowsOf(sharded, id)).toEqual(rows);
  });

  it('has each meter in the shard of the first bits of its key', async () => {
    const manifest = (await newestManifests(sharded.documents, 'smart-meter', [DAY])).get(DAY);
    const state = manifest?.steps[`metrics/daily.02-of-0${SHARDS}`];
    expect(state?.state).toBe('done');
    const { daily } = state?.state === 'done' ? state.outputs : {};
    const found = await sharded.sql!.session((sql) =>
      sql.rows<{ key: string }>(
        `SELECT CAST(meter_key AS VARCHAR) AS key FROM ${parquetOf([path.join(sharded.home, 'store', daily!.key)])} ORDER BY meter_key`,
      ),
    );
    const keys = IDS.map((id) => BigInt(meterKey(TEST_SECRET, id))).sort((a, b) =>
      a < b ? -1 : 1,
    );
    expect(found.map(({ key }) => key)).toEqual(
      keys.filter((key) => key >> 62n === 1n).map(String),
    );
  });

  it('is rebuilt byte for byte', async () => {
    const { days } = await verifyDays(sharded, testControl(), {
      pipeline: 'smart-meter',
      dates: [DAY],
    });
    expect(days.map(({ result }) => result)).toEqual(['identical']);
  });
});
