import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import {
  copyToParquet,
  csvField,
  quoteIdentifier,
  quoteText,
  quoteTexts,
  scratchFile,
} from '../../kit/index.ts';
import type { RowsFile, SqlSession } from '../../kit/index.ts';
import type { LinearColumns } from '../flux/linear.ts';

/**
 * Rows on their way into Parquet: written as cells with tabs between, typed and ordered by the
 * engine; none are held as a whole.
 */

const SQL_TYPES = {
  text: 'VARCHAR',
  integer: 'BIGINT',
  decimal: 'DECIMAL(24, 8)',
  boolean: 'BOOLEAN',
} as const;

/** Which document a row is from. */
export const DOCUMENT_PLACE: LinearColumns = {
  archive: 'text',
  archive_sha256: 'text',
  archive_timestamp: 'text',
  document: 'text',
};

/** Where in its document: the occurrence, and which of the rows of it, from 1. */
export const ROW_PLACE: LinearColumns = { occurrence: 'integer', position: 'integer' };

/** Where a linear row comes from. */
export const PLACE_COLUMNS: LinearColumns = { ...DOCUMENT_PLACE, ...ROW_PLACE };

/** SQL of a total order: where a row was published, oldest archive first. */
export const PLACE_ORDER =
  'archive_timestamp, archive, archive_sha256, document, occurrence, position';

const TAB = '\t';

/** Written at once: a write for every row takes longer than making the rows. */
const WRITE_CHARACTERS = 2 ** 18;

/** Lines on their way into a file. */
export interface LineSink {
  /** With its line end. Never waits; `drained` does. */
  add(line: string): void;
  /** Resolves when the file takes more; undefined when it does already. */
  drained(): Promise<unknown> | undefined;
  close(): Promise<void>;
}

/** A new file, which only its owner reads. */
export function openLines(file: string): LineSink {
  const stream = createWriteStream(file, { mode: 0o600 });
  let waiting = '';
  let isFull = false;
  return {
    add(line) {
      waiting += line;
      if (waiting.length < WRITE_CHARACTERS) return;
      isFull = !stream.write(waiting);
      waiting = '';
    },
    drained: () => (isFull && stream.writableNeedDrain ? once(stream, 'drain') : undefined),
    async close() {
      stream.end(waiting);
      await finished(stream);
    },
  };
}

/**
 * Takes rows one by one; what is not among the columns is left out, and null where a row lacks one.
 */
export interface RowSink {
  /** A row in as many objects as the columns were given in. Never waits; `drained` does. */
  write(...row: readonly object[]): void;
  drained(): Promise<unknown> | undefined;
  /** The rows as a table function of the columns. */
  close(): Promise<string>;
}

/**
 * Rows on their way into the scratch file `name`; `close` must be called before they are read.
 * `columns` are those of each object of a row, one after the other: to put objects together takes
 * longer than to write them.
 */
export function openRows(
  sql: SqlSession,
  name: string,
  ...columns: readonly LinearColumns[]
): RowSink {
  const file = scratchFile(sql, `${name}.tsv`);
  const lines = openLines(file);
  const names = columns.map((own) => Object.keys(own));
  let longest = 0;
  return {
    write(...row) {
      const cells: string[] = [];
      for (const [at, own] of names.entries()) {
        const members = row[at] as Readonly<Record<string, unknown>>;
        for (const column of own) cells.push(cellOf(members[column]));
      }
      const line = cells.join(TAB);
      longest = Math.max(longest, line.length);
      lines.add(`${line}\n`);
    },
    drained: () => lines.drained(),
    async close() {
      await lines.close();
      return rowsOfCells(
        [file],
        Object.assign({}, ...columns) as LinearColumns,
        longest * BYTES_A_UNIT,
      );
    },
  };
}

/** UTF-8 has at most three bytes for what is one unit of a string. */
export const BYTES_A_UNIT = 3;

/** Nothing is null, quotes around nothing are an empty text. */
function cellOf(value: unknown): string {
  if (typeof value === 'string') return value === '' ? '""' : csvField(value, TAB);
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : '';
}

/** The engine takes shorter lines as it comes. */
const USUAL_LINE_BYTES = 2 ** 21;

/**
 * The rows of files of cells with tabs between, one after the other, as a table function of these
 * columns. No line has more than `longest` bytes: the engine's buffers are made for it. `options`
 * are further ones of the engine's reader.
 */
export function rowsOfCells(
  files: readonly string[],
  columns: LinearColumns,
  longest: number,
  options = `quote = '"', escape = '"', allow_quoted_nulls = false`,
): string {
  const types = Object.entries(columns).map(
    ([column, kind]) => `${quoteText(column)}: ${quoteText(SQL_TYPES[kind])}`,
  );
  const size =
    longest <= USUAL_LINE_BYTES
      ? ''
      : `, max_line_size = ${longest + 1}, buffer_size = ${2 * (longest + 1)}`;
  return `read_csv([${quoteTexts(files)}], auto_detect = false, header = false, delim = '\t', new_line = '\\n',
    ${options}, columns = {${types.join(', ')}}${size})`;
}

/** The rows of a file of JSON lines as a table function of these columns. */
export function rowsOfJson(file: string, columns: LinearColumns): string {
  const types = Object.entries(columns).map(
    ([column, kind]) => `${quoteText(column)}: ${quoteText(SQL_TYPES[kind])}`,
  );
  const names = Object.keys(columns).map(quoteIdentifier).join(', ');
  const options = `format = 'newline_delimited', maximum_object_size = 67108864, columns = {${types.join(', ')}}`;
  return `(SELECT ${names} FROM read_json(${quoteText(file)}, ${options}))`;
}

/** Writes a query in its order as Parquet. */
export function copyRows(sql: SqlSession, select: string, name: string): Promise<RowsFile> {
  return copyToParquet(sql, select, name, 'zstd');
}

/** A value of a column as SQL; null where there is none. */
export function typedCell(value: string | number | undefined, kind: LinearColumns[string]): string {
  const literal =
    value === undefined ? 'NULL' : typeof value === 'string' ? quoteText(value) : String(value);
  return `CAST(${literal} AS ${SQL_TYPES[kind]})`;
}

/** A table of these columns without rows. */
export function emptyTable(columns: LinearColumns): string {
  const nulls = Object.entries(columns).map(
    ([name, kind]) => `CAST(NULL AS ${SQL_TYPES[kind]}) AS ${quoteIdentifier(name)}`,
  );
  return `(SELECT ${nulls.join(', ')} WHERE false)`;
}
