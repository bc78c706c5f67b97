import { forEachUnit } from '../../kit/index.ts';
import type { SqlSession, StepImplementation, StepUnit, UnitResult } from '../../kit/index.ts';
import { clockSql, ZONES } from '../readings/clock.ts';
import { columnsOfSide } from '../side/parts.ts';
import { copyTable, inputOrEmpty, parquetOf, pathsOf } from '../tables.ts';

/**
 * `metrics/estimates`: what was probably used in the half-hours of a day that no measured value is
 * there for, in a table of its own. No sum, rule, score or coverage reads it. A gap that nothing
 * here explains stays a gap.
 *
 * - `linear`: between the values on both sides of a gap of two hours at most, beside no outage
 * - `like_day`: mean of the same local half-hour on the three newest of the four like days (a week
 *   apart) that have it
 * - `scaled`: the same, times what makes the day add up to its counter, where that has a value at
 *   both ends of the day
 */

/** Days before whose half-hours are like those of the day. */
export const LIKE_DAYS = [7, 14, 21, 28] as const;
/** The name of the input that has the readings of so many days before. */
export function readingsBefore(days: number): string {
  return `readings_${days}`;
}

const STEP_MIN = 30;
/** Two hours. */
const LONGEST_LINEAR = 4;
const LEAST_LIKE_DAYS = 3;

/**
 * Of meters that send half-hours. Half-hours of a known outage, and those that the publisher has
 * estimated, have no estimate.
 */
export const metricsEstimates: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => estimatesOf(unit, sql)),
};

async function estimatesOf(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  await fillGaps(sql, unit);
  await fillLikeDays(sql, unit);
  const estimates = await copyTable(sql, estimatesSql(unit), `estimates-${unit.scope}`);
  const [gaps] = await sql.rows<{ count: number }>('SELECT count(*) AS count FROM gaps');
  return {
    scope: unit.scope,
    outputs: { estimates },
    checks: [],
    facts: { rows: estimates.rows, gaps: gaps?.count ?? 0 },
  };
}

/**
 * `gaps`: half-hours without a value of meters that sent some of the day, or sent some a week
 * before and nothing now.
 */
async function fillGaps(sql: SqlSession, unit: StepUnit): Promise<void> {
  const [readings, daily] = [
    parquetOf(pathsOf(unit, 'readings')),
    parquetOf(pathsOf(unit, 'daily')),
  ];
  const weekBefore = pathsOf(unit, readingsBefore(7));
  const silent =
    weekBefore.length === 0
      ? ''
      : `UNION SELECT meter_key, channel, arg_min(zone, start_at) FROM ${parquetOf(weekBefore)}
          WHERE step_min = ${STEP_MIN} AND meter_key NOT IN (SELECT meter_key FROM ${daily})
            GROUP BY meter_key, channel`;
  const known = (value: string, to: string): string =>
    `${value} OVER (PARTITION BY meter_key, channel ORDER BY slot ROWS BETWEEN ${to})`;
  const [back, forth] = [
    'UNBOUNDED PRECEDING AND CURRENT ROW',
    'CURRENT ROW AND UNBOUNDED FOLLOWING',
  ];
  await sql.run(`CREATE OR REPLACE TEMP TABLE gaps AS
    WITH incomplete AS (SELECT meter_key, channel FROM ${daily} WHERE observed < expected
      AND step_min = ${STEP_MIN} AND NOT changes_step),
      own AS (SELECT r.* FROM ${readings} r SEMI JOIN incomplete USING (meter_key, channel)),
      meters AS (SELECT meter_key, channel, arg_min(zone, start_at) AS zone FROM own
        GROUP BY meter_key, channel ${silent}),
      grid AS (SELECT m.meter_key, m.channel, clock.slot,
        2 * clock.hour + clock.half_hours % 2 AS half_hour, clock.hour,
        1800 * clock.half_hours AS start_s, r.energy_wh, r.estimate_wh
        FROM meters m JOIN ${clockSql(unit.scope, ZONES)} USING (zone)
        LEFT JOIN own r ON r.meter_key = m.meter_key AND r.channel = m.channel
          AND r.slot = clock.slot),
      sides AS (SELECT *, ${known('last_value(energy_wh IGNORE NULLS)', back)} AS wh_before,
          ${known('max(CASE WHEN energy_wh IS NOT NULL THEN slot END)', back)} AS slot_before,
          ${known('first_value(energy_wh IGNORE NULLS)', forth)} AS wh_after,
          ${known('min(CASE WHEN energy_wh IS NOT NULL THEN slot END)', forth)} AS slot_after
            FROM grid)
    SELECT * EXCLUDE (energy_wh, estimate_wh) FROM sides WHERE energy_wh IS NULL
      AND estimate_wh IS NULL`);
}

/** `like_days`: by meter, channel and local half-hour, from measured values alone. */
async function fillLikeDays(sql: SqlSession, unit: StepUnit): Promise<void> {
  const days = LIKE_DAYS.flatMap((back) =>
    pathsOf(unit, readingsBefore(back)).map(
      (file) => `SELECT ${back} AS back, meter_key, channel,
        2 * CAST(hour AS INTEGER) + CAST(epoch(start_at) % 3600 >= 1800 AS INTEGER) AS half_hour,
          avg(energy_wh) AS wh FROM ${parquetOf([file])} SEMI JOIN gaps USING (meter_key, channel)
        WHERE energy_wh IS NOT NULL AND step_min = ${STEP_MIN} GROUP BY ALL`,
    ),
  );
  const none = `SELECT 0 AS back, CAST(NULL AS UBIGINT) AS meter_key, '' AS channel, 0 AS half_hour,
    0.0 AS wh WHERE false`;
  await sql.run(`CREATE OR REPLACE TEMP TABLE like_days AS
    SELECT meter_key, channel, half_hour, avg(CAST(wh AS DECIMAL(18, 5))) AS wh
    FROM (SELECT *, row_number() OVER (PARTITION BY meter_key, channel, half_hour
      ORDER BY back) AS place
      FROM (${days.length === 0 ? none : days.join(' UNION ALL ')}))
    WHERE place <= ${LEAST_LIKE_DAYS} GROUP BY meter_key, channel, half_hour
      HAVING count(*) = ${LEAST_LIKE_DAYS}`);
}

function estimatesSql(unit: StepUnit): string {
  const meters = inputOrEmpty(unit, 'meters', columnsOfSide('meters'));
  const outages = inputOrEmpty(unit, 'outages', columnsOfSide('outages'));
  const registers = inputOrEmpty(unit, 'registers', columnsOfSide('registers'));
  const daily = parquetOf(pathsOf(unit, 'daily'));
  const touches = (from: string, to: string): string =>
    `EXISTS (SELECT 1 FROM dark o WHERE o.meter_key = g.meter_key
      AND epoch(o.start_at) < ${to} AND epoch(o.end_at) > ${from})`;
  const share = '(CAST(slot - slot_before AS DOUBLE) / (slot_after - slot_before))';
  return `
    WITH dark AS (SELECT m.meter_key, o.start_at, o.end_at FROM ${outages} o JOIN ${meters} m
      ON m.transformer = o.transformer),
      moved AS (SELECT meter_key, 'import' AS channel,
        CAST(arg_max(register_wh, read_at) - arg_min(register_wh, read_at) AS DOUBLE) AS wh
        FROM ${registers} GROUP BY meter_key HAVING count(*) >= 2),
      guessed AS (SELECT g.*, CASE
            WHEN slot_after - slot_before - 1 <= ${LONGEST_LINEAR}
              AND NOT ${touches('g.start_s - 1800 * (g.slot - g.slot_before)', 'g.start_s + 1800 * (g.slot_after - g.slot + 1)')} THEN 'linear'
            WHEN l.wh IS NOT NULL THEN 'like_day' END AS method,
          l.wh AS like_wh, CAST(wh_before AS DOUBLE)
            + ${share} * CAST(wh_after - wh_before AS DOUBLE) AS linear_wh
        FROM gaps g LEFT JOIN like_days l USING (meter_key, channel, half_hour)
        WHERE NOT ${touches('g.start_s', 'g.start_s + 1800')}),
      valued AS (SELECT *, CASE method WHEN 'linear' THEN linear_wh
        WHEN 'like_day' THEN CAST(like_wh AS DOUBLE) END AS wh FROM guessed),
      days AS (SELECT v.meter_key, v.channel, sum(CAST(v.wh AS DECIMAL(18, 5))) AS guessed_wh,
        any_value(r.wh - CAST(coalesce(d.total_wh, 0) AS DOUBLE)) AS lacking_wh
        FROM valued v JOIN moved r USING (meter_key, channel)
          LEFT JOIN ${daily} d USING (meter_key, channel)
        GROUP BY v.meter_key, v.channel HAVING count(*) = count(method) AND sum(v.wh) > 0
          AND any_value(r.wh - CAST(coalesce(d.total_wh, 0) AS DOUBLE)) >= 0)
    SELECT v.meter_key, v.channel, to_timestamp(v.start_s) AS start_at,
      CAST(v.slot AS UTINYINT) AS slot, CAST(v.hour AS UTINYINT) AS hour,
      CAST(CASE WHEN s.meter_key IS NULL THEN v.wh
        ELSE v.wh * s.lacking_wh / CAST(s.guessed_wh AS DOUBLE) END AS DECIMAL(12,
        5)) AS estimate_wh,
      CASE WHEN s.meter_key IS NULL THEN v.method ELSE 'scaled' END AS estimate_method
    FROM valued v LEFT JOIN days s USING (meter_key, channel) WHERE v.method IS NOT NULL
      ORDER BY v.meter_key, v.channel, v.start_s`;
}
