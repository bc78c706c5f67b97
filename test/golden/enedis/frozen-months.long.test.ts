import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KEY_32, seal, zip } from '@quotidien/sample-portal/sftp/archive-writer';
import { r64Json } from '@quotidien/sample-portal/sftp/flux-text';
import {
  c15Archive,
  OCTOBER_DAYS,
  octoberArchives,
} from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { event, onDemand } from '@quotidien/sample-portal/sftp/supplier-rows';
import { hostOf } from '../../../src/cli/make/dataset-commands.ts';
import { ENEDIS_COMMANDS } from '../../../src/datasets/enedis/commands/commands.ts';
import { freeze } from '../../../src/datasets/enedis/commands/freeze.ts';
import type { CommandHost } from '../../../src/pipelines/dataset-command.ts';
import { withVersion } from '../../../src/engine/look/version-files.ts';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import { verifyPeriod } from '../../../src/engine/verify/verify-period.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { withFolder } from '../../fixtures/enedis-archives.ts';
import { enedisAt, putArchives, startDistributor } from '../../fixtures/enedis-server.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

let server: SftpServer;
let engine: TestEngine;

beforeEach(async () => {
  server = await startDistributor(octoberArchives());
  engine = await openTestEngine(enedisAt(server));
  await make(OCTOBER_DAYS);
});

afterEach(async () => {
  await engine.close();
  await server.close();
});

async function make(days: readonly string[]): Promise<void> {
  await runDays(engine, 'enedis', days);
  await rollUpDays(engine, 'enedis', days);
}

async function table<T>(name: string, where = 'true'): Promise<T[]> {
  const file = path.join(engine.home, 'store', 'enedis', `${name}.parquet`);
  return engine.sql!.session((sql) =>
    sql.rows<T & object>(`SELECT * FROM read_parquet('${file}') WHERE ${where} ORDER BY ALL`),
  );
}

const FIRST = '99000000000001';
/** A point of two contracts in October, one after the other. */
const TWICE = '99000000000015';
const OCTOBER = "mois = '2025-10'";

/** Freezes October as it is now, as the command does. */
async function freezeAt(at: string): Promise<void> {
  const told: string[] = [];
  const host: Pick<
    CommandHost,
    'line' | 'data' | 'now' | 'withScratchFolder' | 'importFiles' | 'withVersion'
  > = {
    line: (text) => void told.push(text),
    data: () => undefined,
    now: () => Promise.resolve(new Date(at)),
    withScratchFolder: (use) => withFolder(use),
    importFiles: (files) => importFiles(engine, 'enedis', files, testControl()),
    withVersion: (scope, outputs, work) =>
      withVersion(engine, { pipeline: 'enedis', scope, outputs }, work),
  };
  const call = { arguments: ['2025-10'], options: { by: 'ada', reason: 'invoiced' } };
  expect(await freeze(call, host as CommandHost)).toBe('done');
  expect(told.at(-1)).toBe(`next: quotidien run enedis ${at.slice(0, 10)}`);
  await make([at.slice(0, 10)]);
}

/** A higher power of the first contract that arrives late. */
function latePower() {
  const change = event({ pdl: FIRST, at: '2025-10-16', event: 'MDPRM', kva: '9' });
  return c15Archive(2, '20251025050000', [change]);
}

describe('a frozen month', () => {
  it('is named by whoever freezes it, and exists', async () => {
    const call = { arguments: ['2024-01'], options: { by: 'ada', reason: 'invoiced' } };
    const host = {
      now: () => Promise.resolve(new Date('2025-11-05T09:30:00.000Z')),
      withVersion: (scope, outputs, work) =>
        withVersion(engine, { pipeline: 'enedis', scope, outputs }, work),
    } as Partial<CommandHost> as CommandHost;
    await expect(freeze(call, host)).rejects.toMatchObject({ code: 'INPUT_INVALID' });
    await expect(freeze({ ...call, options: { by: 'ada' } }, host)).rejects.toThrow('say --reason');
  });

  it('stays as it was invoiced; what changed since is a line of regularisation with its reason', async () => {
    const before = await table('mois', OCTOBER);
    await freezeAt('2025-11-05T09:30:00.000Z');
    expect(await table('regularisations')).toEqual([]);
    expect(await table('mois', OCTOBER)).toEqual(
      before.map((row) => ({ ...(row as object), est_gele: true, version_facturee: 1 })),
    );
    putArchives(server, [latePower()]);
    await make(['2025-10-25']);
    expect(await table('mois', `${OCTOBER} AND pdl = '${FIRST}'`)).toMatchObject([
      { turpe_fixe_eur: 8.94, est_gele: true },
    ]);
    // 15 days at 6 kVA and 16 at 9 kVA.
    const lines = await table<{ composante: string; ecart: number; cause: string }>(
      'regularisations',
    );
    expect(lines).toMatchObject([
      {
        pdl: FIRST,
        composante: 'cta_eur',
        facture: 1.96,
        calcule: 2.28,
        ecart: 0.32,
        version_facturee: 1,
        est_en_attente: false,
      },
      {
        pdl: FIRST,
        composante: 'turpe_fixe_eur',
        facture: 8.94,
        calcule: 10.39,
        ecart: 1.45,
        gele_par: 'ada',
      },
    ]);
    for (const { cause } of lines) {
      expect(cause).toContain('+ événement MDPRM du 2025-10-16');
      expect(cause).toContain('- abonnement du 2025-10-01 au 2025-11-01');
      expect(cause).not.toContain('relevé');
    }
    expect(await verifyPeriod(engine, testControl(), 'enedis', 'all')).toMatchObject({
      result: 'identical',
    });
  });

  it('has the difference of its accise as a line of its own, of the contract whose energy changed', async () => {
    await freezeAt('2025-11-05T09:30:00.000Z');
    // 210 kWh became 310; of the two contracts of a point the second used 60 kWh and has 80 now.
    const [first] = await table<{ index_base_kwh: number }>(
      'releves',
      `pdl = '${FIRST}' AND date_releve LIKE '2025-10-01%'`,
    );
    const readings = [
      onDemand(FIRST, '2025-11-01', { base: first!.index_base_kwh + 310 }, 'CORR'),
      onDemand(TWICE, '2025-11-01', { base: 180 }, 'CORR'),
    ];
    const stem = 'E_R64_P_INDEX_M0_00001_20251103070000';
    putArchives(server, [
      {
        name: `${stem}.zip`,
        bytes: seal(zip([{ name: 'late.JSON', content: r64Json(readings) }]), KEY_32),
      },
    ]);
    await make(['2025-11-03']);
    const lines = await table<Record<string, unknown>>(
      'regularisations',
      `composante = 'accise_eur'`,
    );
    expect(lines).toMatchObject([
      // 310 and 210 kWh at 29.98 €/MWh.
      {
        ref_situation_contractuelle: `R${FIRST}`,
        pdl: FIRST,
        facture: 6.3,
        calcule: 9.29,
        ecart: 2.99,
        unite: '€',
      },
      {
        ref_situation_contractuelle: `S${TWICE}`,
        pdl: TWICE,
        facture: 3,
        calcule: 3.6,
        ecart: 0.6,
        est_en_attente: false,
      },
    ]);
    for (const { cause } of lines) expect(cause).toContain('+ relevé flux_R64 du 2025-11-01');
    const output = path.join(engine.home, 'regularisations.json');
    const command = ENEDIS_COMMANDS.find(({ name }) => name === 'regularisations')!;
    const context = testContext(engine);
    const host = hostOf(context, 'enedis regularisations', 'enedis');
    expect(await command.run({ arguments: [], options: { output } }, host)).toBe('done');
    expect(context.terminal.text()).toContain('2025-10: 2 lines, 2 to be billed, 0 wait');
    const billed = JSON.parse(await readFile(output, 'utf8')) as Record<string, unknown>[];
    expect(billed).toMatchObject([
      {
        ref_situation_contractuelle: `R${FIRST}`,
        categorie: 'Base',
        quantite: 100,
        a_facturer: true,
        mois: '2025-10',
      },
      {
        ref_situation_contractuelle: `S${TWICE}`,
        categorie: 'Base',
        quantite: 20,
        a_facturer: true,
      },
    ]);
    expect(billed[0]!['memo']).toMatch(
      /^régularisation de 2025-10 : facturé 210, mesuré 310 ; .*relevé flux_R64/,
    );
  });

  it('is frozen again with its regularisations once these are invoiced too', async () => {
    await freezeAt('2025-11-05T09:30:00.000Z');
    putArchives(server, [latePower()]);
    await make(['2025-10-25']);
    await freezeAt('2025-11-20T09:30:00.000Z');
    expect(await table('regularisations')).toEqual([]);
    expect(await table('mois', `${OCTOBER} AND pdl = '${FIRST}'`)).toMatchObject([
      { turpe_fixe_eur: 10.39, est_gele: true, version_facturee: 3 },
    ]);
  });
});
