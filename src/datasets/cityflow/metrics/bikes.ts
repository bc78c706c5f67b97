import {
  clockHours,
  dayByDay,
  dayOf,
  jsonOutput,
  localHours,
  parquetSql,
  neededInput,
} from '../../kit/index.ts';
import type { ZonedDay } from '../../kit/index.ts';
import { clamp, known, mean, rounded, sum } from '../statistics.ts';
import { thresholdsOf } from '../thresholds.ts';
import type { Thresholds } from '../thresholds.ts';
import type { BikeHour } from '../transform/bikes.ts';
import { postcodeOf } from '../zones.ts';

/** `metrics/bikes`: the bike counters of one whole day. */

/**
 * No value at all, nothing but zeros in daytime, or one non-zero value for too many hours running.
 */
export type BikeFailure = 'aucune donnée' | 'nul en journée' | 'valeur bloquée';

/**
 * Figures of one counter on one day. Its first nine members have the names, types and scales of the
 * earlier system.
 */
export interface CounterMetrics {
  /** The start of the day, an instant in UTC: `2025-11-03T23:00:00+00:00`. */
  readonly date: string;
  readonly id_compteur: string;
  readonly nom_compteur: string | null;
  readonly total_jour: number | null;
  /** Over the real hours of the day: 23, 24 or 25. */
  readonly moyenne_horaire: number | null;
  /** The hour with the most bikes, 0–23 of the local clock; the first of several. */
  readonly pic_horaire: number | null;
  /** Postcode by point in polygon, or null. */
  readonly arrondissement: string | null;
  readonly coordinates: { readonly lon: number; readonly lat: number } | null;
  /** An hour of the day stands out from the hours before and after it: see `isAnomalous`. */
  readonly anomalie_detectee: boolean;
  /** The civil date. */
  readonly jour: string;
  /** Local start of the hour with the most bikes. */
  readonly heure_pic: string | null;
  /** Bikes of that hour. */
  readonly maximum_horaire: number | null;
  readonly heures_observees: number;
  readonly defaillance: BikeFailure | null;
  readonly congestion: boolean;
  /** Bikes of each hour of the day. */
  readonly par_heure: readonly (number | null)[];
}

/** A street with several counters. */
export interface Corridor {
  /** The street without number and direction. */
  readonly voie: string;
  readonly compteurs: number;
  /** Bikes of the day, all of its counters together. */
  readonly total_jour: number;
}

/** The published document; counts are bikes, and null where no counter had a value. */
export interface BikesMetrics {
  readonly schema: 'cityflow.bikes/2';
  readonly metric_type: 'bikes';
  readonly date: string;
  readonly hours: number;
  readonly coverage: {
    readonly compteurs: number;
    readonly heures_attendues: number;
    readonly heures_observees: number;
    readonly taux: number;
  };
  /** Also of counters that fail: what they counted is counted. */
  readonly total_velos: number | null;
  /** 0–100: the total as a share of `bike_index_full`, 100 from there on. */
  readonly frequentation_index: number | null;
  /** Local starts of the three busiest hours, busiest first. */
  readonly heures_pointe: readonly string[];
  /** One total for each hour of the day. */
  readonly by_hour: readonly (number | null)[];
  /** Ids of the counters that do not work. */
  readonly failing_sensors: readonly string[];
  /** The same counters with why, and with what they counted all the same. */
  readonly compteurs_defaillants: readonly FailingCounter[];
  /** The working counters with an hour that stands out. */
  readonly anomalies: readonly CounterMetrics[];
  /** The ten working counters with the most bikes, most first. */
  readonly top_counters: readonly CounterMetrics[];
  /** Ten counters of each district. */
  readonly top_par_arrondissement: Readonly<Record<string, readonly string[]>>;
  /** Ids of the counters with an hour above `bike_congestion_per_hour`, most bikes first. */
  readonly compteurs_congestionnes: readonly string[];
  /** The ten streets with the most bikes. */
  readonly corridors: readonly Corridor[];
  /** The counters that work, by id. */
  readonly metrics: readonly CounterMetrics[];
}

/** A counter that does not work, with the reason. */
export interface FailingCounter extends CounterMetrics {
  readonly raison: BikeFailure;
}

/** Every counter of the day, working or not, by id. */
export function allCounters({
  metrics,
  compteurs_defaillants: failing,
}: BikesMetrics): CounterMetrics[] {
  return [...metrics, ...failing].sort((a, b) => (a.id_compteur < b.id_compteur ? -1 : 1));
}

const TOP = 10;
const PEAK_HOURS = 3;

/** Facts: `coverage` (0–1) and `rows`, the number of counters. */
export const metricsBikes = dayByDay(async (unit, task, sql) => {
  const core = neededInput(unit, 'core').path;
  const rows = await sql.rows<BikeHour>(
    `SELECT * FROM ${parquetSql(core)} ORDER BY counter_id, hour`,
  );
  const metrics = bikesMetrics(dayOf(unit), rows, thresholdsOf(task.params));
  return {
    outputs: { metrics: jsonOutput(metrics) },
    checks: [],
    facts: { coverage: metrics.coverage.taux, rows: metrics.coverage.compteurs },
  };
});

/**
 * Makes the document of one day; expected hours are the day's real hours for each counter with a
 * record.
 */
export function bikesMetrics(
  day: ZonedDay,
  rows: readonly BikeHour[],
  thresholds: Thresholds,
): BikesMetrics {
  const byCounter = new Map<string, BikeHour[]>();
  for (const row of rows)
    byCounter.set(row.counter_id, [...(byCounter.get(row.counter_id) ?? []), row]);
  const counters = [...byCounter].map(([id, own]) => counterMetrics(day, id, own, thresholds));
  const working = counters.filter(({ defaillance }) => defaillance === null);
  const ranked = counters.filter(({ total_jour: total }) => total !== null).sort(byTotal);
  const byHour = localHours(day).map((_, hour) =>
    totalOrNull(counters.map(({ par_heure: bikes }) => bikes[hour] ?? null)),
  );
  const observed = sum(counters.map(({ heures_observees: own }) => own));
  const expected = counters.length * day.hours;
  const total = totalOrNull(counters.map((counter) => counter.total_jour));
  return {
    schema: 'cityflow.bikes/2',
    metric_type: 'bikes',
    date: day.date,
    hours: day.hours,
    coverage: {
      compteurs: counters.length,
      heures_attendues: expected,
      heures_observees: observed,
      taux: expected === 0 ? 0 : rounded(observed / expected, 6),
    },
    total_velos: total,
    frequentation_index:
      total === null ? null : rounded(clamp((total / thresholds.bike_index_full) * 100, 0, 100), 3),
    heures_pointe: peakHours(localHours(day), byHour),
    by_hour: byHour,
    failing_sensors: counters
      .filter(({ defaillance }) => defaillance !== null)
      .map(({ id_compteur: id }) => id),
    compteurs_defaillants: counters.flatMap((counter) =>
      counter.defaillance === null ? [] : [{ ...counter, raison: counter.defaillance }],
    ),
    anomalies: working.filter(({ anomalie_detectee: stands }) => stands),
    top_counters: ranked.filter(({ defaillance }) => defaillance === null).slice(0, TOP),
    top_par_arrondissement: topByDistrict(ranked),
    compteurs_congestionnes: ranked
      .filter(({ congestion }) => congestion)
      .map(({ id_compteur: id }) => id),
    corridors: corridorsOf(ranked, thresholds),
    metrics: working,
  };
}

function byTotal(a: CounterMetrics, b: CounterMetrics): number {
  return (b.total_jour ?? 0) - (a.total_jour ?? 0) || (a.id_compteur < b.id_compteur ? -1 : 1);
}

function totalOrNull(values: readonly (number | null)[]): number | null {
  const present = known(values);
  return present.length === 0 ? null : sum(present);
}

/** The starts of the hours with the most, most first. */
export function peakHours(labels: readonly string[], values: readonly (number | null)[]): string[] {
  return labels
    .map((label, hour) => ({ label, value: values[hour] ?? null }))
    .filter(({ value }) => value !== null && value > 0)
    .sort((a, b) => (b.value ?? 0) - (a.value ?? 0) || (a.label < b.label ? -1 : 1))
    .slice(0, PEAK_HOURS)
    .map(({ label }) => label);
}

function counterMetrics(
  day: ZonedDay,
  id: string,
  rows: readonly BikeHour[],
  thresholds: Thresholds,
): CounterMetrics {
  const bikes = localHours(day).map(
    (_, hour) => rows.find((row) => row.hour === hour)?.bikes ?? null,
  );
  const present = known(bikes);
  const total = present.length === 0 ? null : sum(present);
  const peak = present.length === 0 ? null : Math.max(...present);
  const district = rows.find((row) => row.district !== null)?.district ?? null;
  const peakIndex = peak === null ? -1 : bikes.indexOf(peak);
  return {
    date: day.startAt.replace(/(?:\.\d+)?Z$/, '+00:00'),
    id_compteur: id,
    nom_compteur: rows[0]?.name ?? null,
    total_jour: total,
    moyenne_horaire: total === null ? null : rounded(total / day.hours, 3),
    pic_horaire: clockHours(day)[peakIndex] ?? null,
    arrondissement: district === null ? null : postcodeOf(district),
    coordinates: coordinatesOf(rows),
    anomalie_detectee: isAnomalous(bikes),
    jour: day.date,
    heure_pic: localHours(day)[peakIndex] ?? null,
    maximum_horaire: peak,
    heures_observees: present.length,
    defaillance: failureOf(bikes, clockHours(day), thresholds),
    congestion: peak !== null && peak > thresholds.bike_congestion_per_hour,
    par_heure: bikes,
  };
}

function coordinatesOf(rows: readonly BikeHour[]): CounterMetrics['coordinates'] {
  for (const { lon, lat } of rows) if (lon !== null && lat !== null) return { lon, lat };
  return null;
}

/**
 * No value in the day, nothing but zeros and gaps in daytime, or the same non-zero value for too
 * many hours running.
 */
export function failureOf(
  bikes: readonly (number | null)[],
  clock: readonly number[],
  thresholds: Thresholds,
): BikeFailure | null {
  if (bikes.every((value) => value === null)) return 'aucune donnée';
  const { bike_daytime_from_hour: from, bike_daytime_to_hour: to } = thresholds;
  const daytime = bikes.filter((_, hour) => (clock[hour] ?? 0) >= from && (clock[hour] ?? 0) < to);
  if (daytime.every((value) => value === null || value === 0)) return 'nul en journée';
  let run = 0;
  for (const [hour, value] of bikes.entries()) {
    run = value !== null && value !== 0 && value === bikes[hour - 1] ? run + 1 : 1;
    if (run > thresholds.bike_equal_hours) return 'valeur bloquée';
  }
  return null;
}

/**
 * The earlier system's limit, a variation of more than 300 %, and a count below which a multiple
 * says nothing.
 */
const ANOMALY_TIMES = 4;
const ANOMALY_LEAST_BIKES = 50;

/**
 * Whether an hour has more than four times the mean of the hours before and after it, and at least
 * 50 bikes. Hours at either end of the day, and beside a gap, have one neighbour; without any they
 * are not judged.
 */
export function isAnomalous(bikes: readonly (number | null)[]): boolean {
  return bikes.some((value, hour) => {
    const beside = mean(known([bikes[hour - 1], bikes[hour + 1]]));
    return (
      value !== null &&
      beside !== null &&
      value >= ANOMALY_LEAST_BIKES &&
      value > ANOMALY_TIMES * beside
    );
  });
}

function topByDistrict(ranked: readonly CounterMetrics[]): Record<string, string[]> {
  const top: Record<string, string[]> = {};
  for (const { arrondissement, id_compteur } of ranked) {
    if (arrondissement === null) continue;
    const own = (top[arrondissement] ??= []);
    if (own.length < TOP) own.push(id_compteur);
  }
  return Object.fromEntries(Object.entries(top).sort(([a], [b]) => (a < b ? -1 : 1)));
}

/**
 * `97 avenue Denfert Rochereau SO-NE` → `avenue Denfert Rochereau`: counters of one street are one
 * corridor.
 */
export function streetOf(name: string): string {
  return name
    .replace(/^Totem\s+/i, '')
    .replace(/^(?:face(?:\s+au)?\s+)?\d+\s*(?:bis|ter)?\s+/i, '')
    .replace(/\s+(?:[NSEO]{1,2}-[NSEO]{1,2})$/, '')
    .trim();
}

function corridorsOf(ranked: readonly CounterMetrics[], thresholds: Thresholds): Corridor[] {
  const streets = new Map<string, CounterMetrics[]>();
  for (const counter of ranked) {
    const street = counter.nom_compteur === null ? '' : streetOf(counter.nom_compteur);
    if (street !== '') streets.set(street, [...(streets.get(street) ?? []), counter]);
  }
  return [...streets]
    .filter(([, own]) => own.length >= thresholds.bike_corridor_counters)
    .map(([voie, own]) => ({
      voie,
      compteurs: own.length,
      total_jour: sum(known(own.map(({ total_jour: total }) => total))),
    }))
    .sort((a, b) => b.total_jour - a.total_jour || (a.voie < b.voie ? -1 : 1))
    .slice(0, TOP);
}
