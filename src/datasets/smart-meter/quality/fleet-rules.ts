import { forEachUnit } from '../../kit/index.ts';
import type { SqlSession, StepImplementation, StepUnit, UnitResult } from '../../kit/index.ts';
import { LEAST_METERS } from '../marts/fleet.ts';
import { columnsOfSide } from '../side/parts.ts';
import { copyTable, inputOrEmpty, parquetOf, pathsOf } from '../tables.ts';
import { LARGEST_LAG } from './clock-lags.ts';
import type { QualityRule } from './rules.ts';

/**
 * `metrics/fleet-rules`: rules that hold a meter against others, or a group against what is
 * expected of all its meters. They read the whole fleet, where the other rules read a meter at a
 * time.
 */

/** A group with less than this share of its readings is left out. */
const LEAST_OF_GROUP = 0.9;
/** Days of the last seven that a clock is judged by. */
const LEAST_DAYS = 5;
/**
 * A meter that follows its segment no better than this, in hundredths, has a clock that nobody can
 * read from its curve.
 */
const LEAST_FIT = 50;
/** So much better, in hundredths, must a moved day fit. */
const BETTER_BY = 2;

const IS_SHORT = `meters >= ${LEAST_METERS} AND observed < ${LEAST_OF_GROUP} * expected`;

/**
 * As SQL over `groups`, `members` and `clocks`: each reads its part of the fleet once, however many
 * rules and sums are made of it.
 */
export const FLEET_RULES: readonly QualityRule[] = [
  {
    id: 'group_is_complete',
    suite: 'staging_readings_suite',
    title: {
      fr: 'un groupe de dix compteurs ou plus a envoyé neuf dixièmes des relevés attendus',
      en: 'a group of ten meters or more sent nine tenths of its expected readings',
    },
    severity: 'hold',
    tested: `SELECT count(*) FROM groups WHERE meters >= ${LEAST_METERS}`,
    failing: `WITH short AS (SELECT unit, CAST(observed AS DOUBLE) / expected AS share FROM groups
      WHERE ${IS_SHORT})
      SELECT meter_key, CAST(NULL AS TIMESTAMPTZ) AS failed_at,
        share AS observed, ${LEAST_OF_GROUP} AS allowed
      FROM members JOIN short USING (unit) WHERE sent`,
  },
  {
    id: 'clock_in_step',
    suite: 'marts_metrics_suite',
    title: {
      fr: 'sur sept jours, aucun compteur ne suit mieux son segment décalé de demi-heures : son horloge est juste',
      en: 'over seven days no meter follows its segment better when it is moved by half-hours: its clock is right',
    },
    severity: 'warn',
    tested: 'SELECT count(*) FROM clocks',
    failing: `SELECT meter_key, CAST(NULL AS TIMESTAMPTZ) AS failed_at, moved AS observed,
      CAST(0 AS DOUBLE) AS allowed
      FROM clocks WHERE is_wrong`,
  },
];

/** The name of the input that has the fits of so many days before. */
export function lagsBefore(days: number): string {
  return days === 0 ? 'lags' : `lags_${days}`;
}

/** The day and the six before it. */
export const CLOCK_DAYS = 7;

/** Failing rows, and how many were looked at, in the columns of the rules of single meters. */
export const metricsFleetRules: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => fleetRulesOf(unit, sql)),
};

async function fleetRulesOf(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  await openMembers(sql, unit);
  await fillClocks(sql, unit);
  const failing = FLEET_RULES.map(
    ({ id, failing: found }) =>
      `SELECT '${id}' AS rule, meter_key, failed_at, observed, allowed FROM (${found})`,
  );
  const tested = FLEET_RULES.map(
    ({ id, tested: of }) => `SELECT '${id}' AS rule, CAST((${of}) AS BIGINT) AS tested`,
  );
  const outputs = {
    failing: await copyTable(
      sql,
      `${failing.join(' UNION ALL ')} ORDER BY rule, meter_key`,
      `fleet-failing-${unit.scope}`,
    ),
    tested: await copyTable(
      sql,
      `${tested.join(' UNION ALL ')} ORDER BY rule`,
      `fleet-tested-${unit.scope}`,
    ),
  };
  return { scope: unit.scope, outputs, checks: [], facts: { failures: outputs.failing.rows } };
}

/**
 * `groups` and `members`. Meters of the list that sent nothing count as well; who sends what he
 * produces and nothing else is not waited for. Members are looked through one by one only where a
 * group is short: on most days none is.
 */
async function openMembers(sql: SqlSession, unit: StepUnit): Promise<void> {
  const daily = parquetOf(pathsOf(unit, 'daily'));
  const meters = inputOrEmpty(unit, 'meters', columnsOfSide('meters'));
  const expected = 2 * (unit.day?.hours ?? 24);
  const part = `'part ' || lpad(CAST((meter_key >> 60) + 1 AS VARCHAR), 2, '0') || ' of 16'`;
  const members = `SELECT meter_key, coalesce(transformer, ${part}) AS unit,
    coalesce(observed, 0) AS observed,
      coalesce(expected, ${expected}) AS expected, channel IS NOT NULL AS sent
    FROM (SELECT meter_key, channel, observed, expected FROM ${daily}) sent
      FULL JOIN (SELECT meter_key, transformer FROM ${meters}) known USING (meter_key)
    WHERE channel IS NULL OR channel = 'import'`;
  await sql.run(`CREATE OR REPLACE TEMP TABLE groups AS
    SELECT unit, count(*) AS meters, sum(observed) AS observed, sum(expected) AS expected
      FROM (${members}) GROUP BY unit`);
  const [found] = await sql.rows<{ short: number }>(
    `SELECT count(*) AS short FROM groups WHERE ${IS_SHORT}`,
  );
  const where = (found?.short ?? 0) === 0 ? 'WHERE false' : '';
  await sql.run(`CREATE OR REPLACE TEMP VIEW members AS SELECT * FROM (${members}) ${where}`);
}

/**
 * `clocks`: meters with enough days, by how many half-hours their days fit best, and whether that
 * is too much better than as they are.
 */
async function fillClocks(sql: SqlSession, unit: StepUnit): Promise<void> {
  const days = Array.from({ length: CLOCK_DAYS }, (_, back) => pathsOf(unit, lagsBefore(back)));
  const isEnough = days.filter((paths) => paths.length > 0).length >= LEAST_DAYS;
  const lags = isEnough
    ? parquetOf(days.flat())
    : '(SELECT CAST(NULL AS UBIGINT) AS meter_key, CAST([] AS TINYINT[]) AS fits WHERE false)';
  const sums = Array.from({ length: 2 * LARGEST_LAG + 1 }, (_, place) => `sum(fits[${place + 1}])`);
  await sql.run(`CREATE OR REPLACE TEMP TABLE clocks AS
    SELECT meter_key, CAST(list_position(fits, list_max(fits))
      - ${LARGEST_LAG + 1} AS DOUBLE) AS moved,
      list_max(fits) >= ${LEAST_FIT} * days AND list_max(fits) > fits[${LARGEST_LAG + 1}]
        + ${BETTER_BY} * days AS is_wrong
    FROM (SELECT meter_key, count(*) AS days, [${sums.join(', ')}] AS fits
      FROM ${lags} GROUP BY meter_key HAVING count(*) >= ${LEAST_DAYS})`);
}
