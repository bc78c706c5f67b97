import { tableFromIPC } from 'apache-arrow';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createKey } from '../../../src/api/security/keys.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { openOctober } from '../../fixtures/enedis-october.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { put, withFolder } from '../../fixtures/enedis-archives.ts';
import { readXlsx } from '../../fixtures/xlsx.ts';

/** The endpoints of the earlier billing system, over a month of an invented supplier. */

let engine: TestEngine;
let api: ApiApp;
let key: string;

beforeAll(async () => {
  engine = await openOctober(new Date('2025-11-20T10:00:00Z'));
  api = await openTestApi(engine);
  const wanted = { owner: 'erp', scopes: ['data:read:enedis'], days: 1, by: 'test' };
  key = (await createKey(engine.documents, wanted, engine.now())).key;
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

const host = 'localhost';

async function get(url: string, headers: Record<string, string> = {}) {
  return api.inject({ url, headers: { host, 'x-api-key': key, ...headers } });
}

async function json<T>(url: string): Promise<T> {
  const answer = await get(url);
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<T>();
}

async function post<T>(url: string, payload: object): Promise<T> {
  const answer = await api.inject({
    method: 'POST',
    url,
    headers: { host, 'x-api-key': key },
    payload,
  });
  expect(answer.statusCode, answer.body).toBe(200);
  return answer.json<T>();
}

/** The rows of each sheet of a workbook. */
async function sheetsOf(book: Uint8Array) {
  return withFolder(async (folder) => [
    ...(await readXlsx(await put(folder, 'book.xlsx', book))).values(),
  ]);
}

type Row = Readonly<Record<string, unknown>>;

async function lines(url: string) {
  const answer = await get(url);
  expect(answer.statusCode, answer.body).toBe(200);
  expect(answer.headers['content-type']).toBe('application/x-ndjson; charset=utf-8');
  return {
    rows: answer.body
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as Row),
    headers: answer.headers,
  };
}

interface Page {
  readonly table: string;
  readonly filters: Row | null;
  readonly pagination: Row;
  readonly data: readonly Row[];
}

describe('the flux of the distributor', () => {
  it('come page by page, in the shape of the earlier system', async () => {
    const all = await json<Page>('/flux/c15');
    expect(all).toMatchObject({
      table: 'flux_c15',
      filters: null,
      pagination: { limit: 100, offset: 0, returned: 21 },
    });
    const pages = [
      await json<Page>('/flux/c15?limit=15'),
      await json<Page>('/flux/c15?limit=15&offset=15'),
    ];
    expect(pages.flatMap(({ data }) => data)).toEqual(all.data);
    const point = await json<Page>('/flux/c15?prm=99000000000014');
    expect(point.filters).toEqual({ pdl: '99000000000014' });
    expect(point.data.map((row) => row['evenement_declencheur'])).toEqual(['CFNE']);
    expect(Object.keys(point.data[0]!)).not.toContain('archive_sha256');
  });

  it('have both flux of affairs as one, and say how new they are', async () => {
    const { data } = await json<Page>('/flux/affaires');
    expect(
      data.map((row) => [row['affaire_jalon_id'], row['origine'], row['affaire_etat']]),
    ).toEqual([
      ['AFF1#1', 'initiee', 'DMTR'],
      ['AFF1#2', 'initiee', 'INPL'],
      ['AFF2#1', 'initiee', 'CPRE'],
      ['AFF3#1', 'initiee', 'DMTR'],
    ]);
    expect(await json('/flux/affaires/info')).toMatchObject({
      ...{ table: 'flux_affaires', schema: 'flux_enedis', count: 4, derniere_date: '2025-11-02' },
      columns: expect.arrayContaining([{ name: 'jalon_num', type: 'BIGINT' }]) as unknown,
    });
  });

  it('come as Arrow and as a workbook with the same rows', async () => {
    const { data } = await json<Page>('/flux/r151?limit=1000');
    const arrow = await get('/flux/r151.arrow');
    const rows = tableFromIPC(arrow.rawPayload).toArray() as readonly Row[];
    expect(rows.map((row) => row['releve_id'])).toEqual(data.map((row) => row['releve_id']));
    const book = await get('/flux/r151.xlsx?prm=99000000000001');
    expect(book.headers['content-disposition']).toBe('attachment; filename="flux_r151.xlsx"');
    const [sheet] = await sheetsOf(book.rawPayload);
    expect(sheet).toHaveLength(1 + 2);
  });

  it('refuse what there is not, and who does not say who they are', async () => {
    const unknown = await get('/flux/c99');
    expect([unknown.statusCode, unknown.json()]).toEqual([
      404,
      { detail: expect.stringContaining('f15_detail') as unknown },
    ]);
    expect((await get('/flux/c15?limit=1001')).statusCode).toBe(422);
    expect((await get('/flux/r151.xlsx?limit=100001')).statusCode).toBe(422);
    const anonymous = await api.inject({ url: '/flux/c15', headers: { host } });
    expect([anonymous.statusCode, Object.keys(anonymous.json())]).toEqual([401, ['detail']]);
    const other = { owner: 'grid', scopes: ['data:read:eco2mix'], days: 1, by: 'test' };
    const foreign = (await createKey(engine.documents, other, engine.now())).key;
    expect((await get('/flux/c15', { 'x-api-key': foreign })).statusCode).toBe(403);
  });

  it('are not read for who has them', async () => {
    const first = await get('/flux/c15?limit=2');
    const again = await get('/flux/c15?limit=2', { 'if-none-match': String(first.headers.etag) });
    expect([again.statusCode, again.body]).toEqual([304, '']);
    expect(first.headers['quotidien-coverage']).toBeDefined();
  });
});

describe('readings', () => {
  it('are filtered by point, source and days, both included', async () => {
    const found = await json<Page>(
      '/releves?prm=99000000000001&source=flux_R151&debut=2025-11-01&fin=2025-11-01',
    );
    expect(found.data.map((row) => [row['date_releve'], row['index_base_kwh']])).toEqual([
      ['2025-11-01T00:00:00+01:00', 1210],
    ]);
    expect(found.filters).toEqual({
      ...{ prm: '99000000000001', source: 'flux_R151', debut: '2025-11-01', fin: '2025-11-01' },
    });
    expect((await get('/releves?source=flux_X12')).statusCode).toBe(422);
    const info = await json<Row>('/releves/info');
    const table = tableFromIPC((await get('/releves.arrow')).rawPayload);
    expect(table.numRows).toBe(info['count']);
  });
});

describe('the months of contracts', () => {
  it('are the golden month, with the readings that they stand on', async () => {
    const { rows, headers } = await lines('/facturation/meta-periodes?mois=2025-10-01');
    expect([headers['x-contract-version'], headers['x-mois']]).toEqual(['3', '2025-10-01']);
    const sum = (name: string) =>
      rows.reduce((total, row) => total + Math.round(100 * Number(row[name] ?? 0)), 0) / 100;
    expect([
      rows.length,
      sum('energie_base_kwh'),
      sum('turpe_fixe_eur'),
      sum('turpe_variable_eur'),
      sum('cta_eur'),
    ]).toEqual([16, 6210, 253.48, 177.14, 55.58]);
    const first = rows.find((row) => row['pdl'] === '99000000000001')!;
    expect(first).toMatchObject({
      ...{
        mois_annee: '2025-10',
        debut: '2025-10-01T00:00:00+02:00',
        fin: '2025-11-01T00:00:00+01:00',
        nb_jours: 31,
      },
      ...{
        taux_accise_eur_mwh: 29.98,
        has_changement: false,
        qualite: 'réelle',
        statut_communication: 'communicante',
      },
    });
    const used = first['releves_utilises'] as readonly Row[];
    expect(
      used.map((row) => [
        row['date_releve'],
        row['origine_releve'],
        row['famille_cadrans'],
        row['index_base_kwh'],
      ]),
    ).toEqual([
      ['2025-10-01T00:00:00+02:00', 'périodique', 'base', 1000],
      ['2025-11-01T00:00:00+01:00', 'périodique', 'base', 1210],
    ]);
  });

  it('leave nothing out and invent nothing', async () => {
    const { rows } = await lines('/facturation/meta-periodes?mois=2025-10');
    const none = rows.filter((row) => row['qualite'] === 'incalculable');
    expect(
      none.map((row) => [
        row['energie_base_kwh'],
        row['turpe_variable_eur'],
        row['releves_utilises'],
      ]),
    ).toEqual(Array.from({ length: 3 }, () => [null, null, []]));
    const changed = rows
      .filter((row) => row['has_changement'] === true)
      .map((row) => String(row['pdl']).slice(-2));
    expect(changed).toEqual(['04', '07', '12']);
  });

  it('of some contracts are those, with the same hashes', async () => {
    const all = (await lines('/facturation/meta-periodes?mois=2025-10')).rows;
    const two = await lines(
      '/facturation/meta-periodes?mois=2025-10&rsc=R99000000000001&rsc=R99000000000007&page_size=1',
    );
    expect(two.rows).toEqual(
      all.filter((row) => /0[17]$/.test(String(row['ref_situation_contractuelle']))),
    );
    const hashes = new Set(all.map((row) => row['source_hash']));
    expect([hashes.size, [...hashes].every((hash) => /^[0-9a-f]{16}$/.test(String(hash)))]).toEqual(
      [16, true],
    );
  });
});

describe('the chronology', () => {
  it('of a contract has events, readings and periods in the order of time', async () => {
    const { rows, headers } = await lines('/facturation/chronologie?rsc=R99000000000007');
    expect([headers['x-contract-version'], headers['x-grain']]).toEqual(['1', 'contrat']);
    const told = rows.map((row) => [
      String(row['date']).slice(0, 10),
      row['type_ligne'],
      row['evenement_declencheur'] ?? '',
    ]);
    expect(told).toEqual([
      ['2025-09-05', 'evenement', 'CFNE'],
      ['2025-09-05', 'releve', 'CFNE'],
      ['2025-09-05', 'periode_energie', ''],
      ['2025-10-01', 'evenement', 'FACTURATION'],
      ['2025-10-01', 'releve', ''],
      ['2025-10-01', 'periode_energie', ''],
      ['2025-10-10', 'evenement', 'CMAT'],
      ['2025-10-10', 'releve', 'CMAT'],
      ['2025-10-10', 'releve', 'CMAT'],
      ['2025-10-10', 'periode_energie', ''],
      ['2025-11-01', 'evenement', 'FACTURATION'],
      ['2025-11-01', 'releve', ''],
    ]);
    const period = rows.findLast((row) => row['type_ligne'] === 'periode_energie')!;
    expect(period).toMatchObject({
      energie_base_kwh: 145,
      qualite: 'réelle',
      statut_communication: 'communicante',
    });
    expect(Object.keys(period)).not.toContain('turpe_variable_eur');
    expect(JSON.stringify(rows)).not.toContain('null');
  });

  it('tells what changed of power and formula, and of a point all contracts', async () => {
    const power = (await lines('/facturation/chronologie?rsc=R99000000000004')).rows;
    const change = power.find((row) => row['evenement_declencheur'] === 'MDPRM');
    expect(change).toMatchObject({ impacte_abonnement: true, resume_modification: 'P: 6.0 → 9.0' });
    const point = await lines('/facturation/chronologie?pdl=99000000000015');
    expect(point.headers['x-grain']).toBe('point');
    expect(new Set(point.rows.map((row) => row['ref_situation_contractuelle'])).size).toBe(2);
    expect((await get('/facturation/chronologie')).statusCode).toBe(422);
    expect((await get('/facturation/chronologie?pdl=1&rsc=2')).statusCode).toBe(422);
  });
});

describe('what the distributor invoiced', () => {
  it('has the references by which an ERP knows it already', async () => {
    const { rows } = await lines('/facturation/prestations');
    expect(rows).toMatchObject([
      // Of the earlier system's own function, run in Python.
      {
        reference: '8c4a4a2adcc0d45d',
        id_ev: 'DCOUP_PEN',
        montant_ht: -48,
        taux_tva_applicable: 'NS',
      },
    ]);
    expect((await lines('/facturation/prestations?rsc=R1')).rows).toEqual([]);
  });
});

describe('questions about many things at once', () => {
  it('prices lines, each with an amount or an error', async () => {
    const line = {
      formule_tarifaire_acheminement: 'BTINFCUST',
      debut: '2025-09-01T00:00:00+02:00',
    };
    const four = {
      energie_hph_kwh: 100,
      energie_hch_kwh: 50,
      energie_hpb_kwh: 200,
      energie_hcb_kwh: 80,
    };
    const answer = await post<{ readonly results: readonly Row[] }>('/facturation/turpe-variable', {
      lignes: [
        { id: 'a', ...line, energie_base_kwh: 1000, order_id: 7 },
        {
          id: 'b',
          ...line,
          formule_tarifaire_acheminement: 'BTINFCU4',
          debut: '2025-08-31T23:30:00Z',
          ...four,
        },
        { id: 'c', ...line, formule_tarifaire_acheminement: 'BTINFCU4', energie_base_kwh: 10 },
        { id: 'd', ...line, formule_tarifaire_acheminement: 'AUTRE', energie_base_kwh: 10 },
        { id: 'e', ...line, energie_base_kwh: null },
      ],
    });
    expect(answer).toMatchObject({ contract_version: 1 });
    expect(answer.results).toEqual([
      { id: 'a', turpe_variable_eur: 48.4 },
      { id: 'b', turpe_variable_eur: 13.72 },
      { id: 'c', error: expect.stringContaining('coarser') as unknown },
      { id: 'd', error: expect.stringContaining('AUTRE') as unknown },
      { id: 'e', error: expect.stringContaining('aucune énergie') as unknown },
    ]);
  });

  it('finds the contract of an affair, and why there is none', async () => {
    const { results } = await post<{ readonly results: readonly Row[] }>('/facturation/rsc', {
      ids: ['AFF1', 'rien'],
    });
    expect(results).toEqual([
      {
        id_affaire: 'AFF1',
        error: expect.stringContaining('sans situation contractuelle') as unknown,
      },
      { id_affaire: 'rien', error: 'Affaire inconnue : rien' },
    ]);
    expect(await post('/facturation/rsc', { ids: [] })).toEqual({
      contract_version: 1,
      results: [],
    });
  });

  it('says which contracts have left', async () => {
    const rsc = ['R99000000000006', 'R99000000000001', 'rien'];
    expect(await post('/perimetre/sorties', { rsc })).toEqual({
      contract_version: 1,
      sorties: [
        {
          ...{ ref_situation_contractuelle: 'R99000000000006', pdl: '99000000000006' },
          ...{ evenement_declencheur: 'CFNS', date_sortie: '2025-10-20' },
        },
      ],
    });
  });
});

describe('the perimeter', () => {
  it('has affairs under way with their age', async () => {
    const { affaires } = await json<{ readonly affaires: readonly Row[] }>('/perimetre/affaires');
    expect(affaires).toMatchObject([
      {
        ...{ affaire_id: 'AFF1', dernier_etat: 'INPL', anciennete_jours: 19 },
        ...{
          premier_jalon_date: '2025-11-01T09:00:00+01:00',
          dernier_jalon_date: '2025-11-02T10:00:00+01:00',
        },
      },
    ]);
    const withData = await json<{ readonly affaires: readonly Row[] }>(
      '/perimetre/affaires?inclure_ame=true',
    );
    expect(withData.affaires.map((row) => row['affaire_id'])).toEqual(['AFF3', 'AFF1']);
    expect(await json('/perimetre/affaires?origine=recue')).toEqual({ affaires: [] });
  });

  it('lists the points of a day, without those that leave on it', async () => {
    const of = async (day: string) =>
      (await get(`/perimetre/pdls.csv?jour=${day}`)).body.trim().split('\n');
    expect(await of('2025-10-19')).toContain('99000000000006');
    expect(await of('2025-10-20')).not.toContain('99000000000006');
    expect((await of('2025-10-20'))[0]).toBe('pdl');
    expect(await of('2025-09-04')).toEqual(['pdl']);
  });
});

describe('the estimate of a smoothed contract', () => {
  it('is of the twelve billed months before today', async () => {
    const { estimation, ...head } = await json<Row>('/provision/estimation?pdl=99000000000001');
    expect(head).toEqual({
      contract_version: 1,
      pdl: '99000000000001',
      as_of: '2025-11-20',
      trouve: true,
    });
    expect(estimation).toMatchObject({
      ...{
        energie_base_kwh: 1100,
        energie_base_mensuel_kwh: 1100 / 12,
        energie_hp_kwh: null,
        profondeur_cadran: 'base',
      },
      ...{
        couverture_debut: '2024-12-01',
        couverture_fin: '2025-11-01',
        couverture_suffisante: false,
      },
      ...{ qualite: 'réelle', presence_regularisation: false, signal_alertable: true },
    });
    expect(await json('/provision/estimation?pdl=99000000000002')).toMatchObject({
      trouve: false,
      estimation: null,
    });
  });
});

describe('taxes', () => {
  it('are told with the rates that are known, and those that have to be looked at', async () => {
    const editions = await json<readonly Row[]>('/taxes/millesimes');
    expect(editions.map((row) => [row['taxe'], row['valeur'], row['unite']])).toEqual([
      ['TURPE', null, null],
      ['Accise', 30.85, '€/MWh'],
      ['CTA', 15, '%'],
    ]);
    expect(await json('/taxes/peremption')).toEqual([]);
  });

  it('are those of a quarter, as rows, as files and as the workbook of three sheets', async () => {
    const { data } = await json<{ readonly data: readonly Row[] }>('/taxes/cta?trimestre=2025-T4');
    const october = data.filter((row) => row['mois'] === '2025-10');
    expect(october.reduce((sum, row) => sum + Math.round(100 * Number(row['cta_eur'])), 0)).toBe(
      5558,
    );
    const arrow = tableFromIPC(
      (await get('/taxes/accise/detail.arrow?trimestre=2025-T4')).rawPayload,
    );
    expect(arrow.numRows).toBe(data.length);
    const [summary, byRate, detail] = await sheetsOf(
      (await get('/taxes/accise/rapport.xlsx')).rawPayload,
    );
    expect([summary?.[0]?.[0]?.value, byRate?.[0]?.[0]?.value, detail?.length]).toEqual([
      'mois',
      'taxe',
      data.length + 1,
    ]);
    expect((await get('/taxes/accise?trimestre=2025-4')).statusCode).toBe(422);
  });
});

describe('/api/v1/pipeline-energie', () => {
  it('has the periods of energy that begin in a range of days', async () => {
    const rows = await json<readonly Row[]>(
      '/api/v1/pipeline-energie?deb=2025-10-01&fin=2025-11-01&pdl=99000000000007',
    );
    expect(rows.map((row) => [row['debut'], row['fin'], row['energie_base_kwh']])).toEqual([
      ['2025-10-01', '2025-10-10', 70],
      ['2025-10-10', '2025-11-01', 145],
    ]);
    expect((await get('/api/v1/pipeline-energie?deb=2025-11-01&fin=2025-10-01')).statusCode).toBe(
      400,
    );
  });
});
