import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { october } from '@quotidien/sample-portal/sftp/october';
import { KEY_16, KEY_32, keysText } from '@quotidien/sample-portal/sftp/archive-writer';
import {
  OCTOBER_DAYS,
  octoberArchives,
  overrunsFile,
} from '@quotidien/sample-portal/sftp/sample-archives';
import { freezeFile } from '../../../src/datasets/enedis/billing/freeze-month.ts';
import type { DailyReport } from '../../../src/datasets/enedis/report/model.ts';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import { put } from '../../fixtures/enedis-archives.ts';
import { enedisWith } from '../../fixtures/enedis-server.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

/** A supplier who imports every file: no address of the distributor is set. */

/** A month of which nothing was invoiced yet, frozen as the command writes it. */
function frozen(name: string) {
  const freeze = {
    month: '2025-09',
    at: '2025-11-07T09:30:00Z',
    by: 'ada',
    reason: 'invoiced',
    version: 1,
  };
  const row = {
    ref_situation_contractuelle: 'R99000000000001',
    pdl: '99000000000001',
    mois: '2025-09',
  };
  return { name, bytes: Buffer.from(freezeFile([row], freeze).text) };
}

let engine: TestEngine;

beforeAll(async () => {
  const fileKeys = keysText([KEY_16, KEY_32]);
  engine = await openTestEngine(enedisWith({ fileKeys }));
  for (const { name, bytes } of octoberArchives()) await give(name, bytes);
  await runDays(engine, 'enedis', OCTOBER_DAYS);
  await rollUpDays(engine, 'enedis', OCTOBER_DAYS);
}, 120_000);

afterAll(() => engine.close());

async function give(name: string, content: string | Uint8Array): Promise<void> {
  const file = await put(engine.home, name, Buffer.from(content));
  const [outcome] = await importFiles(engine, 'enedis', [file], testControl());
  expect(outcome).toHaveProperty('recognised');
}

async function made(day: string) {
  const run = await runDay(engine, 'enedis', day);
  await rollUpDays(engine, 'enedis', [day]);
  return run;
}

function published<T extends object>(name: string, columns: string): Promise<T[]> {
  const file = path.join(engine.home, 'store', 'enedis', `${name}.parquet`);
  return engine.sql!.session((sql) =>
    sql.rows<T>(`SELECT ${columns} FROM read_parquet('${file}') ORDER BY ALL`),
  );
}

async function reportOf(day: string): Promise<DailyReport> {
  const name = path.join(engine.home, 'store', 'reports', 'enedis', `daily_report_${day}.json`);
  return JSON.parse(await readFile(name, 'utf8')) as DailyReport;
}

it('makes a day that has lines of the ERP alone, and tells that they came', async () => {
  const rsc = 'R99000000000001';
  await give(
    'lignes octobre.csv',
    `rsc;categorie;quantite;est_brouillon;mois\n${rsc};Base;0;oui;2025-10\n`,
  );
  expect(await made('2025-11-05')).toMatchObject({ outcome: { verdict: 'ok' }, version: 1 });
  expect(await published('lignes', 'quantite_enedis, a_facturer')).toEqual([
    { quantite_enedis: 210, a_facturer: true },
  ]);
  expect((await reportOf('2025-11-05')).flux).toEqual([
    { flux: 'LIGNES', archives: 1, documents: 1, occurrences: 1, failed: 0 },
  ]);
});

it.each([
  ['2025-11-06', overrunsFile(october(), 'depassements_20251106.csv')],
  ['2025-11-07', frozen('gel_20251107093000.ndjson')],
])('makes a day that has no other file: %s', async (day, { name, bytes }) => {
  await give(name, bytes);
  expect(await made(day)).toMatchObject({ outcome: { verdict: 'ok' }, version: 1 });
  expect((await reportOf(day)).flux).toMatchObject([{ archives: 1, failed: 0 }]);
});
