import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SupplierRows } from '@quotidien/sample-portal/sftp/supplier-rows';
import { daily, emptySupplier, event, powers } from '@quotidien/sample-portal/sftp/supplier-rows';
import { runModel } from '../../../src/datasets/enedis/model/run-model.ts';
import { loadSupplier } from '../../fixtures/enedis-supplier.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 512, threads: 2 });
});
afterAll(() => engine.close());

const P = '99000000000001';
const FOUR = { hph: 0, hch: 0, hpb: 0, hcb: 0 };

async function monthsOf(rows: Partial<SupplierRows>): Promise<Record<string, unknown>[]> {
  return engine.session(async (sql) => {
    // The zone of the session must not show.
    await sql.run("SET TimeZone = 'America/New_York'");
    await loadSupplier(sql, { ...emptySupplier(), ...rows });
    await runModel(sql, { horizon: '2025-11-01' });
    return sql.rows(
      `SELECT mois, ref_situation_contractuelle AS rsc, est_sans_rsc AS sans, nb_jours AS jours, turpe_fixe_eur AS fixe, memo_puissance AS memo,
         energie_base_kwh AS kwh, turpe_variable_eur AS variable, erreur FROM mois WHERE mois >= '2025-10' ORDER BY ALL`,
    );
  });
}

const ENTRY = event({
  pdl: P,
  at: '2025-09-05',
  event: 'CFNE',
  fta: 'BTSUPCU',
  kva: '60',
  after: FOUR,
});

describe('powers of C12', () => {
  it('are billed step by step', async () => {
    const [month] = await monthsOf({
      c15: [ENTRY],
      c12: [powers(P, '2025-09-05', [36, 36, 60, 60])],
    });
    // 1,484.47 € a year.
    expect(month).toMatchObject({
      rsc: `R${P}`,
      sans: false,
      fixe: 126.08,
      memo: null,
      erreur: null,
    });
  });

  it('hold from their day on, and until C15 changes the power later', async () => {
    const [month] = await monthsOf({
      c15: [ENTRY],
      c12: [powers(P, '2025-10-11', [36, 36, 60, 60])],
    });
    // 1,557.67 / 365 · 10 + 1,484.47 / 365 · 21.
    expect(month).toMatchObject({
      fixe: 128.09,
      memo: '10 jours à 60kVA, puis le 11/10/2025 : 21 jours à 36/36/60/60kVA',
    });
    const change = event({ pdl: P, at: '2025-10-21', event: 'MDPRM', fta: null, kva: '70' });
    const [later] = await monthsOf({
      c15: [ENTRY, change],
      c12: [powers(P, '2025-10-11', [36, 36, 60, 60])],
    });
    expect(later).toMatchObject({
      memo: expect.stringMatching(
        /10 jours à 36\/36\/60\/60kVA, puis le 21.*11 jours à 70kVA$/,
      ) as string,
    });
  });

  it('that fall from one hour to the next bill nothing, with an error that names them', async () => {
    const [month] = await monthsOf({
      c15: [ENTRY],
      c12: [powers(P, '2025-09-05', [60, 36, 60, 60])],
    });
    expect(month).toMatchObject({
      fixe: null,
      erreur: 'puissances en baisse de hph à hcb au 2025-10-01',
    });
  });

  it('make a contract of their own for a point that C15 does not know, read at midnight', async () => {
    const readings = [
      daily(P, '2025-10-01', FOUR),
      daily(P, '2025-10-11', { ...FOUR, hpb: 100 }),
      daily(P, '2025-10-26', { ...FOUR, hpb: 3_000, hcb: 1_200 }),
    ];
    const c12 = [
      powers(P, '2025-10-01', [36, 36, 60, 60], { nature: 'MES' }),
      powers(P, '2025-10-11', [60, 60, 60, 60]),
      powers(P, '2025-10-26', [60, 60, 60, 60], { nature: 'RES' }),
    ];
    const rsc = `C12-${P}-20251001`;
    const given = { depassements: [{ rsc: `R${P}`, mois: '2025-10', heures: 0 }] };
    expect(await monthsOf({ c12, r151: readings, ...given })).toMatchObject([
      { rsc, sans: true, jours: 25, kwh: 4_200, variable: null, erreur: null },
    ]);
    const known = { depassements: [{ rsc, mois: '2025-10', heures: 2 }] };
    // 1,484.47 / 365 · 10 + 1,557.67 / 365 · 15; 3,000 · 2.13 + 1,200 · 1.52 and two hours.
    expect(await monthsOf({ c12, r151: readings, ...known })).toMatchObject([
      {
        rsc,
        fixe: 104.68,
        variable: 106.96,
        memo: '10 jours à 36/36/60/60kVA, puis le 11/10/2025 : 15 jours à 60/60/60/60kVA',
      },
    ]);
  });
});
