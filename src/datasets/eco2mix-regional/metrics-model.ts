import type { Revision } from '../kit/index.ts';
import type { Source } from './columns.ts';

/**
 * The metrics of one data day by region. Power is in MW, energy in MWh (multiples of 0.25, exact in
 * a double), rates are in percent with two decimals, coverages 0–1 of the day. `null` means "not
 * published", never zero; a gap is never filled.
 */

/** An energy with the part of the day that it stands on. */
export interface Energy {
  /** Σ P·dt over what was observed; null when nothing was. */
  readonly energy_mwh: number | null;
  /** Observed time over the length of the day, 0–1. */
  readonly coverage: number;
}

/** A source of one region with the two rates that RTE publishes of it. */
export interface SourceEnergy extends Energy {
  /**
   * The part of the region's load that the source has (RTE's TCO), over the rows that have both;
   * above 100 where a region exports.
   */
  readonly coverage_rate_pct: number | null;
  /**
   * Mean over time of the published load factor (TCH): of the capacity that RTE knows to be
   * installed.
   */
  readonly load_factor_pct: number | null;
}

/** One region on one day. */
export interface RegionDay {
  /** INSEE code of the region. */
  readonly code: string;
  readonly name: string;
  readonly load: Energy & {
    readonly mean_mw: number | null;
    /** The first instant that has the largest value, local time with offset. */
    readonly peak: { readonly mw: number; readonly at: string } | null;
  };
  readonly generation: {
    /** Of the sources that the region has; a region without nuclear power has none published. */
    readonly total_mwh: number | null;
    readonly by_source: Readonly<Record<Source, SourceEnergy>>;
    /** Generation over load; null unless both cover the same time. */
    readonly coverage_rate_pct: number | null;
  };
  readonly pumping: Energy;
  /** Physical exchanges with neighbours and abroad; positive is import. */
  readonly exchange: Energy & {
    readonly import_mwh: number | null;
    readonly export_mwh: number | null;
  };
}

/** The document of a day. */
export interface RegionsDay {
  readonly schema: 'eco2mix-regional.metrics/1';
  readonly date: string;
  /** 23, 24 or 25. */
  readonly hours: number;
  /** The least final one of the day's rows with a load; null without any. */
  readonly revision: Revision | null;
  /** The twelve regions in the order of their codes, then codes that nobody knows. */
  readonly regions: readonly RegionDay[];
}

/** A quantity summed over the regions beside the national figure of the same day. */
export interface ComparedQuantity {
  readonly quantity: 'consommation' | Source;
  readonly regions_mwh: number | null;
  readonly national_mwh: number | null;
  /** Regions minus national; null unless both are whole. */
  readonly difference_mwh: number | null;
  readonly difference_pct: number | null;
  /** Why the two cannot be compared. */
  readonly reason: 'no national figure' | 'regions incomplete' | 'national incomplete' | null;
}

/** What `metrics/comparison` writes. */
export interface NationalComparison {
  readonly schema: 'eco2mix-regional.comparison/1';
  readonly date: string;
  /** How final each side is: sides of different revisions may differ for that alone. */
  readonly revisions: { readonly regions: Revision | null; readonly national: Revision | null };
  readonly quantities: readonly ComparedQuantity[];
}
