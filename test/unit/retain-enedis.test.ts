import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OPERATIONAL_TABLES } from '../../src/cli/stores/storage.ts';
import { retain as retainCommand } from '../../src/cli/stores/retain.ts';
import { KEY_16, KEY_32, keysText } from '@quotidien/sample-portal/sftp/archive-writer';
import { OCTOBER_DAYS, octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import { importFiles } from '../../src/engine/download/import-file.ts';
import { namesUnder } from '../../src/engine/download/raw-names.ts';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { retain } from '../../src/engine/upkeep/retain.ts';
import { verifyDays } from '../../src/engine/verify/verify-day.ts';
import { verifyPeriod } from '../../src/engine/verify/verify-period.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { put, withFolder } from '../fixtures/enedis-archives.ts';
import { enedisWith } from '../fixtures/enedis-server.ts';
import { rollUpDays, runDays } from '../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';

let engine: TestEngine;
let now: Date;
beforeEach(async () => {
  now = new Date('2025-11-20T10:00:00Z');
  engine = await openTestEngine(enedisWith({ fileKeys: keysText([KEY_16, KEY_32]) }), {
    now: () => now,
  });
  await withFolder(async (folder) => {
    const files = await Promise.all(
      octoberArchives().map(({ name, bytes }) => put(folder, name, bytes)),
    );
    const outcomes = await importFiles(engine, 'enedis', files, testControl());
    expect(outcomes.filter((outcome) => 'code' in outcome)).toEqual([]);
  });
  await runDays(engine, 'enedis', OCTOBER_DAYS);
  await rollUpDays(engine, 'enedis', OCTOBER_DAYS);
});
afterEach(() => engine.close());

/** Files of the home, rows of tables and records that tell of a word. */
async function placesOf(word: string): Promise<string[]> {
  const places: string[] = [];
  for (const entry of await readdir(engine.home, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = path.join(entry.parentPath, entry.name);
    if ((await readFile(file, 'latin1')).includes(word)) places.push(file);
    if (!entry.name.endsWith('.parquet')) continue;
    const rows = await engine.sql!.session((sql) =>
      sql.rows(`SELECT * FROM read_parquet('${file}', hive_partitioning = false)`),
    );
    if (JSON.stringify(rows).includes(word)) places.push(`rows of ${file}`);
  }
  for (const table of OPERATIONAL_TABLES) {
    for await (const partition of engine.documents.partitions(table))
      for await (const row of engine.documents.query({ table, partition }))
        if (JSON.stringify(row).includes(word)) places.push(`${table} ${row.sort}`);
  }
  return places.map((place) => place.replace(engine.home, ''));
}

/** A contract that is billed every month, and one whose month waits for a person. */
const POINTS = ['99000000000001', '99000000000011'];

const request = { pipeline: 'enedis', dryRun: false };

it('ends the tables, histories and raw files of Enedis: nothing tells of a delivery point any more', async () => {
  for (const point of POINTS) {
    const places = await placesOf(point);
    for (const table of [
      'core/enedis/',
      'months/enedis/',
      'history/enedis/',
      'store/enedis/mois.parquet',
    ])
      expect(places.filter((place) => place.includes(table))).not.toEqual([]);
    // Records outlive tables: they never have a point, so nothing of them has to end.
    expect(places.filter((place) => !place.includes('.parquet'))).toEqual([]);
  }
  now = new Date('2036-03-10T10:00:00Z');
  const [context, before] = [testContext(engine), await namesUnder(engine.objects, [''])];
  await retainCommand(context, { pipeline: 'enedis', dryRun: true });
  const text = context.terminal.text();
  for (const table of [
    'download/r151:slice',
    'transform/c15:c15',
    'rollup/month:r151',
    'rollup/history:mois',
    'raw c15',
  ])
    expect(text).toContain(table);
  expect(text).toContain('documents of accounts are kept for ten years');
  expect(text).toMatch(/keys of sealed raw files that would be destroyed: 2025-10, 2025-11/);
  expect(await namesUnder(engine.objects, [''])).toEqual(before);

  const removed = await retain(engine, testControl(), request);
  expect(removed.keys).toEqual(['2025-10', '2025-11']);
  for (const point of POINTS) expect(await placesOf(point)).toEqual([]);
  expect(await namesUnder(engine.objects, ['raw/enedis/'])).toEqual([]);
  // The history is one without these months now, and says so with a version of its own.
  const history = (await newestManifests(engine.documents, 'enedis', ['all'])).get('all');
  expect(history).toMatchObject({ version: 2 });
  expect(await verifyPeriod(engine, testControl(), 'enedis', 'all')).toMatchObject({
    result: 'identical',
  });
  const { days } = await verifyDays(engine, testControl(), {
    pipeline: 'enedis',
    dates: OCTOBER_DAYS,
  });
  expect(days.map(({ result }) => result)).toEqual(OCTOBER_DAYS.map(() => 'identical'));
  expect(await retain(engine, testControl(), request)).toEqual({
    pipeline: 'enedis',
    tables: [],
    keys: [],
  });
}, 120_000);

it('leaves a history alone as long as nothing that it was made of is past its time', async () => {
  // The raw files of daily indexes go after three years; the slices that were cut from them stay.
  now = new Date('2029-03-10T10:00:00Z');
  const { tables } = await retain(engine, testControl(), request);
  expect(tables.map(({ table }) => table)).toEqual(['raw r151', 'raw r64']);
  expect((await newestManifests(engine.documents, 'enedis', ['all'])).get('all')).toMatchObject({
    version: 1,
  });
}, 120_000);
