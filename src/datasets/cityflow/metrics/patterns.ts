import { weekdayOf } from '../../kit/index.ts';
import {
  known,
  mean,
  pearson,
  rounded,
  roundedOrNull,
  standardDeviation,
  sum,
} from '../statistics.ts';
import type { Thresholds } from '../thresholds.ts';
import type { Digest } from './digest.ts';

/**
 * What a day looks like beside the days before it: typical days, changes, anomalies, averages and
 * correlations.
 */

const CLOCK_HOURS = 24;
const DAYS_OF_WEEK = 7;
/**
 * An anomaly needs this many earlier values of the same hour and kind of day: fewer say little
 * about their spread.
 */
const LEAST_FOR_ANOMALY = 8;
const ANOMALIES_LISTED = 50;

/** What a pattern is made of: bikes, or vehicles of all road sensors. */
export type Theme = 'bikes' | 'roads';

/** The day against the mean of the earlier days of its weekday, by hour of the local clock. */
export interface TypicalDay {
  /** Days that the pattern was made of, of this day's weekday. */
  readonly jours: number;
  /** Mean of each clock hour on this weekday. */
  readonly par_heure: readonly (number | null)[];
  /** This day against it, %. */
  readonly ecart_pct: readonly (number | null)[];
  readonly ecart_total_pct: number | null;
  /** Mean of each clock hour by weekday, Sunday first. */
  readonly par_jour_de_semaine: readonly (readonly (number | null)[])[];
}

function hoursOf(digest: Digest, theme: Theme): readonly (number | null)[] {
  return digest[theme]?.by_hour ?? [];
}

function totalOf(digest: Digest, theme: Theme): number | null {
  return theme === 'bikes' ? (digest.bikes?.total ?? null) : (digest.roads?.vehicles ?? null);
}

/** The values of a day by clock hour; the repeated hour of an autumn day is two values. */
function byClock(digest: Digest, values: readonly (number | null)[]): number[][] {
  const hours = Array.from({ length: CLOCK_HOURS }, (): number[] => []);
  for (const [index, clock] of digest.clock.entries()) {
    const value = values[index] ?? null;
    if (value !== null) hours[clock]?.push(value);
  }
  return hours;
}

/**
 * `before` are the stored earlier days in any order; only days of the same weekday are compared
 * with the day.
 */
export function typicalDay(day: Digest, before: readonly Digest[], theme: Theme): TypicalDay {
  const withTheme = before.filter((digest) => digest[theme] !== null);
  const week = Array.from({ length: DAYS_OF_WEEK }, (_, weekday) => {
    const same = withTheme
      .filter(({ date }) => weekdayOf(date) === weekday)
      .map((digest) => byClock(digest, hoursOf(digest, theme)));
    return Array.from({ length: CLOCK_HOURS }, (__, hour) =>
      roundedOrNull(mean(same.flatMap((hours) => hours[hour] ?? [])), 1),
    );
  });
  const own = week[weekdayOf(day.date)] ?? [];
  const today = byClock(day, hoursOf(day, theme)).map((values) => mean(values));
  const pairs = today.map((value, hour) => [value, own[hour] ?? null] as const);
  const both = pairs.filter(
    (pair): pair is readonly [number, number] => pair[0] !== null && pair[1] !== null,
  );
  return {
    jours: withTheme.filter(({ date }) => weekdayOf(date) === weekdayOf(day.date)).length,
    par_heure: own,
    ecart_pct: pairs.map(([value, usual]) => changePct(value, usual)),
    ecart_total_pct:
      both.length === 0
        ? null
        : changePct(sum(both.map(([value]) => value)), sum(both.map(([, usual]) => usual))),
    par_jour_de_semaine: week,
  };
}

/** How much `value` is above `reference`, %; null where one is missing or the reference is 0. */
export function changePct(value: number | null, reference: number | null): number | null {
  if (value === null || reference === null || reference === 0) return null;
  return rounded(((value - reference) / Math.abs(reference)) * 100, 2);
}

/** One hour of one bike counter that lies far from earlier days. */
export interface Anomaly {
  readonly compteur: string;
  /** Hour of the local clock. */
  readonly heure: number;
  readonly valeur: number;
  /** Of the same clock hour on earlier days of the same kind. */
  readonly moyenne: number;
  /** Standard deviations from that mean. */
  readonly z: number;
}

/** What was found, and among how many hours. */
export interface Anomalies {
  readonly nombre: number;
  /** Hours with enough earlier values to be judged. */
  readonly testees: number;
  /** At most fifty, the furthest first. */
  readonly liste: readonly Anomaly[];
}

/**
 * Bike counts that are far from those of the same clock hour on days of the same kind (working day
 * or weekend).
 */
export function bikeAnomalies(
  day: Digest,
  before: readonly Digest[],
  thresholds: Thresholds,
): Anomalies {
  const alike = before.filter(
    (digest) => digest.bikes !== null && isWeekend(digest.date) === isWeekend(day.date),
  );
  const found: Anomaly[] = [];
  let tested = 0;
  for (const [compteur, values] of Object.entries(day.bikes?.counters ?? {})) {
    const earlier = alike.map((digest) => byClock(digest, digest.bikes?.counters[compteur] ?? []));
    for (const [index, valeur] of values.entries()) {
      const heure = day.clock[index] ?? 0;
      const sample = earlier.flatMap((hours) => hours[heure] ?? []);
      const [average, deviation] = [mean(sample), standardDeviation(sample)];
      if (
        valeur === null ||
        sample.length < LEAST_FOR_ANOMALY ||
        average === null ||
        deviation === null ||
        deviation === 0
      )
        continue;
      tested += 1;
      const z = (valeur - average) / deviation;
      if (Math.abs(z) > thresholds.anomaly_z)
        found.push({ compteur, heure, valeur, moyenne: rounded(average, 2), z: rounded(z, 3) });
    }
  }
  found.sort(
    (a, b) =>
      Math.abs(b.z) - Math.abs(a.z) || (a.compteur < b.compteur ? -1 : 1) || a.heure - b.heure,
  );
  return { nombre: found.length, testees: tested, liste: found.slice(0, ANOMALIES_LISTED) };
}

function isWeekend(date: string): boolean {
  return [0, 6].includes(weekdayOf(date));
}

/** Mean daily totals over the stored days, in bikes or vehicles. */
export interface AverageDay {
  /** Days that have a total. */
  readonly jours: number;
  readonly moyenne: number | null;
  /** Monday to Friday. */
  readonly moyenne_semaine: number | null;
  readonly moyenne_week_end: number | null;
  /** Null without one of the two means, or where the working days have none. */
  readonly ratio_week_end_semaine: number | null;
  /**
   * The last seven days against the seven before, %; null when one of the two weeks lacks more than
   * three days.
   */
  readonly evolution_hebdomadaire_pct: number | null;
}

const LEAST_DAYS_OF_WEEK = 4;

/**
 * Averages over the stored days, this day included; `days` are ascending and may have gaps. Null
 * where none has the theme.
 */
export function averageDay(
  days: readonly Digest[],
  theme: Theme,
  daysAgo: (date: string) => number,
): AverageDay | null {
  const totals = days.flatMap((digest) => {
    const total = totalOf(digest, theme);
    return total === null ? [] : [{ date: digest.date, total }];
  });
  if (totals.length === 0) return null;
  const meanOf = (list: readonly { readonly total: number }[]): number | null =>
    roundedOrNull(mean(list.map(({ total }) => total)), 1);
  const weekend = meanOf(totals.filter(({ date }) => isWeekend(date)));
  const working = meanOf(totals.filter(({ date }) => !isWeekend(date)));
  const last = totals.filter(({ date }) => daysAgo(date) < DAYS_OF_WEEK);
  const earlier = totals.filter(
    ({ date }) => daysAgo(date) >= DAYS_OF_WEEK && daysAgo(date) < 2 * DAYS_OF_WEEK,
  );
  const comparable = last.length >= LEAST_DAYS_OF_WEEK && earlier.length >= LEAST_DAYS_OF_WEEK;
  return {
    jours: totals.length,
    moyenne: meanOf(totals),
    moyenne_semaine: working,
    moyenne_week_end: weekend,
    ratio_week_end_semaine:
      weekend === null || working === null || working === 0 ? null : rounded(weekend / working, 4),
    evolution_hebdomadaire_pct: comparable ? changePct(meanOf(last), meanOf(earlier)) : null,
  };
}

/** Pearson's r of two figures of the stored days. */
export interface Correlation {
  readonly nom: string;
  /** Days that have both. */
  readonly n: number;
  /** Null below `correlation_days`, or where one figure never changes; `note` says which. */
  readonly r: number | null;
  readonly note: string | null;
}

/** Pearson's r over the stored days, with how many; none below the threshold. */
export function correlations(days: readonly Digest[], thresholds: Thresholds): Correlation[] {
  const bikes = (day: Digest): number | null => totalOf(day, 'bikes');
  const vehicles = (day: Digest): number | null => totalOf(day, 'roads');
  const pairs: readonly (readonly [
    string,
    (day: Digest) => number | null,
    (day: Digest) => number | null,
  ])[] = [
    ['température × vélos', (day) => day.weather?.temp_c ?? null, bikes],
    ['précipitations × vélos', (day) => day.weather?.precip_mm ?? null, bikes],
    ['vent × vélos', (day) => day.weather?.wind_kmh ?? null, bikes],
    ['chantiers × véhicules', (day) => day.works?.active ?? null, vehicles],
    [
      'chantiers × temps perdu',
      (day) => day.works?.active ?? null,
      (day) => day.roads?.lost_minutes ?? null,
    ],
  ];
  return pairs.map(([nom, left, right]) => {
    const known_ = days
      .map((day) => [left(day), right(day)] as const)
      .filter((pair): pair is readonly [number, number] => pair[0] !== null && pair[1] !== null);
    const n = known_.length;
    if (n < thresholds.correlation_days) return { nom, n, r: null, note: 'pas assez de jours' };
    const r = roundedOrNull(pearson(known_), 4);
    return { nom, n, r, note: r === null ? 'une des deux grandeurs ne varie pas' : null };
  });
}

/** Mean daily traffic of one arc. */
export interface ArcAverage {
  readonly identifiant_arc: string;
  /** Stored days on which the arc has a flow. */
  readonly jours: number;
  /** Vehicles of a mean day (débit moyen journalier). */
  readonly debit_moyen_journalier: number;
}

/** Average daily traffic of the busiest arcs over the stored days. */
export function busiestArcs(days: readonly Digest[], most: number): ArcAverage[] {
  const totals = new Map<string, number[]>();
  for (const day of days) {
    for (const [arc, [vehicles]] of Object.entries(day.roads?.arcs ?? {})) {
      if (vehicles === null) continue;
      const own = totals.get(arc);
      if (own === undefined) totals.set(arc, [vehicles]);
      else own.push(vehicles);
    }
  }
  return [...totals]
    .map(([identifiant_arc, own]) => ({
      identifiant_arc,
      jours: own.length,
      debit_moyen_journalier: rounded(mean(own) ?? 0, 1),
    }))
    .sort(
      (a, b) =>
        b.debit_moyen_journalier - a.debit_moyen_journalier ||
        (a.identifiant_arc < b.identifiant_arc ? -1 : 1),
    )
    .slice(0, most);
}

/** Share of hours with a value, by bike counter, over the days that have bikes. */
export function counterAvailability(days: readonly Digest[]): Record<string, number> {
  const withBikes = days.filter(({ bikes }) => bikes !== null);
  const expected = sum(withBikes.map(({ hours }) => hours));
  const ids = new Set(withBikes.flatMap(({ bikes }) => Object.keys(bikes?.counters ?? {})));
  const shares = [...ids].sort().map((id): [string, number] => {
    const observed = sum(withBikes.map(({ bikes }) => known(bikes?.counters[id] ?? []).length));
    return [id, expected === 0 ? 0 : rounded(observed / expected, 4)];
  });
  return Object.fromEntries(shares);
}
