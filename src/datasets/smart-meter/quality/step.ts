import { forEachUnit, utf8 } from '../../kit/index.ts';
import type {
  CheckDefinition,
  CheckResult,
  SqlSession,
  StepImplementation,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { columnsOfSide } from '../side/parts.ts';
import { copyTable, inputOrEmpty, parquetOf, pathsOf } from '../tables.ts';
import { HELD_TABLES, holdGroups } from './hold-groups.ts';
import { expectationsOf } from './great-expectations.ts';
import { FLEET_RULES } from './fleet-rules.ts';
import { QUALITY_RULES } from './rules.ts';
import type { QualityRule } from './rules.ts';
import type { ColumnProfile, QualityDay, Verdict } from './verdicts.ts';

/** `metrics/quality`: every rule on a day, with the failing rows, the verdicts, and both as Great Expectations reads them. */

/** Days before that rules look at. */
export const HISTORY_BACK = [1, 2, 3, 7, 14, 21, 28];

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

const FAILURE_COLUMNS = {
  rule: 'VARCHAR',
  meter_key: 'UBIGINT',
  failed_at: 'TIMESTAMPTZ',
  observed: 'DOUBLE',
  allowed: 'DOUBLE',
};

/** Each rule runs on its own over views of the day and of the days before it. */
export const metricsQuality: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => qualityOf(unit, sql)),
};

async function qualityOf(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  await openViews(sql, unit);
  const verdicts: Verdict[] = [];
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE failures (rule VARCHAR, meter_key UBIGINT, failed_at TIMESTAMPTZ, observed DOUBLE, allowed DOUBLE)`,
  );
  for (const rule of [...QUALITY_RULES, ...FLEET_RULES.map(foundRule)]) verdicts.push(await judgeRule(sql, rule));
  const failures = await copyTable(
    sql,
    'SELECT * FROM failures ORDER BY rule, meter_key, failed_at NULLS FIRST, observed, allowed',
    `failures-${unit.scope}`,
  );
  const groups = await holdGroups(sql, unit);
  const held: Record<string, { readonly path: string; readonly rows: number }> = {};
  for (const [name, select] of Object.entries(HELD_TABLES))
    held[name] = await copyTable(sql, select(parquetOf(pathsOf(unit, 'readings'))), `${name}-${unit.scope}`);
  const day: QualityDay = {
    date: unit.scope,
    verdicts,
    rejects: await sql.rows('SELECT reason, count(*) AS rows FROM rejects GROUP BY reason ORDER BY rows DESC, reason'),
    profile: await profileOf(sql),
  };
  const [meters] = await sql.rows<{ count: number }>(`SELECT count(*) AS count FROM daily WHERE channel = 'import'`);
  return {
    scope: unit.scope,
    outputs: {
      quality: { bytes: utf8(`${JSON.stringify(day)}\n`) },
      expectations: { bytes: utf8(`${JSON.stringify(expectationsOf(day))}\n`) },
      failures,
      ...held,
    },
    checks: [checkOf(verdicts, meters?.count ?? 0), groups],
    facts: {
      rules: verdicts.length,
      failing_rules: verdicts.filter(({ failed }) => failed > 0).length,
      failures: failures.rows,
      held_meters: held['held']?.rows ?? 0,
    },
  };
}

async function openViews(sql: SqlSession, unit: StepUnit): Promise<void> {
  const views: Record<string, string> = {
    readings: `(SELECT * FROM ${parquetOf(pathsOf(unit, 'readings'))} WHERE energy_wh IS NOT NULL)`,
    rejects: parquetOf(pathsOf(unit, 'rejects')),
    conflicts: parquetOf(pathsOf(unit, 'conflicts')),
    daily: parquetOf(pathsOf(unit, 'daily')),
    history: historySql(unit),
    fleet_failing: inputOrEmpty(unit, 'fleet_failing', FAILURE_COLUMNS),
    fleet_tested: inputOrEmpty(unit, 'fleet_tested', { rule: 'VARCHAR', tested: 'BIGINT' }),
    ...Object.fromEntries(
      ['meters', 'registers', 'outages'].map((id) => [id, inputOrEmpty(unit, id, columnsOfSide(id))]),
    ),
  };
  for (const [name, from] of Object.entries(views))
    await sql.run(`CREATE OR REPLACE TEMP VIEW ${name} AS SELECT * FROM ${from}`);
}

/** A rule that the whole fleet was judged by already. */
function foundRule(rule: QualityRule): QualityRule {
  return {
    ...rule,
    tested: `SELECT coalesce(sum(tested), 0) FROM fleet_tested WHERE rule = '${rule.id}'`,
    failing: `SELECT * FROM fleet_failing WHERE rule = '${rule.id}'`,
  };
}

function historySql(unit: StepUnit): string {
  const days = HISTORY_BACK.flatMap((back) =>
    pathsOf(unit, `daily_${back}`).map((path) => `SELECT ${back} AS back, * FROM ${parquetOf([path])}`),
  );
  return days.length > 0
    ? `(${days.join(' UNION ALL BY NAME ')})`
    : `(SELECT 0 AS back, * FROM ${parquetOf(pathsOf(unit, 'daily'))} WHERE false)`;
}

async function judgeRule(sql: SqlSession, rule: QualityRule): Promise<Verdict> {
  await sql.run(
    `INSERT INTO failures SELECT '${rule.id}', meter_key, failed_at, observed, allowed FROM (${rule.failing})`,
  );
  // Rows whose meter nobody can tell count as those of one meter.
  const [found] = await sql.rows<{ tested: number; failed: number; meters: number }>(
    `SELECT (${rule.tested}) AS tested, count(*) AS failed,
      count(DISTINCT meter_key) + CAST(count(*) > count(meter_key) AS INTEGER) AS meters
    FROM failures WHERE rule = '${rule.id}'`,
  );
  const keys = await sql.rows<{ key: string }>(
    `SELECT DISTINCT CAST(meter_key AS VARCHAR) AS key FROM failures WHERE rule = '${rule.id}' AND meter_key IS NOT NULL ORDER BY key LIMIT ${KEYS_KEPT}`,
  );
  const { id, suite, severity, title } = rule;
  const { tested = 0, failed = 0, meters = 0 } = found ?? {};
  return {
    ...{ suite, rule: id, version: RULES_VERSION, severity, title, tested, failed, meters },
    keys: keys.map(({ key }) => key),
  };
}

function checkOf(verdicts: readonly Verdict[], fleet: number): CheckResult {
  const loud = verdicts.filter(({ meters = 0 }) => meters > Math.max(1, FAILING_TOLD * fleet));
  return {
    check: QUALITY_CHECK.id,
    severity: QUALITY_CHECK.severity,
    tested: verdicts.length,
    failed: loud.length,
    examples: loud.slice(0, 3).map(({ rule, tested, failed, meters = 0 }) => ({ rule, tested, failed, meters })),
  };
}

const PROFILED = ['energy_wh', 'temperature_raw', 'humidity_raw', 'wind_speed_raw', 'avg_past_raw'];

function profileOf(sql: SqlSession): Promise<ColumnProfile[]> {
  const each = PROFILED.map(
    (
      column,
    ) => `SELECT '${column}' AS "column", count(${column}) AS "values", count(*) - count(${column}) AS nulls, CAST(min(${column}) AS DOUBLE) AS least,
      CAST(quantile_disc(${column}, 0.5) AS DOUBLE) AS median, CAST(max(${column}) AS DOUBLE) AS greatest FROM readings`,
  );
  return sql.rows<ColumnProfile>(each.join(' UNION ALL '));
}
