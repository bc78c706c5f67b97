import { column } from '../../kit/index.ts';
import type { ColumnType, TableColumn } from '../../kit/index.ts';

/**
 * Columns that readers may ask for, from the tables that steps write and the titles that people
 * read.
 */

const TYPES: Readonly<Record<string, ColumnType>> = {
  VARCHAR: 'text',
  INTEGER: 'integer',
  BIGINT: 'integer',
  DOUBLE: 'number',
  BOOLEAN: 'boolean',
  TIMESTAMPTZ: 'instant',
  DATE: 'date',
};

/** By column; a title is also the definition in the data dictionary. */
export type Titles<Name extends string> = Readonly<
  Record<Name, readonly [fr: string, en: string, unit?: string]>
>;

/** The columns of `table` in its order; `text` for a type that readers do not know. */
export function columnsOf<Name extends string>(
  table: readonly { readonly name: Name; readonly type: string }[],
  titles: Titles<Name>,
): TableColumn[] {
  return table.map(({ name, type }) => {
    const [fr, en, unit] = titles[name];
    return column(name, TYPES[type] ?? 'text', fr, en, unit);
  });
}

/** The day of a row, for tables whose rows do not tell it themselves. */
export const SCOPE: TableColumn = { name: 'scope', type: 'date', title: { fr: 'Jour', en: 'Day' } };
