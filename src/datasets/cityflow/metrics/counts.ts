import {
  dayByDay,
  dayOf,
  inputOf,
  jsonOutput,
  localHours,
  parquetSql,
  neededInput,
} from '../../kit/index.ts';
import type { SqlSession, StepUnit, UnitResult } from '../../kit/index.ts';
import { districtAt, lineLengthM, linesOfText, middleOf, sectorOf } from '../geometry.ts';
import { known, mean, percentile, rounded, roundedOrNull, sum } from '../statistics.ts';
import { stateOf, thresholdsOf } from '../thresholds.ts';
import type { Thresholds } from '../thresholds.ts';
import { DROPPED } from '../transform/counts.ts';
import { DistrictsCache } from '../transform/days.ts';
import type { NetworkArc } from '../transform/network.ts';
import { postcodeOf, zoneOf } from '../zones.ts';
import { arcMetrics, isSaturated } from './arc-day.ts';
import type { ArcHour, ArcMetrics, ArcPlace, CongestionAlert, DayFrame } from './arc-day.ts';
import {
  busiestZones,
  membersOfZones,
  mostCongested,
  topBy,
  totalOf,
  zoneOfRoads,
} from './zone-day.ts';
import type { BusyZone, CongestedZone, ZoneOfRoads } from './zone-day.ts';

/** `metrics/comptages`: the road counts of one whole day, per arc, per hour and per zone. */

/** One hour over all arcs. */
export interface HourOfRoads {
  /** Local start of the hour. */
  readonly heure: string;
  /** Sum of the flows; null without any. */
  readonly vehicules: number | null;
  /** Mean over the arcs that have an occupancy, %. */
  readonly taux_occupation_moyen: number | null;
  /** Arcs that are saturated or blocked in this hour. */
  readonly troncons_satures: number;
  /** Arcs with a flow or an occupancy in this hour. */
  readonly capteurs_observes: number;
}

/** Published rows by why they count for nothing. */
export interface DroppedRows {
  /** The row names no arc. */
  readonly sans_troncon: number;
  /** The time is not an hour of the day. */
  readonly hors_jour: number;
  /** Another row of the same arc and hour counts. */
  readonly en_double: number;
  /** At least one value was impossible and is left out. */
  readonly valeur_impossible: number;
}

/** The whole city in one line, under the names of the earlier system. */
export interface GlobalRoads {
  readonly date: string;
  readonly total_vehicules_jour: number | null;
  readonly moyenne_debit_par_troncon: number | null;
  readonly nombre_troncons_satures: number;
  /** 0–100: observed hours over expected ones. */
  readonly taux_disponibilite_capteurs: number;
  /** Minutes. */
  readonly temps_perdu_total_paris: number | null;
  readonly temps_perdu_total_heures: number | null;
  /** Segments with a flow or an occupancy. */
  readonly nombre_troncons_actifs: number;
  readonly debit_journalier_total: number | null;
  /** Mean of all hours with an occupancy, %. */
  readonly taux_occupation_moyen: number | null;
}

/** The published document. Times are lost against free traffic at `reference_speed_kmh`. */
export interface CountsMetrics {
  readonly schema: 'cityflow.comptages/2';
  readonly metric_type: 'comptages';
  readonly date: string;
  readonly hours: number;
  readonly coverage: {
    readonly troncons_vus: number;
    /** Of the network or seen on the day. */
    readonly troncons_attendus: number;
    readonly heures_attendues: number;
    readonly heures_observees: number;
    readonly heures_debit: number;
    readonly heures_occupation: number;
    /** Observed hours over expected ones, 0–1. */
    readonly taux: number;
    /** Arcs whose length comes from the network, from the counts' own geometry, or from nowhere. */
    readonly longueurs: {
      readonly referentiel: number;
      readonly comptages: number;
      readonly aucune: number;
    };
    readonly troncons_sans_zone: number;
    /** Published rows that count for nothing, or only in part, by why. */
    readonly lignes_ecartees: DroppedRows;
  };
  readonly totals: {
    readonly vehicules: number | null;
    readonly temps_perdu_minutes: number | null;
    readonly troncons_satures: number;
    readonly heures_par_etat: Readonly<Record<string, number>>;
  };
  readonly by_hour: readonly HourOfRoads[];
  readonly by_zone: readonly ZoneOfRoads[];
  /** Zones with more saturated segments than the threshold. */
  readonly zones_saturees: readonly string[];
  readonly alertes_debit: {
    readonly seuil_vehicules: number | null;
    readonly troncons: number;
    readonly top: readonly string[];
  };
  readonly global_metrics: GlobalRoads;
  /** The ten segments with the most vehicles. */
  readonly top_10_troncons: readonly ArcMetrics[];
  /** The ten segments that lose the most time. */
  readonly top_10_troncons_congestionnes: readonly ArcMetrics[];
  /** The ten zones that lose the most time. */
  readonly top_10_zones_congestionnees: readonly CongestedZone[];
  /** The ten zones with the most vehicles. */
  readonly top_zones_affluence: readonly BusyZone[];
  /** Every segment with an alert, by lost time, most first. */
  readonly alertes_congestion: readonly AlertedArc[];
  /** Every segment of the day, by id. */
  readonly metrics: readonly ArcMetrics[];
}

/** A segment with the severity of its alert. */
export interface AlertedArc extends ArcMetrics {
  readonly severite: CongestionAlert['severite'];
}

interface CountedArc {
  readonly arc_id: string;
  readonly label: string | null;
  readonly shape: string | null;
  readonly hours: string;
}

const districtsOf = new DistrictsCache();

/**
 * Reads a day's hours arc by arc, and measures lengths and zones by the network where there is one.
 */
export const metricsCounts = dayByDay(async (unit, task, sql) => {
  const metrics = await measure(unit, thresholdsOf(task.params), sql);
  return outcomeOf(metrics);
});

function outcomeOf(metrics: CountsMetrics): Omit<UnitResult, 'scope'> {
  return {
    outputs: { metrics: jsonOutput(metrics) },
    checks: [],
    facts: { coverage: metrics.coverage.taux, rows: metrics.metrics.length },
  };
}

async function measure(
  unit: StepUnit,
  thresholds: Thresholds,
  sql: SqlSession,
): Promise<CountsMetrics> {
  const day = dayOf(unit);
  const frame: DayFrame = { date: day.date, hours: localHours(day) };
  const network = await networkOf(sql, unit);
  const counted = await readArcs(sql, unit);
  const districts = await districtsOf.of(sql, unit);
  const lengths = { referentiel: 0, comptages: 0, aucune: 0 };
  const places = counted.map((arc): ArcPlace => {
    const onNetwork = network.get(arc.arc_id);
    if (onNetwork !== undefined && onNetwork.length_m > 0) {
      lengths.referentiel += 1;
      return placeOnNetwork(arc, onNetwork);
    }
    const lines = linesOfText(arc.shape);
    lengths[lines.length > 0 ? 'comptages' : 'aucune'] += 1;
    const middle = middleOf(lines);
    const district = districtAt(districts, middle);
    return placeOf(arc, {
      length: lines.length === 0 ? null : rounded(sum(lines.map(lineLengthM)), 3),
      ...{ lon: middle?.[0] ?? null, lat: middle?.[1] ?? null, district },
      sector: middle === null ? null : sectorOf(middle),
    });
  });
  const hours = counted.map(hoursOf);
  const arcs = places.map((place, index) =>
    arcMetrics(place, hours[index] ?? [], frame, thresholds),
  );
  return summarise({
    frame,
    arcs,
    places,
    hours,
    lengths,
    thresholds,
    expected: expectedArcs(network, counted),
    dropped: droppedRows(unit),
  });
}

/** What the step before recorded of rows that it did not take. */
function droppedRows(unit: StepUnit): DroppedRows {
  const facts = inputOf(unit, 'core')?.facts ?? {};
  const [nameless = 0, outside = 0, twins = 0, implausible = 0] = DROPPED.map((name) =>
    Number(facts[name] ?? 0),
  );
  return {
    sans_troncon: nameless,
    hors_jour: outside,
    en_double: twins,
    valeur_impossible: implausible,
  };
}

/** Network by the hash of its table: the days of a set share it. */
const networks = new Map<string, ReadonlyMap<string, NetworkArc>>();
const NETWORKS_KEPT = 4;

/**
 * The arcs by id; empty where the day has no network. The last networks are kept by the hash of
 * their table.
 */
export async function networkOf(
  sql: SqlSession,
  unit: StepUnit,
): Promise<ReadonlyMap<string, NetworkArc>> {
  const input = inputOf(unit, 'network');
  if (input === undefined) return new Map();
  const kept = networks.get(input.ref.sha256);
  if (kept !== undefined) return kept;
  const rows = await sql.rows<NetworkArc>(`SELECT * FROM ${parquetSql(input.path)}`);
  const network = new Map(rows.map((row) => [row.arc_id, row]));
  if (networks.size >= NETWORKS_KEPT) networks.clear();
  networks.set(input.ref.sha256, network);
  return network;
}

/**
 * One text per arc: an object for each of 72,000 rows would take longer than everything that is
 * computed from them. Its hours come in any order, because to order them here takes half of what
 * the engine would.
 */
async function readArcs(sql: SqlSession, unit: StepUnit): Promise<CountedArc[]> {
  const [core, arcs] = [neededInput(unit, 'core').path, neededInput(unit, 'arcs').path];
  const triple = `'[' || hour || ',' || coalesce(flow_vehicles::VARCHAR, 'null') || ',' ||
    coalesce(occupancy_pct::VARCHAR, 'null') || ']'`;
  return sql.rows<CountedArc>(`SELECT arc_id, label, shape, hours FROM
      (SELECT arc_id, string_agg(${triple}, ',') AS hours FROM ${parquetSql(core)} GROUP BY arc_id)
      JOIN ${parquetSql(arcs)} USING (arc_id) ORDER BY arc_id`);
}

function hoursOf({ hours }: CountedArc): ArcHour[] {
  const triples = JSON.parse(`[${hours}]`) as readonly (readonly [
    number,
    number | null,
    number | null,
  ])[];
  const inAnyOrder = triples.map(([hour, flow, occupancy]) => ({ hour, flow, occupancy }));
  return inAnyOrder.sort((a, b) => a.hour - b.hour);
}

function placeOnNetwork(arc: CountedArc, known_: NetworkArc): ArcPlace {
  const { length_m: length, lon, lat, district, sector } = known_;
  return placeOf(
    { ...arc, label: arc.label ?? known_.label },
    { length, lon, lat, district, sector },
  );
}

interface Situation {
  readonly length: number | null;
  readonly lon: number | null;
  readonly lat: number | null;
  readonly district: number | null;
  readonly sector: string | null;
}

function placeOf(
  { arc_id: id, label }: Pick<CountedArc, 'arc_id' | 'label'>,
  { length, lon, lat, district, sector }: Situation,
): ArcPlace {
  const postcode = district === null ? null : postcodeOf(district);
  return {
    id,
    label,
    lengthM: length,
    lon,
    lat,
    district: postcode,
    sector,
    zone: zoneOf(district, sector),
  };
}

/** Arcs of which hours are expected: open ones of the network, and those that were counted. */
function expectedArcs(
  network: ReadonlyMap<string, NetworkArc>,
  counted: readonly CountedArc[],
): number {
  const seen = new Set(counted.map(({ arc_id }) => arc_id));
  return (
    seen.size +
    [...network.values()].filter(({ arc_id, is_open }) => is_open && !seen.has(arc_id)).length
  );
}

interface Summary {
  readonly frame: DayFrame;
  readonly arcs: readonly ArcMetrics[];
  readonly places: readonly ArcPlace[];
  readonly hours: readonly (readonly ArcHour[])[];
  readonly lengths: CountsMetrics['coverage']['longueurs'];
  readonly thresholds: Thresholds;
  readonly expected: number;
  readonly dropped: DroppedRows;
}

function summarise(summary: Summary): CountsMetrics {
  const { frame, arcs, places, hours, thresholds, expected } = summary;
  const observed = sum(arcs.map(({ heures_observees: own }) => own));
  const members = membersOfZones(arcs, places, hours);
  const byZone = members.map((own) => zoneOfRoads(own, frame));
  const states = hours.flat().map(({ occupancy }) => stateOf(occupancy, thresholds));
  return {
    schema: 'cityflow.comptages/2',
    metric_type: 'comptages',
    date: frame.date,
    hours: frame.hours.length,
    coverage: {
      troncons_vus: arcs.length,
      troncons_attendus: expected,
      heures_attendues: expected * frame.hours.length,
      heures_observees: observed,
      heures_debit: sum(arcs.map(({ heures_debit: own }) => own)),
      heures_occupation: sum(arcs.map(({ heures_occupation: own }) => own)),
      taux: expected === 0 ? 0 : rounded(observed / (expected * frame.hours.length), 6),
      longueurs: summary.lengths,
      troncons_sans_zone: places.filter(({ zone }) => zone === null).length,
      lignes_ecartees: summary.dropped,
    },
    totals: {
      vehicules: totalOf(
        arcs.map((arc) => arc.debit_journalier_total),
        3,
      ),
      temps_perdu_minutes: totalOf(
        arcs.map((arc) => arc.temps_perdu_total_minutes),
        3,
      ),
      troncons_satures: arcs.filter((arc) => isSaturated(arc.etat_trafic_dominant)).length,
      heures_par_etat: countsOf(states),
    },
    by_hour: frame.hours.map((heure, hour) => hourOf(heure, hour, hours, thresholds)),
    by_zone: byZone,
    zones_saturees: byZone
      .filter((zone) => zone.troncons_satures > thresholds.zone_saturated_segments)
      .map(({ zone }) => zone),
    alertes_debit: flowAlerts(arcs, hours, thresholds),
    global_metrics: globalRoads(summary, observed),
    top_10_troncons: topBy(arcs, (arc) => arc.debit_journalier_total),
    top_10_troncons_congestionnes: topBy(arcs, (arc) =>
      arc.temps_perdu_total_minutes === 0 ? null : arc.temps_perdu_total_minutes,
    ),
    top_10_zones_congestionnees: mostCongested(members, frame),
    top_zones_affluence: busiestZones(members, frame),
    alertes_congestion: alertsOf(arcs),
    metrics: arcs,
  };
}

function globalRoads({ frame, arcs, hours, expected }: Summary, observed: number): GlobalRoads {
  const vehicles = totalOf(
    arcs.map((arc) => arc.debit_journalier_total),
    3,
  );
  const lost = totalOf(
    arcs.map((arc) => arc.temps_perdu_total_minutes),
    3,
  );
  const counted = arcs.filter(({ debit_journalier_total: own }) => own !== null).length;
  const occupancies = known(hours.flat().map(({ occupancy }) => occupancy));
  const share = expected === 0 ? 0 : observed / (expected * frame.hours.length);
  return {
    date: frame.date,
    total_vehicules_jour: vehicles,
    moyenne_debit_par_troncon: vehicles === null ? null : rounded(vehicles / counted, 3),
    nombre_troncons_satures: arcs.filter((arc) => isSaturated(arc.etat_trafic_dominant)).length,
    taux_disponibilite_capteurs: rounded(share * 100, 4),
    temps_perdu_total_paris: lost,
    temps_perdu_total_heures: lost === null ? null : rounded(lost / 60, 3),
    nombre_troncons_actifs: arcs.filter(({ heures_observees: own }) => own > 0).length,
    debit_journalier_total: vehicles,
    taux_occupation_moyen: roundedOrNull(mean(occupancies), 5),
  };
}

function alertsOf(arcs: readonly ArcMetrics[]): AlertedArc[] {
  return arcs
    .flatMap((arc) => (arc.alerte === null ? [] : [{ ...arc, severite: arc.alerte.severite }]))
    .sort(
      (a, b) =>
        (b.temps_perdu_total_minutes ?? 0) - (a.temps_perdu_total_minutes ?? 0) ||
        (a.identifiant_arc < b.identifiant_arc ? -1 : 1),
    );
}

function countsOf(states: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {
    Inconnu: 0,
    Fluide: 0,
    'Pré-saturé': 0,
    Saturé: 0,
    Bloqué: 0,
  };
  for (const state of states) counts[state] = (counts[state] ?? 0) + 1;
  return counts;
}

function hourOf(
  heure: string,
  hour: number,
  hours: readonly (readonly ArcHour[])[],
  thresholds: Thresholds,
): HourOfRoads {
  const own = hours.flatMap((list) => list.find((one) => one.hour === hour) ?? []);
  const occupancies = known(own.map(({ occupancy }) => occupancy));
  return {
    heure,
    vehicules: totalOf(
      own.map(({ flow }) => flow),
      3,
    ),
    taux_occupation_moyen: roundedOrNull(mean(occupancies), 5),
    troncons_satures: occupancies.filter((occupancy) => isSaturated(stateOf(occupancy, thresholds)))
      .length,
    capteurs_observes: own.filter(({ flow, occupancy }) => flow !== null || occupancy !== null)
      .length,
  };
}

const FLOW_ALERTS_LISTED = 20;

/** Arcs with an hour above the percentile of all hourly flows of the day. */
function flowAlerts(
  arcs: readonly ArcMetrics[],
  hours: readonly (readonly ArcHour[])[],
  thresholds: Thresholds,
): CountsMetrics['alertes_debit'] {
  const limit = percentile(
    known(hours.flat().map(({ flow }) => flow)),
    thresholds.flow_alert_percentile,
  );
  const above =
    limit === null ? [] : arcs.filter(({ debit_max: max }) => max !== null && max > limit);
  const sorted = [...above].sort(
    (a, b) =>
      (b.debit_max ?? 0) - (a.debit_max ?? 0) || (a.identifiant_arc < b.identifiant_arc ? -1 : 1),
  );
  return {
    seuil_vehicules: roundedOrNull(limit, 3),
    troncons: above.length,
    top: sorted.slice(0, FLOW_ALERTS_LISTED).map(({ identifiant_arc: id }) => id),
  };
}
