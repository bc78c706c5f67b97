import { countedCheck, countRows, LOST_COLUMNS, quoteTexts } from '../kit/index.ts';
import type {
  CheckDefinition,
  CheckResult,
  JsonObject,
  RowCounts,
  RowRule,
  SqlSession,
  StepUnit,
} from '../kit/index.ts';
import { COLUMN_OF, RATES, SOURCES } from './columns.ts';
import { QUARTER_S } from './core.ts';
import { REGIONS } from './regions.ts';

/**
 * The rules that a day's rows are held to, as SQL over the temporary tables `core` (merged) and
 * `published` (as published).
 */

/** Ten whole numbers are rounded; the regions of 2025 have batteries as well. */
const BALANCE_TOLERANCE_MW = 6;
/** Consolidated load is metered, generation is not metered again with it. */
const REVISED_BALANCE_TOLERANCE = 0.02;
/**
 * The largest regional load is that of Île-de-France and of Auvergne-Rhône-Alpes, below 16 GW on
 * the coldest days.
 */
const PLAUSIBLE_LOAD_MW = { from: 200, to: 20_000 };
/** The capacity that RTE knows of may be late: real load factors have been somewhat above 100 %. */
const PLAUSIBLE_LOAD_FACTOR_PCT = { from: -5, to: 150 };
/** Rates have two decimals, and are of powers before they were rounded to MW. */
const RATE_TOLERANCE_POINTS = 0.5;

interface RowCheck extends CheckDefinition, RowRule {
  readonly table: 'core' | 'published';
  /** SQL: the columns that explain a failing row, besides its region and instant. */
  readonly shows: string;
}

const CODES = quoteTexts(REGIONS.map(({ code }) => code));
const GENERATION = SOURCES.map((source) => COLUMN_OF[source]).join(', ');
const SUM = `(${SOURCES.map((source) => `coalesce(${COLUMN_OF[source]}, 0)`).join(' + ')} + coalesce(pumping_mw, 0)
  + exchange_physical_mw + coalesce(battery_charging_mw, 0) + coalesce(battery_discharging_mw, 0))`;
const LOAD_FACTORS = RATES.filter(({ kind }) => kind === 'tch').map(({ column }) => column);
const COVERAGE_RATES = RATES.filter(({ kind }) => kind === 'tco');

/** Whether a published coverage rate is not the part of the load that its source has. */
const WRONG_RATE = COVERAGE_RATES.map(
  ({ column, source }) =>
    `coalesce(abs(${column} - 100.0 * ${COLUMN_OF[source]} / load_mw) > ${RATE_TOLERANCE_POINTS} + 50.0 / load_mw, false)`,
).join(' OR ');

const ROW_CHECKS: readonly RowCheck[] = [
  {
    id: 'readable-values',
    title: 'every published value is a number, empty, ND or -',
    severity: 'hold',
    table: 'published',
    tested: 'true',
    failed: 'unreadable IS NOT NULL',
    shows: 'part, unreadable',
  },
  {
    id: 'known-nature',
    title: 'every row says how final it is',
    severity: 'warn',
    table: 'published',
    tested: 'true',
    failed: 'NOT known_nature',
    shows: 'part',
  },
  {
    id: 'known-regions',
    title: 'every row is of one of the twelve regions',
    severity: 'warn',
    table: 'core',
    tested: 'true',
    failed: `region_code NOT IN (${CODES})`,
    shows: 'source_part',
  },
  {
    id: 'quarter-grid',
    title: 'every instant is a quarter of an hour inside its day',
    severity: 'hold',
    table: 'core',
    tested: 'true',
    failed: `second % ${QUARTER_S} <> 0 OR second NOT BETWEEN 0 AND hours * 3600 - 1`,
    shows: 'source_part',
  },
  {
    id: 'balance',
    title: 'generation, storage and physical exchanges of a region add up to its load',
    severity: 'warn',
    table: 'core',
    tested: 'load_mw IS NOT NULL AND exchange_physical_mw IS NOT NULL',
    failed: `abs(${SUM} - load_mw) > greatest(${BALANCE_TOLERANCE_MW},
      CASE WHEN revision = 'provisional' THEN 0 ELSE load_mw * ${REVISED_BALANCE_TOLERANCE} END)`,
    shows: `load_mw, ${SUM} - load_mw AS difference_mw`,
  },
  {
    id: 'plausible-load',
    title: 'the load of a region is between 0.2 and 20 GW',
    severity: 'hold',
    table: 'core',
    tested: 'load_mw IS NOT NULL',
    failed: `load_mw NOT BETWEEN ${PLAUSIBLE_LOAD_MW.from} AND ${PLAUSIBLE_LOAD_MW.to}`,
    shows: 'load_mw, source_part',
  },
  {
    id: 'signs',
    title: 'pumping and charging consume, discharging produces',
    severity: 'warn',
    table: 'core',
    tested:
      'pumping_mw IS NOT NULL OR battery_charging_mw IS NOT NULL OR battery_discharging_mw IS NOT NULL',
    failed: 'greatest(pumping_mw, battery_charging_mw) > 0 OR battery_discharging_mw < 0',
    shows: 'pumping_mw, battery_charging_mw, battery_discharging_mw',
  },
  {
    id: 'coverage-rates',
    title: 'a published coverage rate (TCO) is the part of the load that its source has',
    severity: 'warn',
    table: 'core',
    tested: `load_mw > 0
      AND coalesce(${COVERAGE_RATES.map(({ column }) => column).join(', ')}) IS NOT NULL`,
    failed: WRONG_RATE,
    shows: `load_mw, ${GENERATION}, ${COVERAGE_RATES.map(({ column }) => column).join(', ')}`,
  },
  {
    id: 'plausible-load-factors',
    title: 'published load factors (TCH) are between −5 and 150 %',
    severity: 'warn',
    table: 'core',
    tested: `coalesce(${LOAD_FACTORS.join(', ')}) IS NOT NULL`,
    failed: `least(${LOAD_FACTORS.join(', ')}) < ${PLAUSIBLE_LOAD_FACTOR_PCT.from}
      OR greatest(${LOAD_FACTORS.join(', ')}) > ${PLAUSIBLE_LOAD_FACTOR_PCT.to}`,
    shows: LOAD_FACTORS.join(', '),
  },
];

/** Counted by region and not by row: a gap has no row that could fail. */
export const EXPECTED_SAMPLES: CheckDefinition = {
  id: 'expected-samples',
  title: 'the load of each of the twelve regions covers the whole day',
  severity: 'warn',
};

/** What `transform/regions` declares. */
export const CORE_CHECKS: readonly CheckDefinition[] = [
  EXPECTED_SAMPLES,
  ...ROW_CHECKS.map(({ id, title, severity }) => ({ id, title, severity })),
  LOST_COLUMNS,
];

const EXAMPLES = 3;

/** Runs every row check on all units; the results are by unit, in the order of `CORE_CHECKS`. */
export async function runRowChecks(
  sql: SqlSession,
  units: readonly StepUnit[],
): Promise<readonly CheckResult[][]> {
  const [published, core] = [await countsOf(sql, 'published'), await countsOf(sql, 'core')];
  const results: CheckResult[][] = units.map(() => []);
  for (const check of ROW_CHECKS) {
    const counts = check.table === 'core' ? core : published;
    const isFailing = [...counts.values()].some((count) => (count[check.id]?.failed ?? 0) > 0);
    const examples = isFailing ? await examplesOf(sql, check) : [];
    for (const [index, own] of results.entries()) {
      const { tested, failed } = counts.get(index)?.[check.id] ?? { tested: 0, failed: 0 };
      const shown = examples
        .filter(({ unit }) => unit === index)
        .map(({ example }) => JSON.parse(example) as JsonObject);
      own.push(countedCheck(check, tested, failed, shown));
    }
  }
  return results;
}

function countsOf(
  sql: SqlSession,
  table: RowCheck['table'],
): Promise<ReadonlyMap<number, RowCounts>> {
  const checks = ROW_CHECKS.filter((check) => check.table === table);
  return countRows(sql, table, checks);
}

/** The first failing rows of each unit, as JSON. */
async function examplesOf(
  sql: SqlSession,
  { table, tested, failed, shows }: RowCheck,
): Promise<{ unit: number; example: string }[]> {
  const instant = `strftime(timezone('UTC', to_timestamp(start_s + second)), '%Y-%m-%dT%H:%M:%SZ')`;
  return sql.rows(`SELECT unit, CAST(to_json(e) AS VARCHAR) AS example FROM (
      SELECT unit, region_code AS region, ${instant} AS instant, ${shows} FROM ${table} WHERE (${tested}) AND (${failed})
    ) AS e QUALIFY row_number() OVER (PARTITION BY unit ORDER BY region, instant,
      e::VARCHAR) <= ${EXAMPLES}
    ORDER BY unit, region, instant, e::VARCHAR`);
}
