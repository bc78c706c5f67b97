import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { SupplierRows } from '@quotidien/sample-portal/sftp/supplier-rows';
import { daily, emptySupplier, event } from '@quotidien/sample-portal/sftp/supplier-rows';
import { runModel } from '../../../src/datasets/enedis/model/run-model.ts';
import { estimateMonths } from '../../../src/datasets/enedis/rollup/estimate-months.ts';
import { judgeMonths } from '../../../src/datasets/enedis/rollup/judge-months.ts';
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

interface Given extends Partial<SupplierRows> {
  readonly horizon?: string;
  readonly decided?: readonly UnitDecision[];
  /** `pdl, debut, fin, code_nature, base` of R67. */
  readonly billed?: readonly (readonly [string, string, string, number])[];
}

async function estimated({ horizon = '2025-12-01', decided = [], billed = [], ...rows }: Given) {
  return engine.session(async (sql) => {
    await loadSupplier(sql, { ...emptySupplier(), ...rows });
    for (const [debut, fin, nature, base] of billed)
      await sql.run(`INSERT INTO r67 (pdl, debut, fin, code_nature, energie_base_kwh, archive_timestamp, archive)
        VALUES ('${P}', '${debut}', '${fin}', '${nature}', ${base}, '20251101000000', 'a')`);
    await runModel(sql, { horizon });
    await judgeMonths(sql, { decided }, 's');
    const [check] = await estimateMonths(sql, { decided }, 's');
    const months = await sql.rows(
      `SELECT mois, energie_base_kwh AS kwh, turpe_variable_eur AS eur, qualite, methode_estimation AS methode FROM mois ORDER BY mois`,
    );
    const spans = await sql.rows(
      `SELECT mois, methode, appui, nb_jours AS jours, energie_base_kwh AS base, energie_hp_kwh AS hp, energie_hc_kwh AS hc, euros(variable_c) AS eur
       FROM estimations ORDER BY debut`,
    );
    return { units: check?.units ?? [], months, spans };
  });
}

const ENTRY = event({ pdl: P, at: '2025-09-05 00:00:00', event: 'CFNE', after: { base: 100 } });
/** 244 kWh in the 61 days of October and November, without a reading between. */
const GAP = {
  c15: [ENTRY],
  r151: [daily(P, '2025-10-01', { base: 200 }), daily(P, '2025-12-01', { base: 444 })],
};

describe('estimates of months without a reading', () => {
  it('share out by days what the counter went on between two readings, and bill nothing until a person accepts', async () => {
    const { spans, months, units } = await estimated(GAP);
    const told = { methode: 'entre relevés', appui: 'relevés du 2025-10-01 et du 2025-12-01' };
    // 31 and 30 of 61 days, 4.84 c€/kWh.
    expect(spans).toMatchObject([
      { mois: '2025-10', jours: 31, base: 124, eur: 6, ...told },
      { mois: '2025-11', jours: 30, base: 120, eur: 5.81, ...told },
    ]);
    expect(months.slice(1)).toMatchObject([
      { mois: '2025-10', kwh: null, eur: null, qualite: 'incalculable', methode: null },
      { mois: '2025-11', kwh: null },
    ]);
    expect(units).toHaveLength(2);
    const [october] = units.filter(({ unit }) => unit.startsWith('2025-10/'));
    const decision = {
      check: 'estimated-months',
      unit: october!.unit,
      evidence: october!.evidence,
    };
    const accepted = await estimated({ ...GAP, decided: [{ ...decision, decision: 'accept' }] });
    expect(accepted.months.slice(1)).toMatchObject([
      { mois: '2025-10', kwh: 124, eur: 6, qualite: 'estimée', methode: 'entre relevés' },
      { mois: '2025-11', kwh: null, qualite: 'incalculable' },
    ]);
    expect(accepted.units).toHaveLength(1);
    const rejected = await estimated({ ...GAP, decided: [{ ...decision, decision: 'reject' }] });
    expect(rejected.months[1]).toMatchObject({ mois: '2025-10', kwh: null });
    expect(rejected.units).toEqual(
      expect.arrayContaining([expect.objectContaining({ rejected: true })]),
    );
  });

  it('are asked about again when a later reading says something else', async () => {
    const { units } = await estimated(GAP);
    const decided = units.map(
      ({ unit, evidence }) =>
        ({ check: 'estimated-months', unit, evidence, decision: 'accept' }) as const,
    );
    const other = { ...GAP, r151: [GAP.r151[0]!, daily(P, '2025-12-01', { base: 500 })], decided };
    expect((await estimated(other)).months.slice(1)).toMatchObject([{ kwh: null }, { kwh: null }]);
  });

  it('take the same month of the year before, under the same formula', async () => {
    const entry = event({
      pdl: P,
      at: '2024-09-30 00:00:00',
      event: 'CFNE',
      fta: 'BTINFMUDT',
      after: { hp: 0, hc: 0 },
    });
    const firsts = ['2024-10-01', '2024-11-01', '2025-10-01'];
    const r151 = firsts.map((day, index) =>
      daily(P, day, { hp: 10 + 310 * index, hc: 5 + 155 * index }),
    );
    const { spans } = await estimated({ c15: [entry], r151, horizon: '2025-11-01' });
    expect(spans.at(-1)).toMatchObject({
      mois: '2025-10',
      methode: 'année précédente',
      appui: 'mois 2024-10',
      base: 465,
      hp: 310,
      hc: 155,
    });
  });

  it('take billed energies of half a year at least, and none of before the contract', async () => {
    const early = event({ pdl: P, at: '2025-01-10 00:00:00', event: 'CFNE', after: { base: 100 } });
    const billed = [
      ['2024-12-01', '2025-01-10', 'R', 9_999],
      ['2025-02-01', '2025-09-01', 'R', 2_120],
    ] as const;
    const given = { c15: [early], horizon: '2025-11-01', billed };
    const { spans } = await estimated(given);
    // 10 kWh a day over 212 days.
    expect(spans.at(-1)).toMatchObject({
      mois: '2025-10',
      methode: 'R67',
      base: 310,
      appui: 'R67 du 2025-02-01 au 2025-09-01, 212 jours',
    });
    expect(
      (
        await estimated({
          ...given,
          c15: [event({ pdl: P, at: '2025-06-01 00:00:00', event: 'CFNE', after: { base: 1 } })],
        })
      ).spans,
    ).toEqual([]);
  });

  it('do not count over a meter that was changed unread, nor over an index that fell, nor invent anything', async () => {
    const swap = event({ pdl: P, at: '2025-10-20 00:00:00', event: 'MCT', fta: 'BTINFMUDT' });
    expect((await estimated({ ...GAP, c15: [ENTRY, swap] })).spans).toEqual([]);
    const fallen = { ...GAP, r151: [GAP.r151[0]!, daily(P, '2025-12-01', { base: 150 })] };
    expect((await estimated(fallen)).spans).toEqual([]);
    expect((await estimated({ c15: [ENTRY], r151: GAP.r151.slice(0, 1) })).spans).toEqual([]);
  });
});
