import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { datesBetween, toEpochDay } from '../../pipelines/civil-date.ts';
import type { LocalArtefact } from '../../pipelines/dataset.ts';
import { quoteIdentifier, quoteText, quoteTexts } from '../../pipelines/sql-text.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { KeptRows, SqlSession } from '../../ports/sql.ts';
import { firstOf, lastOf } from '../../given.ts';

/**
 * The way of rows from a step of a window to the next: the session that writes a file for each day
 * keeps their rows in one table, and the session of the next step reads that in place of the files.
 */

/** The column of kept tables that tells their files apart: days after the first. */
const PLACE = 'quotidien_file';

/** Days between the first and the last of a kept table, which has a number for each. */
const MAX_DAYS = 1_000;

/** Rows of days that are to be kept. */
export interface RowsOfDays {
  readonly table: string;
  /** The column of `table` with the civil date as text. */
  readonly dayColumn: string;
  /** SQL of what is kept, in order, and the names that it gives. */
  readonly columns: string;
  readonly names: readonly string[];
  /** SQL of a total order of the rows of a day. */
  readonly orderBy: string;
  /** Ascending, those that have rows. */
  readonly days: readonly { readonly date: CivilDate; readonly rows: number }[];
}

/** A table with the rows of days, each in the order of its file. */
export interface SortedDays {
  readonly table: string;
  /** SQL of the number of a row's day, and the number of a day. */
  readonly place: string;
  readonly placeOf: (date: CivilDate) => number;
}

/** Makes the table that is to be kept; undefined where nothing is. */
export async function sortDays(sql: SqlSession, rows: RowsOfDays): Promise<SortedDays | undefined> {
  const { kept } = sql;
  if (kept === undefined || rows.days.length < 2) return undefined;
  const [first, last] = [firstOf(rows.days).date, lastOf(rows.days).date];
  const placeOf = (date: CivilDate): number => toEpochDay(date) - toEpochDay(first);
  if (placeOf(last) >= MAX_DAYS) return undefined;
  const count = rows.days.reduce((sum, one) => sum + one.rows, 0);
  const table = kept.newName({ rows: count, columns: rows.names.length });
  if (table === undefined) return undefined;
  const day = quoteIdentifier(rows.dayColumn);
  const place = `CAST(CAST(${day} AS DATE) - DATE ${quoteText(first)} AS INTEGER)`;
  const wanted = isOfDaysSql(
    day,
    rows.days.map(({ date }) => date),
  );
  const [made] = await sql.rows<{ Count: number }>(`CREATE TABLE ${table} AS
    SELECT ${place} AS ${PLACE}, ${rows.columns} FROM ${rows.table} WHERE ${wanted} ORDER BY ${day}, ${rows.orderBy}`);
  // Where rows lie in their file is told from these numbers.
  return made?.Count === count ? { table, place: PLACE, placeOf } : undefined;
}

/** SQL: whether a column with dates as text has one of these, which ascend. */
export function isOfDaysSql(column: string, days: readonly CivilDate[]): string {
  const [first = '', last = ''] = [days[0], days.at(-1)];
  // A range where it says the same: a list becomes a join, which takes longer than the rows of a month.
  const isRange = datesBetween(first, last).length === days.length;
  return isRange
    ? `${column} BETWEEN ${quoteText(first)} AND ${quoteText(last)}`
    : `${column} IN (${quoteTexts(days)})`;
}

/** Leaves the sorted rows to later sessions, by the hashes of the files that have been written. */
export async function keepDays(
  { kept }: SqlSession,
  { names, days }: RowsOfDays,
  { table, placeOf }: SortedDays,
  files: ReadonlyMap<CivilDate, string>,
): Promise<void> {
  let firstRow = 0;
  const known: KeptRows['files'][number][] = [];
  for (const { date, rows } of days) {
    const file = files.get(date);
    if (file !== undefined) known.push({ sha256: hashOf(file), place: placeOf(date), firstRow, rows });
    firstRow += rows;
  }
  // Whoever has a file is given the rows with its hash: two days with the same bytes cannot be told apart.
  if (new Set(known.map(({ sha256 }) => sha256)).size < days.length) return;
  await kept?.add({ table, columns: names, files: known });
}

/** Just written and small: the page cache has it. */
function hashOf(file: string): string {
  return createHash('sha256').update(readFileSync(file)).digest('hex');
}

/** A file to be read, by its name and the hash of its bytes. */
export interface FileOfRows {
  readonly path: string;
  readonly sha256: string;
}

/** An artefact as such a file. */
export function fileOfRows({ path, ref }: LocalArtefact): FileOfRows {
  return { path, sha256: ref.sha256 };
}

/** The columns of a file whose rows are kept, in its order. */
export function keptColumns({ kept }: SqlSession, { sha256 }: FileOfRows): readonly string[] | undefined {
  return kept?.find(sha256)?.columns;
}

/**
 * Rows of Parquet files that have the same columns, as SQL to select from: their columns, `filename` (the path) and `file_row_number`
 * (from 0). They come from memory where the rows of all files are kept.
 */
export function fileRowsSql(sql: SqlSession, files: readonly FileOfRows[]): string {
  const tables = tablesOf(sql, files);
  if (tables !== undefined) return `(${[...tables].map(([rows, of]) => selectKept(rows, of)).join(' UNION ALL ')})`;
  const paths = [...new Set(files.map(({ path }) => path))];
  return `read_parquet([${quoteTexts(paths)}], filename = true, file_row_number = true, hive_partitioning = false)`;
}

type PathsByHash = Map<string, string>;

/** By table, the files whose rows it has; undefined unless all files are kept, each once. */
function tablesOf({ kept }: SqlSession, files: readonly FileOfRows[]): Map<KeptRows, PathsByHash> | undefined {
  const tables = new Map<KeptRows, PathsByHash>();
  for (const { path, sha256 } of files) {
    const rows = kept?.find(sha256);
    if (rows === undefined) return undefined;
    const paths = tables.get(rows) ?? new Map<string, string>();
    // Days with the same bytes: their rows are in the table under one of them.
    if ((paths.get(sha256) ?? path) !== path) return undefined;
    tables.set(rows, paths.set(sha256, path));
  }
  return tables.size === 0 ? undefined : tables;
}

function selectKept({ table, files }: KeptRows, paths: PathsByHash): string {
  const wanted = files.flatMap((file) => {
    const path = paths.get(file.sha256);
    return path === undefined ? [] : [{ ...file, path }];
  });
  const size = Math.max(...wanted.map(({ place }) => place)) + 1;
  const [names, firstRows] = [new Array<string>(size).fill('NULL'), new Array<string>(size).fill('NULL')];
  for (const { path, place, firstRow } of wanted) {
    names[place] = quoteText(path);
    firstRows[place] = String(firstRow);
  }
  const all = wanted.length === files.length;
  const isWanted = all ? '' : ` WHERE ${PLACE} IN (${wanted.map(({ place }) => place).join(', ')})`;
  return `SELECT * EXCLUDE (${PLACE}), [${names.join(', ')}][${PLACE} + 1] AS filename,
    rowid - [${firstRows.join(', ')}][${PLACE} + 1] AS file_row_number FROM ${table}${isWanted}`;
}
