import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OPERATIONAL_TABLES } from '../../src/cli/stores/storage.ts';
import { enedis } from '../../src/datasets/enedis/index.ts';
import { KEY_16, KEY_32, keysText } from '@quotidien/sample-portal/sftp/archive-writer';
import { OCTOBER_DAYS, octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import { importFiles } from '../../src/engine/download/import-file.ts';
import { forgetPerson } from '../../src/engine/upkeep/forget-person.ts';
import { verifyDays } from '../../src/engine/verify/verify-day.ts';
import { verifyPeriod } from '../../src/engine/verify/verify-period.ts';
import { configuredDatasets } from '../../src/workers/configured-datasets.ts';
import { put, withFolder } from '../fixtures/enedis-archives.ts';
import { rollUpDays, runDays } from '../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';

let engine: TestEngine;
beforeEach(async () => {
  const hosts = { enedis: { fileKeys: keysText([KEY_16, KEY_32]) } };
  engine = await openTestEngine(Object.values(configuredDatasets({ enedis }, hosts)));
});
afterEach(() => engine.close());

async function deliver(): Promise<void> {
  await withFolder(async (folder) => {
    const files: string[] = [];
    for (const { name, bytes } of octoberArchives()) files.push(await put(folder, name, bytes));
    await importFiles(engine, 'enedis', files, testControl());
  });
  await runDays(engine, 'enedis', OCTOBER_DAYS);
  await rollUpDays(engine, 'enedis', OCTOBER_DAYS);
}

async function monthsOf(column: string): Promise<string[]> {
  const file = path.join(engine.home, 'store', 'enedis', 'mois.parquet');
  const from = `read_parquet('${file}') WHERE mois = '2025-10'`;
  const rows = await engine.sql!.session((sql) =>
    sql.rows<{ value: string }>(`SELECT ${column} AS value FROM ${from}`),
  );
  return rows.map(({ value }) => value);
}

/** Places of the home that tell of a name; rows of tables are read. */
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
  return places;
}

it('forgets a delivery point: archives stay sealed, and every day, month and the history are without it', async () => {
  await deliver();
  const before = await monthsOf('pdl');
  const [gone] = before;
  const rsc = (await monthsOf('ref_situation_contractuelle'))[0]!;
  expect(await placesOf(gone!)).not.toEqual([]);
  const sealed = (await readdir(path.join(engine.home, 'store', 'raw'), { recursive: true })).sort();

  const request = { pipeline: 'enedis', id: gone!, reason: 'moved out', by: 'test', dryRun: false };
  const result = await forgetPerson(engine, testControl(), request);
  expect(result).toMatchObject({ state: 'done', left: [], raws: 0 });
  expect(result.scopes).toContain('all');
  expect(await monthsOf('pdl')).toEqual(before.filter((pdl) => pdl !== gone));
  expect(await placesOf(gone!)).toEqual([]);
  expect(await placesOf(rsc)).toEqual([]);
  expect((await readdir(path.join(engine.home, 'store', 'raw'), { recursive: true })).sort()).toEqual(sealed);

  const { days } = await verifyDays(engine, testControl(), { pipeline: 'enedis', dates: OCTOBER_DAYS });
  expect(days.map(({ result: how }) => how)).toEqual(OCTOBER_DAYS.map(() => 'identical'));
  const periods = ['all', ...result.scopes.filter((scope) => /^\d{4}-\d\d$/.test(scope))];
  for (const period of periods)
    expect((await verifyPeriod(engine, testControl(), 'enedis', period))?.result, period).toBe('identical');

  await deliver();
  expect(await placesOf(gone!)).toEqual([]);
  await expect(forgetPerson(engine, testControl(), { ...request, id: '12' })).rejects.toThrow('14 digits');
}, 180_000);
