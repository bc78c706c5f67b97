import { LOST_COLUMNS } from '../kit/index.ts';
import type { CheckDefinition, RowRule } from '../kit/index.ts';
import type { MeasureName } from './columns.ts';
import { BIT_OF, COLUMN_OF } from './columns.ts';
import { maskColumnOf } from './core.ts';
import { SOURCES } from './metrics-model.ts';
import { PARTS } from './published-rows.ts';
import { QUARTER_MINUTES } from './sampling.ts';

/**
 * The rules that a day's core table is held to. Each is SQL that returns the failing rows with
 * their data day (`selectFailing`), over the temporary tables `core` (merged) or `published` (as
 * published, see `published-rows.ts`).
 */

/**
 * Rounding of ten whole numbers, as measured on all 4,787 real-time rows of 2021–22; wider since
 * batteries are published.
 */
const BALANCE_TOLERANCE_MW = 1;
const BALANCE_TOLERANCE_WITH_BATTERIES_MW = 5;
/**
 * Consolidated load is metered, generation is not re-metered with it: the real rows of 2024-01-01
 * differ by 77–107 MW, 0.2 % of load.
 */
const REVISED_BALANCE_TOLERANCE = 0.01;
/** More than that is not a matter of rounding or metering: a column is wrong. */
const GROSS_BALANCE_TOLERANCE = 0.1;
/**
 * The mainland's load has stayed within 28–103 GW since 2012 (highest: 102,098 MW on 2012-02-08).
 */
const PLAUSIBLE_LOAD_MW = { from: 15_000, to: 120_000 };
/**
 * Auxiliaries make a stopped plant consume: real files have −4 MW of oil turbines; nothing produces
 * more than the nuclear fleet.
 */
const PLAUSIBLE_GENERATION_MW = { from: -300, to: 70_000 };
const PLAUSIBLE_CO2_G_PER_KWH = { from: 1, to: 1_000 };

/** A rule with the rows that break it, told by what explains them. */
export interface RowCheck extends CheckDefinition, RowRule {
  /** `core`: after the merge; `published`: each row as it came. */
  readonly table: 'core' | 'published';
  /** SQL: the columns that explain a failing row, besides its instant. */
  readonly shows: string;
}

const TERMS: readonly MeasureName[] = [...SOURCES, 'pompage', 'ech_physiques'];
const COLUMNS = TERMS.map((name) => COLUMN_OF[name]);
const SUM = `(${COLUMNS.join(' + ')} + coalesce(battery_charging_mw, 0)
  + coalesce(battery_discharging_mw, 0))`;
const HAS_BATTERIES = '(battery_charging_mw IS NOT NULL OR battery_discharging_mw IS NOT NULL)';
const BALANCE_MASK = [...TERMS, 'consommation' as const].reduce(
  (mask, name) => mask + 2 ** BIT_OF[name],
  0,
);
/**
 * Each part has all of load and terms or none of them: then all come from one row. Values of two
 * revisions need not add up.
 */
const IS_ONE_BALANCE = `(${PARTS.map((part) => `(coalesce(${maskColumnOf(part)}, 0) & ${BALANCE_MASK}) IN (0, ${BALANCE_MASK})`).join(' AND ')})`;
const BALANCE_TOLERANCE = `CASE
  WHEN revision <> 'provisional' THEN load_mw * ${REVISED_BALANCE_TOLERANCE}
  WHEN ${HAS_BATTERIES} THEN ${BALANCE_TOLERANCE_WITH_BATTERIES_MW} ELSE ${BALANCE_TOLERANCE_MW} END`;
/** What `core` is looked at through: `difference_mw` is NULL where the balance cannot be judged. */
const CORE = `(SELECT *, CASE WHEN ${IS_ONE_BALANCE} THEN ${SUM} - load_mw END AS difference_mw
  FROM core)`;

/** What the checks of a table look at: `tested` and `failed` are SQL over its columns. */
export const CHECKED_TABLES = { core: CORE, published: 'published' } as const;

/**
 * SQL: whether the least or the greatest of some columns is outside a range; NULLs do not count.
 */
function outside(
  columns: readonly string[],
  { from, to }: { readonly from: number; readonly to: number },
): string {
  return `least(${columns.join(', ')}) < ${from} OR greatest(${columns.join(', ')}) > ${to}`;
}

/** One rule each: what severity `hold` finds waits for a person, `fail` ends the step. */
export const ROW_CHECKS: readonly RowCheck[] = [
  {
    id: 'readable-values',
    title: 'every published value is a whole number, empty, ND or -',
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
    id: 'quarter-grid',
    title: 'every instant is a quarter of an hour inside its day',
    severity: 'hold',
    table: 'core',
    tested: 'true',
    failed: `second % ${QUARTER_MINUTES * 60} <> 0 OR second NOT BETWEEN 0 AND hours * 3600 - 1`,
    shows: 'source_part',
  },
  {
    id: 'unique-instants',
    title: 'every instant has one row',
    severity: 'fail',
    table: 'core',
    tested: 'true',
    failed: 'count(*) OVER (PARTITION BY unit, second) > 1',
    failedRows: 'count(*) - count(DISTINCT second)',
    shows: 'source_part',
  },
  {
    id: 'one-load-per-instant',
    title: 'rows of one part with the same instant agree about the load',
    severity: 'warn',
    table: 'core',
    tested: 'load_mw IS NOT NULL',
    failed: 'loads_differ',
    shows: 'load_mw, published_by',
  },
  {
    id: 'balance',
    title: 'generation, storage and physical exchanges add up to load',
    severity: 'warn',
    table: 'core',
    tested: 'difference_mw IS NOT NULL',
    failed: `abs(difference_mw) > ${BALANCE_TOLERANCE}`,
    shows: 'load_mw, difference_mw',
  },
  {
    id: 'gross-balance',
    title: 'generation, storage and physical exchanges are within a tenth of load',
    severity: 'hold',
    table: 'core',
    tested: 'difference_mw IS NOT NULL',
    failed: `abs(difference_mw) > load_mw * ${GROSS_BALANCE_TOLERANCE}`,
    shows: 'load_mw, difference_mw',
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
    id: 'plausible-load',
    title: 'load is between 15 and 120 GW',
    severity: 'hold',
    table: 'core',
    tested: 'load_mw IS NOT NULL',
    failed: outside(['load_mw'], PLAUSIBLE_LOAD_MW),
    shows: 'load_mw, source_part',
  },
  {
    id: 'plausible-generation',
    title: 'no source is below −300 MW or above 70 GW',
    severity: 'warn',
    table: 'core',
    tested: 'true',
    failed: outside(
      SOURCES.map((source) => COLUMN_OF[source]),
      PLAUSIBLE_GENERATION_MW,
    ),
    shows: SOURCES.map((source) => COLUMN_OF[source]).join(', '),
  },
  {
    id: 'plausible-co2',
    title: 'carbon intensity is between 1 and 1,000 g/kWh',
    severity: 'warn',
    table: 'core',
    tested: 'co2_g_per_kwh IS NOT NULL',
    failed: outside(['co2_g_per_kwh'], PLAUSIBLE_CO2_G_PER_KWH),
    shows: 'co2_g_per_kwh',
  },
];

/**
 * Not SQL: what is expected depends on the step of each span, and the one judge of that is
 * `sampling.ts`, which the day's coverage comes from too.
 */
export const EXPECTED_SAMPLES: CheckDefinition = {
  id: 'expected-samples',
  title: 'load has all its samples: 92, 96 or 100 at 15 minutes, 46, 48 or 50 at 30',
  severity: 'warn',
};

/** What `transform/national` declares. */
export const CORE_CHECKS: readonly CheckDefinition[] = [
  EXPECTED_SAMPLES,
  ...ROW_CHECKS.map(({ id, title, severity }) => ({ id, title, severity })),
  LOST_COLUMNS,
];

/**
 * SQL of all rows that break a rule: `unit`, `data_day` and its `start_s`, `second` since then, and
 * the columns that explain it.
 */
export function selectFailing({ table, tested, failed, shows }: RowCheck): string {
  return `SELECT unit, data_day, start_s, second, ${shows} FROM (
    SELECT *, coalesce(${failed}, false) AS is_failing
      FROM ${CHECKED_TABLES[table]} WHERE ${tested}) WHERE is_failing`;
}
