import { judgeUnits, quoteText } from '../../kit/index.ts';
import type { CheckDefinition, SqlSession, StepUnit, UnitResult } from '../../kit/index.ts';
import { DECIDED_MONTHS, HELD_MONTHS } from '../model/holds.ts';

/** Holds single months of contracts: the rest of the month goes on, and a person decides on each. */
export const PLAUSIBLE_CHECK: CheckDefinition = {
  id: 'plausible-months',
  title: 'no index of a contract falls or jumps',
  severity: 'hold',
  perUnit: true,
};

interface FailingPeriod {
  readonly unite: string;
  readonly motif: string;
  readonly debut: string;
  readonly fin: string;
  readonly energie_kwh: number | null;
  readonly preuve: string;
}

/** Makes `retenus`, and `mois` with what was decided on its units; `unit` tells it. */
export async function judgeMonths(sql: SqlSession, unit: Pick<StepUnit, 'decided'>): Promise<UnitResult['checks']> {
  for (const statement of HELD_MONTHS) await sql.run(statement);
  const [counted] = await sql.rows<{ months: number }>('SELECT count(*) AS months FROM mois');
  // Records keep what is told of a unit: of the readings no more than a hash, by which other evidence is another question.
  const failing = await sql.rows<FailingPeriod>(
    `SELECT unite, motif, CAST(debut AS VARCHAR) AS debut, CAST(fin AS VARCHAR) AS fin, energie_kwh,
       left(sha256(concat_ws('|', d_releve_id, f_releve_id, index_debut, index_fin)), 16) AS preuve
     FROM retenus ORDER BY unite, debut`,
  );
  const decided = unit.decided ?? [];
  const { result } = judgeUnits(PLAUSIBLE_CHECK, {
    tested: counted?.months ?? 0,
    failing: failing.map(({ unite, ...row }) => ({ unit: unite, row: { ...row } })),
    decided,
  });
  const rejected = (result.units ?? []).filter((held) => held.rejected === true).map((held) => held.unit);
  const open = new Set((result.units ?? []).map((held) => held.unit));
  const accepted = [...new Set(failing.map(({ unite }) => unite))].filter((unite) => !open.has(unite));
  const rows = [
    ...accepted.map((unite) => `(${quoteText(unite)}, 'accept')`),
    ...rejected.map((unite) => `(${quoteText(unite)}, 'reject')`),
  ];
  const values = rows.length === 0 ? "('', '')" : rows.join(', ');
  await sql.run(`CREATE OR REPLACE TEMP TABLE decisions AS SELECT * FROM (VALUES ${values}) AS d (unite, decision)`);
  for (const statement of DECIDED_MONTHS) await sql.run(statement);
  return [result];
}
