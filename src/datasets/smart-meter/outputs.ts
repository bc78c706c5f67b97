import { definedMembers } from '../kit/index.ts';
import type { ColumnClass, OutputDefinition } from '../kit/index.ts';

/** Outputs of meters: whose business their columns are, and for how long they are kept. */

/** Columns that name a meter or tell of one household. */
export const PERSONAL: Readonly<Record<string, ColumnClass>> = {
  meter_id: 'personal',
  meter_key: 'personal',
  usage_point_id: 'personal',
};

const CNIL = 'load curves are personal data (CNIL, case closed in 2021)';
/** What younger days read of others is kept longer than their own readings are. */
export const HALF_HOURS = { months: 24, basis: `${CNIL}: half-hours for two years` } as const;
/** Months of meters. */
export const MONTHS_OF_METERS = {
  months: 84,
  basis: `${CNIL}: monthly figures for three years, and four more as archives`,
} as const;
/** Daily figures of meters. */
export const DAYS_OF_METERS = {
  months: 36,
  basis: `${CNIL}: daily figures for three years`,
} as const;
/** Raw files. */
export const FILES = {
  months: 3,
  basis: 'files alone have the ids of meters: for 90 days, until their rows are settled',
} as const;

/** A table; every column that may name a meter is classified. */
export function parquet(layer: string, more: Partial<OutputDefinition> = {}): OutputDefinition {
  return {
    layer,
    extension: 'parquet',
    mediaType: 'application/vnd.apache.parquet',
    columns: PERSONAL,
    ...more,
  };
}

/**
 * A document, open to all readers; with `ofMeters` it names single meters by their keys, is for who
 * says who they are, and ends as their daily figures do.
 */
export function json(
  layer: string,
  publishAs?: string,
  { ofMeters = false } = {},
): OutputDefinition {
  return {
    layer,
    extension: 'json',
    mediaType: 'application/json',
    class: ofMeters ? 'personal' : 'open',
    ...definedMembers({ publishAs, retention: ofMeters ? DAYS_OF_METERS : undefined }),
  };
}
