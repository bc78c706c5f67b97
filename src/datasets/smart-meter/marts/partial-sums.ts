/**
 * What the fleet is added up from, part by part of its meters: sums by group and interval, and how often which energy was measured. Sums of parts are the sum
 * of the whole, whatever the parts are.
 */

/** Energies of a profile are told to this many Wh: quantiles of millions of readings from counts. */
export const BUCKET_WH = 10;

const OF_METER = (from: string, meters: string): string =>
  `${from} r LEFT JOIN ${meters} m ON r.meter_key = m.meter_key`;

const GROUP = `coalesce(m.segment, 'unknown') AS segment, coalesce(m.region, 'unknown') AS region`;

/** By segment, region and elapsed half-hour. */
export function slotsSql(from: string, meters: string): string {
  return `SELECT r.channel, ${GROUP}, r.slot, any_value(r.hour) AS hour, CAST(sum(r.energy_wh) AS DECIMAL(24, 5)) AS total_wh,
      CAST(count(r.energy_wh) AS INTEGER) AS observed, CAST(count(*) FILTER (WHERE label LIKE 'A%') AS INTEGER) AS anomalies,
      CAST(count(label) AS INTEGER) AS labelled
    FROM ${OF_METER(from, meters)} GROUP BY ALL ORDER BY channel, segment, region, slot`;
}

/** By segment, elapsed half-hour and energy rounded down to `BUCKET_WH`. */
export function bucketsSql(from: string, meters: string): string {
  return `SELECT coalesce(m.segment, 'unknown') AS segment, r.slot, CAST(r.energy_wh // ${BUCKET_WH} AS INTEGER) AS bucket,
      CAST(count(*) AS INTEGER) AS readings, CAST(sum(r.energy_wh) AS DECIMAL(24, 5)) AS total_wh
    FROM ${OF_METER(from, meters)} WHERE r.channel = 'import' AND r.energy_wh IS NOT NULL GROUP BY ALL ORDER BY segment, slot, bucket`;
}
