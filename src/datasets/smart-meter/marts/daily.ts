import { forEachUnit } from '../../kit/index.ts';
import type {
  CivilDate,
  SqlSession,
  StepImplementation,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { kwhSql, UNITS, VARIANCE_KWH2 } from '../exact.ts';
import { HALF_HOUR_S } from '../readings/clock.ts';
import { CHANNELS } from '../readings/columns.ts';
import { metersOf } from '../side/list-of-meters.ts';
import { copyTable, fewTextsSql, parquetOf, pathsOf } from '../tables.ts';
import { bucketsSql, fillPlaces, slotsSql } from './partial-sums.ts';

/**
 * `metrics/daily`: a day of each meter in one row, and its hours. Sums are exact; what was observed
 * stands beside what was expected; an estimate is in no figure. The largest interval is the peak,
 * of several the earliest.
 */
export const metricsDaily: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => dailyOf(unit, sql, metersOf(unit, task))),
};

async function dailyOf(unit: StepUnit, sql: SqlSession, meters: string): Promise<UnitResult> {
  const { scope } = unit;
  const from = parquetOf(pathsOf(unit, 'readings'));
  const daily = await copyTable(sql, dailySql(from, unit), `daily-${scope}`);
  const hourly = await copyTable(sql, hourlySql(from), `hourly-${scope}`);
  await fillPlaces(sql, meters);
  const slots = await copyTable(sql, slotsSql(from), `slots-${scope}`);
  const buckets = await copyTable(sql, bucketsSql(from), `buckets-${scope}`);
  const [sums] = await sql.rows<{ observed: number; expected: number }>(
    `SELECT CAST(sum(observed) AS BIGINT) AS observed, CAST(sum(expected) AS BIGINT) AS expected
      FROM ${parquetOf([daily.path])}`,
  );
  const { observed, expected } = sums ?? { observed: 0, expected: 0 };
  return {
    scope,
    outputs: { daily, hourly, slots, buckets },
    checks: [],
    facts: {
      rows: daily.rows,
      observed,
      expected,
      coverage: expected === 0 ? 0 : Math.round((observed / expected) * 1e4) / 1e4,
    },
  };
}

/** Hours of the night and of the evening, by the clock. */
const NIGHT = 'hour < 6';
const EVENING = 'hour BETWEEN 18 AND 21';

/** A day has fewer half-hours, from a day before midnight in UTC on. */
const HALF_HOURS = 128;
const HOURS = 32;

/**
 * Energy in whole units, half-hours that were left, and the hour, as one number: the largest is the
 * earliest of the largest intervals, with its hour. To compare rows by two columns is a tenth of
 * the whole step.
 */
function peakSql(scope: CivilDate): string {
  const first = (Date.parse(`${scope}T00:00:00Z`) / 1000 - 86_400) / HALF_HOUR_S;
  return `(${UNITS} * ${HALF_HOURS} + ${HALF_HOURS - 1 + first} - epoch_us(start_at) // ${HALF_HOUR_S * 1_000_000}) * ${HOURS} + hour`;
}

/**
 * One row per meter and channel. A meter that files of several zones tell of has that of its
 * earliest interval.
 */
export function dailySql(from: string, { scope, day }: Pick<StepUnit, 'scope' | 'day'>): string {
  const parisHours = day?.hours ?? 24;
  return `
    WITH sums AS (SELECT meter_key, channel, arg_min(zone, start_at) AS zone,
      CAST(sum(energy_wh) AS DECIMAL(18, 5)) AS total_wh,
        CAST(max(energy_wh) AS DECIMAL(12, 5)) AS peak_wh,
          CAST(max(${peakSql(scope)}) % ${HOURS} AS UTINYINT) AS peak_hour,
        CAST(quantile_disc(energy_wh, 0.05) AS DECIMAL(12, 5)) AS base_wh,
        CAST(sum(energy_wh) FILTER (WHERE ${NIGHT}) AS DECIMAL(18, 5)) AS night_wh,
        CAST(sum(energy_wh) FILTER (WHERE ${EVENING}) AS DECIMAL(18, 5)) AS evening_wh,
        ${VARIANCE_KWH2} AS variance_kwh2, CAST(count(energy_wh) AS SMALLINT) AS observed,
        CAST(count(*) FILTER (WHERE energy_wh = 0) AS SMALLINT) AS zeros,
          CAST(count(estimate_wh) AS SMALLINT) AS estimated,
        CAST(count(*) FILTER (WHERE label LIKE 'A%') AS SMALLINT) AS count_anomalies,
          min(step_min) AS step_min,
        min(step_min) <> max(step_min) AS changes_step, 
        CAST(sum(CAST(temperature_raw AS DECIMAL(18,
        9))) AS DOUBLE) / nullif(count(temperature_raw), 0) AS temperature_raw
      FROM ${from} GROUP BY meter_key, channel)
    SELECT DATE '${scope}' AS date, meter_key, channel, total_wh, peak_wh, peak_hour, base_wh,
      coalesce(night_wh, 0) AS night_wh,
      coalesce(evening_wh, 0) AS evening_wh, variance_kwh2, observed, zeros, estimated,
        count_anomalies, step_min, changes_step,
      CAST((CASE zone WHEN 'Europe/Paris' THEN ${parisHours} WHEN 'UTC' THEN 24
        ELSE ${parisHours} END) * 60 // step_min AS SMALLINT) AS expected,
      CASE WHEN peak_wh > 0
        AND observed > 0 THEN CAST(total_wh AS DOUBLE) / (observed * CAST(peak_wh AS DOUBLE)) END AS load_factor,
      15 + 30 * temperature_raw AS avg_temperature_c
    FROM sums ORDER BY meter_key, channel`;
}

/**
 * One row per meter, channel and elapsed hour: what cannot be had from anything smaller. Means and
 * spread are a view over the readings. All that is sorted has one length, which takes a fifth of
 * the time off.
 */
function hourlySql(from: string): string {
  return `SELECT * REPLACE (CAST(channel AS VARCHAR) AS channel) FROM (
      SELECT meter_key, channel, min(start_at) AS hour_at,
        CAST(sum(energy_wh) AS DECIMAL(18, 5)) AS total_wh,
        CAST(count(energy_wh) AS UTINYINT) AS count_readings
      FROM (SELECT * REPLACE (${fewTextsSql('channel', CHANNELS)} AS channel) FROM ${from})
        GROUP BY meter_key, channel, slot // 2
      ORDER BY meter_key, channel, hour_at)`;
}

/** `int_readings_hourly` in full, over readings. */
export function fullHourlySql(from: string): string {
  return `SELECT meter_key, channel, min(start_at) AS hour_timestamp, any_value(hour) AS hour,
    CAST(${kwhSql('sum(energy_wh)')} AS DOUBLE) AS total_kwh,
    CAST(${kwhSql('sum(energy_wh)')} AS DOUBLE) / count(energy_wh) AS avg_consumption_kwh,
    CAST(max(energy_wh) AS DOUBLE) / 1000 AS max_consumption_kwh,
    CAST(min(energy_wh) AS DOUBLE) / 1000 AS min_consumption_kwh,
    sqrt(${VARIANCE_KWH2}) AS std_consumption_kwh, count(energy_wh) AS count_readings,
    count(*) FILTER (WHERE label LIKE 'A%') AS count_anomalies,
    CASE WHEN count(label) > 0 THEN 100.0 * count(*)
      FILTER (WHERE label LIKE 'A%') / count(label) END AS anomaly_rate_pct
  FROM ${from} GROUP BY meter_key, channel, slot // 2`;
}
