import { addDays, dayByDay, dayOf, inputOf, jsonOutput, toEpochDay } from '../../kit/index.ts';
import type { SqlSession, StepUnit } from '../../kit/index.ts';
import { rounded } from '../statistics.ts';
import { thresholdsOf } from '../thresholds.ts';
import type { Thresholds } from '../thresholds.ts';
import { networkOf } from './counts.ts';
import type { Digest } from './digest.ts';
import {
  averageDay,
  bikeAnomalies,
  busiestArcs,
  changePct,
  correlations,
  counterAvailability,
  typicalDay,
} from './patterns.ts';
import type { Anomalies, ArcAverage, AverageDay, Correlation, TypicalDay } from './patterns.ts';
import type { SensorHealth } from './sensors.ts';
import { sensorHealth } from './sensors.ts';
import { storedDigest } from './stored-digests.ts';

/**
 * `metrics/history`: a day beside the thirty days before it. No step of another day reads it, so
 * that rebuilding ends.
 */

/** The window ends with the day before the day itself. */
export const HISTORY_DAYS = 30;

/**
 * A figure of the day against the same figure of a reference day; null where one of them lacks it.
 */
export interface Change {
  readonly valeur: number | null;
  readonly reference: number | null;
  /** The day's value minus the reference, in the figure's own unit. */
  readonly ecart: number | null;
  /** The difference over the reference, %; null also where the reference is 0. */
  readonly ecart_pct: number | null;
}

/** The day against the same weekday of the week before. */
export interface WeekEvolution {
  readonly date_reference: string;
  readonly disponible: boolean;
  /** Where the reference day is not there. */
  readonly note: string | null;
  readonly sections: SectionChanges;
}

/** By section and figure; a section that one of the two days lacks is `not available`. */
export type SectionChanges = Readonly<
  Record<string, Readonly<Record<string, Change>> | 'not available'>
>;

/** Days that follow each other, both ends included. */
export type DaySpan = readonly [from: string, to: string];

/** The published document; means are per day, and say over how many stored days. */
export interface HistoryMetrics {
  readonly schema: 'cityflow.history/2';
  readonly date: string;
  readonly fenetre_jours: number;
  /**
   * The days that all this rests on, this day included: how many, and from when to when without a
   * gap.
   */
  readonly jours_disponibles: number;
  readonly periodes_disponibles: readonly DaySpan[];
  readonly evolution: WeekEvolution;
  readonly jour_type: { readonly velos: TypicalDay | null; readonly vehicules: TypicalDay | null };
  /** Null where none of the days has any. */
  readonly moyennes: { readonly velos: AverageDay | null; readonly vehicules: AverageDay | null };
  readonly debit_moyen_journalier: readonly ArcAverage[];
  readonly anomalies_velos: Anomalies;
  /** Of quantities that at least one day has both of. */
  readonly correlations: readonly Correlation[];
  readonly capteurs: SensorHealth;
  /** By counter: observed hours over those of the stored days, 0–1. */
  readonly disponibilite_compteurs: Readonly<Record<string, number>>;
}

const BUSIEST = 10;

/** Reads the digests of the window; a day that is not stored is left out, never filled. */
export const metricsHistory = dayByDay(async (unit, task, sql) => {
  const metrics = await historyOf(unit, thresholdsOf(task.params), sql);
  return {
    outputs: { history: jsonOutput(metrics) },
    checks: [],
    facts: { days: metrics.jours_disponibles },
  };
});

/** The name of the input that is the digest of so many days before. */
export function digestBefore(days: number): string {
  return `before_${String(days).padStart(2, '0')}`;
}

async function historyOf(
  unit: StepUnit,
  thresholds: Thresholds,
  sql: SqlSession,
): Promise<HistoryMetrics> {
  const { date } = dayOf(unit);
  const network = await networkOf(sql, unit);
  const open = new Set(
    [...network.values()].filter(({ is_open: isOpen }) => isOpen).map(({ arc_id: id }) => id),
  );
  const digests: (Digest | null)[] = [await storedDigest(inputOf(unit, 'day'))];
  for (let days = 1; days <= HISTORY_DAYS; days += 1)
    digests.push(await storedDigest(inputOf(unit, digestBefore(days))));
  return historyMetrics(date, digests, open, thresholds);
}

/** `digests`: the day itself first, then each day before it in turn; null where none is stored. */
export function historyMetrics(
  date: string,
  digests: readonly (Digest | null)[],
  network: ReadonlySet<string>,
  thresholds: Thresholds,
): HistoryMetrics {
  const [day = null, ...earlier] = digests;
  const before = earlier.filter((digest) => digest !== null).reverse();
  const all = day === null ? before : [...before, day];
  const daysAgo = (other: string): number => toEpochDay(date) - toEpochDay(other);
  return {
    schema: 'cityflow.history/2',
    date,
    fenetre_jours: HISTORY_DAYS,
    jours_disponibles: all.length,
    periodes_disponibles: spansOf(all.map((digest) => digest.date)),
    evolution: evolutionOf(date, day, digests[7] ?? null),
    jour_type: {
      velos:
        (day?.bikes ?? null) === null || day === null ? null : typicalDay(day, before, 'bikes'),
      vehicules:
        (day?.roads ?? null) === null || day === null ? null : typicalDay(day, before, 'roads'),
    },
    moyennes: {
      velos: averageDay(all, 'bikes', daysAgo),
      vehicules: averageDay(all, 'roads', daysAgo),
    },
    debit_moyen_journalier: busiestArcs(all, BUSIEST),
    anomalies_velos:
      day === null ? { nombre: 0, testees: 0, liste: [] } : bikeAnomalies(day, before, thresholds),
    correlations: correlations(all, thresholds).filter(({ n }) => n > 0),
    capteurs: sensorHealth(digests, network, thresholds),
    disponibilite_compteurs: counterAvailability(all),
  };
}

/** Ascending days as spans without a gap. */
function spansOf(days: readonly string[]): DaySpan[] {
  const spans: [from: string, to: string][] = [];
  for (const day of days) {
    const last = spans.at(-1);
    if (last !== undefined && addDays(last[1], 1) === day) last[1] = day;
    else spans.push([day, day]);
  }
  return spans;
}

type Figures = Readonly<Record<string, number | null>>;

/** The figures that are compared, by section; null where the day lacks the section. */
const COMPARED: Readonly<Record<string, (day: Digest) => Figures | null>> = {
  bikes: ({ bikes }) => (bikes === null ? null : { total_velos: bikes.total }),
  traffic: ({ traffic }) =>
    traffic === null
      ? null
      : { perturbations: traffic.disruptions, fiabilite: traffic.reliability },
  weather: ({ weather }) =>
    weather === null
      ? null
      : {
          temp_moyenne: weather.temp_c,
          precip_totale: weather.precip_mm,
          vent_moyen: weather.wind_kmh,
        },
  comptages: ({ roads }) =>
    roads === null
      ? null
      : {
          vehicules: roads.vehicles,
          temps_perdu_minutes: roads.lost_minutes,
          troncons_satures: roads.saturated,
        },
  chantiers: ({ works }) => (works === null ? null : { chantiers_actifs: works.active }),
};

/**
 * `reference` is the digest of seven days before; null: not stored, and every section is `not
 * available`.
 */
export function evolutionOf(
  date: string,
  day: Digest | null,
  reference: Digest | null,
): WeekEvolution {
  const date_reference = addDays(date, -7);
  return {
    date_reference,
    disponible: reference !== null,
    note: reference === null ? `not available: aucun jour ${date_reference} en mémoire` : null,
    sections: changesBetween(day, reference),
  };
}

/** Every compared figure of two days, absolute and %. */
export function changesBetween(day: Digest | null, reference: Digest | null): SectionChanges {
  const sections = Object.entries(COMPARED).map(
    ([section, figuresOf]): [string, SectionChanges[string]] => {
      const own = day === null ? null : figuresOf(day);
      const earlier = reference === null ? null : figuresOf(reference);
      if (own === null || earlier === null) return [section, 'not available'];
      return [
        section,
        Object.fromEntries(
          Object.entries(own).map(([name, value]) => [
            name,
            changeOf(value, earlier[name] ?? null),
          ]),
        ),
      ];
    },
  );
  return Object.fromEntries(sections);
}

function changeOf(valeur: number | null, reference: number | null): Change {
  const ecart = valeur === null || reference === null ? null : rounded(valeur - reference, 6);
  return { valeur, reference, ecart, ecart_pct: changePct(valeur, reference) };
}
