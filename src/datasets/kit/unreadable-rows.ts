import { createReadStream } from 'node:fs';
import { PipelineError } from '../../errors.ts';
import type { SqlSession } from '../../ports/sql.ts';
import type { CsvFile } from './csv-file.ts';
import { csvRowsSql } from './csv-file.ts';

/**
 * Rows of a file of which something cannot be read: how many, an example, and where a person finds
 * it.
 */

/** A text file whose first row is its header. */
export interface TextRows {
  readonly path: string;
  readonly what: string;
  /** The rows after the header as a table function, in the order of the file. */
  readonly from: string;
  /**
   * What stands between two fields where fields may be quoted; without it every line is a row,
   * empty ones too.
   */
  readonly delimiter?: string;
}

/** What must be readable in every row. */
export interface Readable {
  /** What cannot be read, such as `time`. */
  readonly what: string;
  /** The published names of the columns that it is in. */
  readonly columns: readonly string[];
  /** SQL that is true for a row in which it cannot be read. */
  readonly isOdd: string;
  /** SQL of what such a row says instead. */
  readonly told: string;
}

/** The rows of an opened CSV file. */
export function rowsOfCsv(file: CsvFile<string>): TextRows {
  return { path: file.path, what: file.what, from: csvRowsSql(file), delimiter: file.delimiter };
}

/**
 * Refuses a file with rows that cannot be read, and tells the first of them with its line and
 * column. Reads the whole file, and again up to that row where there is one: who knows already that
 * all can be read does not ask.
 * @throws `SRC_SHAPE_CHANGED`
 */
export async function refuseUnreadable(
  sql: SqlSession,
  rows: TextRows,
  readable: Readable,
): Promise<void> {
  const { what, columns, isOdd, told } = readable;
  const [odd] = await sql.rows<{
    readonly rows: number;
    readonly row: number;
    readonly told: string | null;
  }>(
    `SELECT count(*) AS rows, min(place) AS row, arg_min(told, place) AS told
      FROM (SELECT row_number() OVER () AS place, ${told} AS told, ${isOdd} AS odd
        FROM ${rows.from}) WHERE odd`,
  );
  if (odd === undefined || odd.rows === 0) return;
  const line =
    rows.delimiter === undefined
      ? odd.row + 1
      : await lineOfRow(rows.path, odd.row, rows.delimiter);
  const count = odd.rows === 1 ? '1 row' : `${odd.rows} rows`;
  const names = columns.map((name) => JSON.stringify(name)).join(' and ');
  throw new PipelineError(
    'SRC_SHAPE_CHANGED',
    `${rows.what} has ${count} whose ${what} cannot be read, such as ${JSON.stringify(odd.told)} in line ${line}, ` +
      `column ${names}`,
  );
}

const QUOTE = 0x22;
const LINE_FEED = 0x0a;
const RETURN = 0x0d;

/**
 * The line, from 1, in which a row begins; the first row after the header is row 1. As the SQL
 * engine reads CSV: line ends inside quotes belong to their row, and empty lines are none.
 */
export async function lineOfRow(path: string, row: number, delimiter: string): Promise<number> {
  const separator = delimiter.charCodeAt(0);
  let [line, begun, rows, isEmpty] = [1, 1, -1, true];
  /** Where in a field the next byte is. A quote after a closed one is a quote of the text. */
  let place: 'start' | 'plain' | 'quoted' | 'closed' = 'start';
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    for (const byte of chunk) {
      if (byte === LINE_FEED) line += 1;
      if (place === 'quoted') {
        if (byte === QUOTE) place = 'closed';
      } else if (byte === QUOTE && place !== 'plain') {
        [place, isEmpty] = ['quoted', false];
      } else if (byte === LINE_FEED) {
        if (!isEmpty) rows += 1;
        if (rows === row) return begun;
        [place, isEmpty, begun] = ['start', true, line];
      } else if (byte !== RETURN) {
        [place, isEmpty] = [byte === separator ? 'start' : 'plain', false];
      }
    }
  }
  return begun;
}
