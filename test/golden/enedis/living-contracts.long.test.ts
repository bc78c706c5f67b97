import path from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { KEY_16, KEY_32, keysText, seal, zip } from '@quotidien/sample-portal/sftp/archive-writer';
import { r151Xml } from '@quotidien/sample-portal/sftp/flux-text';
import { OCTOBER_DAYS, octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import { daily } from '@quotidien/sample-portal/sftp/supplier-rows';
import { hostOf } from '../../../src/cli/make/dataset-commands.ts';
import { ENEDIS_COMMANDS } from '../../../src/datasets/enedis/commands/commands.ts';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import { namesUnder } from '../../../src/engine/download/raw-names.ts';
import { retain } from '../../../src/engine/upkeep/retain.ts';
import { verifyPeriod } from '../../../src/engine/verify/verify-period.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { put, withFolder } from '../../fixtures/enedis-archives.ts';
import { enedisWith } from '../../fixtures/enedis-server.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

/** A contract that lives for longer than what bills it is kept. */

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
    await importFiles(engine, 'enedis', files, testControl());
  });
  await runDays(engine, 'enedis', OCTOBER_DAYS);
  await rollUpDays(engine, 'enedis', OCTOBER_DAYS);
});

afterEach(() => engine.close());

const request = { pipeline: 'enedis', dryRun: false };

/** Delivers the indexes of a point at two firsts of months, ten years later. */
async function deliverLater(point: string): Promise<string[]> {
  const rows = [
    daily(point, '2036-02-01', { base: 90_000 }),
    daily(point, '2036-03-01', { base: 90_210 }),
  ];
  const stem = (number: number, at: string) =>
    `E_R151_S_C_5073_0000${number}_Q_00001_00001_${at}030000`;
  await withFolder(async (folder) => {
    const files = await Promise.all(
      rows.map((row, index) => {
        const content = r151Xml([row]);
        const bytes = seal(zip([{ name: `later-${index}.xml`, content }]), KEY_32);
        return put(folder, `${stem(index + 3, index === 0 ? '20360201' : '20360301')}.zip`, bytes);
      }),
    );
    await importFiles(engine, 'enedis', files, testControl());
  });
  const days = ['2036-02-01', '2036-03-01'];
  await runDays(engine, 'enedis', days);
  await rollUpDays(engine, 'enedis', days);
  return days;
}

async function freezeOctober(): Promise<void> {
  const freeze = ENEDIS_COMMANDS.find(({ name }) => name === 'freeze')!;
  const call = { arguments: ['2025-10'], options: { by: 'ada', reason: 'invoiced' } };
  expect(await freeze.run(call, hostOf(testContext(engine), 'enedis freeze', 'enedis'))).toBe(
    'done',
  );
  await runDays(engine, 'enedis', ['2025-11-20']);
  await rollUpDays(engine, 'enedis', ['2025-11-20']);
  expect((await historyRows('mois')).filter((row) => row['est_gele'] === true)).toHaveLength(16);
}

async function historyRows(table: string): Promise<Record<string, unknown>[]> {
  const file = path.join(engine.home, 'store', 'enedis', `${table}.parquet`);
  return engine.sql!.session((sql) => sql.rows(`SELECT * FROM read_parquet('${file}')`));
}

it('keeps the event that began a contract for as long as the contract lives, and bills it as before', async () => {
  const [living, ended] = ['99000000000001', '99000000000006'] as const;
  await freezeOctober();
  now = new Date('2036-03-10T10:00:00Z');
  await deliverLater(living);
  // The freeze is kept for a while after the month itself has left the history: that is no credit
  // of what was invoiced.
  expect(await historyRows('regularisations')).toEqual([]);
  const february = async () =>
    (await historyRows('mois')).filter(({ pdl, mois }) => pdl === living && mois === '2036-02');
  const before = await february();
  expect(before).toMatchObject([{ energie_base_kwh: 210, puissance_moyenne_kva: 6, nb_jours: 29 }]);

  await retain(engine, testControl(), request);
  expect(await february()).toEqual(before);
  expect((await historyRows('echine')).find(({ pdl }) => pdl === living)).toMatchObject({
    evenement: 'CFNE',
  });
  // Nothing of before the kept months is shown, and nothing at all of a contract that ended before
  // them.
  for (const table of ['mois', 'abonnements', 'energies']) {
    const months = (await historyRows(table)).map(({ mois }) => String(mois)).sort();
    expect([table, months[0]]).toEqual([table, '2026-03']);
  }
  for (const table of ['echine', 'releves', 'chronologie', 'mois'])
    expect((await historyRows(table)).filter(({ pdl }) => pdl === ended)).toEqual([]);
  // What was read then is gone; the events of the contract are all that is left of that time.
  const left = await namesUnder(engine.objects, [
    'slices/enedis/',
    'core/enedis/',
    'months/enedis/',
  ]);
  const old = left.filter((name) => name.includes('2025-') && name.endsWith('.parquet'));
  expect([...new Set(old.map((name) => name.split('/').slice(0, 3).join('/')))].sort()).toEqual([
    'core/enedis/c15',
    'months/enedis/c15',
    'slices/enedis/c15',
  ]);
  expect(await verifyPeriod(engine, testControl(), 'enedis', 'all')).toMatchObject({
    result: 'identical',
  });
  expect(await retain(engine, testControl(), request)).toMatchObject({ tables: [] });
}, 120_000);
