import { mean, known, rounded, roundedOrNull, sum } from '../statistics.ts';
import type { Thresholds, TrafficState } from '../thresholds.ts';
import { stateOf, STATES } from '../thresholds.ts';
import type { Zone } from '../zones.ts';
import { lostMinutesPerVehicle } from './lost-time.ts';
import { nthOf } from '../../kit/index.ts';

/** One hour of one arc. */
export interface ArcHour {
  /** Hours since the start of the day. */
  readonly hour: number;
  /** Vehicles per hour. */
  readonly flow: number | null;
  /** Part of the hour in which a vehicle stood over the loop, %. */
  readonly occupancy: number | null;
}

/** Where an arc is and how long it is; null members are not known, and none is invented. */
export interface ArcPlace {
  readonly id: string;
  readonly label: string | null;
  /** Null: no geometry is known, so no lost time either. */
  readonly lengthM: number | null;
  readonly lon: number | null;
  readonly lat: number | null;
  readonly district: string | null;
  readonly sector: string | null;
  readonly zone: Zone | null;
}

/**
 * Raised by hours running above one occupancy, or by any hour above the critical one
 * (`THRESHOLDS`).
 */
export interface CongestionAlert {
  readonly severite: 'Élevée' | 'Critique';
  /** Greatest occupancy of the day, %. */
  readonly taux_occupation: number;
  /** Local start of the first hour that raised it. */
  readonly depuis: string;
  /** Longest run of hours from `alert_occupancy_pct` on; at least 1. */
  readonly heures: number;
}

/** Figures of one arc on one day, under the names that reports have published. */
export interface ArcMetrics {
  readonly date: string;
  readonly identifiant_arc: string;
  readonly libelle: string | null;
  /** Vehicles per hour over the hours with a flow. */
  readonly debit_horaire_moyen: number | null;
  readonly debit_journalier_total: number | null;
  readonly debit_max: number | null;
  /** Mean of the hours with an occupancy, %. */
  readonly taux_occupation_moyen: number | null;
  readonly taux_occupation_max: number | null;
  readonly etat_trafic_dominant: TrafficState;
  /** Local start of the hour with the greatest flow, the first of several. */
  readonly heure_pic: string | null;
  /** Per vehicle, weighted by flow. */
  readonly temps_perdu_minutes: number | null;
  readonly temps_perdu_total_minutes: number | null;
  readonly congestion_alerte: boolean;
  readonly alerte: CongestionAlert | null;
  /** Postcode, by point in polygon; null outside the 20 districts. */
  readonly arrondissement: string | null;
  readonly geo_point_2d: string | null;
  readonly zone_fallback: string | null;
  readonly zone: string | null;
  readonly longueur_metres: number | null;
  /** Hours with a flow, with an occupancy, and with either of them. */
  readonly heures_debit: number;
  readonly heures_occupation: number;
  readonly heures_observees: number;
  /** Bit i is set when hour i of the day has a value. */
  readonly masque_heures: number;
}

/** The hours that a day really has, 23, 24 or 25: index 0 is its first. */
export interface DayFrame {
  readonly date: string;
  /** Local start of each hour of the day. */
  readonly hours: readonly string[];
}

/**
 * Figures of an arc from its hours, in their order; each hour's own flow and occupancy, never means
 * of the day.
 */
export function arcMetrics(
  place: ArcPlace,
  hours: readonly ArcHour[],
  day: DayFrame,
  thresholds: Thresholds,
): ArcMetrics {
  const flows = known(hours.map(({ flow }) => flow));
  const occupancies = known(hours.map(({ occupancy }) => occupancy));
  const lost = lostTime(place, hours, thresholds);
  const alerte = alertOf(hours, day, thresholds);
  const peak = hours.reduce<ArcHour | null>(
    (best, hour) => (hour.flow !== null && hour.flow > (best?.flow ?? -1) ? hour : best),
    null,
  );
  return {
    date: day.date,
    identifiant_arc: place.id,
    libelle: place.label,
    debit_horaire_moyen: roundedOrNull(mean(flows), 3),
    debit_journalier_total: flows.length === 0 ? null : rounded(sum(flows), 3),
    debit_max: flows.length === 0 ? null : Math.max(...flows),
    taux_occupation_moyen: roundedOrNull(mean(occupancies), 5),
    taux_occupation_max: occupancies.length === 0 ? null : Math.max(...occupancies),
    etat_trafic_dominant: dominantState(hours, thresholds),
    heure_pic: peak === null ? null : (day.hours[peak.hour] ?? null),
    temps_perdu_minutes:
      lost === null || lost.vehicles === 0 ? null : rounded(lost.minutes / lost.vehicles, 6),
    temps_perdu_total_minutes: lost === null ? null : rounded(lost.minutes, 3),
    congestion_alerte: alerte !== null,
    alerte,
    arrondissement: place.district,
    geo_point_2d: place.lon === null || place.lat === null ? null : `${place.lat}, ${place.lon}`,
    zone_fallback: place.sector,
    zone: place.zone?.name ?? null,
    longueur_metres: place.lengthM,
    heures_debit: flows.length,
    heures_occupation: occupancies.length,
    heures_observees: hours.filter(isObserved).length,
    masque_heures: hours.filter(isObserved).reduce((mask, { hour }) => mask + 2 ** hour, 0),
  };
}

function isObserved({ flow, occupancy }: ArcHour): boolean {
  return flow !== null || occupancy !== null;
}

/** Over the hours that have flow and occupancy; null without length, or without such an hour. */
function lostTime(
  place: ArcPlace,
  hours: readonly ArcHour[],
  thresholds: Thresholds,
): { minutes: number; vehicles: number } | null {
  if (place.lengthM === null) return null;
  let minutes = 0;
  let vehicles = 0;
  let counted = 0;
  for (const { flow, occupancy } of hours) {
    if (flow === null || occupancy === null) continue;
    counted += 1;
    vehicles += flow;
    minutes += lostMinutesPerVehicle(place.lengthM, occupancy, thresholds) * flow;
  }
  return counted === 0 ? null : { minutes, vehicles };
}

/**
 * The state of most hours that have one, the more congested of equals; unknown only when no hour
 * has an occupancy.
 */
export function dominantState(hours: readonly ArcHour[], thresholds: Thresholds): TrafficState {
  const counts = new Map<TrafficState, number>();
  for (const { occupancy } of hours) {
    if (occupancy === null) continue;
    const state = stateOf(occupancy, thresholds);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  let best: TrafficState = 'Inconnu';
  for (const state of STATES) {
    const count = counts.get(state) ?? 0;
    if (count > 0 && count >= (counts.get(best) ?? 0)) best = state;
  }
  return best;
}

/** Blocked segments count as saturated ones. */
export function isSaturated(state: TrafficState): boolean {
  return state === 'Saturé' || state === 'Bloqué';
}

/**
 * Critical when any hour is; high when enough hours running are above the threshold. A missing hour
 * ends a run.
 */
function alertOf(
  hours: readonly ArcHour[],
  day: DayFrame,
  thresholds: Thresholds,
): CongestionAlert | null {
  let run: ArcHour[] = [];
  let raised: ArcHour[] = [];
  let longest = 0;
  for (const hour of hours) {
    const isHigh = hour.occupancy !== null && hour.occupancy >= thresholds.alert_occupancy_pct;
    const follows = run.length === 0 || run.at(-1)?.hour === hour.hour - 1;
    run = isHigh ? (follows ? [...run, hour] : [hour]) : [];
    longest = Math.max(longest, run.length);
    if (raised.length === 0 && run.length >= thresholds.alert_hours_running) raised = run;
  }
  const critical = hours.find(
    ({ occupancy }) => occupancy !== null && occupancy >= thresholds.critical_occupancy_pct,
  );
  const first = critical ?? raised[0];
  if (first === undefined) return null;
  return {
    severite: critical === undefined ? 'Élevée' : 'Critique',
    taux_occupation: Math.max(...known(hours.map(({ occupancy }) => occupancy))),
    depuis: nthOf(day.hours, first.hour),
    heures: Math.max(longest, 1),
  };
}
