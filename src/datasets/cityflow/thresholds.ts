import type { JsonObject } from '../kit/index.ts';

/**
 * Every limit that a judgement of the pipeline hangs on. They are parameters of the steps that use
 * them: part of the step key, printed in the report, and replaced by the configuration.
 */
export const THRESHOLDS = {
  /**
   * Occupancy in % from which a segment is dense, saturated and blocked (Ville de Paris, notice of
   * 2019-06-07).
   */
  dense_occupancy_pct: 15,
  saturated_occupancy_pct: 30,
  blocked_occupancy_pct: 50,
  /**
   * Lost time compares with this speed; from each occupancy on, traffic runs at a share of it, and
   * from the last on at a fixed speed.
   */
  reference_speed_kmh: 50,
  slowed_from_occupancy_pct: 30,
  slowed_factor: 0.8,
  jammed_from_occupancy_pct: 50,
  jammed_factor: 0.6,
  crawling_from_occupancy_pct: 70,
  crawling_speed_kmh: 20,
  /**
   * A congestion alert: this occupancy for this many hours running, or the critical one in any
   * hour.
   */
  alert_occupancy_pct: 50,
  alert_hours_running: 2,
  critical_occupancy_pct: 80,
  /**
   * A zone is listed from more than this many segments whose dominant state is saturated or
   * blocked.
   */
  zone_saturated_segments: 5,
  /** Flow alerts: hours above this percentile of all hourly flows of the day. */
  flow_alert_percentile: 95,
  /** A bike counter with more than this many equal non-zero hours running is stuck. */
  bike_equal_hours: 12,
  /**
   * Daytime of a bike counter, hours of the local clock `[from, to)`: all zero there is a failure.
   */
  bike_daytime_from_hour: 7,
  bike_daytime_to_hour: 21,
  /** Bikes of a day that make the frequentation index 100. */
  bike_index_full: 100_000,
  /**
   * A counter whose peak hour is above this many bikes is congested; a corridor has at least this
   * many counters on one street.
   */
  bike_congestion_per_hour: 400,
  bike_corridor_counters: 2,
  /**
   * An anomaly is further than this many standard deviations from the same weekday and hour of the
   * days before.
   */
  anomaly_z: 3,
  disruption_critical_priority: 50,
  disruption_high_priority: 30,
  disruption_medium_priority: 15,
  disruptions_at_once: 5,
  /**
   * Metro service of a civil day, local clock: from the first hour to midnight, and after midnight
   * to the second.
   */
  metro_lines: 14,
  metro_opens_minute: 330,
  metro_closes_minute: 75,
  rain_mm: 5,
  wind_kmh: 30,
  cold_c: 10,
  hot_c: 25,
  roadworks_critical: 3,
  roadworks_horizon_days: 7,
  /** Hours without any value after which a sensor is silent, and long silent. */
  sensor_silent_hours: 6,
  sensor_long_silent_hours: 24,
  correlation_days: 14,
  /**
   * Below this share of expected hours a section is degraded: closed sensors stay in the network,
   * so roads never come near 1.
   */
  roads_least_coverage: 0.5,
  bikes_least_coverage: 0.8,
} as const;

/** All limits as numbers, as a step was given them; units are in the names. */
export type Thresholds = { readonly [Name in keyof typeof THRESHOLDS]: number };

/** The thresholds that a step was given; what its parameters leave out has the value above. */
export function thresholdsOf(params: JsonObject): Thresholds {
  const given = params['thresholds'];
  const named =
    typeof given === 'object' && given !== null && !Array.isArray(given)
      ? (given as JsonObject)
      : {};
  const entries = Object.entries(THRESHOLDS).map(([name, value]) => {
    const own = named[name];
    return [name, typeof own === 'number' ? own : value] as const;
  });
  return Object.fromEntries(entries) as Thresholds;
}

/**
 * Traffic states of an hour or a day, from the least to the most congested, in the publisher's
 * words.
 */
export const STATES = ['Inconnu', 'Fluide', 'Pré-saturé', 'Saturé', 'Bloqué'] as const;
/** Of an arc and hour, or the dominant one of a day. */
export type TrafficState = (typeof STATES)[number];

/**
 * The state that an occupancy (%) means: k < 15 fluid, < 30 dense, < 50 saturated, from 50 on
 * blocked, null unknown.
 */
export function stateOf(occupancyPct: number | null, thresholds: Thresholds): TrafficState {
  if (occupancyPct === null) return 'Inconnu';
  if (occupancyPct < thresholds.dense_occupancy_pct) return 'Fluide';
  if (occupancyPct < thresholds.saturated_occupancy_pct) return 'Pré-saturé';
  return occupancyPct < thresholds.blocked_occupancy_pct ? 'Saturé' : 'Bloqué';
}

/** The same as SQL, giving the place in `STATES`. */
export function stateSql(occupancy: string, thresholds: Thresholds): string {
  return `CASE WHEN ${occupancy} IS NULL THEN 0
    WHEN ${occupancy} < ${thresholds.dense_occupancy_pct} THEN 1
    WHEN ${occupancy} < ${thresholds.saturated_occupancy_pct} THEN 2
    WHEN ${occupancy} < ${thresholds.blocked_occupancy_pct} THEN 3 ELSE 4 END`;
}
