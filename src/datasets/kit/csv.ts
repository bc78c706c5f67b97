/** A field of a CSV table; null is empty. */
export type CsvCell = string | number | null;

/** How a CSV table is written. Default: `;`, which French spreadsheets expect, and LF. */
export interface CsvForm {
  readonly delimiter?: ';' | ',' | '\t';
  readonly lineEnd?: '\n' | '\r\n';
}

/**
 * Rows as CSV (RFC 4180): a field with a delimiter, a quote or a line break is quoted. Ours, and not a library's, because
 * reports are held byte for byte for years, and a release must not change them.
 */
export function csvText(rows: Iterable<readonly CsvCell[]>, { delimiter = ';', lineEnd = '\n' }: CsvForm = {}): string {
  let text = '';
  for (const cells of rows) text += cells.map((cell) => csvField(cell, delimiter)).join(delimiter) + lineEnd;
  return text;
}

function csvField(cell: CsvCell, delimiter: string): string {
  const text = cell === null ? '' : String(cell);
  const isPlain = !text.includes(delimiter) && !/["\n\r]/.test(text);
  return isPlain ? text : `"${text.replaceAll('"', '""')}"`;
}
