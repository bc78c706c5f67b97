import { quoteTexts, weekdayOf } from '../../kit/index.ts';
import type { SqlSession, StepUnit } from '../../kit/index.ts';
import { kwhSql, VARIANCE_KWH2 } from '../exact.ts';
import { halfHoursOf } from '../readings/clock.ts';
import { lossEstimate } from './loss-estimate.ts';
import type { LossAbsence } from './loss-estimate.ts';
import { expectedFrom, hoursSql } from './members.ts';
import type { ExpectedFrom } from './members.ts';
import { BUCKET_WH } from './partial-sums.ts';
import { bucketsWithoutHeld, slotsWithoutHeld } from './without-held.ts';

/** Figures of the whole fleet and of its segments for one day. */

/**
 * A group is published from this many meters on, and when none of them has more than this share of
 * its energy.
 */
export const LEAST_METERS = 10;
/** Of the energy of the group, 0–1: above it the figure would be that of one household. */
export const LARGEST_SHARE = 0.5;

/** Withdrawn energy of one group on one day, under the names of the earlier mart. */
export interface ConsumptionMetrics {
  /** `fleet`, or the name of a segment. */
  readonly segment: string;
  readonly metric_date: string;
  readonly total_kwh: number;
  /** Mean, largest and variance (n − 1) of the load of the group in its intervals. */
  readonly avg_kwh: number;
  readonly peak_kwh: number;
  /** Local hour of the first interval with the largest load. */
  readonly peak_hour: number;
  /** kWh²; null for fewer than two intervals. */
  readonly consumption_variance: number | null;
  /** Meters with readings. */
  readonly meters: number;
  /**
   * Readings that came, beside those `expected`, of silent meters too where `expected_from` knows
   * them.
   */
  readonly observed: number;
  readonly expected: number;
  /** 0–1; null where silent meters are not known (`expected_from` is `reporting`). */
  readonly coverage: number | null;
  /** Readings with a published label of an anomaly; null where none is labelled. */
  readonly anomaly_count: number | null;
  readonly anomaly_rate_pct: number | null;
  /**
   * What meters under an open suspicion lack on a day, kWh; null without one, and without injected
   * energy.
   */
  readonly total_loss_estimate_kwh: number | null;
  /**
   * Where the meters are known from of which readings are expected; absent in earlier documents.
   */
  readonly expected_from?: ExpectedFrom;
  /** Why there is no estimate of losses, null where there is one; absent in earlier documents. */
  readonly loss_estimate_absent?: LossAbsence | null;
}

/**
 * `mart_consumption_metrics`: the fleet, and every segment that may be published; after
 * `fillMemberGroups`.
 */
export async function consumptionMetrics(
  sql: SqlSession,
  unit: StepUnit,
): Promise<ConsumptionMetrics[]> {
  const slots = slotsWithoutHeld(unit);
  const from = expectedFrom(unit);
  const losses = lossEstimate(unit);
  const rows = await sql.rows<ConsumptionMetrics & GroupSize>(`
    WITH loads AS (SELECT segment, slot, any_value(hour) AS hour, sum(total_wh) AS energy_wh,
      sum(anomalies) AS anomalies, sum(labelled) AS labelled
        FROM ${slots} WHERE channel = 'import' GROUP BY GROUPING SETS ((segment, slot), (slot))),
      people AS (SELECT segment, CAST(coalesce(sum(meters), 0) AS BIGINT) AS meters,
        CAST(sum(observed) AS BIGINT) AS observed,
          CAST(sum(members * expected) AS BIGINT) AS expected,
          CAST(max(largest_wh) AS DOUBLE) AS largest_wh, CAST(sum(total_wh) AS DOUBLE) AS group_wh
        FROM member_groups GROUP BY GROUPING SETS ((segment), ())),
      sums AS (SELECT segment, CAST(${kwhSql('sum(energy_wh)')} AS DOUBLE) AS total_kwh,
        CAST(${kwhSql('sum(energy_wh)')} AS DOUBLE) / count(energy_wh) AS avg_kwh,
          CAST(${kwhSql('max(energy_wh)')} AS DOUBLE) AS peak_kwh,
          CAST(arg_max(hour, (energy_wh, -slot)) AS INTEGER) AS peak_hour,
          ${VARIANCE_KWH2} AS consumption_variance,
          CASE WHEN sum(labelled) > 0 THEN CAST(sum(anomalies) AS INTEGER) END AS anomaly_count,
          CASE WHEN sum(labelled) > 0 THEN 100.0 * sum(anomalies) / sum(labelled) END AS anomaly_rate_pct FROM loads GROUP BY segment)
    SELECT coalesce(sums.segment, 'fleet') AS segment, '${unit.scope}' AS metric_date, total_kwh,
      avg_kwh, peak_kwh, peak_hour, consumption_variance,
      meters, observed,
      expected, ${from === 'reporting' ? 'NULL' : 'CAST(observed AS DOUBLE) / nullif(expected, 0)'} AS coverage,
      anomaly_count, anomaly_rate_pct, loss_kwh AS total_loss_estimate_kwh,
      '${from}' AS expected_from,
      CASE WHEN loss_kwh IS NULL THEN '${losses.absent}' END AS loss_estimate_absent,
      coalesce(largest_wh, 0) AS largest_wh, coalesce(group_wh, 0) AS group_wh
    FROM sums JOIN people ON sums.segment IS NOT DISTINCT FROM people.segment
      LEFT JOIN ${losses.table} lost ON sums.segment IS NOT DISTINCT FROM lost.segment
    ORDER BY sums.segment NULLS FIRST`);
  const [fleet, ...segments] = rows;
  const told = fleet === undefined ? [] : [fleet, ...publishable(segments)];
  return told.map(({ largest_wh: _largest, group_wh: _group, ...row }) => row);
}

/** Energies by which a group is judged, Wh. */
interface GroupSize {
  readonly meters: number;
  readonly largest_wh: number;
  readonly group_wh: number;
}

function isPublishable({ meters, largest_wh: largest, group_wh: sum }: GroupSize): boolean {
  return meters >= LEAST_METERS && largest <= LARGEST_SHARE * sum;
}

/**
 * The groups that may be told beside their sum. What is left of the sum is a group too, that
 * anybody can work out: where that one may not be told, the smallest of the others is kept back
 * with it.
 */
export function publishable<T extends GroupSize>(groups: readonly T[]): T[] {
  const [open, kept] = [
    groups.filter(isPublishable),
    groups.filter((group) => !isPublishable(group)),
  ];
  while (kept.length > 0 && open.length > 0 && !isPublishable(together(kept))) {
    const smallest = open.reduce((least, one) => (one.meters < least.meters ? one : least));
    kept.push(...open.splice(open.indexOf(smallest), 1));
  }
  return open;
}

function together(groups: readonly GroupSize[]): GroupSize {
  return {
    meters: groups.reduce((sum, { meters }) => sum + meters, 0),
    largest_wh: Math.max(...groups.map(({ largest_wh: wh }) => wh)),
    group_wh: groups.reduce((sum, { group_wh: wh }) => sum + wh, 0),
  };
}

/**
 * `mart_load_profile` of a day, by cohort and half-hour of the local clock: quantiles to 10 Wh, of
 * cohorts that may be published.
 */
export function profileSql(unit: StepUnit, cohorts: readonly string[]): string {
  const buckets = bucketsWithoutHeld(unit);
  const clock = halfHoursOf(unit.scope, 'Europe/Paris').map(
    ({ slot, halfHour }) => `(${slot}, ${halfHour})`,
  );
  const month = Number(unit.scope.slice(5, 7));
  const season = month >= 4 && month <= 9 ? 'summer' : 'winter';
  const dayType = [0, 6].includes(weekdayOf(unit.scope)) ? 'weekend' : 'weekday';
  const quantile = (share: number): string =>
    `CAST(${BUCKET_WH} * min(bucket) FILTER (WHERE running >= ${share} * n) AS INTEGER)`;
  return `
    WITH counts AS (SELECT segment, half_hour, bucket, sum(readings) AS readings,
      sum(total_wh) AS total_wh
        FROM ${buckets} JOIN (VALUES ${clock.join(', ')}) AS c(slot, half_hour) USING (slot)
        WHERE segment IN (${quoteTexts(cohorts.length === 0 ? [''] : cohorts)}) GROUP BY ALL),
      ranked AS (SELECT *, sum(readings) OVER (PARTITION BY segment, half_hour
        ORDER BY bucket) AS running,
          sum(readings) OVER (PARTITION BY segment, half_hour) AS n FROM counts)
    SELECT segment AS cohort, '${season}' AS season, '${dayType}' AS day_type, half_hour,
      CAST(any_value(n) AS BIGINT) AS n,
      CAST(sum(total_wh) AS DOUBLE) / any_value(n) AS mean_wh, ${quantile(0.1)} AS p10_wh, ${quantile(0.5)} AS p50_wh, ${quantile(0.9)} AS p90_wh
    FROM ranked GROUP BY segment, half_hour ORDER BY segment, half_hour`;
}

/** One local hour of one region; regions that may not be published, `unknown` too, are left out. */
export interface RegionHour {
  readonly region: string;
  readonly hour: number;
  /** Readings that came. */
  readonly observed: number;
  readonly expected: number;
}

/**
 * Readings that came, by region and local hour, beside those that were expected of the meters of
 * the region, also in hours of which nobody sent anything; after `fillMemberGroups`.
 */
export async function coverageByRegion(sql: SqlSession, unit: StepUnit): Promise<RegionHour[]> {
  return sql.rows<RegionHour>(`
    WITH regions AS (SELECT region FROM member_groups GROUP BY region
      HAVING sum(members) >= ${LEAST_METERS}
        AND coalesce(CAST(max(largest_wh) AS DOUBLE) / nullif(CAST(sum(total_wh) AS DOUBLE), 0),
          0) <= ${LARGEST_SHARE}),
      due AS (SELECT region, hour, sum(members * (times * 60 / step_min)) AS expected
        FROM member_groups JOIN ${hoursSql(unit)} ON clock.day_hours = expected * step_min // 60
          GROUP BY ALL),
      came AS (SELECT region, hour, sum(observed) AS observed FROM ${slotsWithoutHeld(unit)}
        WHERE channel = 'import' GROUP BY ALL)
    SELECT region, CAST(hour AS INTEGER) AS hour, CAST(coalesce(observed, 0) AS BIGINT) AS observed,
      CAST(round(expected) AS BIGINT) AS expected
    FROM due JOIN regions USING (region) LEFT JOIN came USING (region, hour) ORDER BY region,
      hour`);
}

/** The fleet in one half-hour. */
export interface SlotLoad {
  /** From 0, in the order in which they pass. */
  readonly slot: number;
  /** 0–23, local. */
  readonly hour: number;
  readonly import_kwh: number;
  readonly export_kwh: number;
  readonly observed: number;
}

/** The load of the fleet in every elapsed half-hour. */
export async function fleetLoad(sql: SqlSession, unit: StepUnit): Promise<SlotLoad[]> {
  const sum = (channel: string): string =>
    `CAST(${kwhSql(`coalesce(sum(total_wh) FILTER (WHERE channel = '${channel}'), 0)`)} AS DOUBLE)`;
  return sql.rows<SlotLoad>(`
    SELECT CAST(slot AS INTEGER) AS slot,
      CAST(any_value(hour) AS INTEGER) AS hour, ${sum('import')} AS import_kwh, ${sum('export')} AS export_kwh,
      CAST(sum(observed) FILTER (WHERE channel = 'import') AS BIGINT) AS observed
    FROM ${slotsWithoutHeld(unit)} GROUP BY slot ORDER BY slot`);
}
