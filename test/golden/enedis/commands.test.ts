import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { KEY_32, seal, zip } from '@quotidien/sample-portal/sftp/archive-writer';
import { OCTOBER_DAYS, octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SampleArchive } from '@quotidien/sample-portal/sftp/sample-archives';
import type { SftpServer } from '@quotidien/sample-portal/sftp/sftp-server';
import { createKey } from '../../../src/api/security/keys.ts';
import { hostOf } from '../../../src/cli/make/dataset-commands.ts';
import { ENEDIS_COMMANDS } from '../../../src/datasets/enedis/commands/commands.ts';
import { ENEDIS_QUESTIONS } from '../../../src/datasets/enedis/answers/questions.ts';
import { ENEDIS_TABLES } from '../../../src/datasets/enedis/answers/tables.ts';
import { importFiles } from '../../../src/engine/download/import-file.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { enedisAt, startDistributor } from '../../fixtures/enedis-server.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import { readXlsx } from '../../fixtures/xlsx.ts';

const PDL = '99000000000001';
const RSC = 'R99000000000001';

function sealed(stem: string, inner: string, content: string): SampleArchive {
  return { name: `${stem}.zip`, bytes: seal(zip([{ name: inner, content }]), KEY_32) };
}

/** A year of billed energy, 100 kWh a month. */
function r67(): SampleArchive {
  const quantite = Array.from({ length: 12 }, (_, index) => {
    const at = (month: number): string =>
      new Date(Date.UTC(2024, 10 + month, 1)).toISOString().slice(0, 10);
    const dates = { dbtMesure: `${at(index)} 00:00:00`, finMesure: `${at(index + 1)} 00:00:00` };
    return {
      ...dates,
      codeNature: 'R',
      quantite: 100_000,
      dateCreation: `${at(index + 1)} 00:00:00`,
    };
  });
  const calendrier = [
    {
      codeGrille: 'D',
      codeCalendrier: 'DI000001',
      classeTemporelle: [{ idClasseTemporelle: 'BASE', quantite }],
    },
  ];
  const grandeur = [{ grandeurMetier: 'CONS', grandeurPhysique: 'EA', unite: 'Wh', calendrier }];
  const contexte = [{ etapeMetier: 'FACT', idMotifReleve: 'CYC', grandeur }];
  return sealed(
    'E_R67_P_M0_00001_20251101080000',
    'd.json',
    JSON.stringify({ header: {}, mesures: [{ idPrm: PDL, contexte }] }),
  );
}

function x12(): SampleArchive {
  const affair = (id: string, status: string): string =>
    `<affaire id="${id}"><donneesGenerales><statut code="${status}"/></donneesGenerales><donneesPoint><id>${PDL}</id></donneesPoint><jalons><jalon><num>1</num><dateHeure>2025-10-10T09:00:00+02:00</dateHeure></jalon></jalons></affaire>`;
  const text = `<affaires>${affair('A1', 'COURS')}${affair('A2', 'TERMN')}</affaires>`;
  return sealed(
    'E_X12_S_00001_20251101080000',
    'E_X12_S_00001_20251101080000_00001_00001.xml',
    text,
  );
}

let server: SftpServer;
let engine: TestEngine;

beforeAll(async () => {
  server = await startDistributor([...octoberArchives(), r67(), x12()]);
  engine = await openTestEngine(enedisAt(server));
  await runDays(engine, 'enedis', OCTOBER_DAYS);
  const lines = path.join(engine.home, 'lignes.csv');
  await writeFile(
    lines,
    `id;x_ref_situation_contractuelle;name_product_category;quantity;state;invoice_date\n7;${RSC};Base;0;draft;2025-11-05\n8;${RSC};Base;210;posted;2025-11-05\n`,
  );
  await importFiles(engine, 'enedis', [lines], testControl());
  await runDay(engine, 'enedis', '2025-11-05', { recheck: true });
  await rollUpDays(engine, 'enedis', [...OCTOBER_DAYS, '2025-11-05']);
}, 120_000);

afterAll(async () => {
  await engine.close();
  await server.close();
});

const file = (name: string): string => path.join(engine.home, name);

async function run(
  name: string,
  options: Readonly<Record<string, string>> = {},
  ...args: string[]
) {
  const context = testContext(engine);
  const command = ENEDIS_COMMANDS.find((one) => one.name === name)!;
  const end = await command.run(
    { arguments: args, options },
    hostOf(context, `enedis ${name}`, 'enedis'),
  );
  return {
    end,
    text: context.terminal.text(),
    data: context.terminal.values[0] as Record<string, unknown>,
  };
}

async function json(name: string): Promise<Record<string, unknown>[]> {
  return JSON.parse(await readFile(file(name), 'utf8')) as Record<string, unknown>[];
}

describe('quotidien enedis periodes', () => {
  it('writes the months of a month in every format, and says how many could be calculated', async () => {
    for (const format of ['csv', 'json', 'ndjson', 'parquet', 'arrow', 'xlsx']) {
      const { end, text } = await run('periodes', {
        mois: '2025-10',
        format,
        output: file(`p.${format}`),
      });
      expect([format, end]).toEqual([format, 'degraded']);
      expect(text).toBe(
        `2025-10: 16 contracts, 13 calculable (81 %), 1 held, 0 with an error; 16 rows in ${file(`p.${format}`)}`,
      );
    }
    const rows = await json('p.json');
    expect(rows[0]).toMatchObject({
      pdl: PDL,
      mois: '2025-10',
      energie_base_kwh: 210,
      turpe_fixe_eur: 8.94,
    });
    const lines = (await readFile(file('p.ndjson'), 'utf8')).trimEnd().split('\n');
    expect(lines.map((line) => JSON.parse(line) as unknown)).toEqual(rows);
    const arrow = tableFromIPC(await readFile(file('p.arrow')));
    expect(Array.from<unknown>(arrow.getChild('ref_situation_contractuelle')!)).toEqual(
      rows.map((row) => row['ref_situation_contractuelle']),
    );
    await engine.sql!.session(async (sql) => {
      const [parquet] = await sql.rows(
        `SELECT sum(energie_base_kwh) AS kwh, typeof(any_value(debut)) AS debut FROM read_parquet('${file('p.parquet')}')`,
      );
      expect(parquet).toEqual({ kwh: 6_210, debut: 'DATE' });
      expect(await sql.rows(`SELECT count(*) AS rows FROM read_csv('${file('p.csv')}')`)).toEqual([
        { rows: 16 },
      ]);
    });
    expect([...(await readXlsx(file('p.xlsx'))).values()][0]).toHaveLength(17);
  });

  it('takes the newest month by default, and refuses one that is not there', async () => {
    expect((await run('periodes', { output: file('newest.csv') })).data).toMatchObject({
      mois: '2025-10',
    });
    await expect(run('periodes', { mois: '2031-01' })).rejects.toThrow(
      'there is no month 2031-01: there are 2025-09 … 2025-10',
    );
    await expect(run('periodes', { mois: 'octobre' })).rejects.toThrow(
      '--mois takes a month YYYY-MM, not octobre',
    );
    await expect(run('periodes', { format: 'pdf' })).rejects.toThrow(
      '--format takes json, ndjson, csv',
    );
  });
});

describe('quotidien enedis provision', () => {
  it('averages the twelve months before a day, and says what is covered', async () => {
    const { end, data } = await run('provision', {
      asOf: '2025-11-01',
      output: file('provision.json'),
    });
    expect([end, data]).toMatchObject(['done', { points: 1, couverts: 1, alertes: 0 }]);
    expect(await json('provision.json')).toMatchObject([
      { pdl: PDL, mensuel_kwh: 100, est_couverte: true },
    ]);
    const later = await run('provision', { asOf: '2026-03-01', output: file('later.json') });
    expect([later.end, later.data]).toMatchObject(['degraded', { couverts: 0, alertes: 1 }]);
    await expect(run('provision', { asOf: '2031-01-01' })).rejects.toThrow(
      'R67 has no energy in the twelve months',
    );
    await expect(run('provision', { asOf: '2025-02-30' })).rejects.toThrow(
      '--as-of takes an existing day',
    );
  });
});

describe('quotidien enedis affaires', () => {
  it('has the affairs under way, as old as they are on a day', async () => {
    await run('affaires', { asOf: '2025-10-25', output: file('affaires.json') });
    expect(await json('affaires.json')).toMatchObject([{ id_affaire: 'A1', age_jours: 15 }]);
  });
});

describe('quotidien enedis lignes', () => {
  it('gives lines back under their own names, with what was measured', async () => {
    const { end, text } = await run('lignes', { output: file('lignes-out.csv') });
    expect(end).toBe('done');
    expect(text).toContain(
      '2025-10: 2 lines, 1 to be billed, 0 to be removed, 0 without a measured quantity',
    );
    expect(await readFile(file('lignes-out.csv'), 'utf8')).toBe(
      [
        'id,x_ref_situation_contractuelle,name_product_category,quantity,state,invoice_date,quantite_enedis,a_facturer,a_supprimer,memo',
        `7,${RSC},Base,0,draft,2025-11-05,210,true,false,`,
        `8,${RSC},Base,210,posted,2025-11-05,210,false,false,`,
        '',
      ].join('\r\n'),
    );
    await expect(run('lignes', { mois: '2024-01' })).rejects.toThrow(
      'there is no month of invoice lines 2024-01',
    );
  });
});

const SOFFICE = '/usr/bin/soffice';

describe('quotidien enedis taxes', () => {
  it('sums a quarter up, by month, rate and point, and says which months are not there', async () => {
    const { end, data } = await run('taxes', { trimestre: '2025-T4', output: file('taxes.json') });
    expect(end).toBe('degraded');
    expect(data).toMatchObject({
      manquants: ['2025-11', '2025-12'],
      accise_facturee_eur: 6.3,
      accise_mesuree_eur: 168.61,
    });
    const sheets = (await json('taxes.json')) as unknown as Record<
      string,
      Record<string, unknown>[]
    >;
    expect(Object.keys(sheets)).toEqual(['Résumé', 'Par taux', 'Détail']);
    expect(sheets['Résumé']).toMatchObject([
      { mois: '2025-10', energie_facturee_kwh: 210, accise_mesuree_eur: 168.61, cta_eur: 55.58 },
      { mois: 'total 2025-T4', turpe_fixe_eur: 253.48, cta_eur: 55.58 },
    ]);
    expect(sheets['Par taux']).toMatchObject([
      { taxe: 'CTA', taux: 21.93, unite: '%', cta_eur: 55.58, accise_mesuree_eur: null },
      {
        taxe: 'accise',
        taux: 25.79,
        energie_mesuree_kwh: 4_200,
        accise_mesuree_eur: 108.32,
        cta_eur: null,
      },
      { taxe: 'accise', taux: 29.98, energie_mesuree_kwh: 2_010, accise_facturee_eur: 6.3 },
    ]);
    await expect(run('taxes', { trimestre: '2027-T1' })).rejects.toThrow(
      'there is no quarter 2027-T1',
    );
    await expect(run('taxes', { trimestre: '2025-Q4' })).rejects.toThrow(
      '--trimestre takes a quarter',
    );
  });

  it.runIf(existsSync(SOFFICE))(
    'opens in LibreOffice as the three sheets',
    async () => {
      await run('taxes', { trimestre: '2025-T4', output: file('taxes.xlsx') });
      const filter =
        'csv:Text - txt - csv (StarCalc):59,34,76,1,,0,false,true,false,false,false,-1';
      const profile = `-env:UserInstallation=file://${engine.home}/office`;
      const args = [
        profile,
        '--headless',
        '--convert-to',
        filter,
        '--outdir',
        engine.home,
        file('taxes.xlsx'),
      ];
      // Without a locale of UTF-8 it writes another letter for the é of a sheet.
      await promisify(execFile)(SOFFICE, args, { env: { ...process.env, LC_ALL: 'C.UTF-8' } });
      const summary = await readFile(file('taxes-Résumé.csv'), 'utf8');
      expect(summary.split('\n').slice(0, 2)).toEqual([
        'mois;energie_facturee_kwh;accise_facturee_eur;energie_mesuree_kwh;accise_mesuree_eur;turpe_fixe_eur;cta_eur',
        '2025-10;210;6.3;6210;168.61;253.48;55.58',
      ]);
      expect(await readFile(file('taxes-Par taux.csv'), 'utf8')).toContain('accise;25.79;EUR/MWh');
      expect((await readFile(file('taxes-Détail.csv'), 'utf8')).split('\n').length).toBeGreaterThan(
        16,
      );
    },
    120_000,
  );
});

describe('each command that writes a file', () => {
  const COMMANDS = ['periodes', 'provision', 'affaires', 'taxes', 'lignes'] as const;

  it.each(COMMANDS)('has the rows of %s as Arrow, as Parquet and in a workbook', async (name) => {
    for (const format of ['json', 'arrow', 'parquet', 'xlsx'])
      await run(name, { format, output: file(`each.${format}`) });
    const told: unknown = JSON.parse(await readFile(file('each.json'), 'utf8'));
    const sheets = Array.isArray(told) ? [told] : Object.values(told as Record<string, unknown[]>);
    const finest = sheets.at(-1) as Record<string, unknown>[];
    expect(finest.length).toBeGreaterThan(0);
    const arrow = tableFromIPC(await readFile(file('each.arrow')));
    const columns = Object.keys(finest[0]!);
    expect([arrow.numRows, arrow.schema.fields.map((field) => field.name)]).toEqual([
      finest.length,
      columns,
    ]);
    const [first] = await engine.sql!.session((sql) =>
      sql.rows(`SELECT * FROM read_parquet('${file('each.parquet')}')`),
    );
    expect(Object.keys(first!)).toEqual(columns);
    const workbook = [...(await readXlsx(file('each.xlsx'))).values()];
    expect(workbook.map((rows) => rows.length)).toEqual(sheets.map((rows) => rows.length + 1));
    expect(workbook.at(-1)![0]!.map((cell) => cell?.value)).toEqual(columns);
  });
});

describe('quotidien enedis contrat', () => {
  it('shows events, months and each energy with the readings that made it, in a file for its owner alone', async () => {
    const output = file('contrat.html');
    const { text } = await run('contrat', { output }, PDL);
    expect(text).toBe(`1 contracts, 2 months in ${output}`);
    expect((await stat(output)).mode & 0o077).toBe(0);
    const page = await readFile(output, 'utf8');
    for (const told of [
      'CFNE',
      'FACTURATION',
      'base 1000',
      'base 1210',
      'base 210',
      '10,16',
      '8,94',
      'à facturer',
    ])
      expect(page).toContain(told);
    const links = [...page.matchAll(/href="#(releve-[0-9a-f]{16})"/g)].map(([, id]) => id);
    expect(links.length).toBeGreaterThanOrEqual(2);
    for (const id of links) expect(page).toContain(`id="${id}"`);
  });

  it('has the contracts that followed each other at a point, and says when there is none', async () => {
    expect(
      (await run('contrat', { output: file('two.html') }, '99000000000015')).data,
    ).toMatchObject({ contracts: 2 });
    await expect(run('contrat', { output: file('none.html') }, '99000000009999')).rejects.toThrow(
      'ends with 9999',
    );
    await expect(run('contrat', {}, PDL)).rejects.toThrow('--output <file.html>');
  });
});

const published = (name: string): string =>
  path.join(engine.home, 'store', 'reports', 'enedis', name);

describe('the reports', () => {
  it('of a day count its events, who enters and who leaves, and have their archives as a table', async () => {
    const report = JSON.parse(
      await readFile(published('daily_report_2025-11-01.json'), 'utf8'),
    ) as object;
    // The second half of October: seven contracts that begin as CFNE, one by MES, and one RES.
    expect(report).toMatchObject({ events: { entrent: 8, sortent: 1 } });
    const [rows] = await engine.sql!.session((sql) =>
      sql.rows(
        `SELECT count(*) AS archives, sum(occurrences) > 0 AS any FROM read_parquet('${published('daily_report_2025-11-01.parquet')}')`,
      ),
    );
    expect(rows).toEqual({ archives: 5, any: true });
  });

  it('of the months are the same as page, JSON, CSV and Parquet', async () => {
    const { months } = JSON.parse(await readFile(published('monthly_report.json'), 'utf8')) as {
      months: Record<string, unknown>[];
    };
    const read = (from: string) => engine.sql!.session((sql) => sql.rows(`SELECT * FROM ${from}`));
    expect(await read(`read_parquet('${published('monthly_report.parquet')}')`)).toEqual(months);
    const csv = await read(`read_csv('${published('monthly_report.csv')}', delim = ';')`);
    expect(csv.map(({ mois, energie_kwh: kwh, cta_eur: cta }) => [mois, kwh, cta])).toEqual(
      months.map((month) => [month['mois'], month['energie_kwh'], month['cta_eur']]),
    );
    const page = await readFile(published('monthly_report.html'), 'utf8');
    expect(page).toContain('2025-10');
    // Nothing to compare is not "no difference".
    expect(page).toContain('Aucune facture du réseau n’est arrivée');
  });
});

describe('the tables and questions of enedis over the API', () => {
  it('are for nobody without a key, and give their rows and answers with one', async () => {
    const api = await openTestApi(engine);
    const wanted = { owner: 'billing', scopes: ['data:read:enedis' as const], days: 1, by: 'test' };
    const { key } = await createKey(engine.documents, wanted, engine.now());
    const get = (url: string, headers: object = {}) =>
      api.inject({ url: `/api/v1${url}`, headers: { host: '127.0.0.1', ...headers } });
    const range = 'from=2025-10-01&to=2025-11-30&limit=2';
    for (const { id } of ENEDIS_TABLES) {
      const url = `/tables/${id}/rows?${range}`;
      expect([id, (await get(url)).statusCode]).toEqual([id, 401]);
      const answer = await get(url, { 'x-api-key': key });
      expect([id, answer.statusCode, answer.body.slice(0, 300)]).toEqual([
        id,
        200,
        expect.any(String),
      ]);
    }
    for (const { id } of ENEDIS_QUESTIONS) {
      expect([id, (await get(`/questions/${id}`)).statusCode]).toEqual([id, 401]);
      const answer = await get(`/questions/${id}`, { 'x-api-key': key });
      expect([id, answer.statusCode, answer.body.slice(0, 300)]).toEqual([
        id,
        200,
        expect.any(String),
      ]);
    }
    const tools = async (headers: object = {}) => {
      const accept = {
        host: '127.0.0.1',
        accept: 'application/json, text/event-stream',
        ...headers,
      };
      const payload = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
      const answer = await api.inject({ method: 'POST', url: '/mcp', headers: accept, payload });
      expect(answer.statusCode, answer.body).toBe(200);
      return answer
        .json<{ result: { tools: { name: string }[] } }>()
        .result.tools.map(({ name }) => name);
    };
    expect(await tools()).toEqual([]);
    expect(await tools({ 'x-api-key': key })).toEqual(ENEDIS_QUESTIONS.map(({ id }) => id));
    const months = (
      await get('/questions/get_enedis_mois?start=2025-10', { 'x-api-key': key })
    ).json<{
      rows: object[];
    }>();
    expect(months.rows).toMatchObject([
      { contrats: 16, reelle: 13, energie_kwh: 6_210, accise_eur: 168.61 },
    ]);
    await api.close();
  });
});
