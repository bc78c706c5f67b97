import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY_32, seal, zip } from '@quotidien/sample-portal/sftp/archive-writer';
import type { SampleArchive } from '@quotidien/sample-portal/sftp/sample-archives';
import {
  c15Archive,
  OCTOBER_DAYS,
  octoberArchives,
} from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { event } from '@quotidien/sample-portal/sftp/supplier-rows';
import { ENEDIS_TABLES, tableId } from '../../../src/datasets/enedis/answers/tables.ts';
import { hostOf } from '../../../src/cli/make/dataset-commands.ts';
import { ENEDIS_COMMANDS } from '../../../src/datasets/enedis/commands/commands.ts';
import { freezeFile } from '../../../src/datasets/enedis/billing/freeze-month.ts';
import type { MonthRow } from '../../../src/datasets/enedis/billing/freeze-month.ts';
import type { MonthlyReport } from '../../../src/datasets/enedis/report/monthly-page.tsx';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import { decideUnit } from '../../../src/engine/records/unit-decisions.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { put } from '../../fixtures/enedis-archives.ts';
import { enedisAt, putArchives, startDistributor } from '../../fixtures/enedis-server.ts';
import { rollUpDays, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';

/**
 * October with a decision, invoices that say something else, and a month that changed after it was
 * frozen.
 */

let server: SftpServer;
let engine: TestEngine;

const rsc = (index: number): string => `R${99_000_000_000_000 + index}`;
const pdl = (index: number): string => rsc(index).slice(1);

/** The powers of the contract above 36 kVA by hour. */
function c12(): SampleArchive {
  const hours = [
    ['HPH', 36],
    ['HCH', 36],
    ['HPE', 60],
    ['HCE', 60],
  ] as const;
  const classes = hours.map(
    ([label, power]) =>
      `<Classe_Temporelle_TURPE_Souscrite><Libelle>${label}</Libelle><Puissance_Souscrite>${power}</Puissance_Souscrite></Classe_Temporelle_TURPE_Souscrite>`,
  );
  const option = `<Option_Tarifaire_TURPE_Souscrite><Option_Tarifaire_TURPE><Libelle>BTSUPCU4</Libelle></Option_Tarifaire_TURPE>${classes.join('')}</Option_Tarifaire_TURPE_Souscrite>`;
  const situation = `<Situation_Contractuelle><Date_Debut>2025-09-05</Date_Debut><Evenement><Nature_Evenement>MES</Nature_Evenement></Evenement>${option}</Situation_Contractuelle>`;
  const content = `<C12><Contrat><PRM><Identifiant>${pdl(13)}</Identifiant><Type_Evenement><Date_Evenement>2025-09-05T00:00:00+02:00</Date_Evenement></Type_Evenement>${situation}</PRM></Contrat></C12>`;
  const stem = 'E_C12_S_C_00001_20251101060000';
  return {
    name: `${stem}.zip`,
    bytes: seal(zip([{ name: `${stem}_00001_00001.xml`, content }]), KEY_32),
  };
}

async function make(...days: string[]): Promise<void> {
  await runDays(engine, 'enedis', days, { recheck: true });
  await rollUpDays(engine, 'enedis', days);
}

async function give(name: string, content: string): Promise<void> {
  const file = await put(engine.home, name, Buffer.from(content));
  expect((await importFiles(engine, 'enedis', [file], testControl()))[0]).toHaveProperty(
    'recognised',
  );
}

function rows<T extends object>(name: string, where = 'true'): Promise<T[]> {
  const file = path.join(engine.home, 'store', `${name}.parquet`);
  return engine.sql!.session((sql) =>
    sql.rows<T>(`SELECT * FROM read_parquet('${file}') WHERE ${where}`),
  );
}

beforeAll(async () => {
  server = await startDistributor([...octoberArchives(), c12()]);
  engine = await openTestEngine(enedisAt(server));
  await make(...OCTOBER_DAYS);
  const decided = {
    decision: 'reject',
    reason: 'wrong meter',
    by: 'ada',
    decidedAt: '2025-11-03T09:00:00Z',
  } as const;
  const [held] = await rows<{ unite: string }>('enedis/retenus', `pdl = '${pdl(11)}'`);
  await decideUnit(engine, testControl(), {
    pipeline: 'enedis',
    scope: 'all',
    unit: held!.unite,
    ...decided,
  });
  const lines = [
    [rsc(1), 'Base', '200', 'non'],
    [rsc(2), 'HP', '150', 'non'],
    [rsc(2), 'HC', '190', 'non'],
    [rsc(2), 'HC', '-40', 'non'],
    [rsc(4), 'HP', '999', 'oui'],
    [rsc(9), 'Base', '50', 'non'],
  ];
  const text = lines.map((cells) => [...cells, '2025-10'].join(';')).join('\n');
  await give('lignes.csv', `rsc;categorie;quantite;est_brouillon;mois\n${text}\n`);
  await make('2025-11-05');
  const freeze = {
    month: '2025-10',
    at: '2025-11-06T09:30:00Z',
    by: 'ada',
    reason: 'invoiced',
    version: 2,
  };
  const gel = freezeFile(await rows<MonthRow>('enedis/mois', "mois = '2025-10'"), freeze);
  await give(gel.name, gel.text);
  const change = event({ pdl: pdl(1), at: '2025-10-16', event: 'MDPRM', kva: '9' });
  putArchives(server, [c15Archive(2, '20251025050000', [change])]);
  await make('2025-11-06', '2025-10-25');
}, 120_000);

afterAll(async () => {
  await engine.close();
  await server.close();
});

async function pageOf(id: string): Promise<string> {
  const command = ENEDIS_COMMANDS.find(({ name }) => name === 'contrat')!;
  const output = path.join(engine.home, 'contrat.html');
  const call = { arguments: [id], options: { output } };
  await command.run(call, hostOf(testContext(engine), 'enedis contrat', 'enedis'));
  return readFile(output, 'utf8');
}

describe('the page of a contract', () => {
  it('has what was decided on its months, with the indexes that were looked at', async () => {
    const page = await pageOf(pdl(11));
    for (const told of ['Décisions', 'index en baisse', 'base 5000', 'base 4900', 'rejetée'])
      expect(page).toContain(told);
  });

  it('has its frozen months with what changed since, and why', async () => {
    const page = await pageOf(rsc(1));
    for (const told of [
      'gelé, version 2',
      'Régularisations',
      '8,94 €',
      '10,39 €',
      '1,45 €',
      '2025-11-06, ada',
    ])
      expect(page).toContain(told);
    expect(page).toContain('+ événement MDPRM du 2025-10-16');
  });

  it('has the four powers of a contract above 36 kVA', async () => {
    expect(await pageOf(pdl(13))).toContain('36 / 36 / 60 / 60');
  });
});

it('declares columns of the history that its files have', async () => {
  const tables = ENEDIS_TABLES.filter(({ rows: { each } }) => each === 'history');
  expect(tables.map(({ id }) => id)).toEqual(
    expect.arrayContaining(
      ['retenus', 'mois_calcules', 'regularisations', 'heures_depassees', 'anomalies_r151'].map(
        tableId,
      ),
    ),
  );
  for (const {
    rows: { output },
    columns,
  } of tables) {
    const file = path.join(engine.home, 'store', 'enedis', `${output}.parquet`);
    const found = await engine.sql!.session((sql) =>
      sql.rows<{ column_name: string }>(`DESCRIBE SELECT * FROM read_parquet('${file}')`),
    );
    const names = found.map(({ column_name: name }) => name);
    expect([output, columns.filter(({ name }) => !names.includes(name))]).toEqual([output, []]);
  }
});

const store = (name: string): string => path.join(engine.home, 'store', 'reports', 'enedis', name);

async function monthly(): Promise<MonthlyReport> {
  return JSON.parse(await readFile(store('monthly_report.json'), 'utf8')) as MonthlyReport;
}

describe('the monthly report', () => {
  it('has held months with their reason, and what was decided', async () => {
    const held = (await monthly()).review.filter(({ sujet }) => sujet === 'mois retenu');
    expect(held.map(({ mois, detail, suite }) => [mois, detail, suite])).toEqual([
      ['2025-09', 'plus de 1000 kWh par jour', 'à décider'],
      ['2025-10', 'index en baisse', 'rejeté'],
    ]);
  });

  it('has what was invoiced and is not what was measured, the largest first', async () => {
    const { review, months } = await monthly();
    const invoiced = review.filter(({ sujet }) => sujet === 'facturé autrement');
    // Credits count; drafts and months without a measure are no difference.
    expect(invoiced).toMatchObject([
      { mois: '2025-10', detail: 'HC', unite: 'kWh', facture: 150, calcule: 90, ecart: 60 },
      { mois: '2025-10', detail: 'Base', unite: 'kWh', facture: 200, calcule: 210, ecart: -10 },
    ]);
    expect(months[0]).toMatchObject({
      mois: '2025-10',
      ecarts_factures: 2,
      factures_sans_mesure: 1,
    });
  });

  it('has the regularisations of frozen months, and names no contract', async () => {
    const { review } = await monthly();
    const changed = review.filter(({ sujet }) => sujet === 'régularisation');
    expect(
      changed.map(({ detail, facture, calcule, ecart }) => [detail, facture, calcule, ecart]),
    ).toEqual([
      ['turpe_fixe_eur', 8.94, 10.39, 1.45],
      ['cta_eur', 1.96, 2.28, 0.32],
    ]);
    for (const name of ['report.json', 'report.html', 'review.csv'])
      expect(await readFile(store(`monthly_${name}`), 'utf8')).not.toMatch(/99000000000\d{3}/);
    expect(await pageOf(changed[0]!.repere)).toContain(rsc(1));
  });

  it('has the same as page, CSV and Parquet', async () => {
    const { review } = await monthly();
    expect(review.length).toBe(6);
    expect(await rows('reports/enedis/monthly_review')).toEqual(review);
    const page = await readFile(store('monthly_report.html'), 'utf8');
    const csv = (await readFile(store('monthly_review.csv'), 'utf8')).trimEnd().split('\n');
    expect(csv.length).toBe(1 + review.length);
    for (const { repere } of review)
      expect([page.includes(repere), csv.join().includes(repere)]).toEqual([true, true]);
  });
});
