import {
  dayOf,
  forEachUnit,
  inputOf,
  jsonOutput,
  readJson,
  writeParquetRows,
} from '../../kit/index.ts';
import type {
  SqlSession,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitOutputs,
  ZonedDay,
} from '../../kit/index.ts';
import type { District } from '../geometry.ts';
import type { WorksMetrics } from '../metrics/works.ts';
import { percentile, rounded, sum } from '../statistics.ts';
import { DistrictsCache } from '../transform/days.ts';
import type { ServiceGroup, ServiceMetrics } from '../transport/service-day.ts';
import { postcodeOf } from '../zones.ts';
import { loadBikeHours, readBikeHours, STUDY_DAYS } from './bike-hours.ts';
import type { BikeHours, CounterSums } from './bike-hours.ts';
import { anomalies, congestedHours } from './bike-alerts.ts';
import type { CongestedHour, CounterAnomaly } from './bike-alerts.ts';
import { peakHours, profileOf, weekendRatio, weeklyChange } from './bike-rhythm.ts';
import type { PeakHour, ProfileHour, WeekChange, WeekendRatio } from './bike-rhythm.ts';
import { BIKE_STUDY_TABLE, counterStudy, meanDailyFlows } from './bike-counters.ts';
import type { CounterStudy } from './bike-counters.ts';
import { studyLimits } from './limits.ts';
import type { StudyLimits } from './limits.ts';
import { criticality, worksByDistrict } from './works.ts';
import type { DistrictCriticality, DistrictWorks } from './works.ts';

/**
 * `metrics/bike-study`: the eighteen metrics of the city's later system under their names, each by
 * its definition, over the sixty days that end with the day; ours stand beside them where they say
 * more. `docs/datasets/cityflow.md` has the definitions.
 */

/** Bikes of one counter by day. */
export interface DailyFlow {
  readonly compteur_id: string;
  /** Of each day of `jours`; null without a count. */
  readonly debit_journalier: readonly (number | null)[];
}

/** The counters of one district; a counter whose place is unknown belongs to none. */
export interface DistrictDensity {
  readonly arrondissement: string;
  /** Over all hours of the window. */
  readonly debit_total: number;
  /** Mean of its hourly counts. */
  readonly debit_moyen: number;
  readonly nb_mesures: number;
  /** Ours: counters, and their mean daily flows together for each km². */
  readonly compteurs: number;
  readonly velos_jour_par_km2: number | null;
}

/**
 * The published document: the eighteen metrics by their earlier names, and the limits that they
 * hang on.
 */
export interface BikeStudy {
  readonly schema: 'cityflow.bike-study/1';
  readonly metric_type: 'bike-study';
  readonly date: string;
  readonly fenetre_jours: number;
  /** The days of the window that have bikes. */
  readonly jours: readonly string[];
  readonly limites: StudyLimits;
  readonly debit_horaire: readonly Pick<
    CounterStudy,
    | 'compteur_id'
    | 'debit_horaire_moyen'
    | 'debit_horaire_median'
    | 'debit_horaire_min'
    | 'debit_horaire_max'
    | 'debit_total'
    | 'nb_mesures'
  >[];
  readonly debit_journalier: readonly DailyFlow[];
  readonly dmja: readonly Pick<CounterStudy, 'compteur_id' | 'dmja' | 'dmja_jours_complets'>[];
  readonly profil_jour_type: readonly ProfileHour[];
  readonly heures_pointe: readonly PeakHour[];
  readonly taux_disponibilite: readonly Pick<
    CounterStudy,
    | 'compteur_id'
    | 'nb_enregistrements_reels'
    | 'nb_enregistrements_attendus'
    | 'taux_disponibilite_pct'
  >[];
  readonly top_compteurs: readonly Pick<CounterStudy, 'rang' | 'compteur_id' | 'dmja'>[];
  readonly compteurs_faible_activite: readonly {
    readonly compteur_id: string;
    readonly dmja: number;
    readonly mediane_dmja: number;
  }[];
  readonly compteurs_defaillants: readonly Pick<
    CounterStudy,
    'compteur_id' | 'heures_sans_donnees'
  >[];
  readonly densite_par_zone: readonly DistrictDensity[];
  readonly corridors_cyclables: readonly {
    readonly compteur_id: string;
    readonly dmja: number;
    readonly seuil_dmja: number;
  }[];
  readonly evolution_hebdomadaire: readonly WeekChange[];
  readonly ratio_weekend_semaine: WeekendRatio | null;
  readonly congestion_cyclable: readonly CongestedHour[];
  readonly anomalies: readonly CounterAnomaly[];
  readonly chantiers_actifs: readonly DistrictWorks[];
  readonly score_criticite_chantiers: readonly DistrictCriticality[];
  readonly qualite_service: readonly ServiceGroup[];
}

/** The eighteen, by the names under which the later system answered for each. */
export const STUDY_METRICS = [
  ...([
    'debit_horaire',
    'debit_journalier',
    'dmja',
    'profil_jour_type',
    'heures_pointe',
    'taux_disponibilite',
  ] as const),
  ...([
    'top_compteurs',
    'compteurs_faible_activite',
    'compteurs_defaillants',
    'densite_par_zone',
  ] as const),
  ...([
    'corridors_cyclables',
    'evolution_hebdomadaire',
    'ratio_weekend_semaine',
    'congestion_cyclable',
  ] as const),
  ...(['anomalies', 'chantiers_actifs', 'score_criticite_chantiers', 'qualite_service'] as const),
] satisfies readonly (keyof BikeStudy)[];

const TOP = 10;
const districtsOf = new DistrictsCache();

/** Loads the hours of all units once: their windows overlap. */
export const metricsBikeStudy: StepImplementation = {
  kind: 'sql',
  async run(task, sql) {
    await loadBikeHours(sql, task.units);
    return forEachUnit(task, async (unit) => ({
      scope: unit.scope,
      ...(await studyUnit(unit, task, sql)),
    }));
  },
};

async function studyUnit(unit: StepUnit, task: StepTask, sql: SqlSession): Promise<UnitOutputs> {
  const day = dayOf(unit);
  const hours = await readBikeHours(sql, unit);
  const limits = studyLimits(task.params);
  const counters = counterStudy(day, hours, limits);
  const study = bikeStudy(day, { hours, counters, limits }, await districtsOf.of(sql, unit), {
    works: await readJson<WorksMetrics>(inputOf(unit, 'chantiers')),
    service: await readJson<ServiceMetrics>(inputOf(unit, 'service-quality')),
  });
  const rows = counters.map((counter) => BIKE_STUDY_TABLE.map(({ name }) => counter[name]));
  return {
    outputs: {
      study: jsonOutput(study),
      counters: await writeParquetRows(sql, BIKE_STUDY_TABLE, rows, `bike-study-${day.date}`),
    },
    checks: [],
    facts: { days: study.jours.length, rows: counters.length },
  };
}

interface Counted {
  readonly hours: BikeHours;
  readonly counters: readonly CounterStudy[];
  readonly limits: StudyLimits;
}

interface Beside {
  readonly works: WorksMetrics | null;
  readonly service: ServiceMetrics | null;
}

/** `works` and `service` may be null: their metrics are then empty, the rest is whole. */
export function bikeStudy(
  day: ZonedDay,
  { hours, counters, limits }: Counted,
  districts: readonly District[],
  { works, service }: Beside,
): BikeStudy {
  const days = [...new Set(hours.days.map((one) => one.day))].sort();
  const flows = [...meanDailyFlows(hours).values()];
  const [median, threshold] = [
    percentile(flows, 50) ?? 0,
    percentile(flows, limits.corridor_percentile) ?? 0,
  ];
  const ranked = [...counters].sort((a, b) => a.rang - b.rang);
  return {
    schema: 'cityflow.bike-study/1',
    metric_type: 'bike-study',
    date: day.date,
    fenetre_jours: STUDY_DAYS,
    jours: days,
    limites: limits,
    debit_horaire: counters.map((one) => ({
      compteur_id: one.compteur_id,
      debit_horaire_moyen: one.debit_horaire_moyen,
      debit_horaire_median: one.debit_horaire_median,
      debit_horaire_min: one.debit_horaire_min,
      debit_horaire_max: one.debit_horaire_max,
      debit_total: one.debit_total,
      nb_mesures: one.nb_mesures,
    })),
    debit_journalier: dailyFlows(hours, days),
    dmja: counters.map(({ compteur_id, dmja, dmja_jours_complets }) => ({
      compteur_id,
      dmja,
      dmja_jours_complets,
    })),
    profil_jour_type: profileOf(hours.profile),
    heures_pointe: peakHours(hours.profile, limits),
    taux_disponibilite: counters.map((one) => ({
      compteur_id: one.compteur_id,
      nb_enregistrements_reels: one.nb_enregistrements_reels,
      nb_enregistrements_attendus: one.nb_enregistrements_attendus,
      taux_disponibilite_pct: one.taux_disponibilite_pct,
    })),
    top_compteurs: ranked
      .slice(0, TOP)
      .map(({ rang, compteur_id, dmja }) => ({ rang, compteur_id, dmja })),
    compteurs_faible_activite: counters
      .filter(({ faible_activite: low }) => low)
      .map(({ compteur_id, dmja }) => ({ compteur_id, dmja, mediane_dmja: rounded(median, 3) })),
    compteurs_defaillants: counters
      .filter(({ defaillant }) => defaillant)
      .map(({ compteur_id, heures_sans_donnees }) => ({ compteur_id, heures_sans_donnees })),
    densite_par_zone: densities(hours.counters, counters, districts),
    corridors_cyclables: ranked
      .filter(({ corridor }) => corridor)
      .map(({ compteur_id, dmja }) => ({ compteur_id, dmja, seuil_dmja: rounded(threshold, 3) })),
    evolution_hebdomadaire: weeklyChange(hours.days),
    ratio_weekend_semaine: weekendRatio(hours.days),
    congestion_cyclable: congestedHours(hours, limits),
    anomalies: anomalies(hours, limits),
    chantiers_actifs: works === null ? [] : worksByDistrict(works),
    score_criticite_chantiers: works === null ? [] : criticality(works),
    qualite_service: service?.groupes ?? [],
  };
}

function dailyFlows({ days }: BikeHours, dates: readonly string[]): DailyFlow[] {
  const byCounter = new Map<string, Map<string, number>>();
  for (const { counter_id: id, day, total } of days) {
    const own = byCounter.get(id) ?? new Map<string, number>();
    byCounter.set(id, own.set(day, total));
  }
  return [...byCounter].map(([id, own]) => ({
    compteur_id: id,
    debit_journalier: dates.map((date) => own.get(date) ?? null),
  }));
}

function densities(
  sums: readonly CounterSums[],
  counters: readonly CounterStudy[],
  districts: readonly District[],
): DistrictDensity[] {
  const numbers = [...new Set(sums.flatMap(({ district }) => district ?? []))].sort(
    (a, b) => a - b,
  );
  return numbers.map((number) => {
    const own = sums.filter(({ district }) => district === number);
    const [total, n] = [sum(own.map((one) => one.total)), sum(own.map((one) => one.n))];
    const postcode = postcodeOf(number);
    const flows = counters
      .filter(({ arrondissement }) => arrondissement === postcode)
      .map(({ dmja }) => dmja);
    const area = districts.find((district) => district.number === number)?.areaM2 ?? null;
    return {
      arrondissement: postcode,
      debit_total: total,
      debit_moyen: rounded(total / n, 3),
      nb_mesures: n,
      compteurs: own.length,
      velos_jour_par_km2: area === null ? null : rounded(sum(flows) / (area / 1e6), 3),
    };
  });
}
