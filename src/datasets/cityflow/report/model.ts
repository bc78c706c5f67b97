import type { SectionName } from '../definition.ts';
import type { ArcMetrics } from '../metrics/arc-day.ts';
import type { BikesMetrics } from '../metrics/bikes.ts';
import type { AlertedArc, CountsMetrics } from '../metrics/counts.ts';
import type { HistoryMetrics, WeekEvolution } from '../metrics/history.ts';
import type { NetworkMetrics } from '../metrics/network.ts';
import type { TrafficMetrics } from '../metrics/traffic.ts';
import type { UsualMetrics } from '../metrics/usual.ts';
import type { WeatherFigures, WeatherMetrics } from '../metrics/weather.ts';
import type { ActiveWork, WorksMetrics } from '../metrics/works.ts';
import type { CongestedZone } from '../metrics/zone-day.ts';
import type { Thresholds } from '../thresholds.ts';

/**
 * The daily report: the keys that reports of this city have published, and beside them what each
 * figure rests on.
 */

/** Raised when a reader of the published keys would have to change. */
export const REPORT_SCHEMA = 'cityflow.report/2';

/** The stored metrics of one day; null where a source has none. */
export interface DayMetrics {
  readonly bikes: BikesMetrics | null;
  readonly traffic: TrafficMetrics | null;
  readonly weather: WeatherMetrics | null;
  readonly comptages: CountsMetrics | null;
  readonly chantiers: WorksMetrics | null;
  readonly referentiel: NetworkMetrics | null;
  readonly history: HistoryMetrics | null;
  /** Read by the report alone. */
  readonly usual?: UsualMetrics | null;
}

/** `degraded`: something is wrong or missing, and `reasons` say what; `no_data`: nothing came. */
export type SectionStatus = 'ok' | 'no_data' | 'degraded';

/** What a reader needs to trust a section, or not. */
export interface SectionDetail {
  readonly status: SectionStatus;
  /** Why it is not `ok`, in words. */
  readonly reasons: readonly string[];
  /** What the section rests on. */
  readonly coverage: Readonly<Record<string, number | string | null>>;
}

/** A bike counter that fails, or a road sensor that is silent. */
export interface FailingSensor {
  readonly id_compteur: string;
  readonly type: 'bike' | 'road';
  /** In French words. */
  readonly raison: string;
}

/**
 * The five figures that the report began with; null where the source gave nothing, never 0 for a
 * gap.
 */
export interface Summary {
  /** Passages at all sensors: who passes several is counted at each. */
  readonly total_vehicules_paris: number | null;
  readonly temps_perdu_total_minutes: number | null;
  readonly nombre_troncons_satures: number | null;
  /** %, observed hours over expected ones. */
  readonly taux_disponibilite_capteurs: number | null;
  readonly total_velos_paris: number | null;
}

/** Keys of the published report first, then ours. */
export interface Report {
  readonly schema: typeof REPORT_SCHEMA;
  readonly date: string;
  /** The parts whose rows a sample portal made up; absent for real days. */
  readonly sample_data?: readonly string[];
  /**
   * Null in the file: equal metrics give equal bytes whenever they are reported. The record of the
   * report says when it was made.
   */
  readonly generated_at: null;
  readonly summary: Summary;
  readonly top_10_troncons_frequentes: readonly ArcMetrics[];
  /** Zones with the most lost time: districts, or the directions outside of them. */
  readonly top_10_zones_congestionnees: readonly CongestedZone[];
  /** Segments with the most lost time. */
  readonly top_10_troncons_congestionnes: readonly ArcMetrics[];
  readonly capteurs_defaillants: readonly FailingSensor[];
  readonly alertes_congestion: readonly AlertedArc[];
  readonly chantiers_actifs: readonly Omit<ActiveWork, 'contours'>[];
  readonly evolution_vs_semaine_precedente:
    | WeekEvolution
    | { readonly disponible: false; readonly note: string };
  readonly meteo_impact: Partial<WeatherFigures> & { readonly categories?: readonly string[] };
  readonly sections: Readonly<Record<SectionName, SectionStatus>>;
  readonly section_details: Readonly<Record<SectionName, SectionDetail>>;
  readonly totaux: {
    readonly alertes: number;
    readonly capteurs_defaillants: number;
    readonly zones_saturees: readonly string[];
    readonly perturbations: number | null;
    readonly fiabilite_metro: number | null;
  };
  /** Of the sections that have data: nothing else was judged. */
  readonly seuils: Partial<Thresholds>;
  readonly provenance: {
    readonly metrics: Readonly<
      Record<string, { readonly sha256: string; readonly bytes: number } | null>
    >;
    /** Of the steps that made something of the day. */
    readonly step_versions: Readonly<Record<string, number>>;
  };
}
