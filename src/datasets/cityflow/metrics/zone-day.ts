import { known, mean, rounded, roundedOrNull, sum } from '../statistics.ts';
import type { TrafficState } from '../thresholds.ts';
import { STATES } from '../thresholds.ts';
import type { Zone } from '../zones.ts';
import { isSaturated } from './arc-day.ts';
import type { ArcHour, ArcMetrics, ArcPlace, DayFrame } from './arc-day.ts';

/** The road counts of a day by zone: a district, or the direction outside of them. */

/** One zone; sums are null where none of its arcs has a value. */
export interface ZoneOfRoads {
  /** `75011`, or `hors-sud-est`. */
  readonly zone: string;
  readonly nom: string;
  readonly troncons: number;
  /** Sum of the flows of its arcs: who passes several of them is counted at each. */
  readonly vehicules: number | null;
  /** Of all vehicles together. */
  readonly temps_perdu_minutes: number | null;
  /** Arcs whose dominant state is saturated or blocked. */
  readonly troncons_satures: number;
  /** Over all hours of all arcs that have an occupancy, %. */
  readonly taux_occupation_moyen: number | null;
  /** Mean occupancy of each hour of the day, %. */
  readonly taux_occupation_par_heure: readonly (number | null)[];
}

/**
 * A zone under the names that lists of segments had in the earlier system: its readers find each of
 * them.
 */
export interface CongestedZone {
  readonly date: string;
  /** The zone's id: `75011`, or `hors-sud-est`. */
  readonly identifiant_arc: string;
  /** Its name: `11e arrondissement`. */
  readonly libelle: string;
  /** Vehicles an hour, all segments together, over the hours with a flow. */
  readonly debit_horaire_moyen: number | null;
  readonly debit_journalier_total: number | null;
  /** Vehicles of the busiest hour, all segments together. */
  readonly debit_max: number | null;
  /** Mean of all hours of all segments with an occupancy, %. */
  readonly taux_occupation_moyen: number | null;
  /** That of most segments which have one, the more congested of equals. */
  readonly etat_trafic_dominant: TrafficState;
  /** Local start of the busiest hour. */
  readonly heure_pic: string | null;
  /** Per vehicle counted on a segment that has a lost time. */
  readonly temps_perdu_minutes: number | null;
  readonly temps_perdu_total_minutes: number;
  /** Any of its segments has an alert. */
  readonly congestion_alerte: boolean;
  /** Postcode; null outside the 20 districts. */
  readonly arrondissement: string | null;
  /** The mean of the places of its segments, "latitude, longitude". */
  readonly geo_point_2d: string | null;
  /** The direction outside the districts, else the zone's name. */
  readonly zone_fallback: string;
  readonly zone: string;
  readonly nombre_troncons: number;
  readonly nombre_troncons_satures: number;
}

/** A zone of the list that the earlier system sorted by vehicles. */
export interface BusyZone {
  /** The postcode, or the zone's name outside the districts. */
  readonly zone: string;
  readonly nombre_troncons: number;
  readonly total_vehicules: number;
  readonly temps_perdu_total_minutes: number | null;
  /** Segments whose dominant state is saturated or blocked. */
  readonly nombre_troncons_satures: number;
  /** 0–100: those over all segments of the zone. */
  readonly taux_saturation: number;
  readonly moyenne_vehicules_par_troncon: number;
  readonly top_troncons: readonly {
    readonly libelle: string;
    readonly debit_journalier_total: number;
    readonly etat_trafic: TrafficState;
  }[];
}

/** The segments of one zone, with their hours. */
export interface ZoneMembers {
  readonly zone: Zone;
  readonly arcs: readonly ArcMetrics[];
  readonly places: readonly ArcPlace[];
  readonly hours: readonly (readonly ArcHour[])[];
}

/** The segments of every zone, by the zone's id; segments without a place are in none. */
export function membersOfZones(
  arcs: readonly ArcMetrics[],
  places: readonly ArcPlace[],
  hours: readonly (readonly ArcHour[])[],
): ZoneMembers[] {
  const indexes = new Map<string, { zone: Zone; own: number[] }>();
  for (const [index, { zone }] of places.entries()) {
    if (zone === null) continue;
    const known_ = indexes.get(zone.id) ?? { zone, own: [] };
    known_.own.push(index);
    indexes.set(zone.id, known_);
  }
  return [...indexes.values()]
    .sort((a, b) => (a.zone.id < b.zone.id ? -1 : 1))
    .map(({ zone, own }) => ({
      zone,
      arcs: own.flatMap((index) => arcs[index] ?? []),
      places: own.flatMap((index) => places[index] ?? []),
      hours: own.map((index) => hours[index] ?? []),
    }));
}

/** Occupancies are means of the members' hours, each hour with the same weight. */
export function zoneOfRoads({ zone, arcs, hours }: ZoneMembers, frame: DayFrame): ZoneOfRoads {
  const occupancy = frame.hours.map((): number[] => []);
  for (const { hour, occupancy: own } of hours.flat()) if (own !== null) occupancy[hour]?.push(own);
  return {
    zone: zone.id,
    nom: zone.name,
    troncons: arcs.length,
    vehicules: totalOf(
      arcs.map((arc) => arc.debit_journalier_total),
      3,
    ),
    temps_perdu_minutes: totalOf(
      arcs.map((arc) => arc.temps_perdu_total_minutes),
      3,
    ),
    troncons_satures: saturatedOf(arcs),
    taux_occupation_moyen: roundedOrNull(mean(occupancy.flat()), 5),
    taux_occupation_par_heure: occupancy.map((values) => roundedOrNull(mean(values), 3)),
  };
}

const TOP = 10;
const TOP_OF_ZONE = 5;

/** The ten zones that lose the most time, most first; zones that lose none are not among them. */
export function mostCongested(members: readonly ZoneMembers[], frame: DayFrame): CongestedZone[] {
  return members
    .map((own) => congestedZone(own, frame))
    .filter((zone): zone is CongestedZone => zone !== null)
    .sort(
      (a, b) =>
        b.temps_perdu_total_minutes - a.temps_perdu_total_minutes ||
        (a.identifiant_arc < b.identifiant_arc ? -1 : 1),
    )
    .slice(0, TOP);
}

function congestedZone(members: ZoneMembers, frame: DayFrame): CongestedZone | null {
  const { zone, arcs, places } = members;
  const {
    vehicules,
    temps_perdu_minutes: lost,
    taux_occupation_moyen,
    troncons_satures,
  } = zoneOfRoads(members, frame);
  if (lost === null || lost === 0) return null;
  const slowed = arcs.filter(({ temps_perdu_total_minutes: own }) => own !== null);
  const counted = sum(known(slowed.map(({ debit_journalier_total: own }) => own)));
  const sector = places.find((place) => place.district === null)?.sector ?? null;
  return {
    date: frame.date,
    identifiant_arc: zone.id,
    libelle: zone.name,
    ...flowOfZone(members, frame),
    debit_journalier_total: vehicules,
    taux_occupation_moyen,
    etat_trafic_dominant: dominantOf(arcs),
    temps_perdu_minutes: counted === 0 ? null : rounded(lost / counted, 6),
    temps_perdu_total_minutes: lost,
    congestion_alerte: arcs.some(({ congestion_alerte: alert }) => alert),
    arrondissement: arcs[0]?.arrondissement ?? null,
    geo_point_2d: centreOf(places),
    zone_fallback: sector ?? zone.name,
    zone: zone.name,
    nombre_troncons: arcs.length,
    nombre_troncons_satures: troncons_satures,
  };
}

function flowOfZone(
  { hours }: ZoneMembers,
  frame: DayFrame,
): Pick<CongestedZone, 'debit_horaire_moyen' | 'debit_max' | 'heure_pic'> {
  const flows = frame.hours.map((): number[] => []);
  for (const { hour, flow } of hours.flat()) if (flow !== null) flows[hour]?.push(flow);
  const byHour = flows.map((values) => (values.length === 0 ? null : sum(values)));
  const present = known(byHour);
  const most = present.length === 0 ? null : Math.max(...present);
  return {
    debit_horaire_moyen: roundedOrNull(mean(present), 3),
    debit_max: roundedOrNull(most, 3),
    heure_pic: most === null ? null : (frame.hours[byHour.indexOf(most)] ?? null),
  };
}

function dominantOf(arcs: readonly ArcMetrics[]): TrafficState {
  let [best, most]: [TrafficState, number] = ['Inconnu', 0];
  for (const state of STATES.filter((one) => one !== 'Inconnu')) {
    const count = arcs.filter(({ etat_trafic_dominant: own }) => own === state).length;
    if (count > 0 && count >= most) [best, most] = [state, count];
  }
  return best;
}

function centreOf(places: readonly ArcPlace[]): string | null {
  const [lon, lat] = [
    mean(known(places.map((place) => place.lon))),
    mean(known(places.map((place) => place.lat))),
  ];
  return lon === null || lat === null ? null : `${rounded(lat, 6)}, ${rounded(lon, 6)}`;
}

/** The ten zones with the most vehicles, most first; zones without a flow are not among them. */
export function busiestZones(members: readonly ZoneMembers[], frame: DayFrame): BusyZone[] {
  return members
    .flatMap((own) => busyZone(own, frame) ?? [])
    .sort((a, b) => b.total_vehicules - a.total_vehicules || (a.zone < b.zone ? -1 : 1))
    .slice(0, TOP);
}

function busyZone(members: ZoneMembers, frame: DayFrame): BusyZone | null {
  const { zone, arcs } = members;
  const { vehicules, temps_perdu_minutes } = zoneOfRoads(members, frame);
  if (vehicules === null) return null;
  return {
    zone: arcs[0]?.arrondissement ?? zone.name,
    nombre_troncons: arcs.length,
    total_vehicules: vehicules,
    temps_perdu_total_minutes: temps_perdu_minutes,
    nombre_troncons_satures: saturatedOf(arcs),
    taux_saturation: rounded((saturatedOf(arcs) / arcs.length) * 100, 3),
    moyenne_vehicules_par_troncon: rounded(vehicules / arcs.length, 3),
    top_troncons: topBy(arcs, (arc) => arc.debit_journalier_total, TOP_OF_ZONE).map((arc) => ({
      libelle: arc.libelle ?? arc.identifiant_arc,
      debit_journalier_total: arc.debit_journalier_total ?? 0,
      etat_trafic: arc.etat_trafic_dominant,
    })),
  };
}

function saturatedOf(arcs: readonly ArcMetrics[]): number {
  return arcs.filter((arc) => isSaturated(arc.etat_trafic_dominant)).length;
}

/** The segments with the largest value, largest first; those without one are none of them. */
export function topBy(
  arcs: readonly ArcMetrics[],
  valueOf: (arc: ArcMetrics) => number | null,
  atMost = TOP,
): ArcMetrics[] {
  return arcs
    .filter((arc) => valueOf(arc) !== null)
    .sort(
      (a, b) =>
        (valueOf(b) ?? 0) - (valueOf(a) ?? 0) || (a.identifiant_arc < b.identifiant_arc ? -1 : 1),
    )
    .slice(0, atMost);
}

/** The sum of what is known; null when nothing is. */
export function totalOf(values: readonly (number | null)[], decimals: number): number | null {
  const present = known(values);
  return present.length === 0 ? null : rounded(sum(present), decimals);
}
