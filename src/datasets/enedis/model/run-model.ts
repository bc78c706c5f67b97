import { addMonths, quoteText, required } from '../../kit/index.ts';
import type { CivilDate, SqlSession } from '../../kit/index.ts';
import { instantOfWallTime } from '../flux/paris-time.ts';
import { AMOUNTS } from './amounts.ts';
import { C12_CONTRACTS } from './c12.ts';
import { DAILY_ANOMALIES } from './daily-anomalies.ts';
import { CHRONOLOGY, ENERGIES } from './energies.ts';
import { ACCISE_MONTHS, MONTHS } from './months.ts';
import { OVERRUNS } from './overruns.ts';
import { READINGS } from './readings.ts';
import { SPINE, SUBSCRIPTIONS } from './spine.ts';
import { TEN_YEARS } from '../tables-of-persons.ts';
import { RATE_TABLES } from './sql-rates.ts';

/** The first month for which anything can be billed. */
const FIRST_MONTH = '2015-01';

/**
 * What is older is past its time: a contract has the event that began it, and no month of before.
 */
function firstMonth(horizon: CivilDate): string {
  const kept = addMonths(horizon.slice(0, 7), -TEN_YEARS.months);
  return kept > FIRST_MONTH ? kept : FIRST_MONTH;
}

/** How far the model is made. */
export interface ModelOptions {
  /**
   * A first of a month: nothing after it is made, and no month that is more than ten years before
   * it. An earlier one only takes away of what follows.
   */
  readonly horizon: CivilDate;
  /** Called before each group of statements. */
  readonly progress?: (note: string) => void;
}

/** The firsts of all months that are kept, up to the horizon, with their midnights in Paris. */
function firsts(horizon: CivilDate): string {
  const rows: string[] = [];
  for (let month = firstMonth(horizon); `${month}-01` <= horizon; month = addMonths(month, 1)) {
    const at = required(
      instantOfWallTime(`${month}-01 00:00:00`) ?? undefined,
      `midnight of ${month}-01`,
    );
    rows.push(`(DATE ${quoteText(`${month}-01`)}, ${quoteText(at)})`);
  }
  return `CREATE OR REPLACE TEMP TABLE premiers AS SELECT * FROM (VALUES ${rows.join(', ')}) AS dates (jour, moment)`;
}

/**
 * Makes the whole model in one pass: `releves`, `echine`, `abonnements_payes`, `chronologie`,
 * `energies_payees`, `mois` and `accise_mois`, from the tables `c15`, `c12`, `r151`, `r64` and
 * `depassements` of the session (linear, with the columns of their archives).
 */
export async function runModel(
  sql: SqlSession,
  { horizon, progress }: ModelOptions,
): Promise<void> {
  const stages: readonly (readonly [string, readonly string[]])[] = [
    ['rates', [...RATE_TABLES, firsts(horizon)]],
    ['readings', READINGS],
    ['spine', [...C12_CONTRACTS, ...SPINE]],
    ['subscriptions', SUBSCRIPTIONS],
    ['overruns', OVERRUNS],
    ['chronology', CHRONOLOGY],
    ['energies', ENERGIES],
    ['amounts', AMOUNTS],
    ['daily anomalies', DAILY_ANOMALIES],
    ['months', [...MONTHS, ...ACCISE_MONTHS]],
  ];
  for (const [name, statements] of stages) {
    progress?.(name);
    for (const statement of statements) await sql.run(statement);
  }
}

/** The newest first of a month that is no later than a day. */
export function horizonOf(newest: CivilDate): CivilDate {
  return `${newest.slice(0, 7)}-01`;
}
