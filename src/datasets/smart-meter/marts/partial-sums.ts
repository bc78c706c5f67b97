import type { SqlSession } from '../../kit/index.ts';

/**
 * What the fleet is added up from, part by part of its meters: sums by group and interval, and how
 * often which energy was measured. Sums of parts are the sum of the whole, whatever the parts are.
 */

/**
 * Energies of a profile are told to this many Wh: quantiles of millions of readings from counts.
 */
export const BUCKET_WH = 10;

/**
 * `places`: each group that a meter of the list is of (`segment`, `region`), `unknown` too, with
 * its number and that of its segment; `placed`: the numbers of each meter. Readings are added up by
 * numbers and the sums have the texts: half of what it costs to group millions of rows by texts.
 */
export async function fillPlaces(sql: SqlSession, meters: string): Promise<void> {
  const group = `coalesce(segment, 'unknown') AS segment, coalesce(region, 'unknown') AS region`;
  await sql.run(`CREATE OR REPLACE TEMP TABLE places AS
    SELECT CAST(row_number() OVER (ORDER BY segment, region) AS UINTEGER) AS place,
      CAST(dense_rank() OVER (ORDER BY segment) AS UINTEGER) AS part, segment, region
    FROM (SELECT ${group} FROM ${meters} UNION SELECT 'unknown', 'unknown')`);
  await sql.run(`CREATE OR REPLACE TEMP TABLE placed AS
    SELECT meter_key, place, part FROM (SELECT meter_key, ${group} FROM ${meters})
      JOIN places USING (segment, region)`);
}

const OF_METER = (from: string): string =>
  `${from} r LEFT JOIN placed m ON r.meter_key = m.meter_key`;

/** The number of meters that no list tells of. */
const UNKNOWN = (number: 'place' | 'part'): string =>
  `(SELECT ${number} FROM places WHERE segment = 'unknown' AND region = 'unknown')`;

/** By segment, region and elapsed half-hour; after `fillPlaces`. */
export function slotsSql(from: string): string {
  return `WITH sums AS (SELECT r.channel, coalesce(m.place, ${UNKNOWN('place')}) AS place, r.slot,
    min(r.hour) AS hour, sum(r.energy_wh) AS total_wh,
        count(r.energy_wh) AS observed, count(*) FILTER (WHERE label LIKE 'A%') AS anomalies,
        count(label) AS labelled
      FROM ${OF_METER(from)} GROUP BY ALL)
    SELECT channel, segment, region, slot, hour, CAST(total_wh AS DECIMAL(24, 5)) AS total_wh,
      CAST(observed AS INTEGER) AS observed,
      CAST(anomalies AS INTEGER) AS anomalies, CAST(labelled AS INTEGER) AS labelled
    FROM sums JOIN places USING (place) ORDER BY channel, segment, region, slot`;
}

/** By segment, elapsed half-hour and energy rounded down to `BUCKET_WH`; after `fillPlaces`. */
export function bucketsSql(from: string): string {
  return `WITH sums AS (SELECT coalesce(m.part, ${UNKNOWN('part')}) AS part, r.slot,
    CAST(r.energy_wh // ${BUCKET_WH} AS INTEGER) AS bucket,
        count(*) AS readings, sum(r.energy_wh) AS total_wh
      FROM ${OF_METER(from)} WHERE r.channel = 'import' AND r.energy_wh IS NOT NULL GROUP BY ALL)
    SELECT segment, slot, bucket, CAST(readings AS INTEGER) AS readings,
      CAST(total_wh AS DECIMAL(24, 5)) AS total_wh
    FROM sums JOIN (SELECT DISTINCT part, segment FROM places) USING (part) ORDER BY segment, slot,
      bucket`;
}
