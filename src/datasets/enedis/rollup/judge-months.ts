import { judgeUnits, quoteText } from '../../kit/index.ts';
import type {
  CheckDefinition,
  FailingRow,
  SqlSession,
  StepUnit,
  UnitDecision,
  UnitResult,
} from '../../kit/index.ts';
import { DECIDED_MONTHS, holdMonths } from '../model/holds.ts';

/**
 * Holds single months of contracts: the rest of the month goes on, and a person decides on each.
 */
export const PLAUSIBLE_CHECK: CheckDefinition = {
  id: 'plausible-months',
  title: 'no index of a contract falls or jumps',
  severity: 'hold',
  perUnit: true,
};

interface FailingPeriod {
  readonly unite: string;
  readonly preuve: string;
  /** Both as earlier versions had them. */
  readonly ancienne: string;
  readonly ancienne_preuve: string;
  readonly motif: string;
  readonly debut: string;
  readonly fin: string;
  readonly energie_kwh: number | null;
}

/**
 * Months of contracts that are not in the tables of the model, because nothing of theirs changed.
 */
export interface OtherMonths {
  /** A query: those that look wrong, with the columns of `suspects`. */
  readonly suspects: string;
  /** A query: how many there are, `months`. */
  readonly count: string;
  /** Statements that add their rows to `estimations` and `estimations_mois`. */
  readonly estimates: readonly string[];
  /** A query: how many of them have an energy that is not known, `months`. */
  readonly countUnknown: string;
}

/**
 * Makes `retenus`, and `mois` with what was decided on its units; `unit` tells it. Pseudonyms are
 * made with the secret of the installation; decisions of before they had a key count as before.
 */
export async function judgeMonths(
  sql: SqlSession,
  unit: Pick<StepUnit, 'decided'>,
  secret: string,
  others?: OtherMonths,
): Promise<UnitResult['checks']> {
  await holdMonths(sql, secret, others?.suspects);
  const [own] = await sql.rows<{ months: number }>('SELECT count(*) AS months FROM mois');
  const [other] = others === undefined ? [] : await sql.rows<{ months: number }>(others.count);
  // Records keep what is told of a unit: of the readings no more than a hash, by which other
  // evidence is another question.
  const failing = await sql.rows<FailingPeriod>(
    `SELECT unite, preuve, ancienne, ancienne_preuve, motif, CAST(debut AS VARCHAR) AS debut,
      CAST(fin AS VARCHAR) AS fin, energie_kwh
     FROM retenus ORDER BY unite, debut`,
  );
  const { result } = judgeUnits(PLAUSIBLE_CHECK, {
    tested: (own?.months ?? 0) + (other?.months ?? 0),
    failing: failing.map(failingRow),
    decided: renamedDecisions(unit.decided ?? [], failing),
  });
  const rejected = (result.units ?? [])
    .filter((held) => held.rejected === true)
    .map((held) => held.unit);
  const open = new Set((result.units ?? []).map((held) => held.unit));
  const accepted = [...new Set(failing.map(({ unite }) => unite))].filter(
    (unite) => !open.has(unite),
  );
  const rows = [
    ...accepted.map((unite) => `(${quoteText(unite)}, 'accept')`),
    ...rejected.map((unite) => `(${quoteText(unite)}, 'reject')`),
  ];
  const values = rows.length === 0 ? "('', '')" : rows.join(', ');
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE decisions AS SELECT * FROM (VALUES ${values}) AS d
      (unite, decision)`,
  );
  for (const statement of DECIDED_MONTHS) await sql.run(statement);
  return [result];
}

function failingRow({ unite, preuve, motif, debut, fin, energie_kwh }: FailingPeriod): FailingRow {
  return { unit: unite, row: { motif, debut, fin, energie_kwh, preuve } };
}

/** The decisions, and those on a unit's former name once more under its present one. */
function renamedDecisions(
  decided: readonly UnitDecision[],
  failing: readonly FailingPeriod[],
): UnitDecision[] {
  const evidenceOf = (rows: readonly FailingRow[]): ReadonlyMap<string, string> => {
    const { units = [] } = judgeUnits(PLAUSIBLE_CHECK, { tested: 0, failing: rows }).result;
    return new Map(units.map(({ unit, evidence }) => [unit, evidence]));
  };
  const now = evidenceOf(failing.map(failingRow));
  const former = evidenceOf(
    failing.map((row) => failingRow({ ...row, unite: row.ancienne, preuve: row.ancienne_preuve })),
  );
  const names = new Map(failing.map(({ unite, ancienne }) => [ancienne, unite]));
  const renamed = decided.flatMap((one) => {
    const unit = names.get(one.unit);
    const evidence = unit === undefined ? undefined : now.get(unit);
    if (unit === undefined || evidence === undefined || former.get(one.unit) !== one.evidence)
      return [];
    return [{ ...one, unit, evidence }];
  });
  return [...decided, ...renamed];
}
