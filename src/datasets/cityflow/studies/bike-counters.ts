import { addDays, datesBetween, HOUR_MS, zonedDay } from '../../kit/index.ts';
import type { SqlColumn, ZonedDay } from '../../kit/index.ts';
import { mean, percentile, rounded, roundedOrNull, sum } from '../statistics.ts';
import { postcodeOf, ZONE } from '../zones.ts';
import { congestedHours, anomalies } from './bike-alerts.ts';
import type { BikeHours, CounterDaySums, CounterSums } from './bike-hours.ts';
import { counterName } from './counter-name.ts';
import type { StudyLimits } from './limits.ts';

/**
 * The study of bikes by counter: a table of the day, and what the lists of the study are taken
 * from.
 */

const AVAILABILITY_DAYS = 30;

/**
 * One row for each counter: rates are bikes per hour or per day, `dmja` the mean of a day, shares
 * %.
 */
export const BIKE_STUDY_TABLE = [
  { name: 'compteur_id', type: 'VARCHAR' },
  { name: 'nom_normalise', type: 'VARCHAR' },
  { name: 'voie', type: 'VARCHAR' },
  { name: 'sens', type: 'VARCHAR' },
  { name: 'arrondissement', type: 'VARCHAR' },
  { name: 'debit_horaire_moyen', type: 'DOUBLE' },
  { name: 'debit_horaire_median', type: 'DOUBLE' },
  { name: 'debit_horaire_min', type: 'BIGINT' },
  { name: 'debit_horaire_max', type: 'BIGINT' },
  { name: 'debit_total', type: 'BIGINT' },
  { name: 'nb_mesures', type: 'BIGINT' },
  { name: 'debit_journalier', type: 'BIGINT' },
  { name: 'dmja', type: 'DOUBLE' },
  { name: 'dmja_jours_complets', type: 'DOUBLE' },
  { name: 'rang', type: 'INTEGER' },
  { name: 'nb_enregistrements_reels', type: 'BIGINT' },
  { name: 'nb_enregistrements_attendus', type: 'BIGINT' },
  { name: 'taux_disponibilite_pct', type: 'DOUBLE' },
  { name: 'heures_sans_donnees', type: 'BIGINT' },
  { name: 'defaillant', type: 'BOOLEAN' },
  { name: 'faible_activite', type: 'BOOLEAN' },
  { name: 'corridor', type: 'BOOLEAN' },
  { name: 'heures_congestionnees', type: 'BIGINT' },
  { name: 'heures_anormales', type: 'BIGINT' },
] as const satisfies readonly SqlColumn[];

/** A counter over the window; its members are described where the table is declared. */
export interface CounterStudy {
  readonly compteur_id: string;
  readonly nom_normalise: string | null;
  readonly voie: string | null;
  readonly sens: string | null;
  readonly arrondissement: string | null;
  /** Bikes per hour, over the hours with a value; so are median, least and greatest. */
  readonly debit_horaire_moyen: number;
  readonly debit_horaire_median: number;
  readonly debit_horaire_min: number;
  readonly debit_horaire_max: number;
  readonly debit_total: number;
  /** Hours with a value. */
  readonly nb_mesures: number;
  /** Of the day itself. */
  readonly debit_journalier: number | null;
  /** Mean of the daily totals, over its days with any count. */
  readonly dmja: number;
  /** The same over days of which no hour is missing; null without one. */
  readonly dmja_jours_complets: number | null;
  /** By `dmja`, 1 is the largest. */
  readonly rang: number;
  /** Hours with a value of the last thirty days, beside all hours of these. */
  readonly nb_enregistrements_reels: number;
  readonly nb_enregistrements_attendus: number;
  readonly taux_disponibilite_pct: number;
  /** From the last hour with a value to the end of the day. */
  readonly heures_sans_donnees: number;
  readonly defaillant: boolean;
  readonly faible_activite: boolean;
  readonly corridor: boolean;
  /** Hours of the day that stand out, as `congestedHours` and `anomalies` find them. */
  readonly heures_congestionnees: number;
  readonly heures_anormales: number;
}

/** Every counter that has a value in the window, by id. */
export function counterStudy(day: ZonedDay, hours: BikeHours, limits: StudyLimits): CounterStudy[] {
  const byCounter = daysByCounter(hours);
  const flows = meanDailyFlows(hours);
  const all = [...flows.values()];
  const low = ((percentile(all, 50) ?? 0) * limits.low_activity_pct) / 100;
  const corridorFrom = percentile(all, limits.corridor_percentile) ?? 0;
  const ranks = new Map(
    [...flows]
      .sort(([a, x], [b, y]) => y - x || (a < b ? -1 : 1))
      .map(([id], index) => [id, index + 1]),
  );
  const hoursOfDay = hoursOfDays(day);
  const [congested, odd] = [
    congestedHours(hours, limits, Infinity),
    anomalies(hours, limits, Infinity),
  ];
  return hours.counters.map((sums) => {
    const id = sums.counter_id;
    const days = byCounter.get(id) ?? [];
    const flow = flows.get(id) ?? 0;
    const silent = Math.round(Date.parse(day.endAt) / HOUR_MS) - sums.last_hour - 1;
    return {
      ...described(sums),
      ...hourly(sums),
      debit_journalier: days.find((one) => one.day === day.date)?.total ?? null,
      dmja: rounded(flow, 3),
      dmja_jours_complets: wholeDays(days, hoursOfDay),
      rang: ranks.get(id) ?? 0,
      ...availability(days, hoursOfDay, day),
      heures_sans_donnees: silent,
      defaillant: silent > limits.failing_counter_hours,
      faible_activite: flow < low,
      corridor: flow > corridorFrom,
      heures_congestionnees: congested.filter(({ compteur_id: own }) => own === id).length,
      heures_anormales: odd.filter(({ compteur_id: own }) => own === id).length,
    };
  });
}

function daysByCounter({ days }: BikeHours): ReadonlyMap<string, readonly CounterDaySums[]> {
  const byCounter = new Map<string, CounterDaySums[]>();
  for (const one of days)
    byCounter.set(one.counter_id, [...(byCounter.get(one.counter_id) ?? []), one]);
  return byCounter;
}

/** The mean of the daily totals of each counter, over its days with any count; not rounded. */
export function meanDailyFlows(hours: BikeHours): ReadonlyMap<string, number> {
  return new Map(
    [...daysByCounter(hours)].map(([id, days]) => [id, mean(days.map(({ total }) => total)) ?? 0]),
  );
}

function described({ counter_id: id, name, district }: CounterSums) {
  const { nom_normalise = null, voie = null, sens = null } = name === null ? {} : counterName(name);
  return {
    compteur_id: id,
    nom_normalise,
    voie,
    sens,
    arrondissement: district === null ? null : postcodeOf(district),
  };
}

function hourly({ n, total, least, most, median }: CounterSums) {
  return {
    debit_horaire_moyen: rounded(total / n, 3),
    debit_horaire_median: median,
    debit_horaire_min: least,
    debit_horaire_max: most,
    debit_total: total,
    nb_mesures: n,
  };
}

/** Real hours of the days of the window. */
function hoursOfDays({ date }: ZonedDay): ReadonlyMap<string, number> {
  const dates = datesBetween(addDays(date, -(AVAILABILITY_DAYS * 2)), date);
  return new Map(dates.map((one) => [one, zonedDay(one, ZONE).hours]));
}

function wholeDays(
  days: readonly CounterDaySums[],
  hoursOfDay: ReadonlyMap<string, number>,
): number | null {
  return roundedOrNull(
    mean(days.filter(({ day, n }) => n === hoursOfDay.get(day)).map(({ total }) => total)),
    3,
  );
}

function availability(
  days: readonly CounterDaySums[],
  hoursOfDay: ReadonlyMap<string, number>,
  { date }: ZonedDay,
) {
  const from = addDays(date, 1 - AVAILABILITY_DAYS);
  const there = sum(days.filter(({ day }) => day >= from).map(({ n }) => n));
  const expected = sum([...hoursOfDay].flatMap(([day, hours]) => (day >= from ? [hours] : [])));
  return {
    nb_enregistrements_reels: there,
    nb_enregistrements_attendus: expected,
    taux_disponibilite_pct: rounded((there / expected) * 100, 2),
  };
}
