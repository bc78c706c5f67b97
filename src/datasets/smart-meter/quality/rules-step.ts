import { forEachUnit, required } from '../../kit/index.ts';
import type {
  SqlSession,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { metersOf } from '../side/list-of-meters.ts';
import { columnsOfSide } from '../side/parts.ts';
import { copyTable, inputOrEmpty, parquetOf, pathsOf } from '../tables.ts';
import { QUALITY_RULES, USUAL } from './rules.ts';

/**
 * `metrics/rules`: every rule on the meters of a day, with the failing rows, and what a verdict on
 * all meters is made from: counts that add up, and how often which value was measured, so that
 * parts of the fleet give the figures of the whole.
 */

/** Days before that rules look at. */
export const HISTORY_BACK = [1, 2, 3, 7, 14, 21, 28];

/** Columns whose spread over the readings is told. */
export const PROFILED = [
  'energy_wh',
  'temperature_raw',
  'humidity_raw',
  'wind_speed_raw',
  'avg_past_raw',
] as const;

/** Each rule runs on its own over views of the day and of the days before it. */
export const metricsRules: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => rulesOf(unit, task, sql)),
};

async function rulesOf(unit: StepUnit, task: StepTask, sql: SqlSession): Promise<UnitResult> {
  const { scope } = unit;
  await openViews(sql, unit, task);
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE failures
      (rule VARCHAR, meter_key UBIGINT, failed_at TIMESTAMPTZ, observed DOUBLE, allowed DOUBLE)`,
  );
  await sql.run(`CREATE OR REPLACE TEMP TABLE usual AS ${USUAL}`);
  const counts = await countReadings(sql);
  for (const { id, failing, mayFail } of QUALITY_RULES)
    if (await isTrue(sql, mayFail))
      await sql.run(
        `INSERT INTO failures SELECT '${id}', meter_key, failed_at, observed, allowed
          FROM (${failing})`,
      );
  const outputs = {
    failing: await copyTable(
      sql,
      'SELECT * FROM failures ORDER BY rule, meter_key, failed_at NULLS FIRST, observed, allowed',
      `failing-${scope}`,
    ),
    tested: await copyTable(sql, TESTED, `tested-${scope}`),
    refused: await copyTable(
      sql,
      'SELECT reason, count(*) AS rows FROM rejects GROUP BY reason ORDER BY reason',
      `refused-${scope}`,
    ),
    spread: await copyTable(sql, spreadSql(counts), `spread-${scope}`),
  };
  return { scope, outputs, checks: [], facts: { failures: outputs.failing.rows } };
}

/** `(rule, tested)`, and without a rule how many meters have readings. */
const TESTED = `SELECT rule, CAST(tested AS BIGINT) AS tested FROM (
    SELECT CAST(NULL AS VARCHAR) AS rule, (SELECT count(DISTINCT meter_key) FROM daily) AS tested
    UNION ALL ${QUALITY_RULES.map(({ id, tested }) => `SELECT '${id}', (${tested})`).join(' UNION ALL ')})
  ORDER BY rule NULLS FIRST`;

type Counts = Readonly<Record<(typeof PROFILED)[number] | 'rows', number>>;

/**
 * `counts`, once for all rules, and its row. Files say where a column has no value, so that what is
 * never filled is not read.
 */
async function countReadings(sql: SqlSession): Promise<Counts> {
  const counts = [...PROFILED, 'value_raw', 'label'].map(
    (column) => `(SELECT count(*) FROM readings WHERE ${column} IS NOT NULL) AS ${column}`,
  );
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE counts AS SELECT (SELECT count(*)
      FROM readings) AS rows, ${counts.join(', ')}`,
  );
  const [found] = await sql.rows<Counts>('SELECT * FROM counts');
  return required(found, 'counts of readings');
}

async function isTrue(sql: SqlSession, condition: string | undefined): Promise<boolean> {
  if (condition === undefined) return true;
  const [found] = await sql.rows<{ holds: boolean }>(`SELECT (${condition}) AS holds`);
  return found?.holds === true;
}

/** `(column, value, readings)`; a reading without a value is counted under null. */
function spreadSql(counted: Counts): string {
  const each = PROFILED.map((column) =>
    counted[column] === 0
      ? `SELECT '${column}' AS "column", CAST(NULL AS DOUBLE) AS value,
        CAST(${counted.rows} AS BIGINT) AS readings`
      : `SELECT '${column}' AS "column", CAST(${column} AS DOUBLE) AS value, count(*) AS readings
         FROM readings GROUP BY ${column}`,
  );
  return `SELECT * FROM (${each.join(' UNION ALL ')}) ORDER BY "column", value`;
}

async function openViews(sql: SqlSession, unit: StepUnit, task: StepTask): Promise<void> {
  const views: Record<string, string> = {
    readings: `(SELECT * FROM ${parquetOf(pathsOf(unit, 'readings'))} WHERE energy_wh IS NOT NULL)`,
    rejects: parquetOf(pathsOf(unit, 'rejects')),
    conflicts: parquetOf(pathsOf(unit, 'conflicts')),
    daily: parquetOf(pathsOf(unit, 'daily')),
    history: historySql(unit),
    meters: metersOf(unit, task),
    all_meters: inputOrEmpty(unit, 'meters', columnsOfSide('meters')),
    ...Object.fromEntries(
      ['registers', 'outages'].map((id) => [id, inputOrEmpty(unit, id, columnsOfSide(id))]),
    ),
  };
  for (const [name, from] of Object.entries(views))
    await sql.run(`CREATE OR REPLACE TEMP VIEW ${name} AS SELECT * FROM ${from}`);
}

function historySql(unit: StepUnit): string {
  const days = HISTORY_BACK.flatMap((back) =>
    pathsOf(unit, `daily_${back}`).map(
      (path) => `SELECT ${back} AS back, * FROM ${parquetOf([path])}`,
    ),
  );
  return days.length > 0
    ? `(${days.join(' UNION ALL BY NAME ')})`
    : `(SELECT 0 AS back, * FROM ${parquetOf(pathsOf(unit, 'daily'))} WHERE false)`;
}
