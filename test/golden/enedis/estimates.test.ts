import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY_32, seal, zip } from '@quotidien/sample-portal/sftp/archive-writer';
import { r151Xml } from '@quotidien/sample-portal/sftp/flux-text';
import { OCTOBER_DAYS, octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { daily } from '@quotidien/sample-portal/sftp/supplier-rows';
import { hostOf } from '../../../src/cli/make/dataset-commands.ts';
import { ENEDIS_COMMANDS } from '../../../src/datasets/enedis/commands/commands.ts';
import type { MonthlyReport } from '../../../src/datasets/enedis/report/monthly-page.tsx';
import { decideUnit } from '../../../src/engine/records/unit-decisions.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { enedisAt, putArchives, startDistributor } from '../../fixtures/enedis-server.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

/**
 * October of a supplier, and a contract that was not read on 1 November, but again on 1 December.
 */

const PDL = '99000000000009';
const DAYS = [...OCTOBER_DAYS, '2025-12-01'];

let server: SftpServer;
let engine: TestEngine;

beforeAll(async () => {
  server = await startDistributor(octoberArchives());
  engine = await openTestEngine(enedisAt(server));
});

afterAll(async () => {
  await engine.close();
  await server.close();
});

async function make(): Promise<void> {
  await runDays(engine, 'enedis', DAYS, { recheck: true });
  await rollUpDays(engine, 'enedis', DAYS);
}

function rows(name: string, where: string): Promise<Record<string, unknown>[]> {
  const file = path.join(engine.home, 'store', 'enedis', `${name}.parquet`);
  return engine.sql!.session((sql) =>
    sql.rows(`SELECT * FROM read_parquet('${file}') WHERE ${where} ORDER BY mois`),
  );
}

async function monthly(): Promise<MonthlyReport> {
  const file = path.join(engine.home, 'store', 'reports', 'enedis', 'monthly_report.json');
  return JSON.parse(await readFile(file, 'utf8')) as MonthlyReport;
}

async function pageOf(id: string): Promise<string> {
  const command = ENEDIS_COMMANDS.find(({ name }) => name === 'contrat')!;
  const output = path.join(engine.home, 'contrat.html');
  const call = { arguments: [id], options: { output } };
  await command.run(call, hostOf(testContext(engine), 'enedis contrat', 'enedis'));
  return readFile(output, 'utf8');
}

describe('a month without a reading', () => {
  it('is estimated once the contract is read again, told of by pseudonym, and billed when a person accepts', async () => {
    await make();
    const [{ mois, indexes }] = (await engine.sql!.session((sql) =>
      sql.rows(`SELECT '2025-10' AS mois, {'hph': index_hph_kwh, 'hch': index_hch_kwh, 'hpb': index_hpb_kwh, 'hcb': index_hcb_kwh} AS indexes
        FROM read_parquet('${path.join(engine.home, 'store', 'enedis', 'releves.parquet')}') WHERE pdl = '${PDL}' AND date_releve LIKE '2025-10-01%'`),
    )) as [{ mois: string; indexes: { hph: number; hch: number; hpb: number; hcb: number } }];
    expect(await rows('estimations', 'true')).toEqual([]);
    const later = { ...indexes, hpb: indexes.hpb + 122, hcb: indexes.hcb + 61 };
    const stem = 'E_R151_S_C_5073_00003_Q_00001_00001_20251201030000';
    const content = r151Xml([daily(PDL, '2025-12-01', later)]);
    putArchives(server, [
      { name: `${stem}.zip`, bytes: seal(zip([{ name: 'd.xml', content }]), KEY_32) },
    ]);
    await make();

    const [october] = await rows('estimations', `pdl = '${PDL}'`);
    expect(october).toMatchObject({
      mois,
      methode_estimation: 'entre relevés',
      energie_base_kwh: 93,
      energie_hpb_kwh: 62,
      energie_hcb_kwh: 31,
      // 62 · 1.66 + 31 · 1.16 c€.
      turpe_variable_eur: 1.39,
      decision: null,
    });
    expect(await rows('mois', `pdl = '${PDL}' AND mois = '${mois}'`)).toMatchObject([
      { energie_base_kwh: null, qualite: 'incalculable', methode_estimation: null },
    ]);
    const { review, months } = await monthly();
    const unit = String(october!['unite']);
    expect(review.filter(({ sujet }) => sujet === 'mois estimé')).toEqual(
      expect.arrayContaining([
        expect.objectContaining({
          repere: unit,
          mois,
          detail: 'entre relevés',
          calcule: 93,
          suite: 'à décider',
        }),
      ]),
    );
    expect(months.find((month) => month.mois === mois)).toMatchObject({
      estimations: 0,
      estimations_a_decider: 1,
    });

    const decided = {
      decision: 'accept',
      reason: 'as last year',
      by: 'ada',
      decidedAt: '2025-12-03T09:00:00Z',
    } as const;
    await decideUnit(engine, testControl(), { pipeline: 'enedis', scope: 'all', unit, ...decided });
    await make();
    expect(await rows('mois', `pdl = '${PDL}' AND mois = '${mois}'`)).toMatchObject([
      {
        energie_base_kwh: 93,
        turpe_variable_eur: 1.39,
        qualite: 'estimée',
        methode_estimation: 'entre relevés',
      },
    ]);
    expect(await rows('accise', `pdl = '${PDL}' AND mois = '${mois}'`)).toMatchObject([
      { energie_kwh: 93, accise_eur: 2.79 },
    ]);
    expect((await monthly()).months.find((month) => month.mois === mois)).toMatchObject({
      estimations: 1,
      estimations_a_decider: 0,
    });
    const page = await pageOf(unit);
    for (const told of [
      'Estimations',
      'relevés du 2025-10-01 et du 2025-12-01',
      'acceptée',
      'estimé : entre relevés',
    ])
      expect(page).toContain(told);
  });
});
