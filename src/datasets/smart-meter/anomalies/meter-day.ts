import { forEachUnit } from '../../kit/index.ts';
import type { SqlSession, StepImplementation, StepUnit, UnitResult } from '../../kit/index.ts';
import { copyTable, parquetOf, pathsOf } from '../tables.ts';

/**
 * `metrics/features`: what a day of a meter is beside its own four weeks before, in numbers that a
 * forest can cut. A meter without three of these weeks, or without nine tenths of the day, has no
 * row: nothing is filled. Estimates are in none of the figures.
 */

/**
 * Columns of a row that a model is trained on, 32-bit numbers:
 * - use, base: logarithm of the day's energy, or of its base load, over the mean of the four weeks
 * - evening, night: share of the day's energy from 18 to 22, and from 0 to 6, less that of the four
 *   weeks
 * - load_factor: mean over peak, 0–1
 */
export const FEATURES = ['use', 'base', 'evening', 'night', 'load_factor'] as const;

/** The newest of the four weeks ended the day before. */
export const WEEKS_BACK = [1, 8, 15, 22] as const;

/** The name of the input that has the week which ended so many days before. */
export function weekEnded(days: number): string {
  return `week_${days}`;
}

const LEAST_WEEKS = 3;
const LEAST_OF_DAY = 0.9;

/** Rows only; which of them are odd is the next step's. */
export const metricsFeatures: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => featuresOf(unit, sql)),
};

async function featuresOf(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const features = await copyTable(sql, featuresSql(unit), `features-${unit.scope}`);
  return { scope: unit.scope, outputs: { features }, checks: [], facts: { rows: features.rows } };
}

/**
 * `metrics/levels`: the median of how the use of the meters of each segment moved, beside which one
 * meter is held.
 */
export const metricsLevels: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => levelsOf(unit, sql)),
};

async function levelsOf(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const select = `WITH weeks AS (${weeksSql(unit)}), means AS (${MEANS})
    SELECT segment, median(level) AS level FROM means GROUP BY segment ORDER BY segment`;
  const levels = await copyTable(sql, select, `levels-${unit.scope}`);
  return { scope: unit.scope, outputs: { levels }, checks: [], facts: { rows: levels.rows } };
}

function weeksSql(unit: StepUnit): string {
  const weeks = WEEKS_BACK.flatMap((days, w) =>
    filesOf(unit, weekEnded(days)).map(
      (files) =>
        `SELECT ${w} AS w, meter_key, segment, use_wh, base_wh, evening_wh, night_wh, use_days
          FROM ${parquetOf(files)}`,
    ),
  );
  const none = `SELECT 0 AS w, CAST(NULL AS UBIGINT) AS meter_key, '' AS segment, 0.0 AS use_wh,
    0.0 AS base_wh, 0.0 AS evening_wh,
    0.0 AS night_wh, CAST([] AS DOUBLE[]) AS use_days WHERE false`;
  return weeks.length === 0 ? none : weeks.join(' UNION ALL ');
}

/** The files of an input that is there, as a list of one; an input that is missing gives none. */
function filesOf(unit: StepUnit, name: string): string[][] {
  const files = pathsOf(unit, name);
  return files.length === 0 ? [] : [files];
}

/**
 * Added up from the newest week on: in whichever order threads bring the weeks, the last bits of a
 * sum would be others.
 */
function mean(column: string): string {
  const weeks = WEEKS_BACK.map(
    (_, w) => `coalesce(max(CAST(${column} AS DOUBLE)) FILTER (WHERE w = ${w}), 0)`,
  );
  return `(${weeks.join(' + ')}) / nullif(count(${column}), 0)`;
}

const LEVEL = `avg(CAST(use_wh AS DOUBLE))
  FILTER (WHERE w < 2) / nullif(avg(CAST(use_wh AS DOUBLE)) FILTER (WHERE w >= 2), 0)`;

/** The four weeks of each meter that has enough of them. */
const MEANS = `SELECT meter_key, arg_min(segment,
  w) AS segment, ${mean('use_wh')} AS use_wh, ${mean('base_wh')} AS base_wh,
    ${mean('evening_wh')} AS evening_wh, ${mean('night_wh')} AS night_wh, ${LEVEL} AS level
  FROM weeks GROUP BY meter_key HAVING count(*) >= ${LEAST_WEEKS} AND sum(use_wh) > 0`;

/**
 * `day_z`: the day beside the 28 before by median and MAD; `level`: the newer two weeks over the
 * older two, and over what the segment did.
 */
function featuresSql(unit: StepUnit): string {
  const float = (value: string): string => `CAST(${value} AS FLOAT)`;
  return `
    WITH weeks AS (${weeksSql(unit)}),
      means AS (${MEANS}),
      days AS (SELECT meter_key, flatten(list(CAST(use_days AS DOUBLE[]))) AS whs FROM weeks
        GROUP BY meter_key),
      spread AS (SELECT meter_key, list_median(whs) AS usual_wh, list_mad(whs) AS mad_wh FROM days),
      cohort AS (SELECT segment, level FROM ${parquetOf(pathsOf(unit, 'levels'))})
    SELECT d.meter_key, m.segment, d.count_anomalies > 0 AS is_labelled,
      ${float('ln((d.total_wh + 100) / (m.use_wh + 100))')} AS use, ${float('ln((d.base_wh + 10) / (m.base_wh + 10))')} AS base,
      ${float('coalesce(d.evening_wh / nullif(d.total_wh, 0), 0) - m.evening_wh / m.use_wh')} AS evening,
      ${float('coalesce(d.night_wh / nullif(d.total_wh, 0), 0) - m.night_wh / m.use_wh')} AS night,
      ${float('coalesce(d.load_factor, 0)')} AS load_factor,
      0.6745 * (d.total_wh - s.usual_wh) / nullif(s.mad_wh, 0) AS day_z,
        m.level / nullif(c.level, 0) AS level
    FROM (SELECT meter_key, count_anomalies, load_factor, CAST(total_wh AS DOUBLE) AS total_wh,
      CAST(base_wh AS DOUBLE) AS base_wh,
        CAST(evening_wh AS DOUBLE) AS evening_wh, CAST(night_wh AS DOUBLE) AS night_wh
          FROM ${parquetOf(pathsOf(unit, 'daily'))}
        WHERE channel = 'import' AND observed >= ${LEAST_OF_DAY} * expected) d
      JOIN means m ON d.meter_key = m.meter_key JOIN spread s ON d.meter_key = s.meter_key
        JOIN cohort c ON c.segment = m.segment
    ORDER BY d.meter_key`;
}
