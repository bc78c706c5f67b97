import type { JsonObject } from '../../kit/index.ts';

/**
 * Limits of the studies over many days, apart from `THRESHOLDS`: they are parameters of the steps
 * below `studies/` alone, so that a new one changes no key of the sections of the report.
 */
export const STUDY_LIMITS = {
  /** A peak hour has more than this share of the mean of the 24 hourly means, %. */
  peak_hour_pct: 120,
  /** A cycling corridor has a mean daily flow above this percentile of all counters. */
  corridor_percentile: 75,
  /** A congested hour of a counter is above this share of the counter's own mean, %. */
  bike_congestion_pct: 150,
  /**
   * A counter of low activity has less than this share of the median of all mean daily flows, %.
   */
  low_activity_pct: 20,
  /** A counter without any value for more than this many hours, up to the end of the day, fails. */
  failing_counter_hours: 24,
  /** An anomaly is further than this many standard deviations from the counter's own mean. */
  counter_anomaly_z: 3,
  /** No correlation is told of fewer days. */
  correlation_least_days: 20,
  /** Nor of a quantity that is published by the quarter, of fewer quarters. */
  correlation_least_quarters: 4,
} as const;

/** Limits as a step was given them. */
export type StudyLimits = { readonly [Name in keyof typeof STUDY_LIMITS]: number };

/** The limits that a step was given; what its parameters leave out has the value above. */
export function studyLimits(params: JsonObject): StudyLimits {
  const given = params['thresholds'];
  const named =
    typeof given === 'object' && given !== null && !Array.isArray(given)
      ? (given as JsonObject)
      : {};
  const entries = Object.entries(STUDY_LIMITS).map(([name, value]) => {
    const own = named[name];
    return [name, typeof own === 'number' ? own : value] as const;
  });
  return Object.fromEntries(entries) as StudyLimits;
}
