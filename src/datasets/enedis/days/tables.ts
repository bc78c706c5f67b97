import { createWriteStream } from 'node:fs';
import { once } from 'node:events';
import { finished } from 'node:stream/promises';
import { copyToParquet, quoteIdentifier, quoteText, scratchFile } from '../../kit/index.ts';
import type { RowsFile, SqlSession } from '../../kit/index.ts';
import type { LinearColumns } from '../flux/linear.ts';

/** Rows on their way into Parquet: written as lines of JSON, typed and ordered by the engine; none are held as a whole. */

const SQL_TYPES = { text: 'VARCHAR', integer: 'BIGINT', decimal: 'DECIMAL(24, 8)', boolean: 'BOOLEAN' } as const;

/** Where a linear row comes from. */
export const PLACE_COLUMNS: LinearColumns = {
  archive: 'text',
  archive_sha256: 'text',
  archive_timestamp: 'text',
  document: 'text',
  occurrence: 'integer',
  position: 'integer',
};

/** SQL of a total order: where a row was published, oldest archive first. */
export const PLACE_ORDER = 'archive_timestamp, archive, archive_sha256, document, occurrence, position';

/** Written at once: a write for every row takes longer than making the rows. */
const WRITE_CHARACTERS = 2 ** 18;

/** Takes rows one by one. */
export interface RowSink {
  write(row: object): Promise<void>;
  /** Rows that are JSON already, each with its line end. */
  writeLines(lines: string): Promise<void>;
  /** The rows as a table function of these columns. */
  close(columns: LinearColumns): Promise<string>;
}

/** `name` is the scratch file of the rows; `close` must be called before they are read. */
export function openRows(sql: SqlSession, name: string): RowSink {
  const file = scratchFile(sql, `${name}.ndjson`);
  const stream = createWriteStream(file);
  let waiting = '';
  const writeLines = async (lines: string): Promise<void> => {
    waiting += lines;
    if (waiting.length < WRITE_CHARACTERS) return;
    const chunk = waiting;
    waiting = '';
    if (!stream.write(chunk)) await once(stream, 'drain');
  };
  return {
    write: (row) => writeLines(`${JSON.stringify(row)}\n`),
    writeLines,
    async close(columns) {
      stream.write(waiting);
      stream.end();
      await finished(stream);
      return rowsOfJson(file, columns);
    },
  };
}

/** A line of JSON: an object with the members of another one that is JSON already. Neither may be empty, and no name is in both. */
export function joinedLine(members: object, json: string): string {
  return `${JSON.stringify(members).slice(0, -1)},${json.slice(1)}\n`;
}

/** The rows of a file of JSON lines as a table function of these columns. */
export function rowsOfJson(file: string, columns: LinearColumns): string {
  const types = Object.entries(columns).map(([column, kind]) => `${quoteText(column)}: ${quoteText(SQL_TYPES[kind])}`);
  const names = Object.keys(columns).map(quoteIdentifier).join(', ');
  const options = `format = 'newline_delimited', maximum_object_size = 67108864, columns = {${types.join(', ')}}`;
  return `(SELECT ${names} FROM read_json(${quoteText(file)}, ${options}))`;
}

/** Writes a query in its order as Parquet. */
export function copyRows(sql: SqlSession, select: string, name: string): Promise<RowsFile> {
  return copyToParquet(sql, select, name, 'zstd');
}

/** A table of these columns without rows. */
export function emptyTable(columns: LinearColumns): string {
  const nulls = Object.entries(columns).map(
    ([name, kind]) => `CAST(NULL AS ${SQL_TYPES[kind]}) AS ${quoteIdentifier(name)}`,
  );
  return `(SELECT ${nulls.join(', ')} WHERE false)`;
}
