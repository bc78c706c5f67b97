import { PipelineError } from '../../errors.ts';
import { quoteText } from '../../pipelines/sql-text.ts';
import { readTextEnds, SAMPLE_BYTES } from './raw-text.ts';

/** CSV exports: which columns a file has and under which of the publisher's names, and how the engine reads its rows. */

/** The names of a column in each dialect, as `plainName` writes them; the first is our own word for it. */
export type ColumnNames<Column extends string> = Readonly<Record<Column, readonly string[]>>;

export interface CsvHeader<Column extends string> {
  /** Published names in their order. */
  readonly published: readonly string[];
  /** The published name of each known column that the file has. */
  readonly known: ReadonlyMap<Column, string>;
  readonly unknown: readonly string[];
}

export interface CsvFile<Column extends string> extends CsvHeader<Column> {
  readonly path: string;
  readonly bytes: number;
  readonly what: string;
  readonly delimiter: string;
}

/** A name without case, accents and punctuation: `Taux d'occupation` → `taux d occupation`, `IU_AC` → `iu ac`. */
function plainName(name: string): string {
  return name
    .normalize('NFD')
    .replace(/\p{M}/gu, '')
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, ' ')
    .trim();
}

/** Finds the known columns by name, never by position. */
export function mapColumns<Column extends string>(
  published: readonly string[],
  names: ColumnNames<Column>,
): CsvHeader<Column> {
  const known = new Map<Column, string>();
  const plain = published.map(plainName);
  for (const [column, dialects] of Object.entries(names) as [Column, readonly string[]][]) {
    const place = plain.findIndex((name) => dialects.includes(name));
    const name = published[place];
    if (name !== undefined) known.set(column, name);
  }
  const used = new Set(known.values());
  return { published, known, unknown: published.filter((name) => !used.has(name)) };
}

/**
 * Reads the header of an export.
 * @throws `SRC_TRUNCATED` for a file that ends in its header; `SRC_SHAPE_CHANGED` for one that is no table or lacks
 * a required column.
 */
export async function openCsv<Column extends string>(
  path: string,
  what: string,
  names: ColumnNames<Column>,
  required: readonly Column[],
): Promise<CsvFile<Column>> {
  const { head, bytes } = await readTextEnds(path, what);
  if (/^\s*[{[]/.test(head)) {
    throw new PipelineError('SRC_SHAPE_CHANGED', `${what} is JSON, not a table: ${JSON.stringify(head.slice(0, 120))}`);
  }
  const end = head.indexOf('\n');
  const line = (end === -1 ? head : head.slice(0, end)).replace(/\r$/, '');
  const delimiter = line.split(';').length >= line.split(',').length ? ';' : ',';
  const published = line.split(delimiter).map((name) => name.replace(/^"(.*)"$/, '$1'));
  const header = mapColumns(published, names);
  const missing = required.filter((column) => !header.known.has(column));
  if (missing.length > 0) {
    const wanted = missing.map((column) => names[column].join(' or ')).join('; ');
    throw new PipelineError(
      end === -1 && bytes < SAMPLE_BYTES ? 'SRC_TRUNCATED' : 'SRC_SHAPE_CHANGED',
      `${what} has no column ${wanted}; its columns are ${JSON.stringify(published).slice(0, 500)}`,
    );
  }
  return { ...header, path, bytes, what, delimiter };
}

/**
 * The rows as a table function, all fields as text. The columns are given, so that a row with more or fewer fields is refused
 * (`SRC_SHAPE_CHANGED`) rather than padded; delimiters and line ends inside quotes are part of the text.
 */
export function csvRowsSql({ path, delimiter, published }: CsvFile<string>): string {
  const columns = published.map((name) => `${quoteText(name)}: 'VARCHAR'`).join(', ');
  const options = [
    "auto_detect = false, header = false, skip = 1, encoding = 'utf-8'",
    `delim = ${quoteText(delimiter)}, quote = '"', escape = '"'`,
    `columns = {${columns}}`,
  ].join(', ');
  return `read_csv(${quoteText(path)}, ${options})`;
}
