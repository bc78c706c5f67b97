import { PipelineError, quoteIdentifier, quoteText } from '../../kit/index.ts';
import type { FileHead } from './dialect.ts';

/**
 * CSV files of all dialects: columns are found by the names of the header, never by their place.
 */

/** How the lines of a dialect are laid out. */
export interface CsvShape {
  readonly delimiter: ',' | ';';
  /** Lines before the header. */
  readonly skip: number;
}

/** The header as it stands in the file. */
export function headerOf(head: FileHead, { delimiter, skip }: CsvShape): string[] {
  return (head.lines[skip] ?? '').split(delimiter).map((name) => name.replace(/^"(.*)"$/, '$1'));
}

/** The rows as text, with `line`, the place of the row in the file. */
export function csvRows(
  path: string,
  names: readonly string[],
  shape: CsvShape,
  hasHeader = true,
): string {
  return `(SELECT *, ${linesBefore(shape, hasHeader)} + row_number() OVER () AS line
    FROM ${unnumberedRows(path, names, shape, hasHeader)})`;
}

/**
 * The same without `line`: to number rows is the work of one thread, while without it all threads
 * read the file.
 */
export function unnumberedRows(
  path: string,
  names: readonly string[],
  shape: CsvShape,
  hasHeader = true,
): string {
  const columns = names.map((name) => `${quoteText(name)}: 'VARCHAR'`).join(', ');
  return `read_csv(${quoteText(path)}, delim = ${quoteText(shape.delimiter)}, quote = '"', escape = '"', header = false,
    skip = ${linesBefore(shape, hasHeader)}, columns = {${columns}}, null_padding = true, auto_detect = false, strict_mode = false)`;
}

function linesBefore({ skip }: CsvShape, hasHeader: boolean): number {
  return skip + (hasHeader ? 1 : 0);
}

/** SQL of a column by one of its names, trimmed; NULL where the header has none of them. */
export function columnSql(header: readonly string[], ...names: readonly string[]): string {
  const wanted = names.map(plain);
  const found = header.find((name) => wanted.includes(plain(name)));
  return found === undefined ? 'NULL' : `nullif(trim(${quoteIdentifier(found)}), '')`;
}

/** The same as it stands in the file. */
export function rawColumnSql(header: readonly string[], name: string): string {
  const found = header.find((one) => plain(one) === plain(name));
  return found === undefined ? 'NULL' : quoteIdentifier(found);
}

/** Whether a header has a column of this name. */
export function hasColumn(header: readonly string[], name: string): boolean {
  return header.some((one) => plain(one) === plain(name));
}

function plain(name: string): string {
  return name.trim().toLowerCase().normalize('NFD').replace(/\p{M}/gu, '');
}

/** @throws `SRC_SHAPE_CHANGED` that names the columns that are missing */
export function requireColumns(
  header: readonly string[],
  names: readonly string[],
  what: string,
): void {
  const missing = names.filter((name) => !hasColumn(header, name));
  if (missing.length === 0) return;
  throw new PipelineError(
    'SRC_SHAPE_CHANGED',
    `${what} has no column ${missing.join(', ')}; it has ${header.join(', ')}`,
  );
}
