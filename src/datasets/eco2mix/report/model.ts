import type {
  AcceptedHold,
  CheckResult,
  CivilDate,
  PartNote,
  Revision,
  UnansweredNote,
} from '../../kit/index.ts';
import type { ComparisonName, Coverage, DayComparison, DayMetrics } from '../metrics-model.ts';

/**
 * The report of one data day as data: everything that its page shows, and nothing that the inputs
 * do not say. It holds no time of the run, so equal inputs give equal bytes.
 */
export interface ReportModel {
  readonly schema: 'eco2mix.report/1';
  readonly date: CivilDate;
  readonly zone: string;
  /** Length of the day: 23, 24 or 25. */
  readonly hours: number;
  readonly revision: Revision | null;
  /**
   * `no_data` without any load, `degraded` when a section is not ok or a part could not be asked
   * for again.
   */
  readonly status: SectionStatus;
  readonly sections: Readonly<Record<SectionName, SectionState>>;
  /** The figures of the day in a fixed order; also the rows of the flat table. */
  readonly indicators: readonly Indicator[];
  readonly metrics: DayMetrics;
  readonly comparison: DayComparison | null;
  readonly checks: ChecksSummary;
  readonly provenance: Provenance;
  /**
   * The parts whose new request failed, so that what was delivered before is used; absent where
   * there are none.
   */
  readonly notes?: readonly PartNote[];
  /**
   * The parts of which nothing came because their publisher was not heard; absent where there are
   * none.
   */
  readonly unanswered?: readonly UnansweredNote[];
  /** Held data that the day is made of, and who accepted them; absent where there are none. */
  readonly accepted?: readonly AcceptedHold[];
  /** The parts whose rows a sample portal made up; absent for real days. */
  readonly sample_data?: readonly string[];
}

/** Raised when a reader of the document would have to change. */
export const REPORT_SCHEMA = 'eco2mix.report/1';

/** In the order of the page. */
export const SECTION_NAMES = [
  'load',
  'forecasts',
  'generation',
  'exchanges',
  'carbon_intensity',
  'comparison',
  'checks',
] as const;
/** A section that has a status; provenance and coverage have none. */
export type SectionName = (typeof SECTION_NAMES)[number];

/**
 * - ok: everything that the section shows was published.
 * - degraded: something is missing or wrong, and the reasons say what.
 * - no_data: there is nothing to show, and the reasons say why.
 */
export type SectionStatus = 'ok' | 'degraded' | 'no_data';

/** Whether a section can be relied on, and why not. */
export interface SectionState {
  readonly status: SectionStatus;
  /** Empty when the status is `ok`. */
  readonly reasons: readonly Reason[];
}

/** A column that covers the day in part. */
export interface ObservedQuantity extends Coverage {
  /** The publisher's column name. */
  readonly quantity: string;
}

/** Why a section is not `ok`; pages put it into words. */
export type Reason =
  | { readonly code: 'not_published'; readonly quantities: readonly string[] }
  | { readonly code: 'incomplete'; readonly quantities: readonly ObservedQuantity[] }
  /** Forecasts are there and no load to compare them with. */
  | { readonly code: 'no_load_to_compare' }
  | { readonly code: 'comparison_not_made' }
  | { readonly code: 'reference_days_missing'; readonly comparisons: readonly ComparisonName[] }
  /** The day was observed in part, so its energies are not those of a whole day. */
  | { readonly code: 'energies_incomplete' }
  | { readonly code: 'checks_failed'; readonly checks: readonly string[] }
  | { readonly code: 'no_checks' };

/** A row of the table of figures that is exported. */
export interface Indicator {
  readonly indicator: string;
  readonly value: number | null;
  /** `MW`, `MWh`, `%`, `g/kWh`, or `1` for shares from 0 to 1. */
  readonly unit: string;
  /** Local time with offset, for figures that belong to one instant. */
  readonly instant: string | null;
  /** Observed part of the day, 0–1; null for figures that are no sum or mean over the day. */
  readonly coverage: number | null;
}

interface ChecksSummary {
  /** Checks that were made, and those among them with failing rows. */
  readonly made: number;
  readonly failed: number;
  readonly results: readonly CheckResult[];
}

/** A slice of published rows by its content. */
export interface SourceSlice {
  readonly part: string;
  /** The publisher's name of the dataset. */
  readonly dataset: string;
  readonly rows: number | null;
  readonly sha256: string | null;
}

/** An artefact by its content: equal bytes, equal identity, wherever they are kept. */
export interface ArtefactIdentity {
  readonly sha256: string;
  readonly bytes: number;
  /** Null for documents. */
  readonly rows: number | null;
}

/** What the report was made from, without anything that differs between runs. */
export interface Provenance {
  /** The slices of published rows that the day was made from. */
  readonly slices: readonly SourceSlice[];
  readonly artefacts: {
    readonly core: ArtefactIdentity;
    readonly metrics: ArtefactIdentity;
    readonly comparison: ArtefactIdentity | null;
  };
  /** Columns of the publisher that no reader knows yet. */
  readonly unknown_columns: readonly string[];
  /** By step id, as the step's parameters give them; empty when they give none. */
  readonly step_versions: Readonly<Record<string, number>>;
}
