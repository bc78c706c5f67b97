import { definedMembers } from '../../given.ts';
import type { ColumnType, TableColumn } from '../../pipelines/tables.ts';

/**
 * A column of a table or an answer, open to every reader; `unit` such as `MW`, absent for names and
 * times.
 */
export function column(
  name: string,
  type: ColumnType,
  fr: string,
  en: string,
  unit?: string,
): TableColumn {
  return { name, type, title: { fr, en }, ...definedMembers({ unit }) };
}
