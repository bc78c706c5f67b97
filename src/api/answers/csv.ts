import type { AnswerRow, AnswerValue, TableColumn } from '../../pipelines/tables.ts';

/**
 * Rows as CSV (RFC 4180). `fr` is what French spreadsheets open by a double click: `;` between fields, a decimal comma, and a byte order mark.
 * Texts that a spreadsheet would run as a formula begin with an apostrophe (OWASP, "CSV injection").
 */
export const DIALECTS = ['standard', 'fr'] as const;
export type Dialect = (typeof DIALECTS)[number];

const SEPARATOR: Readonly<Record<Dialect, string>> = { standard: ',', fr: ';' };
const FORMULA = /^[=+\-@\t\r]/;
const BYTE_ORDER_MARK = '\uFEFF';

export function csvHeader(columns: readonly Pick<TableColumn, 'name'>[], dialect: Dialect): string {
  const mark = dialect === 'fr' ? BYTE_ORDER_MARK : '';
  return `${mark}${columns.map(({ name }) => quoted(name, dialect)).join(SEPARATOR[dialect])}\r\n`;
}

export function csvRows(
  columns: readonly Pick<TableColumn, 'name'>[],
  rows: readonly AnswerRow[],
  dialect: Dialect,
): string {
  const names = columns.map(({ name }) => name);
  let text = '';
  for (const row of rows) {
    let line = '';
    for (const name of names)
      line += `${line === '' && name === names[0] ? '' : SEPARATOR[dialect]}${field(row[name], dialect)}`;
    text += `${line}\r\n`;
  }
  return text;
}

function field(value: AnswerValue | undefined, dialect: Dialect): string {
  if (value === null || value === undefined) return '';
  if (typeof value === 'number') return dialect === 'fr' ? String(value).replace('.', ',') : String(value);
  if (typeof value === 'boolean') return String(value);
  return quoted(FORMULA.test(value) ? `'${value}` : value, dialect);
}

function quoted(text: string, dialect: Dialect): string {
  return /["\r\n]/.test(text) || text.includes(SEPARATOR[dialect]) ? `"${text.replaceAll('"', '""')}"` : text;
}
