import { csvField } from '@quotidien/machine/csv-field';

/** A field of a CSV table; null is empty. */
export type CsvCell = string | number | null;

/** How a CSV table is written. Default: `;`, which French spreadsheets expect, and LF. */
export interface CsvForm {
  readonly delimiter?: ';' | ',' | '\t';
  readonly lineEnd?: '\n' | '\r\n';
}

/**
 * Rows as CSV (RFC 4180): a field with a delimiter, a quote or a line break is quoted; null is an
 * empty field.
 */
export function csvText(
  rows: Iterable<readonly CsvCell[]>,
  { delimiter = ';', lineEnd = '\n' }: CsvForm = {},
): string {
  let text = '';
  for (const cells of rows)
    text +=
      cells
        .map((cell) => (cell === null ? '' : csvField(String(cell), delimiter)))
        .join(delimiter) + lineEnd;
  return text;
}
