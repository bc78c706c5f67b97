import { quoteIdentifier, quoteText } from '../../kit/index.ts';
import type { MeasureName } from '../columns.ts';
import { COLUMN_OF } from '../columns.ts';
import { ZONE } from '../local-time.ts';
import { SOURCES } from '../metrics-model.ts';

/** What has peaks: load, each source, and what flows over the borders (positive is import). */
export const PEAK_QUANTITIES: readonly MeasureName[] = [
  'consommation',
  ...SOURCES,
  'ech_physiques',
];

/** The period of a row that tells of all years. */
export const ALL_TIME = 'all';

/** Instants have fewer seconds since 1970 than this until the year 2286. */
const SECONDS = '10000000000';

/**
 * The largest and the smallest value of each quantity with the first instant that has it, by civil
 * year of Paris and of all time. `instants` is how many values were looked at, `coverage` the part
 * of the whole period that they stand for.
 */
export function peaksSql(core: string, yearEnergies: string): string {
  const columns = PEAK_QUANTITIES.map(
    (name) => `CAST(${COLUMN_OF[name]} AS BIGINT) AS ${quoteIdentifier(name)}`,
  );
  const names = PEAK_QUANTITIES.map(quoteIdentifier).join(', ');
  // One key has the value and the instant: equal values are told apart by time, whatever the order
  // of the rows.
  const second = `CAST(epoch(instant_at) AS BIGINT)`;
  return `WITH instants AS (
      SELECT instant_at, CAST(year(timezone(${quoteText(ZONE)},
        instant_at)) AS VARCHAR) AS period, ${columns.join(', ')} FROM ${core}),
    known AS (UNPIVOT instants ON ${names} INTO NAME quantity VALUE mw),
    extremes AS (
      SELECT coalesce(period, ${quoteText(ALL_TIME)}) AS period, quantity, max(mw) AS peak_mw,
        arg_max(instant_at, mw * ${SECONDS} - ${second}) AS peak_at, min(mw) AS trough_mw,
        arg_min(instant_at, mw * ${SECONDS} + ${second}) AS trough_at, count(*) AS instants
      FROM known GROUP BY GROUPING SETS ((period, quantity), (quantity))),
    years AS (
      SELECT period, quantity, coverage, CAST(dayofyear(make_date(CAST(period AS INTEGER), 12,
        31)) AS INTEGER) AS days
      FROM ${yearEnergies}),
    coverages AS (
      SELECT coalesce(period, ${quoteText(ALL_TIME)}) AS period, quantity,
        CAST(round(CAST(sum(coverage * days) AS DOUBLE) / sum(days), 4) AS DOUBLE) AS coverage
      FROM years GROUP BY GROUPING SETS ((period, quantity), (quantity)))
    SELECT period, quantity, CAST(peak_mw AS INTEGER) AS peak_mw, peak_at,
      CAST(trough_mw AS INTEGER) AS trough_mw, trough_at,
      CAST(instants AS INTEGER) AS instants, coverage
    FROM extremes LEFT JOIN coverages USING (period, quantity) ORDER BY period, quantity`;
}
