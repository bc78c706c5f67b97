import { definedMembers, parquetFile } from '../kit/index.ts';
import type { ColumnClass, OutputDefinition } from '../kit/index.ts';
import { LINEAR_TABLES } from './flux/readers.ts';

/**
 * Columns that name a household, or are about one; whatever else is said of rows never holds their
 * values.
 */
export const PERSONAL: Readonly<Record<string, ColumnClass>> = Object.fromEntries(
  [
    ...new Set(LINEAR_TABLES.flatMap(({ personal }) => personal)),
    ...[
      'rsc',
      'record',
      'head',
      'd_releve_id',
      'f_releve_id',
      'index_debut',
      'index_fin',
      'preuves',
      'cause',
      'reste',
    ],
  ].map((name) => [name, 'personal']),
);

/** What an invoice rests on. */
export const TEN_YEARS = {
  months: 120,
  basis: 'documents of accounts are kept for ten years (Code de commerce, L123-22)',
} as const;

/** A table with columns of households; `keyColumns` name a row. */
export function table(
  layer: string,
  publishAs?: string,
  keyColumns?: readonly string[],
): OutputDefinition {
  return parquetFile(layer, {
    columns: PERSONAL,
    retention: TEN_YEARS,
    ...definedMembers({ publishAs, keyColumns }),
  });
}
