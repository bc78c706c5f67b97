import type { Revision } from '../kit/index.ts';

/**
 * The metrics of one data day of French electricity: what `metrics/national` writes and every
 * report and rollup reads. Power is in MW, energy in MWh (multiples of 0.25, exact in a double),
 * shares are 0–1. `null` means "not published", never zero.
 */

/** Generation by source; the published order of a merit-order stack from the bottom. */
export const SOURCES = [
  'nucleaire',
  'hydraulique',
  'eolien',
  'solaire',
  'bioenergies',
  'gaz',
  'charbon',
  'fioul',
] as const;
/** The publisher's column of a source of generation. */
export type Source = (typeof SOURCES)[number];

/** The sources that the low-carbon share counts. */
export const LOW_CARBON: readonly Source[] = [
  'nucleaire',
  'hydraulique',
  'bioenergies',
  'solaire',
  'eolien',
];

/** Parts of a source; they do not sum to their parent. */
export const SUB_SOURCES = [
  'fioul_tac',
  'fioul_cogen',
  'fioul_autres',
  'gaz_tac',
  'gaz_cogen',
  'gaz_ccg',
  'gaz_autres',
  'hydraulique_fil_eau_eclusee',
  'hydraulique_lacs',
  'hydraulique_step_turbinage',
  'bioenergies_dechets',
  'bioenergies_biomasse',
  'bioenergies_biogaz',
  'eolien_terrestre',
  'eolien_offshore',
] as const;
/** A part of a source; parts do not add up to their source. */
export type SubSource = (typeof SUB_SOURCES)[number];

/** Storage: consumption is ≤ 0, except `destockage_batterie`, which gives back and is ≥ 0. */
export const STORAGES = ['pompage', 'stockage_batterie', 'destockage_batterie'] as const;
/** Pumped hydro or batteries. */
export type Storage = (typeof STORAGES)[number];

/** Commercial exchanges by neighbour, import positive; Germany and Belgium are published as one. */
export const BORDERS = ['angleterre', 'espagne', 'italie', 'suisse', 'allemagne_belgique'] as const;
/** Without its prefix `ech_comm_`. */
export type Border = (typeof BORDERS)[number];

/**
 * How much of the day a quantity was observed. A gap is never filled: the energy is that of what
 * was observed.
 */
export interface Coverage {
  /**
   * Samples that the day would have at the column's own step: 92, 96 or 100 at 15 min, 46, 48 or 50
   * at 30 min.
   */
  readonly expected_samples: number;
  readonly observed_samples: number;
  /** Observed time divided by the length of the day, 0–1, four decimals. */
  readonly coverage: number;
}

/** The energy of what was observed; a gap adds nothing and shows in the coverage. */
export interface Energy extends Coverage {
  /** Σ P·dt over the observed samples; null when nothing was observed. */
  readonly energy_mwh: number | null;
}

/** A power with its instant. */
export interface Extreme {
  readonly mw: number;
  /**
   * The first instant that has the value: `2024-01-15T19:00:00+01:00`, local offset of
   * Europe/Paris.
   */
  readonly at: string;
}

/** A source beside the others. */
export interface GenerationEnergy extends Energy {
  /** Part of the sum over the eight sources; null when that sum is zero or unknown. */
  readonly share: number | null;
}

/**
 * Commercial exchange of one border, or of all borders summed at each step before the split by
 * sign. Import is positive.
 */
export interface Exchange extends Coverage {
  readonly import_mwh: number | null;
  readonly export_mwh: number | null;
  readonly net_mwh: number | null;
}

/** Forecast minus load, over the instants that have both. */
export interface ForecastError {
  readonly samples: number;
  /** Mean absolute error. */
  readonly mae_mw: number | null;
  /** Mean of |error| / load, in percent. */
  readonly mape_pct: number | null;
  /** Mean error: positive when the forecast was too high. */
  readonly bias_mw: number | null;
}

/**
 * The day's series, one value per instant of `at` in order; values are MW, `taux_co2` is g
 * CO2eq/kWh.
 */
export interface DayCurves {
  /** Every quarter of an hour of the day, as local time with offset: 92, 96 or 100 of them. */
  readonly at: readonly string[];
  readonly consommation: Series;
  readonly prevision_j1: Series;
  readonly prevision_j: Series;
  readonly taux_co2: Series;
  readonly ech_physiques: Series;
  readonly sources: Readonly<Record<Source, Series>>;
  readonly storages: Readonly<Record<Storage, Series>>;
  readonly borders: Readonly<Record<Border, Series>>;
}
/** In the order of `at`; null where nothing was published. */
export type Series = readonly (number | null)[];

/** The document of a day; a sum with an unknown term is null. */
export interface DayMetrics {
  readonly schema: 'eco2mix.metrics/1';
  readonly date: string;
  /** 23, 24 or 25. */
  readonly hours: number;
  /** The least final revision among the instants that have a load. */
  readonly revision: Revision | null;
  /** Instants with a load, by revision. */
  readonly instants_by_revision: Readonly<Record<Revision, number>>;
  readonly load: Energy & {
    readonly mean_mw: number | null;
    readonly peak: Extreme | null;
    readonly trough: Extreme | null;
  };
  readonly generation: {
    readonly total_mwh: number | null;
    readonly by_source: Readonly<Record<Source, GenerationEnergy>>;
    readonly by_sub_source: Readonly<Record<SubSource, Energy>>;
    /** nuclear, hydro, bioenergy, solar and wind, over the eight sources; six decimals. */
    readonly low_carbon_share: number | null;
  };
  readonly storage: Readonly<Record<Storage, Energy>>;
  readonly exchanges: {
    readonly by_border: Readonly<Record<Border, Exchange>>;
    readonly total: Exchange;
    /** Physical exchange over all borders. */
    readonly physical: Exchange;
  };
  readonly carbon_intensity: Coverage & {
    /** Weighted by generation over the samples that have both; two decimals. */
    readonly mean_g_per_kwh: number | null;
    readonly min_g_per_kwh: number | null;
    readonly max_g_per_kwh: number | null;
  };
  readonly forecasts: { readonly j1: ForecastError; readonly j: ForecastError };
  readonly curves: DayCurves;
}

/**
 * What `metrics/comparison` writes: the day against earlier days, each null when that day has no
 * metrics.
 */
export interface DayComparison {
  readonly schema: 'eco2mix.comparison/1';
  readonly date: string;
  readonly against: Readonly<Record<ComparisonName, ComparedDay | null>>;
}

/** Names of the reference days. */
export const COMPARISONS = ['previous_day', 'previous_week', 'previous_year'] as const;
/** One day, 7 days and 364 days earlier (the same weekday of last year). */
export type ComparisonName = (typeof COMPARISONS)[number];

/** The day beside one reference day that is stored. */
export interface ComparedDay {
  /** Of the reference day. */
  readonly date: string;
  readonly values: Readonly<Record<ComparedQuantity, ComparedValue>>;
}

/** Each name carries its unit; a share is 0–1. */
export const COMPARED_QUANTITIES = [
  'load_energy_mwh',
  'load_mean_mw',
  'load_peak_mw',
  'generation_mwh',
  ...SOURCES.map((source) => `generation_${source}_mwh` as const),
  'exchange_net_mwh',
  'low_carbon_share',
  'carbon_intensity_g_per_kwh',
] as const;
/** Figures whose coverage is not told beside them: see `metrics` of both days. */
export type ComparedQuantity = (typeof COMPARED_QUANTITIES)[number];

/** One figure of both days; null where a day lacks it. */
export interface ComparedValue {
  /** Of the day itself. */
  readonly value: number | null;
  /** Of the reference day. */
  readonly reference: number | null;
  /** The day minus the reference, in the unit of the figure. */
  readonly difference: number | null;
  /**
   * Difference over the absolute reference, in percent, two decimals; null for a reference of zero.
   */
  readonly difference_pct: number | null;
}
