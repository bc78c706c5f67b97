import path from 'node:path';
import { firstOf, lastOf } from '../../given.ts';
import { toEpochDay } from '../../pipelines/civil-date.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { quoteIdentifier, quoteText } from '../../pipelines/sql-text.ts';
import { isOfDaysSql, keepDays, sortDays } from './kept-rows.ts';
import type { SortedDays } from './kept-rows.ts';

/**
 * The engine hands rows on in vectors of this many, and a partition whose rows come in two vectors is encoded otherwise than
 * one whose rows come in one (measured: 11,245 bytes against 11,230 for the day across row 2,048). A batch of no more rows has one vector.
 */
const ROWS_PER_PASS = 2_048;

/**
 * Snappy, measured on 31 slices of a month: written in 42 ms and read in 25 ms, against 62 and 34 ms with zstd, whose files are 28 %
 * smaller. Day files are read far more often than they are stored; months are zstd.
 */
const DAY_FILE_FORMAT = 'FORMAT PARQUET, COMPRESSION SNAPPY, WRITE_BLOOM_FILTER false';

/** Our own column beside the published ones: how many days after the first of its batch a row's day is. */
const PLACE = 'quotidien_place';

/** A day to write and how many rows the table has of it. */
export interface DayToWrite {
  readonly date: CivilDate;
  readonly rows: number;
}

/** What is cut into one file a day. */
export interface DayFilesRequest {
  /** Read once for each batch of days. */
  readonly table: string;
  /** The column of `table` with the civil date as text; it is not written. */
  readonly dayColumn: string;
  /** SQL of what is written, in order. */
  readonly columns: string;
  /** SQL of a total order of the rows of a day. */
  readonly orderBy: string;
  /** Ascending, with the number of their rows; days without rows get no file. */
  readonly days: readonly DayToWrite[];
  /** The names of `columns`, where the next step is to find the rows in memory (`fileRowsSql`). */
  readonly keptAs?: readonly string[];
}

/**
 * Writes one Parquet file per day that has rows, and returns their paths. The bytes of a day's file do not depend on which
 * other days are written with it (held by `test/property/eco2mix`).
 */
export async function writeDayFiles(
  sql: SqlSession,
  request: DayFilesRequest,
): Promise<ReadonlyMap<CivilDate, string>> {
  const files = new Map<CivilDate, string>();
  const { keptAs: names = [] } = request;
  const rows = { ...request, names, days: request.days.filter((day) => day.rows > 0) };
  const sorted = names.length === 0 ? undefined : await sortDays(sql, rows);
  const source = sorted === undefined ? asTheyAre(request) : asSorted(names, sorted);
  for (const days of batchesOf(request.days)) await writeBatch(sql, source, days, files);
  if (sorted !== undefined) await keepDays(sql, rows, sorted, files);
  return files;
}

/** What batches of days are read from. */
interface Source {
  readonly columns: string;
  /** SQL of how many days after `first` a row's day is. */
  place(first: CivilDate): string;
  /** The rows of these days in their order, with these columns. */
  select(days: readonly CivilDate[], columns: string): string;
}

function asTheyAre({ table, dayColumn, columns, orderBy }: DayFilesRequest): Source {
  const day = quoteIdentifier(dayColumn);
  return {
    columns,
    place: (first) => `CAST(${day} AS DATE) - DATE ${quoteText(first)}`,
    select: (days, of) => `SELECT ${of} FROM ${table} WHERE ${isOfDaysSql(day, days)} ORDER BY ${orderBy}`,
  };
}

function asSorted(names: readonly string[], { table, place, placeOf }: SortedDays): Source {
  return {
    columns: names.map(quoteIdentifier).join(', '),
    place: (first) => `${place} - ${placeOf(first)}`,
    select: (days, of) => {
      const isWanted = `${place} BETWEEN ${placeOf(firstOf(days))} AND ${placeOf(lastOf(days))}`;
      return `SELECT ${of} FROM ${table} WHERE ${isWanted} ORDER BY rowid`;
    },
  };
}

/** Consecutive days that have rows, as many as one batch may hold; a larger day is a batch of its own. */
function batchesOf(days: readonly DayToWrite[]): CivilDate[][] {
  const batches: CivilDate[][] = [];
  let free = 0;
  for (const { date, rows } of days) {
    if (rows === 0) continue;
    const batch = batches.at(-1);
    if (batch === undefined || rows > free) {
      batches.push([date]);
      free = ROWS_PER_PASS;
    } else {
      batch.push(date);
    }
    free -= rows;
  }
  return batches;
}

async function writeBatch(
  sql: SqlSession,
  source: Source,
  days: readonly CivilDate[],
  files: Map<CivilDate, string>,
): Promise<void> {
  const folder = await sql.borrowFolder();
  const [first = ''] = days;
  if (days.length === 1) {
    files.set(first, await writeOneDay(sql, source, first, path.join(folder, 'alone.parquet')));
    return;
  }
  // By place in the batch and not by date: the names come again in every month.
  const select = source.select(days, `${source.columns}, ${source.place(first)} AS ${PLACE}`);
  const [copied] = await sql.rows<{ Files: readonly string[] }>(
    `COPY (${select}) TO ${quoteText(folder)} (${DAY_FILE_FORMAT}, PARTITION_BY (${PLACE}), OVERWRITE_OR_IGNORE, RETURN_FILES)`,
  );
  for (const date of days) {
    const name = `${PLACE}=${toEpochDay(date) - toEpochDay(first)}`;
    const own = (copied?.Files ?? []).filter((file) => path.basename(path.dirname(file)) === name);
    const [only] = own;
    // The engine may flush a partition early and go on in a second file; the day is one file all the same.
    const isWhole = own.length === 1 && only !== undefined;
    files.set(date, isWhole ? only : await writeOneDay(sql, source, date, path.join(folder, `${name}.parquet`)));
  }
}

async function writeOneDay(sql: SqlSession, source: Source, date: CivilDate, file: string): Promise<string> {
  await sql.run(`COPY (${source.select([date], source.columns)}) TO ${quoteText(file)} (${DAY_FILE_FORMAT})`);
  return file;
}
