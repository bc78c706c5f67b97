import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { october } from '@quotidien/sample-portal/sftp/october';
import { runModel } from '../../../src/datasets/enedis/model/run-model.ts';
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

/**
 * What the version before keyed pseudonyms kept of the contract 11 of October, whose index fell.
 */
const FORMER = '2025-10/113d4158b966';
const FORMER_EVIDENCE = '7664172009dac17bfa66eed02b572d6c5318b378d07ddb0850cc84ddde7050a2';

async function judged(secret: string, decided: readonly UnitDecision[] = []) {
  return engine.session(async (sql) => {
    await loadSupplier(sql, october());
    await runModel(sql, { horizon: '2025-11-01' });
    const [check] = await judgeMonths(sql, { decided }, secret);
    const months = await sql.rows<{
      decision: string | null;
      est_retenu: boolean;
      unite_retenue: string;
    }>(
      `SELECT decision, est_retenu, unite_retenue FROM mois WHERE mois = '2025-10' AND pdl = '99000000000011'`,
    );
    return { units: check?.units ?? [], month: months[0]! };
  });
}

describe('the pseudonyms of held months', () => {
  it('are keyed hashes: the same with the same secret, others with another one, and no hash of the name', async () => {
    const [one, again, other] = [await judged('a'), await judged('a'), await judged('b')];
    expect(again).toEqual(one);
    const hmac = createHmac('sha256', 'a')
      .update('enedis/mois/R99000000000011|2025-10')
      .digest('hex');
    expect(one.month.unite_retenue).toBe(`2025-10/${hmac.slice(0, 12)}`);
    expect(one.units.map(({ unit }) => unit)).toContain(one.month.unite_retenue);
    const told = (from: typeof one): string[] =>
      from.units.flatMap(({ unit, evidence }) => [unit, evidence]);
    expect(new Set([...told(one), ...told(other), FORMER, FORMER_EVIDENCE]).size).toBe(10);
  });

  it('of earlier versions still decide, on the same readings alone', async () => {
    const decision = {
      check: 'plausible-months',
      unit: FORMER,
      evidence: FORMER_EVIDENCE,
      decision: 'accept',
    } as const;
    expect((await judged('a')).month).toMatchObject({ est_retenu: true, decision: null });
    expect((await judged('a', [decision])).month).toMatchObject({
      est_retenu: false,
      decision: 'acceptée',
    });
    const elsewhere = { ...decision, evidence: FORMER_EVIDENCE.replace('7', '8') };
    expect((await judged('a', [elsewhere])).month).toMatchObject({
      est_retenu: true,
      decision: null,
    });
  });
});
