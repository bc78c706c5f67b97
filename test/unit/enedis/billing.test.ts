import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  INVOICED_ACCISE_SQL,
  LINES_SQL,
  openAffairsSql,
  perimeterSql,
  provisionSql,
} from '../../../src/datasets/enedis/model/billing.ts';
import { runModel } from '../../../src/datasets/enedis/model/run-model.ts';
import { addMonths } from '../../../src/pipelines/civil-date.ts';
import type { SqlSession } from '../../../src/ports/sql.ts';
import type { SupplierRows } from '@quotidien/sample-portal/sftp/supplier-rows';
import { loadSupplier } from '../../fixtures/enedis-supplier.ts';
import { daily, emptySupplier, event, onDemand } from '@quotidien/sample-portal/sftp/supplier-rows';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 512, threads: 2 });
});
afterAll(() => engine.close());

type Row = Record<string, unknown>;

async function query(
  rows: Partial<SupplierRows>,
  select: string,
  { horizon = '2025-11-01', before = [] }: { horizon?: string; before?: readonly string[] } = {},
): Promise<Row[]> {
  return engine.session(async (sql: SqlSession) => {
    await loadSupplier(sql, { ...emptySupplier(), ...rows });
    await runModel(sql, { horizon });
    for (const statement of before) await sql.run(statement);
    return sql.rows<Row>(select);
  });
}

const P = '99000000000001';
const R = `R${P}`;

describe('the spine', () => {
  it('has FACTURATION from the month after the entry to that of the exit', async () => {
    const c15 = [
      event({ pdl: P, at: '2025-01-15', event: 'MES', after: { base: 0 } }),
      event({ pdl: P, at: '2025-04-20', event: 'RES', before: { base: 9 } }),
    ];
    const rows = await query(
      { c15 },
      "SELECT jour FROM echine WHERE evenement = 'FACTURATION' ORDER BY jour",
    );
    expect(rows.map(({ jour }) => jour)).toEqual(['2025-02-01', '2025-03-01', '2025-04-01']);
  });

  it('cuts the subscription of 12 March to 20 May into 20, 30 and 19 days', async () => {
    const c15 = [
      event({ pdl: P, at: '2025-03-12', event: 'MES', after: { base: 0 } }),
      event({ pdl: P, at: '2025-05-20', event: 'RES', before: { base: 9 } }),
    ];
    const rows = await query({ c15 }, 'SELECT nb_jours FROM abonnements ORDER BY debut');
    expect(rows.map(({ nb_jours: days }) => days)).toEqual([20, 30, 19]);
  });

  it('keeps what an event does not say, and tells of a changed power in French', async () => {
    const c15 = [
      event({ pdl: P, at: '2025-02-05', event: 'MES', after: { base: 0 } }),
      event({ pdl: P, at: '2025-03-16', event: 'MDPRM', fta: null, kva: '9', niveau: null }),
    ];
    const rows = await query(
      { c15 },
      "SELECT puissance_moyenne_kva AS kva, memo_puissance AS memo, formule_tarifaire_acheminement AS fta FROM mois WHERE mois = '2025-03'",
    );
    expect(rows).toEqual([
      {
        kva: 7.548,
        memo: '15 jours à 6kVA, puis le 16/03/2025 : 16 jours à 9kVA',
        fta: 'BTINFCUST',
      },
    ]);
  });

  it('bills nothing from an instant on at which two values are claimed, and drops no month', async () => {
    const c15 = [
      event({ pdl: P, at: '2025-08-05', event: 'MES', after: { base: 0 } }),
      event({ pdl: P, at: '2025-10-10', event: 'MCT', kva: '9' }),
      event({ pdl: P, at: '2025-10-10', event: 'AUTRE', kva: '12' }),
    ];
    const rows = await query(
      { c15 },
      'SELECT mois, turpe_fixe_eur AS fixe, erreur FROM mois ORDER BY mois',
    );
    expect(rows.map(({ mois, fixe }) => [mois, fixe === null])).toEqual([
      ['2025-08', false],
      ['2025-09', false],
      ['2025-10', true],
    ]);
    expect(rows[2]).toMatchObject({
      erreur: expect.stringContaining('deux valeurs au même instant') as string,
    });
  });

  it('keeps the line of an unknown formula and of a date without rates, with an error that names both', async () => {
    const c15 = [event({ pdl: P, at: '2023-06-05', event: 'MES', after: { base: 0 } })];
    const other = [
      event({ pdl: P, at: '2025-08-05', event: 'MES', fta: 'BTINFX', after: { base: 0 } }),
    ];
    const horizon = '2023-10-01';
    const rows = await query(
      { c15 },
      'SELECT mois, turpe_fixe_eur AS fixe, erreur FROM mois ORDER BY mois',
      {
        horizon,
      },
    );
    expect(rows.map(({ erreur }) => erreur)).toEqual([
      'pas de tarif pour BTINFCUST à partir du 2023-06-05',
      'pas de tarif pour BTINFCUST à partir du 2023-07-01',
      null,
      null,
    ]);
    const [unknown] = await query({ c15: other }, "SELECT erreur FROM mois WHERE mois = '2025-08'");
    expect(unknown).toEqual({ erreur: 'formule BTINFX inconnue au 2025-08-05' });
  });
});

describe('readings', () => {
  it('have the ids of the distributor’s earlier users, and the newest delivery counts', async () => {
    const late = { archive_timestamp: '20251201000000', archive: 'late.zip' };
    const rows = await query(
      {
        r151: [
          daily('99740456235087', '2024-04-05', { base: 5 }),
          { ...daily('99740456235087', '2024-04-05', { base: 6 }), ...late, document: 'other.xml' },
        ],
        r64: [
          onDemand('1', '2026-06-01', { base: 7 }, 'CORR'),
          onDemand('1', '2026-06-01', { base: 8 }),
        ],
        c15: [
          event({
            pdl: '99660599682036',
            at: '2024-10-04 00:01:00',
            event: 'MCT',
            after: { base: 1 },
            before: { base: 2 },
          }),
        ],
      },
      'SELECT releve_id, nature_index AS nature, index_base_kwh AS kwh FROM releves ORDER BY pdl, releve_id',
    );
    expect(rows).toEqual([
      { releve_id: expect.any(String) as string, nature: 'corrigé', kwh: 7 },
      { releve_id: '5bb4eeb8f73d4d1a', nature: 'réel', kwh: 1 },
      { releve_id: expect.any(String) as string, nature: 'réel', kwh: 2 },
      { releve_id: '6ea5c7b6519070d5', nature: 'réel', kwh: 6 },
    ]);
  });

  it('of one inner file count from the newest archive alone', async () => {
    const again = { archive_timestamp: '20251201000000', archive: 'late.zip' };
    const rows = await query(
      {
        r151: [
          daily('1', '2025-10-01', { base: 5 }),
          daily('2', '2025-10-01', { base: 5 }),
          daily('1', '2025-10-01', { base: 6 }, again),
        ],
      },
      'SELECT pdl, index_base_kwh AS kwh FROM releves ORDER BY pdl',
    );
    expect(rows).toEqual([{ pdl: '1', kwh: 6 }]);
  });

  it('of the minute between midnight and an event join the period after it', async () => {
    const rows = await query(
      {
        c15: [
          event({ pdl: P, at: '2025-09-05', event: 'CFNE', after: { base: 0 } }),
          event({
            pdl: P,
            at: '2025-10-01',
            event: 'CMAT',
            before: { base: 103 },
            after: { base: 0 },
          }),
        ],
        r151: [daily(P, '2025-10-01', { base: 100 }), daily(P, '2025-11-01', { base: 50 })],
      },
      'SELECT debut, nb_jours, energie_base_kwh AS kwh FROM energies ORDER BY debut',
    );
    expect(rows).toEqual([
      { debut: '2025-09-05', nb_jours: 26, kwh: 100 },
      { debut: '2025-10-01', nb_jours: 31, kwh: 53 },
    ]);
  });

  it('give each period the worst nature of its bounds, and the month that of its worst period', async () => {
    const rows = await query(
      {
        c15: [
          event({ pdl: P, at: '2025-07-05', event: 'CFNE', after: { base: 0 } }),
          event({
            pdl: P,
            at: '2025-08-10',
            event: 'CMAT',
            before: { base: 20 },
            after: { base: 0 },
            nature: 'ESTIME',
          }),
        ],
        r151: [daily(P, '2025-08-01', { base: 10 }), daily(P, '2025-09-01', { base: 9 })],
        r64: [onDemand(P, '2025-09-01', { base: 11 }, 'CORR')],
      },
      'SELECT mois, qualite, energie_base_kwh AS kwh FROM mois ORDER BY mois',
      { horizon: '2025-10-01' },
    );
    expect(rows).toEqual([
      { mois: '2025-07', qualite: 'réelle', kwh: 10 },
      { mois: '2025-08', qualite: 'estimée', kwh: 21 },
      { mois: '2025-09', qualite: 'incalculable', kwh: null },
    ]);
  });

  it('communicate when both bounds of all periods have a level of services', async () => {
    const levels = ['2', '1', '0', '2'];
    const c15 = levels.map((niveau, index) =>
      event({
        pdl: P,
        at: `2025-0${index + 5}-01 00:00:00`,
        event: index === 0 ? 'CFNE' : 'MDNV',
        niveau,
        after: { base: 0 },
      }),
    );
    const rows = await query({ c15 }, 'SELECT est_communicante AS yes FROM mois ORDER BY mois', {
      horizon: '2025-08-01',
    });
    expect(rows.map(({ yes }) => yes)).toEqual([true, false, false]);
  });

  it('that jump are held, in a day or in a month', async () => {
    const c15 = ['1', '2'].map((pdl) =>
      event({ pdl, at: '2025-09-05', event: 'CFNE', after: { base: 0 } }),
    );
    const months = (pdl: string, kwh: number) => [
      daily(pdl, '2025-10-01', { base: 0 }),
      daily(pdl, '2025-11-01', { base: kwh }),
    ];
    const rows = await query(
      { c15, r151: [...months('1', 10_001), ...months('2', 10_000)] },
      "SELECT pdl, est_retenu AS held FROM mois WHERE mois = '2025-10' ORDER BY pdl",
    );
    expect(rows).toEqual([
      { pdl: '1', held: true },
      { pdl: '2', held: false },
    ]);
  });
});

describe('daily indexes', () => {
  it('that are odd are listed, with the event that may explain them', async () => {
    const days = [100, 110, 90, 95, 2_000, 2_005].map((kwh, day) =>
      daily(P, `2025-10-0${day + 1}`, { base: kwh }),
    );
    const gap = daily(P, '2025-10-09', { base: 2_020 });
    const other = { ...daily(P, '2025-10-10', { hp: 1, hc: 1 }), indice_vraisemblance: 1 };
    const c15 = [event({ pdl: P, at: '2025-10-10', event: 'MCT' })];
    const rows = await query(
      { r151: [...days, gap, other], c15 },
      'SELECT jour, anomalie, nb_jours AS jours, ecart_kwh AS ecart, evenements FROM anomalies_r151 ORDER BY jour, anomalie',
    );
    expect(rows.map((row) => Object.values(row))).toEqual([
      ['2025-10-03', 'index en baisse', 1, -20, null],
      ['2025-10-05', 'plus de 1000 kWh par jour', 1, 1_905, null],
      ['2025-10-09', 'jours sans relevé', 3, null, null],
      ['2025-10-10', 'autre calendrier', 1, null, 'MCT du 2025-10-10'],
      ['2025-10-10', 'douteux selon le distributeur', 1, null, 'MCT du 2025-10-10'],
    ]);
  });
});

describe('invoice lines', () => {
  it('get the distributor’s quantities; a draft of nothing is removed, and no line is dropped', async () => {
    const rows = await query(
      {
        c15: [
          event({
            pdl: P,
            at: '2025-09-05',
            event: 'CFNE',
            fta: 'BTINFMUDT',
            after: { hp: 0, hc: 0 },
          }),
        ],
        r151: [
          daily(P, '2025-10-01', { hp: 0, hc: 0 }),
          daily(P, '2025-11-01', { hp: 150, hc: 0 }),
        ],
      },
      `SELECT categorie, quantite_enedis AS quantity, a_facturer AS bill, a_supprimer AS remove, note FROM (${LINES_SQL}) ORDER BY note`,
      {
        before: [
          `CREATE TEMP TABLE lignes AS SELECT * FROM (VALUES ('${R}', '2025-10', 'Base', 1, true, 'a'), ('${R}', '2025-10', 'HP', 1, true, 'b'),
            ('${R}', '2025-10', 'HC', 1, true, 'c'), ('${R}', '2025-10', 'Abonnements', 1, false, 'd'), ('nobody', '2025-10', 'Base', 1, true, 'e'))
            AS l (ref_situation_contractuelle, mois, categorie, quantite, est_brouillon, note)`,
        ],
      },
    );
    expect(rows.map((row) => Object.values(row))).toEqual([
      ['Base', 150, true, false, 'a'],
      ['HP', 150, true, false, 'b'],
      ['HC', 0, false, true, 'c'],
      ['Abonnements', 31, false, false, 'd'],
      ['Base', null, false, false, 'e'],
    ]);
  });

  it('owe the accise of the month before the invoice, signed, by point', async () => {
    const line = (pdl: string, date: string, kwh: number): string =>
      `('${pdl}', DATE '${date}', 'Base', ${kwh}, 6.0)`;
    const rows = await query({}, INVOICED_ACCISE_SQL, {
      before: [
        `CREATE TEMP TABLE lignes_facturees AS SELECT * FROM (VALUES ${[
          line('1', '2025-02-05', 90),
          line('1', '2025-02-05', -139),
          line('2', '2025-03-05', 1_234),
          line('3', '2024-01-05', 5),
        ].join(', ')}) AS l (pdl, date_facture, categorie, quantite_kwh, puissance_kva)`,
      ],
    });
    expect(rows).toMatchObject([
      { pdl: '1', mois: '2025-01', trimestre: '2025-T1', energie_kwh: -49, accise_eur: -1.03 },
      { pdl: '2', mois: '2025-02', accise_eur: 41.59 },
      {
        pdl: '3',
        mois: '2023-12',
        trimestre: '2023-T4',
        accise_eur: null,
        erreur: 'pas de taux d’accise pour 2023-12',
      },
    ]);
  });
});

describe('CTA', () => {
  it('is a share of the fixed part at the rate of the first day', async () => {
    const c15 = [event({ pdl: P, at: '2025-12-01', event: 'CFNE', after: { base: 0 } })];
    const rows = await query(
      { c15 },
      'SELECT mois, turpe_fixe_eur AS fixed, cta_eur AS cta FROM mois ORDER BY mois',
      {
        horizon: '2026-03-01',
      },
    );
    expect(rows.map((row) => Object.values(row))).toEqual([
      ['2025-12', 8.94, 1.96],
      ['2026-01', 8.94, 1.96],
      ['2026-02', 8.07, 1.21],
    ]);
  });
});

describe('provisions, affairs and perimeter', () => {
  function r67(periods: readonly (readonly [string, string, string, number])[]): string {
    const values = periods.map(
      ([from, to, nature, kwh]) => `('1', '${from}', '${to}', '${nature}', ${kwh}, 'a', '1', 'o')`,
    );
    const none = ['hp', 'hc', 'hph', 'hch', 'hpb', 'hcb'].map(
      (name) => `CAST(NULL AS BIGINT) AS energie_${name}_kwh`,
    );
    return `CREATE OR REPLACE TEMP TABLE r67 AS SELECT *, ${none.join(', ')} FROM (VALUES ${values.join(', ')})
      AS l (pdl, debut, fin, code_nature, energie_base_kwh, archive, archive_timestamp, occurrence_id)`;
  }

  it('take a twelfth of twelve months', async () => {
    const months = Array.from({ length: 12 }, (_, index) => addMonths('2025-01', index));
    const periods = months.map(
      (month) => [`${month}-01`, `${addMonths(month, 1)}-01`, 'R', 100] as const,
    );
    expect(await query({}, provisionSql("'2026-01-01'"), { before: [r67(periods)] })).toMatchObject(
      [
        {
          mensuel_kwh: 100,
          jours_couverts: 365,
          est_couverte: true,
          qualite: 'réelle',
          est_alerte: false,
        },
      ],
    );
  });

  it('warn when the year is not covered, or was not read', async () => {
    const short = r67([['2024-06-01', '2024-09-30', 'E', 400]]);
    expect(await query({}, provisionSql("'2024-10-01'"), { before: [short] })).toMatchObject([
      { jours_couverts: 121, est_couverte: false, qualite: 'estimée', est_alerte: true },
    ]);
  });

  it('list affairs that are open, with their last state and age', async () => {
    const row = (
      id: string,
      state: string,
      demand: string,
      num: number,
      at: string,
      step: string,
    ): string =>
      `('${id}', '${state}', '1', '${demand}', 'initiee', ${num}, '2025-11-${at}T09:00:00+01:00', NULL, '${step}', 'a', '1', 'o')`;
    const affaires = `CREATE TEMP TABLE affaires AS SELECT * FROM (VALUES ${[
      row('A', 'COURS', 'MES', 2, '12', 'PREV'),
      row('A', 'COURS', 'MES', 1, '10', 'DEPO'),
      row('B', 'TERMN', 'MES', 1, '10', 'DEPO'),
      row('C', 'COURS', 'AME', 1, '10', 'DEPO'),
      row('D', '', 'RES', 1, '24', 'DEPO'),
    ].join(
      ', ',
    )}) AS l (id_affaire, statut, pdl, prestation, sens, num, date_heure, affaire_date_effet, affaire_etat, archive, archive_timestamp, occurrence_id)`;
    const rows = await query({}, openAffairsSql("'2025-11-25'"), { before: [affaires] });
    expect(rows.map((one) => [one['id_affaire'], one['etat'], one['age_jours']])).toEqual([
      ['A', 'PREV', 15],
      ['D', 'DEPO', 1],
    ]);
  });

  it('leave a contract out from the day of its exit on', async () => {
    const c15 = [
      event({ pdl: P, at: '2025-01-15', event: 'MES', after: { base: 0 } }),
      event({ pdl: P, at: '2025-04-20', event: 'CFNS', before: { base: 9 } }),
    ];
    for (const [day, count] of [
      ['2025-01-14', 0],
      ['2025-01-15', 1],
      ['2025-04-19', 1],
      ['2025-04-20', 0],
    ] as const)
      expect(await query({ c15 }, perimeterSql(`'${day}'`)), day).toHaveLength(count);
  });
});
