import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { runModel } from '../../../src/datasets/enedis/model/run-model.ts';
import { october } from '@quotidien/sample-portal/sftp/october';
import type { SupplierRows } from '@quotidien/sample-portal/sftp/supplier-rows';
import { loadSupplier } from '../../fixtures/enedis-supplier.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 512, threads: 2 });
});
afterAll(() => engine.close());

interface Month {
  readonly rsc: string;
  readonly kwh: number | null;
  readonly fixe: number | null;
  readonly variable: number | null;
  readonly cta: number | null;
}

async function rowsOf<T extends object>(
  supplier: SupplierRows,
  query: string,
  horizon = '2025-11-01',
): Promise<T[]> {
  return engine.session(async (sql) => {
    await loadSupplier(sql, supplier);
    await runModel(sql, { horizon });
    return sql.rows<T>(query);
  });
}

const MONTHS = `SELECT ref_situation_contractuelle AS rsc, energie_base_kwh AS kwh, turpe_fixe_eur AS fixe, turpe_variable_eur AS variable,
  cta_eur AS cta FROM mois WHERE mois = '2025-10' ORDER BY right(ref_situation_contractuelle, 2), ref_situation_contractuelle`;

/**
 * By point: kWh, fixed and variable part of the tariff, CTA; two rows where one contract follows
 * another.
 */
const EXPECTED = [
  [1, 210, 8.94, 10.16, 1.96],
  [2, 240, 13.61, 10.56, 2.98],
  [3, 230, 8.45, 3.47, 1.85],
  [4, 300, 11.17, 4.33, 2.45],
  [5, 100, 5.77, 4.84, 1.27],
  [6, 95, 5.48, 4.6, 1.2],
  [7, 215, 8.94, 10.41, 1.96],
  [8, 170, 8.94, 8.23, 1.96],
  [9, null, 8.45, null, 1.85],
  [10, null, 8.94, null, 1.96],
  [11, null, 8.94, null, 1.96],
  [12, 190, 8.67, 6.18, 1.9],
  [13, 160, 8.83, 2.56, 1.94],
  [14, 4_200, 132.3, 106.96, 29.01],
  [15, 40, 2.59, 1.94, 0.57],
  [15, 60, 3.46, 2.9, 0.76],
] as const;

describe('October 2025 of a supplier', () => {
  it('has 16 months with the amounts of the tariff, and 21 events', async () => {
    const supplier = october();
    expect(supplier.c15).toHaveLength(21);
    const months = await rowsOf<Month>(supplier, MONTHS);
    expect(
      months.map(({ rsc, kwh, fixe, variable, cta }) => [
        Number(rsc.slice(-2)),
        kwh,
        fixe,
        variable,
        cta,
      ]),
    ).toEqual(EXPECTED);
  });

  it.each([1, 50])('adds up to the known totals, %i times over', async (copies) => {
    const [totals] = await rowsOf<Record<string, number>>(
      october(copies),
      `SELECT (SELECT count(DISTINCT pdl) FROM mois WHERE mois = '2025-10') AS points, count(*) AS months,
         count(*) FILTER (WHERE qualite = 'réelle') AS reelle, count(*) FILTER (WHERE qualite = 'incalculable') AS incalculable,
         count(*) FILTER (WHERE est_communicante) AS communicante, sum(energie_base_kwh) AS kwh, sum(turpe_fixe_eur) AS fixe,
         sum(turpe_variable_eur) AS variable, sum(cta_eur) AS cta,
         (SELECT sum(accise_eur) FROM accise_mois WHERE mois = '2025-10') AS accise, count(erreur) AS erreurs
       FROM mois WHERE mois = '2025-10'`,
    );
    expect(totals).toEqual({
      points: 15 * copies,
      months: 16 * copies,
      reelle: 13 * copies,
      incalculable: 3 * copies,
      communicante: 15 * copies,
      kwh: 6_210 * copies,
      fixe: Number((253.48 * copies).toFixed(2)),
      variable: Number((177.14 * copies).toFixed(2)),
      cta: Number((55.58 * copies).toFixed(2)),
      accise: Number((168.61 * copies).toFixed(2)),
      erreurs: 0,
    });
  });

  it('gives each variable part by stretch, and flags what passed zero, fell or was never read', async () => {
    const energies = await rowsOf<Record<string, unknown>>(
      october(),
      `SELECT right(rsc, 2) AS point, nb_jours, energie_base_kwh AS kwh, euros(variable_c) AS eur, est_passage_a_zero AS zero,
         est_baisse_inconnue AS fall, releve_manquant AS missing
       FROM energies_payees WHERE mois = '2025-10' AND right(rsc, 2) IN ('07', '08', '09', '10', '11', '12') ORDER BY rsc, debut`,
    );
    expect(energies.map((row) => Object.values(row))).toEqual([
      ['07', 9, 70, 3.39, false, false, false],
      ['07', 22, 145, 7.02, false, false, false],
      ['08', 31, 170, 8.23, true, false, false],
      ['09', 31, null, null, false, false, true],
      ['10', 31, null, null, false, false, true],
      ['11', 31, null, null, false, true, false],
      ['12', 14, 100, 4.84, false, false, false],
      ['12', 17, 90, 1.34, false, false, false],
    ]);
  });

  it('holds the month whose index fell, and no other', async () => {
    const held = await rowsOf<{ point: string }>(
      october(),
      `SELECT right(ref_situation_contractuelle, 2) AS point FROM mois WHERE est_retenu AND mois = '2025-10'`,
    );
    expect(held).toEqual([{ point: '11' }]);
  });
});
