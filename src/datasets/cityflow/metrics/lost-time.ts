import type { Thresholds } from '../thresholds.ts';

/**
 * Speed in km/h that an occupancy means for lost time: 50, slowed to 40 and 30, and 20 where
 * traffic crawls.
 */
export function speedKmh(occupancyPct: number, thresholds: Thresholds): number {
  const reference = thresholds.reference_speed_kmh;
  if (occupancyPct >= thresholds.crawling_from_occupancy_pct) return thresholds.crawling_speed_kmh;
  if (occupancyPct >= thresholds.jammed_from_occupancy_pct)
    return reference * thresholds.jammed_factor;
  return occupancyPct >= thresholds.slowed_from_occupancy_pct
    ? reference * thresholds.slowed_factor
    : reference;
}

/**
 * Minutes that a vehicle loses on a segment of `lengthM` metres against the reference speed:
 * `max(0, L/v·60 − L/v_ref·60)`.
 */
export function lostMinutesPerVehicle(
  lengthM: number,
  occupancyPct: number,
  thresholds: Thresholds,
): number {
  const km = lengthM / 1000;
  return Math.max(
    0,
    (km / speedKmh(occupancyPct, thresholds)) * 60 - (km / thresholds.reference_speed_kmh) * 60,
  );
}
