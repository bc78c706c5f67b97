import { PipelineError } from '../../errors.ts';
import type { OddColumns } from '../../pipelines/given-file.ts';
import { quoteText } from '../../pipelines/sql-text.ts';
import { plainName } from './header.ts';
import { JSON_ANSWER, refuseUnclearHeader } from './not-data.ts';
import { readTextEnds, SAMPLE_BYTES } from './text-ends.ts';

/**
 * CSV exports: which columns a file has and under which of the publisher's names, and how the
 * engine reads its rows.
 */

/** The names of a column in each dialect, compared as `plainName` writes them. */
export type ColumnNames<Column extends string> = Readonly<Record<Column, readonly string[]>>;

/** A kind of file, by its columns. */
export interface CsvLayout<Column extends string> {
  /** What a person calls it, with the name of the publisher's dataset. */
  readonly title: string;
  readonly names: ColumnNames<Column>;
  readonly required: readonly Column[];
  /** Names of columns that such a file never has: they belong to a file that is like it. */
  readonly foreign: readonly string[];
  /** Beside the required ones, what a file of every dialect has. */
  readonly usual: readonly Column[];
  /** Names of columns that such a file has and that nothing is made of. */
  readonly unused: readonly string[];
}

/** A header as it was read against the names that a dataset knows. */
export interface CsvHeader<Column extends string> {
  /** Published names in their order. */
  readonly published: readonly string[];
  /** The published name of each known column that the file has. */
  readonly known: ReadonlyMap<Column, string>;
  /** Published names that no column of ours has. */
  readonly unknown: readonly string[];
}

/** A CSV file whose header was found good. */
export interface CsvFile<Column extends string> extends CsvHeader<Column> {
  readonly path: string;
  readonly bytes: number;
  /** How messages call the file. */
  readonly what: string;
  readonly delimiter: string;
}

/** Finds the known columns by name, never by position. */
export function mapColumns<Column extends string>(
  published: readonly string[],
  names: ColumnNames<Column>,
): CsvHeader<Column> {
  const known = new Map<Column, string>();
  const plain = published.map(plainName);
  for (const [column, dialects] of Object.entries(names) as [Column, readonly string[]][]) {
    const ours = dialects.map(plainName);
    const place = plain.findIndex((name) => ours.includes(name));
    const name = published[place];
    if (name !== undefined) known.set(column, name);
  }
  const used = new Set(known.values());
  return { published, known, unknown: published.filter((name) => !used.has(name)) };
}

/** What of a header a person should look at. */
export function oddColumns<Column extends string>(
  { known, unknown }: CsvHeader<Column>,
  { names, usual, unused }: CsvLayout<Column>,
): OddColumns {
  return {
    unknown: unknown.filter((name) => !unused.map(plainName).includes(plainName(name))),
    missing: usual
      .filter((column) => !known.has(column))
      .map((column) => names[column].join(' or ')),
  };
}

/** A header as it was found, before anything is known of the file. */
interface Header {
  readonly published: readonly string[];
  readonly delimiter: string;
  readonly bytes: number;
  /** The file goes on behind what was seen of its header. */
  readonly isWhole: boolean;
}

async function readHeader(path: string, what: string): Promise<Header> {
  const { head, bytes } = await readTextEnds(path, what);
  if (JSON_ANSWER.starts.test(head)) {
    throw new PipelineError(
      'SRC_SHAPE_CHANGED',
      `${what} is ${JSON_ANSWER.is}. It begins with ${JSON.stringify(head.slice(0, 120))}`,
    );
  }
  const end = head.indexOf('\n');
  const line = (end === -1 ? head : head.slice(0, end)).replace(/\r$/, '');
  const delimiter = line.split(';').length >= line.split(',').length ? ';' : ',';
  const published = line.split(delimiter).map((name) => name.replace(/^"(.*)"$/, '$1'));
  refuseUnclearHeader(published, what);
  return { published, delimiter, bytes, isWhole: end !== -1 || bytes >= SAMPLE_BYTES };
}

/** How a header differs from a layout. */
interface Misfit {
  readonly title: string;
  /** Known columns that it has. */
  readonly known: number;
  /** The names of the required columns that it lacks, in every dialect. */
  readonly missing: readonly string[];
  /** Published names that a file of this layout never has. */
  readonly foreign: readonly string[];
}

function misfitOf(
  published: readonly string[],
  { title, names, required, foreign }: CsvLayout<string>,
): Misfit {
  const { known } = mapColumns(published, names);
  return {
    title,
    known: known.size,
    missing: required
      .filter((column) => !known.has(column))
      .map((column) => (names[column] ?? []).join(' or ')),
    foreign: published.filter((name) => foreign.map(plainName).includes(plainName(name))),
  };
}

function fits({ missing, foreign }: Misfit): boolean {
  return missing.length === 0 && foreign.length === 0;
}

function describeMisfit({ title, missing, foreign }: Misfit): string {
  const lacks = missing.length === 0 ? [] : [`has no column ${missing.join('; ')}`];
  const has =
    foreign.length === 0 ? [] : [`has ${foreign.map((name) => JSON.stringify(name)).join(', ')}`];
  return `it is not ${title}, because it ${[...lacks, ...has].join(' and ')}`;
}

/**
 * Which of several layouts a file has, by its header alone: the one that it fits. A file that fits
 * none, or several, is refused, and the layout that it comes nearest to is named with what is
 * missing: it may be that file with a renamed column.
 * @throws `SRC_SHAPE_CHANGED`, or `SRC_TRUNCATED` for a file that ends in its header.
 */
export async function chooseLayout<Layout extends CsvLayout<string>>(
  path: string,
  what: string,
  layouts: readonly Layout[],
): Promise<Layout> {
  const { published, isWhole } = await readHeader(path, what);
  const misfits = layouts.map((layout) => ({ layout, misfit: misfitOf(published, layout) }));
  const fitting = misfits.filter(({ misfit }) => fits(misfit));
  const [only, another] = fitting;
  if (only !== undefined && another === undefined) return only.layout;
  const columns = `its columns are ${JSON.stringify(published).slice(0, 500)}`;
  if (only !== undefined) {
    const titles = fitting.map(({ layout }) => layout.title).join(' and ');
    throw new PipelineError('SRC_SHAPE_CHANGED', `${what} could be ${titles}; ${columns}`);
  }
  const nearness = ({ misfit }: { misfit: Misfit }): number =>
    misfit.known - misfit.missing.length - misfit.foreign.length;
  const [nearest] = misfits.sort((a, b) => nearness(b) - nearness(a));
  if (nearest === undefined)
    throw new PipelineError('INTERNAL', 'there is no layout to choose from');
  throw new PipelineError(
    isWhole ? 'SRC_SHAPE_CHANGED' : 'SRC_TRUNCATED',
    `${what} comes nearest to ${nearest.layout.title}, but ${describeMisfit(nearest.misfit)}; ${columns}`,
  );
}

/**
 * Opens a file of a layout.
 * @throws `SRC_TRUNCATED` for a file that ends in its header; `SRC_SHAPE_CHANGED` for one that is
 * no table, lacks a required column or has one that files of this layout never have.
 */
export async function openCsv<Column extends string>(
  path: string,
  what: string,
  layout: CsvLayout<Column>,
): Promise<CsvFile<Column>> {
  const { published, delimiter, bytes, isWhole } = await readHeader(path, what);
  const misfit = misfitOf(published, layout);
  if (!fits(misfit)) {
    throw new PipelineError(
      isWhole ? 'SRC_SHAPE_CHANGED' : 'SRC_TRUNCATED',
      `${what}: ${describeMisfit(misfit)}; its columns are ${JSON.stringify(published).slice(0, 500)}`,
    );
  }
  return { ...mapColumns(published, layout.names), path, bytes, what, delimiter };
}

/**
 * The rows as a table function, all fields as text. The columns are given, so that a row with more
 * or fewer fields is refused (`SRC_SHAPE_CHANGED`) rather than padded; delimiters and line ends
 * inside quotes are part of the text.
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
