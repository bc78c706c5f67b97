import { readFile, readdir } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { OPERATIONAL_TABLES } from '../../src/cli/stores/storage.ts';
import { KEY_16, KEY_32, keysText } from '@quotidien/sample-portal/sftp/archive-writer';
import {
  OCTOBER_DAYS,
  octoberArchives,
  overrunsFile,
} from '@quotidien/sample-portal/sftp/sample-archives';
import { importFiles } from '../../src/engine/download/import-file.ts';
import { forgetPerson } from '../../src/engine/upkeep/forget-person.ts';
import { verifyDays } from '../../src/engine/verify/verify-day.ts';
import { verifyPeriod } from '../../src/engine/verify/verify-period.ts';
import { put, withFolder } from '../fixtures/enedis-archives.ts';
import { enedisWith } from '../fixtures/enedis-server.ts';
import { rollUpDays, runDays } from '../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';

let engine: TestEngine;
beforeEach(async () => {
  engine = await openTestEngine(enedisWith({ fileKeys: keysText([KEY_16, KEY_32]) }));
});
afterEach(() => engine.close());

/**
 * Those of the archives, and that of the campaign of the invoice lines, on which the hours over the
 * power are given too.
 */
const DAYS = [...OCTOBER_DAYS, '2025-11-05'];
const OVERRUNS = 'depassements_20251105.csv';

/**
 * Two lines of the contract with hours over its power, of which one names the contract alone, and
 * two of another.
 */
const LINES = `rsc;pdl;categorie;quantite;statut;mois;note
R99000000000014;99000000000014;HP;3000;draft;2025-10;chez 99000000000014
R99000000000014;;HC;1200;draft;2025-10;
R99000000000001;99000000000001;Base;210;draft;2025-10;
R99000000000001;;Base;7;draft;2025-10;
`;

async function deliver(): Promise<void> {
  await withFolder(async (folder) => {
    const files: string[] = [];
    const given = [
      ...octoberArchives(),
      overrunsFile(undefined, OVERRUNS),
      { name: 'lignes 2025-11-05.csv', bytes: Buffer.from(LINES) },
    ];
    for (const { name, bytes } of given) files.push(await put(folder, name, bytes));
    const outcomes = await importFiles(engine, 'enedis', files, testControl());
    expect(outcomes.filter((outcome) => 'code' in outcome)).toEqual([]);
  });
  await runDays(engine, 'enedis', DAYS);
  await rollUpDays(engine, 'enedis', DAYS);
}

async function monthsOf(column: string): Promise<string[]> {
  const file = path.join(engine.home, 'store', 'enedis', 'mois.parquet');
  const from = `read_parquet('${file}') WHERE mois = '2025-10'`;
  const rows = await engine.sql!.session((sql) =>
    sql.rows<{ value: string }>(`SELECT ${column} AS value FROM ${from}`),
  );
  return rows.map(({ value }) => value);
}

async function linesOf(rsc: string): Promise<number> {
  const file = path.join(engine.home, 'store', 'enedis', 'lignes.parquet');
  const where = `ref_situation_contractuelle = '${rsc}'`;
  return (
    await engine.sql!.session((sql) =>
      sql.rows(`SELECT * FROM read_parquet('${file}') WHERE ${where}`),
    )
  ).length;
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
  const [gone, rsc] = ['99000000000014', 'R99000000000014'];
  expect(before).toContain(gone);
  const places = await placesOf(gone);
  for (const table of [
    'core/enedis/lignes',
    'core/enedis/depassements',
    'history/enedis/lignes',
    'history/enedis/taxes',
  ])
    expect(places.filter((place) => place.includes(table))).not.toEqual([]);
  const sealed = (
    await readdir(path.join(engine.home, 'store', 'raw'), { recursive: true })
  ).sort();

  const request = { pipeline: 'enedis', id: gone, reason: 'moved out', by: 'test', dryRun: false };
  const result = await forgetPerson(engine, testControl(), request);
  expect(result).toMatchObject({ state: 'done', left: [], raws: 0 });
  expect(result.scopes).toContain('all');
  expect(await monthsOf('pdl')).toEqual(before.filter((pdl) => pdl !== gone));
  expect(await placesOf(gone)).toEqual([]);
  expect(await placesOf(rsc)).toEqual([]);
  expect(await linesOf('R99000000000001')).toBe(2);
  expect(
    (await readdir(path.join(engine.home, 'store', 'raw'), { recursive: true })).sort(),
  ).toEqual(sealed);

  const { days } = await verifyDays(engine, testControl(), { pipeline: 'enedis', dates: DAYS });
  expect(days.map(({ scope, result: how }) => [scope, how])).toEqual(
    DAYS.map((date) => [date, 'identical']),
  );
  const periods = ['all', ...result.scopes.filter((scope) => /^\d{4}-\d\d$/.test(scope))];
  for (const period of periods)
    expect((await verifyPeriod(engine, testControl(), 'enedis', period))?.result, period).toBe(
      'identical',
    );

  await deliver();
  expect(await placesOf(gone)).toEqual([]);
  expect(await placesOf(rsc)).toEqual([]);
  await expect(forgetPerson(engine, testControl(), { ...request, id: '12' })).rejects.toThrow(
    '14 digits',
  );
}, 180_000);
