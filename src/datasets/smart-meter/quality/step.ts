import { forEachUnit, utf8 } from '../../kit/index.ts';
import type {
  CheckDefinition,
  CheckResult,
  SqlSession,
  StepImplementation,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { fillPlaces } from '../marts/partial-sums.ts';
import { columnsOfSide } from '../side/parts.ts';
import { copyTable, inputOrEmpty, parquetOf, pathsOf } from '../tables.ts';
import { expectationsOf } from './great-expectations.ts';
import { FLEET_RULES } from './fleet-rules.ts';
import { HELD_TABLES, holdGroups } from './hold-groups.ts';
import { PROFILED } from './rules-step.ts';
import { QUALITY_RULES } from './rules.ts';
import type { ColumnProfile, QualityDay, Verdict } from './verdicts.ts';

/**
 * `metrics/quality`: the verdicts of all rules on a day of the fleet, as ours and as Great
 * Expectations reads them, and who is left out.
 */

/** Raised when a rule changes what it tests. */
const RULES_VERSION = 1;
const KEYS_KEPT = 20;
/** A share of the meters that fail a rule above which a person is told at once. */
const FAILING_TOLD = 0.01;

/** The verdicts themselves are in the document; this tells a person to look. */
export const QUALITY_CHECK: CheckDefinition = {
  id: 'quality-rules',
  title: 'no rule of quality fails for more than one meter in a hundred',
  severity: 'warn',
};

/** Adds up what the rules found, whatever parts the fleet came in. */
export const metricsQuality: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => qualityOf(unit, sql)),
};

async function qualityOf(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const { scope } = unit;
  await openFound(sql, unit);
  const verdicts = await verdictsOf(sql);
  const failures = await copyTable(
    sql,
    'SELECT * FROM failures ORDER BY rule, meter_key, failed_at NULLS FIRST, observed, allowed',
    `failures-${scope}`,
  );
  const groups = await holdGroups(sql, unit, await testedBy(sql, 'rule IS NULL'));
  const held = await heldTables(sql, unit);
  const day: QualityDay = {
    date: scope,
    verdicts,
    rejects: await sql.rows(
      `SELECT reason, CAST(sum(rows) AS BIGINT) AS rows FROM ${parquetOf(pathsOf(unit, 'refused'))}
       GROUP BY reason ORDER BY rows DESC, reason`,
    ),
    profile: await profileOf(sql, parquetOf(pathsOf(unit, 'spread'))),
  };
  return {
    scope,
    outputs: {
      quality: { bytes: utf8(`${JSON.stringify(day)}\n`) },
      expectations: { bytes: utf8(`${JSON.stringify(expectationsOf(day))}\n`) },
      failures,
      ...held,
    },
    checks: [checkOf(verdicts, await testedBy(sql, `rule = 'known_meter'`)), groups],
    facts: {
      rules: verdicts.length,
      failing_rules: verdicts.filter(({ failed }) => failed > 0).length,
      failures: failures.rows,
      held_meters: held['held']?.rows ?? 0,
    },
  };
}

/** `failures`, `tested` and `meters`, of all parts of the fleet. */
async function openFound(sql: SqlSession, unit: StepUnit): Promise<void> {
  const failing = parquetOf(pathsOf(unit, 'failing', 'fleet_failing'));
  await sql.run(`CREATE OR REPLACE TEMP TABLE failures AS SELECT * FROM ${failing}`);
  await sql.run(`CREATE OR REPLACE TEMP TABLE tested AS
    SELECT rule, CAST(sum(tested) AS BIGINT) AS tested
      FROM ${parquetOf(pathsOf(unit, 'tested', 'fleet_tested'))} GROUP BY rule`);
  const meters = inputOrEmpty(unit, 'meters', columnsOfSide('meters'));
  await sql.run(`CREATE OR REPLACE TEMP VIEW meters AS SELECT * FROM ${meters}`);
}

async function testedBy(sql: SqlSession, where: string): Promise<number> {
  const [found] = await sql.rows<{ tested: number }>(`SELECT tested FROM tested WHERE ${where}`);
  return found?.tested ?? 0;
}

/** Of these nothing is read where nobody is held: the readings of the fleet are many. */
async function heldTables(
  sql: SqlSession,
  unit: StepUnit,
): Promise<Record<string, { readonly path: string; readonly rows: number }>> {
  const [found] = await sql.rows<{ meters: number }>('SELECT count(*) AS meters FROM held');
  const readings = parquetOf(pathsOf(unit, 'readings'));
  const from = (found?.meters ?? 0) === 0 ? `(SELECT * FROM ${readings} WHERE false)` : readings;
  const held: Record<string, { readonly path: string; readonly rows: number }> = {};
  await fillPlaces(sql, '(SELECT * FROM meters WHERE meter_key IN (SELECT meter_key FROM held))');
  for (const [name, select] of Object.entries(HELD_TABLES))
    held[name] = await copyTable(sql, select(from), `${name}-${unit.scope}`);
  return held;
}

interface Counted {
  readonly rule: string;
  readonly tested: number;
  readonly failed: number;
  readonly meters: number;
}

async function verdictsOf(sql: SqlSession): Promise<Verdict[]> {
  // Rows whose meter nobody can tell count as those of one meter.
  const counted = await sql.rows<Counted>(
    `SELECT t.rule, any_value(t.tested) AS tested, count(f.rule) AS failed,
      count(DISTINCT f.meter_key) + CAST(count(f.rule) > count(f.meter_key) AS INTEGER) AS meters
     FROM tested t LEFT JOIN failures f ON t.rule = f.rule WHERE t.rule IS NOT NULL
       GROUP BY t.rule`,
  );
  const keys = await sql.rows<{ rule: string; key: string }>(
    `SELECT rule, key FROM (SELECT DISTINCT rule, CAST(meter_key AS VARCHAR) AS key FROM failures
      WHERE meter_key IS NOT NULL)
     QUALIFY row_number() OVER (PARTITION BY rule ORDER BY key) <= ${KEYS_KEPT} ORDER BY rule, key`,
  );
  return [...QUALITY_RULES, ...FLEET_RULES].map(({ id, suite, severity, title }) => {
    const { tested = 0, failed = 0, meters = 0 } = counted.find(({ rule }) => rule === id) ?? {};
    return {
      ...{
        suite,
        rule: id,
        version: RULES_VERSION,
        severity,
        title: title.en,
        tested,
        failed,
        meters,
      },
      keys: keys.filter(({ rule }) => rule === id).map(({ key }) => key),
    };
  });
}

function checkOf(verdicts: readonly Verdict[], fleet: number): CheckResult {
  const loud = verdicts.filter(({ meters = 0 }) => meters > Math.max(1, FAILING_TOLD * fleet));
  return {
    check: QUALITY_CHECK.id,
    severity: QUALITY_CHECK.severity,
    tested: verdicts.length,
    failed: loud.length,
    examples: loud
      .slice(0, 3)
      .map(({ rule, tested, failed, meters = 0 }) => ({ rule, tested, failed, meters })),
  };
}

/**
 * The median is the value at which half of the readings are reached, as of the readings themselves.
 */
function profileOf(sql: SqlSession, spread: string): Promise<ColumnProfile[]> {
  const order = PROFILED.map((column, place) => `('${column}', ${place})`);
  return sql.rows<ColumnProfile>(`
    WITH counted AS (SELECT "column", value, CAST(sum(readings) AS BIGINT) AS readings
      FROM ${spread} GROUP BY ALL),
      running AS (SELECT *, sum(readings) OVER (PARTITION BY "column" ORDER BY value) AS running,
          sum(readings) OVER (PARTITION BY "column") AS n FROM counted WHERE value IS NOT NULL),
      found AS (SELECT "column", CAST(sum(readings) AS BIGINT) AS "values", min(value) AS least,
          min(value) FILTER (WHERE 2 * running >= n) AS median, max(value) AS greatest FROM running
            GROUP BY "column"),
      nulls AS (SELECT "column", CAST(sum(readings) AS BIGINT) AS nulls FROM counted
        WHERE value IS NULL GROUP BY "column")
    SELECT "column", coalesce("values", 0) AS "values", coalesce(nulls, 0) AS nulls, least, median,
      greatest
    FROM (VALUES ${order.join(', ')}) AS profiled("column", place) LEFT JOIN found USING ("column")
      LEFT JOIN nulls USING ("column")
    ORDER BY place`);
}
