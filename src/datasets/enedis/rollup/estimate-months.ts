import { judgeUnits, quoteText } from '../../kit/index.ts';
import type {
  CheckDefinition,
  HeldUnit,
  SqlSession,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { ACCEPTED_ESTIMATES, ESTIMATES } from '../model/estimates.ts';
import { nameMonths } from '../model/unit-names.ts';
import type { OtherMonths } from './judge-months.ts';

/**
 * An estimate is offered for each month without a reading that can have one; a person says whether
 * it is billed.
 */
export const ESTIMATE_CHECK: CheckDefinition = {
  id: 'estimated-months',
  title: 'every month of a contract was read: an estimate is billed when a person accepts it',
  severity: 'hold',
  perUnit: true,
};

/**
 * So many are asked about at once, the newest months first; the others wait in the table of
 * estimates.
 */
const MAX_ASKED = 500;

interface EstimatedSpan {
  readonly unite: string;
  readonly methode: string;
  readonly debut: string;
  readonly fin: string;
  readonly energie_kwh: number;
}

/**
 * Makes `estimations`, `estimations_nommees` (rsc, mois, unite) and `estimations_decidees` (unite,
 * decision: accept, reject, ask or wait), and `mois` with the accepted ones. The secret is that of
 * the installation.
 */
export async function estimateMonths(
  sql: SqlSession,
  unit: Pick<StepUnit, 'decided'>,
  secret: string,
  others?: OtherMonths,
): Promise<UnitResult['checks']> {
  for (const statement of [...ESTIMATES, ...(others?.estimates ?? [])]) await sql.run(statement);
  await nameMonths(sql, secret, 'SELECT rsc, mois FROM estimations_mois', 'estimations_nommees');
  const [other] =
    others === undefined ? [] : await sql.rows<{ months: number }>(others.countUnknown);
  const [counted] = await sql.rows<{ months: number }>(
    `SELECT count(*) AS months FROM mois WHERE qualite = 'incalculable' AND releve_manquant`,
  );
  const spans = await sql.rows<EstimatedSpan>(
    `SELECT n.unite, e.methode, CAST(e.debut AS VARCHAR) AS debut, CAST(e.fin AS VARCHAR) AS fin,
      e.energie_base_kwh AS energie_kwh
     FROM estimations e JOIN estimations_nommees n ON n.rsc = e.rsc AND n.mois = e.mois
       ORDER BY n.unite, e.debut`,
  );
  const { result } = judgeUnits(ESTIMATE_CHECK, {
    tested: (counted?.months ?? 0) + (other?.months ?? 0),
    failing: spans.map(({ unite, ...row }) => ({ unit: unite, row: { ...row } })),
    decided: unit.decided,
  });
  const found = result.units ?? [];
  const asked = new Set(askedFirst(found));
  const units = found.filter(({ unit: name, rejected }) => rejected === true || asked.has(name));
  await keepDecisions(sql, new Set(spans.map(({ unite }) => unite)), found, asked);
  await sql.run(ACCEPTED_ESTIMATES);
  return [{ ...result, failed: units.length, units }];
}

/** Names begin with their month. */
function askedFirst(units: readonly HeldUnit[]): string[] {
  const open = units.filter(({ rejected }) => rejected !== true).map(({ unit }) => unit);
  return open
    .sort((a, b) => (a.slice(0, 7) === b.slice(0, 7) ? (a < b ? -1 : 1) : a < b ? 1 : -1))
    .slice(0, MAX_ASKED);
}

async function keepDecisions(
  sql: SqlSession,
  all: ReadonlySet<string>,
  found: readonly HeldUnit[],
  asked: ReadonlySet<string>,
): Promise<void> {
  const states = new Map(
    found.map(({ unit, rejected }) => [unit, rejected === true ? 'reject' : 'open']),
  );
  const rows = [...all].map((unit) => {
    const state = states.get(unit) ?? 'accept';
    return `(${quoteText(unit)}, '${state === 'open' ? (asked.has(unit) ? 'ask' : 'wait') : state}')`;
  });
  const values = rows.length === 0 ? "('', '')" : rows.join(', ');
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE estimations_decidees AS SELECT * FROM (VALUES ${values}) AS d
      (unite, decision)`,
  );
}
