import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { daily, emptySupplier, event } from '@quotidien/sample-portal/sftp/supplier-rows';
import { SMOOTHED_SQL } from '../../../src/datasets/enedis/model/smoothed.ts';
import { runModel } from '../../../src/datasets/enedis/model/run-model.ts';
import { settleSmoothed } from '../../../src/datasets/enedis/rollup/settle-smoothed.ts';
import { addMonths } from '../../../src/pipelines/civil-date.ts';
import type { UnitDecision } from '../../../src/pipelines/units.ts';
import { loadSupplier } from '../../fixtures/enedis-supplier.ts';
import { openTestSql } from '../../fixtures/sql-engine.ts';
import type { TestSql } from '../../fixtures/sql-engine.ts';

let engine: TestSql;
beforeAll(async () => {
  engine = await openTestSql({ memoryLimitMb: 512, threads: 2 });
});
afterAll(() => engine.close());

const P = '99000000000001';
const MONTHS = Array.from({ length: 13 }, (_, index) => addMonths('2024-10', index));

interface Given {
  /** kWh invoiced by month; by default 90 in each of twelve months. */
  readonly invoiced?: readonly (readonly [month: string, kwh: number])[];
  readonly mark?: string;
  readonly unread?: string;
  readonly exit?: string;
  readonly decided?: readonly UnitDecision[];
}

const YEAR = MONTHS.slice(0, 12).map((month) => [month, 90] as const);

/** A contract since October 2024 that uses 100 kWh a month. */
async function settled({
  invoiced = YEAR,
  mark = '{"x_lisse":true}',
  unread,
  exit,
  decided = [],
}: Given) {
  const c15 = [event({ pdl: P, at: '2024-10-01 00:00:00', event: 'CFNE', after: { base: 1_000 } })];
  if (exit !== undefined)
    c15.push(event({ pdl: P, at: `${exit} 00:00:00`, event: 'RES', before: { base: 1_450 } }));
  const r151 = MONTHS.slice(1)
    .map((month, index) => daily(P, `${month}-01`, { base: 1_100 + 100 * index }))
    .filter((row) => unread === undefined || !String(row['date_releve']).startsWith(unread));
  const lines = invoiced
    .map(([month, kwh]) => `('R${P}', '${month}', 'Base', ${kwh}, false, '${mark}')`)
    .join(', ');
  return engine.session(async (sql) => {
    await loadSupplier(sql, { ...emptySupplier(), c15, r151 });
    await runModel(sql, { horizon: '2025-10-01' });
    await sql.run(`CREATE TEMP TABLE lignes AS SELECT * FROM (VALUES ${lines})
      AS l (ref_situation_contractuelle, mois, categorie, quantite, est_brouillon, reste)`);
    const [check] = await settleSmoothed(sql, { decided }, 's');
    return { units: check?.units ?? [], rows: await sql.rows(SMOOTHED_SQL) };
  });
}

describe('smoothed contracts', () => {
  it('are settled after a year, once a person accepts it', async () => {
    const { units, rows } = await settled({});
    const told = {
      mois: '2025-09',
      debut_lissage: '2024-10',
      categorie: 'Base',
      facture: 1_080,
      calcule: 1_200,
      ecart: 120,
    };
    expect(rows).toMatchObject([{ ...told, decision: null, a_facturer: false }]);
    expect(units.map(({ unit }) => unit)).toEqual([rows[0]!['unite']]);
    const { unit, evidence } = units[0]!;
    const decision = { check: 'smoothed-contracts', unit, evidence };
    expect((await settled({ decided: [{ ...decision, decision: 'accept' }] })).rows).toMatchObject([
      { ...told, decision: 'acceptée', a_facturer: true },
    ]);
    expect((await settled({ decided: [{ ...decision, decision: 'reject' }] })).rows).toMatchObject([
      { ...told, decision: 'rejetée', a_facturer: false },
    ]);
  });

  it('have nothing to settle once the settlement is invoiced too', async () => {
    const { units, rows } = await settled({ invoiced: [...YEAR.slice(0, 11), ['2025-09', 210]] });
    expect(rows).toMatchObject([{ ecart: 0, a_facturer: false }]);
    expect(units).toEqual([]);
  });

  it('wait while a month was not measured or not invoiced', async () => {
    const unread = await settled({ unread: '2025-03-01' });
    expect(unread.rows).toMatchObject([
      { facture: 1_080, calcule: null, ecart: null, mois_manquants: 2, unite: null },
    ]);
    expect(
      (await settled({ invoiced: YEAR.filter(([month]) => month !== '2025-01') })).rows,
    ).toMatchObject([{ mois_manquants: 1 }]);
    expect(unread.units).toEqual([]);
  });

  it('are settled when they end, and are those of which the ERP says so', async () => {
    const invoiced = YEAR.slice(0, 5);
    // 450 kWh until 11 February.
    expect((await settled({ exit: '2025-02-11', invoiced })).rows).toMatchObject([
      { mois: '2025-02', facture: 450, calcule: 450, ecart: 0 },
    ]);
    expect((await settled({ mark: '{}' })).rows).toEqual([]);
    expect((await settled({ mark: '{"lisse":"oui"}' })).rows).toHaveLength(1);
  });
});
