import { quoteText } from '../../kit/index.ts';
import type { SqlSession } from '../../kit/index.ts';
import type { FileHead } from '../dialects/dialect.ts';
import { parquetOf } from '../tables.ts';
import { NAMES, SLICE_COLUMNS, SLICE_NAMES } from './columns.ts';
import type { Constants } from './columns.ts';

/** Files of rows that were slices before: several deliveries of one day, joined by the engine. */

/** A joined file, ready to be read. */
export interface JoinedFile {
  /** A query whose columns are `SLICE_COLUMNS`. */
  readonly select: string;
  /** Reading the file again costs less than keeping its rows in memory. */
  readonly isCheap: boolean;
  readonly extension: string;
  readonly mediaType: string;
}

/** Earlier releases kept what was published of every row. */
const OF_REFUSED = ['stamp', 'value'] as const;
const ROWS = `* REPLACE (${OF_REFUSED.map((name) => `CASE WHEN refused IS NOT NULL THEN ${name} END AS ${name}`).join(', ')})`;

/** Undefined for a file of another kind. Earlier releases joined rows as CSV. */
export async function openJoined(
  { path, text, lines }: FileHead,
  sql: SqlSession,
): Promise<JoinedFile | undefined> {
  if (text.startsWith('PAR1')) {
    const described = await sql.rows<{ column_name: string }>(
      `DESCRIBE SELECT * FROM ${parquetOf([path])}`,
    );
    if (described.map(({ column_name: name }) => name).join() !== NAMES.join()) return undefined;
    const columns = NAMES.map((name) => `CAST(${name} AS ${SLICE_COLUMNS[name]}) AS ${name}`);
    const select = `SELECT ${ROWS} FROM (SELECT ${columns.join(', ')} FROM ${parquetOf([path])})`;
    return {
      select,
      isCheap: true,
      extension: 'parquet',
      mediaType: 'application/vnd.apache.parquet',
    };
  }
  if (lines[0] !== NAMES.join(';')) return undefined;
  const columns = Object.entries(SLICE_COLUMNS).map(
    ([name, type]) => `${quoteText(name)}: ${quoteText(type)}`,
  );
  const select = `SELECT ${ROWS} FROM (SELECT ${SLICE_NAMES} FROM read_csv(${quoteText(path)},
    delim = ';',
      quote = '"', escape = '"', header = true, nullstr = '', auto_detect = false,
      columns = {${columns.join(', ')}}))`;
  return { select, isCheap: false, extension: 'csv', mediaType: 'text/csv' };
}

/** A column that varies does so within as many rows, or is worth a look at all of them. */
const ROWS_TRIED = 2_048;

/**
 * What all rows of `readings_read` have in common, of which nothing tells but the rows themselves.
 */
export async function constantsOfJoined(sql: SqlSession): Promise<Constants> {
  const tried = await sameIn(sql, `(SELECT * FROM readings_read LIMIT ${ROWS_TRIED})`, NAMES);
  return sameIn(
    sql,
    'readings_read',
    NAMES.filter((name) => tried[name] !== undefined),
  );
}

async function sameIn(
  sql: SqlSession,
  from: string,
  names: readonly (keyof typeof SLICE_COLUMNS)[],
): Promise<Constants> {
  if (names.length === 0) return {};
  const each = names.map((name) => {
    const isSame = `count(${name}) = count(*) AND min(${name}) = max(${name})`;
    return `CASE WHEN ${isSame} THEN CAST(min(${name}) AS VARCHAR) END AS ${name},
      count(${name}) AS rows_${name}`;
  });
  const [found = {}] = await sql.rows<Record<string, string | number | null>>(
    `SELECT ${each.join(', ')} FROM ${from}`,
  );
  return Object.fromEntries(
    names.flatMap((name) => {
      const value = found[name];
      if (typeof value === 'string') return [[name, quoteText(value)]];
      return found[`rows_${name}`] === 0 ? [[name, 'NULL']] : [];
    }),
  );
}
