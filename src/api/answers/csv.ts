import { csvField } from '@quotidien/machine/csv-field';
import type { AnswerRow, AnswerValue, TableColumn } from '../../pipelines/tables.ts';
import { sheetHeader } from './spreadsheet.ts';

/**
 * Rows as CSV (RFC 4180). `fr` is what French spreadsheets open by a double click: `;` between
 * fields, a decimal comma, a byte order mark, and instants as they take them for times, `2023-12-31
 * 23:00:00` in a column `date_heure (UTC)`: one that ends with a zone stays a text there. Texts
 * that a spreadsheet would run as a formula begin with an apostrophe (OWASP, "CSV injection"), and
 * so do those that look like it already: who takes one apostrophe away before such a sign has the
 * text as it was.
 */
export const DIALECTS = ['standard', 'fr'] as const;
/**
 * `fr-earlier`: the same with instants and headers as the exports of the earlier pages have them,
 * which programs read.
 */
export type Dialect = (typeof DIALECTS)[number] | 'fr-earlier';

/** The wide forms are signs too in some languages of spreadsheets. */
const FORMULA = /^'*[=+\-@\t\r\n＝＋－＠]/;
const INSTANT = /^\d{4}-\d\d-\d\dT[\d:.]+Z$/;
const BYTE_ORDER_MARK = '\uFEFF';

type Column = Pick<TableColumn, 'name' | 'type'>;

/** Between fields. */
export function csvSeparator(dialect: Dialect): ',' | ';' {
  return dialect === 'standard' ? ',' : ';';
}

/** Ends with CRLF. In `fr` the name of an instant's column says that it is UTC. */
export function csvHeader(columns: readonly Column[], dialect: Dialect): string {
  const mark = dialect === 'standard' ? '' : BYTE_ORDER_MARK;
  const names = columns.map((column) => (dialect === 'fr' ? sheetHeader(column) : column.name));
  return `${mark}${names.map((name) => csvField(name, csvSeparator(dialect))).join(csvSeparator(dialect))}\r\n`;
}

/** One line per row, each with CRLF; null is an empty field. */
export function csvRows(
  columns: readonly Column[],
  rows: readonly AnswerRow[],
  dialect: Dialect,
): string {
  const separator = csvSeparator(dialect);
  let text = '';
  for (const row of rows)
    text += `${columns.map(({ name, type }) => field(timeOf(row[name], type, dialect), type, dialect)).join(separator)}\r\n`;
  return text;
}

function timeOf(
  value: AnswerValue | undefined,
  type: Column['type'],
  dialect: Dialect,
): AnswerValue | undefined {
  if (dialect !== 'fr' || type !== 'instant' || typeof value !== 'string') return value;
  return INSTANT.test(value) ? value.replace('T', ' ').replace('Z', '') : value;
}

function field(value: AnswerValue | undefined, type: Column['type'], dialect: Dialect): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number')
    return dialect === 'standard' ? String(value) : String(value).replace('.', ',');
  if (typeof value === 'boolean') return String(value);
  // Whole numbers that a double cannot hold come as texts.
  return csvField(
    type !== 'integer' && FORMULA.test(value) ? `'${value}` : value,
    csvSeparator(dialect),
  );
}
