import { datesOfMonth, forEachUnit, quoteList, utf8 } from '../../kit/index.ts';
import type { SqlSession, StepImplementation, StepUnit, UnitResult } from '../../kit/index.ts';
import { copyTable, inputOrEmpty, parquetOf, pathsOf } from '../tables.ts';
import { indicatorsOf } from './indicators.ts';
import type { Indicator } from './indicators.ts';

/**
 * `rollup/month`: a month of each meter, and of the fleet with its indicators. Estimates are in no
 * sum.
 */

/** A month of the fleet, or of a segment that could be published. */
export interface FleetMonth {
  readonly segment: string;
  readonly total_kwh: number;
  /** Over `days`. */
  readonly mean_day_kwh: number;
  /** Largest load of a half-hour, with its day and local hour; of several the first. */
  readonly peak_kwh: number;
  readonly peak_date: string;
  readonly peak_hour: number;
  /** Days with figures, of all of the month. */
  readonly days: number;
  readonly observed: number;
  readonly expected: number;
  readonly anomaly_count: number | null;
  /** Sum of the days that have an estimate; null without one. */
  readonly total_loss_estimate_kwh: number | null;
}

/** The document of a month. */
export interface MeterMonth {
  readonly month: string;
  readonly days_of_month: number;
  readonly metrics: readonly FleetMonth[];
  readonly indicators: readonly Indicator[];
}

/** A meter without a complete day has no mean day, and no ratio. */
export const rollupMonth: StepImplementation = {
  kind: 'sql',
  run: (task, sql) => forEachUnit(task, (unit) => monthOf(unit, sql)),
};

async function monthOf(unit: StepUnit, sql: SqlSession): Promise<UnitResult> {
  const days = datesOfMonth(unit.scope).length;
  const months = await copyTable(sql, monthsSql(unit, days), `months-${unit.scope}`);
  const month: MeterMonth = {
    month: unit.scope,
    days_of_month: days,
    metrics: await fleetMonths(sql, unit),
    indicators: await indicatorsOf(sql, unit),
  };
  return {
    scope: unit.scope,
    outputs: { months, fleet: { bytes: utf8(`${JSON.stringify(month)}\n`) } },
    checks: [],
    facts: { rows: months.rows, days: pathsOf(unit, 'daily').length },
  };
}

const MONTH_COLUMNS = { meter_key: 'UBIGINT', channel: 'VARCHAR', mean_day_wh: 'DECIMAL(18, 5)' };

/** Ratios are of the mean complete day, so that February is no drop. */
function monthsSql(unit: StepUnit, days: number): string {
  const ratio = (name: string): string =>
    `CAST(s.mean_day_wh AS DOUBLE) / nullif(CAST(${name}.mean_day_wh AS DOUBLE), 0)`;
  const join = (name: string): string =>
    `LEFT JOIN ${inputOrEmpty(unit, name, MONTH_COLUMNS)} ${name} ON s.meter_key = ${name}.meter_key
      AND s.channel = ${name}.channel`;
  return `
    WITH sums AS (SELECT meter_key, channel, CAST(sum(total_wh) AS DECIMAL(18, 5)) AS total_wh,
        CAST(sum(total_wh) FILTER (WHERE observed = expected) / nullif(count(*)
          FILTER (WHERE observed = expected), 0) AS DECIMAL(18, 5)) AS mean_day_wh,
        CAST(max(peak_wh) AS DECIMAL(12, 5)) AS peak_wh,
          arg_max(date, (peak_wh, -date_diff('day', DATE '2000-01-01', date))) AS peak_date,
        CAST(arg_max(peak_hour, (peak_wh,
          -date_diff('day', DATE '2000-01-01', date))) AS UTINYINT) AS peak_hour,
        CAST(count(*) AS UTINYINT) AS days,
        CAST(count(*) FILTER (WHERE observed = expected) AS UTINYINT) AS complete_days,
        CAST(sum(observed) AS INTEGER) AS observed, CAST(sum(estimated) AS INTEGER) AS estimated
      FROM ${parquetOf(pathsOf(unit, 'daily'))} GROUP BY meter_key, channel)
    SELECT '${unit.scope}' AS period, s.meter_key, s.channel, s.total_wh, s.mean_day_wh, s.peak_wh,
      s.peak_date, s.peak_hour, s.days, s.complete_days,
      CAST(${days} AS UTINYINT) AS days_of_month, s.observed,
      s.estimated, ${ratio('month_before')} AS ratio_month_before,
      ${ratio('year_before')} AS ratio_year_before
    FROM sums s ${join('month_before')} ${join('year_before')} ORDER BY s.meter_key, s.channel`;
}

function fleetMonths(sql: SqlSession, unit: StepUnit): Promise<FleetMonth[]> {
  const files = pathsOf(unit, 'fleet');
  if (files.length === 0) return Promise.resolve([]);
  const number = (name: string): string => `TRY_CAST(m->>'$.${name}' AS DOUBLE)`;
  // Sums of decimals are the same in whatever order they are added.
  const sum = (name: string): string =>
    `CAST(sum(TRY_CAST(m->>'$.${name}' AS DECIMAL(24, 8))) AS DOUBLE)`;
  const count = (name: string): string =>
    `CAST(sum(TRY_CAST(m->>'$.${name}' AS BIGINT)) AS BIGINT)`;
  const first = `(${number('peak_kwh')}, -date_diff('day', DATE '2000-01-01', date))`;
  return sql.rows<FleetMonth>(`
    WITH days AS (SELECT CAST(json->>'$.date' AS DATE) AS date,
      unnest(CAST(json->'$.metrics' AS JSON[])) AS m
      FROM read_json_objects(${quoteList(files)}, format = 'unstructured'))
    SELECT m->>'$.segment' AS segment, ${sum('total_kwh')} AS total_kwh, ${sum('total_kwh')} / count(*) AS mean_day_kwh,
      max(${number('peak_kwh')}) AS peak_kwh, arg_max(date, ${first}) AS peak_date,
      CAST(arg_max(${number('peak_hour')}, ${first}) AS INTEGER) AS peak_hour,
      count(*) AS days, ${count('observed')} AS observed,
      ${count('expected')} AS expected, ${count('anomaly_count')} AS anomaly_count, ${sum('total_loss_estimate_kwh')} AS total_loss_estimate_kwh
    FROM days GROUP BY segment ORDER BY segment <> 'fleet', segment`);
}
