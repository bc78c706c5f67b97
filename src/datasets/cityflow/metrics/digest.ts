import { clockHours, dayByDay, dayOf, inputOf, jsonOutput, readJson } from '../../kit/index.ts';
import { allCounters } from './bikes.ts';
import type { BikesMetrics } from './bikes.ts';
import type { CountsMetrics } from './counts.ts';
import type { TrafficMetrics } from './traffic.ts';
import type { WeatherMetrics } from './weather.ts';
import type { WorksMetrics } from './works.ts';

/**
 * `metrics/digest`: what other days need to know of a day, in some 100 KB instead of megabytes,
 * because each day's history reads thirty of them.
 */

/** `[vehicles of the day, mean occupancy, mask of observed hours]` */
export type ArcDigest = readonly [vehicles: number | null, occupancy: number | null, mask: number];

/** Each member is null where the day has nothing of that source; hourly lists follow `clock`. */
export interface Digest {
  readonly schema: 'cityflow.digest/1';
  readonly date: string;
  /** 23, 24 or 25. */
  readonly hours: number;
  /** Hour of the local clock of each hour of the day. */
  readonly clock: readonly number[];
  readonly bikes: {
    readonly total: number | null;
    readonly by_hour: readonly (number | null)[];
    readonly counters: Readonly<Record<string, readonly (number | null)[]>>;
  } | null;
  readonly roads: {
    readonly vehicles: number | null;
    readonly lost_minutes: number | null;
    readonly saturated: number;
    readonly availability: number;
    readonly by_hour: readonly (number | null)[];
    readonly arcs: Readonly<Record<string, ArcDigest>>;
  } | null;
  readonly weather: {
    readonly temp_c: number | null;
    readonly precip_mm: number | null;
    readonly wind_kmh: number | null;
  } | null;
  readonly works: { readonly active: number } | null;
  readonly traffic: { readonly disruptions: number; readonly reliability: number } | null;
}

/** Takes what other days need out of the sections that the day has. */
export const metricsDigest = dayByDay(async (unit) => {
  const day = dayOf(unit);
  const bikes = await readJson<BikesMetrics>(inputOf(unit, 'bikes'));
  const roads = await readJson<CountsMetrics>(inputOf(unit, 'comptages'));
  const weather = await readJson<WeatherMetrics>(inputOf(unit, 'weather'));
  const works = await readJson<WorksMetrics>(inputOf(unit, 'chantiers'));
  const traffic = await readJson<TrafficMetrics>(inputOf(unit, 'traffic'));
  const digest: Digest = {
    schema: 'cityflow.digest/1',
    date: day.date,
    hours: day.hours,
    clock: clockHours(day),
    bikes: bikes === null ? null : bikesDigest(bikes),
    roads: roads === null ? null : roadsDigest(roads),
    weather:
      weather === null
        ? null
        : {
            temp_c: weather.metrics.temp_moyenne,
            precip_mm: weather.metrics.precip_totale,
            wind_kmh: weather.metrics.vent_moyen,
          },
    works: works === null ? null : { active: works.total_chantiers_actifs },
    traffic:
      traffic === null
        ? null
        : { disruptions: traffic.total_disruptions_count, reliability: traffic.fiabilite_metro },
  };
  return { outputs: { digest: jsonOutput(digest) }, checks: [], facts: {} };
});

function bikesDigest(bikes: BikesMetrics): Digest['bikes'] {
  const { total_velos: total, by_hour } = bikes;
  return {
    total,
    by_hour,
    counters: Object.fromEntries(
      allCounters(bikes).map(({ id_compteur: id, par_heure: hours }) => [id, hours]),
    ),
  };
}

function roadsDigest({ totals, coverage, by_hour, metrics: arcs }: CountsMetrics): Digest['roads'] {
  return {
    vehicles: totals.vehicules,
    lost_minutes: totals.temps_perdu_minutes,
    saturated: totals.troncons_satures,
    availability: coverage.taux,
    by_hour: by_hour.map(({ vehicules }) => vehicules),
    arcs: Object.fromEntries(
      arcs.map(
        (arc) =>
          [
            arc.identifiant_arc,
            [arc.debit_journalier_total, arc.taux_occupation_moyen, arc.masque_heures],
          ] as const,
      ),
    ),
  };
}
