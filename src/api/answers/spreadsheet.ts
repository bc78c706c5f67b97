import type { TableColumn } from '../../pipelines/tables.ts';

/**
 * The header of a column in a spreadsheet, whose times have no zone: `date_heure (UTC)` for
 * instants.
 */
export function sheetHeader({ name, type }: Pick<TableColumn, 'name' | 'type'>): string {
  return type === 'instant' ? `${name} (UTC)` : name;
}
