import type { StepUnit } from '../../kit/index.ts';
import { columnsOfSide } from '../side/parts.ts';
import { inputOrEmpty } from '../tables.ts';
import { dailyWithoutHeld } from './without-held.ts';

/**
 * `mart_losses`: what a transformer was given, with what its meters gave back, less what they took.
 * Null where less than 98 % of either side is known: a ratio of half a sum says nothing.
 */

/**
 * Share of the injected energy that a low-voltage network of this kind is taken to lose by itself.
 */
export const TECHNICAL_LOSS = 0.06;
const LEAST_COVERAGE = 0.98;

/** One transformer on one day; energies in kWh. */
export interface LossRow {
  readonly transformer: string;
  /** That the list puts behind the transformer. */
  readonly meters: number;
  /** Part of the expected readings of its meters that came, 0–1. */
  readonly coverage: number;
  /** What the network gave to the transformer; null where nobody said. */
  readonly injected_kwh: number | null;
  readonly export_kwh: number;
  /** What the meters took. */
  readonly delivered_kwh: number;
  readonly loss_kwh: number | null;
  /** Loss over what came in from both sides, 0–1. */
  readonly loss_rate: number | null;
  /** `TECHNICAL_LOSS` of what was injected. */
  readonly technical_kwh: number | null;
  /** What neither meters nor technical losses explain. */
  readonly rest_kwh: number | null;
}

/**
 * One `LossRow` per transformer, and `largest_share`, 0–1: how much of its energy one of its meters
 * took.
 */
export function lossesSql(unit: StepUnit): string {
  const daily = dailyWithoutHeld(unit);
  const meters = inputOrEmpty(unit, 'meters', columnsOfSide('meters'));
  const injected = inputOrEmpty(unit, 'injected', columnsOfSide('injected'));
  const kwh = (wh: string): string => `CAST(${wh} AS DOUBLE) / 1000`;
  return `
    WITH own AS (SELECT m.transformer, m.meter_key, d.channel, d.total_wh,
      coalesce(d.observed, 0) AS observed, d.expected
        FROM ${meters} m LEFT JOIN ${daily} d USING (meter_key) WHERE m.transformer IS NOT NULL),
      sums AS (SELECT transformer, count(DISTINCT meter_key) AS meters,
          coalesce(sum(total_wh) FILTER (WHERE channel = 'import'), 0) AS delivered_wh,
          coalesce(sum(total_wh) FILTER (WHERE channel = 'export'), 0) AS export_wh,
          CAST(max(total_wh) FILTER (WHERE channel = 'import') AS DOUBLE)
            / nullif(CAST(sum(total_wh) FILTER (WHERE channel = 'import') AS DOUBLE),
              0) AS largest_share,
          CAST(coalesce(sum(observed) FILTER (WHERE channel = 'import'),
          0) AS DOUBLE) / (count(DISTINCT meter_key) * max(expected)) AS coverage
        FROM own GROUP BY transformer),
      known AS (SELECT s.*, i.injected_wh,
        coalesce(s.coverage, 0) >= ${LEAST_COVERAGE} AND i.injected_wh IS NOT NULL AS is_known
        FROM sums s LEFT JOIN ${injected} i USING (transformer)),
      lost AS (SELECT *, CASE WHEN is_known THEN injected_wh + export_wh
        - delivered_wh END AS loss_wh FROM known)
    SELECT transformer, meters, coalesce(coverage,
      0) AS coverage, ${kwh('injected_wh')} AS injected_kwh, ${kwh('export_wh')} AS export_kwh,
      ${kwh('delivered_wh')} AS delivered_kwh, ${kwh('loss_wh')} AS loss_kwh,
      CAST(loss_wh AS DOUBLE) / nullif(CAST(injected_wh + export_wh AS DOUBLE), 0) AS loss_rate,
      CASE WHEN is_known THEN ${TECHNICAL_LOSS} * ${kwh('injected_wh')} END AS technical_kwh,
      CASE WHEN is_known THEN ${kwh('loss_wh')} - ${TECHNICAL_LOSS} * ${kwh('injected_wh')} END AS rest_kwh,
      coalesce(largest_share, 0) AS largest_share
    FROM lost ORDER BY transformer`;
}
