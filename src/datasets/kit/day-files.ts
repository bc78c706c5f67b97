import path from 'node:path';
import { datesBetween, toEpochDay } from '../../pipelines/civil-date.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { quoteIdentifier, quoteText, quoteTexts } from '../../pipelines/sql-text.ts';

/**
 * The engine hands rows on in vectors of this many, and a partition whose rows come in two vectors
 * is encoded otherwise than one whose rows come in one (measured: 11,245 bytes against 11,230 for
 * the day across row 2,048). A batch of no more rows has one vector.
 */
const ROWS_PER_PASS = 2_048;

/**
 * Snappy, measured on 31 slices of a month: written in 42 ms and read in 25 ms, against 62 and 34
 * ms with zstd, whose files are 28 % smaller. Day files are read far more often than they are
 * stored; months are zstd.
 */
const DAY_FILE_FORMAT = 'FORMAT PARQUET, COMPRESSION SNAPPY, WRITE_BLOOM_FILTER false';

/**
 * Our own column beside the published ones: how many days after the first of its batch a row's day
 * is.
 */
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
}

/**
 * Writes one Parquet file per day that has rows, and returns their paths. The bytes of a day's file
 * do not depend on which other days are written with it (held by `test/property/eco2mix`).
 */
export async function writeDayFiles(
  sql: SqlSession,
  request: DayFilesRequest,
): Promise<ReadonlyMap<CivilDate, string>> {
  const files = new Map<CivilDate, string>();
  for (const days of batchesOf(request.days)) await writeBatch(sql, request, days, files);
  return files;
}

/**
 * Consecutive days that have rows, as many as one batch may hold; a larger day is a batch of its
 * own.
 */
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
  request: DayFilesRequest,
  days: readonly CivilDate[],
  files: Map<CivilDate, string>,
): Promise<void> {
  const folder = await sql.borrowFolder();
  const [first = ''] = days;
  if (days.length === 1) {
    files.set(first, await writeOneDay(sql, request, first, path.join(folder, 'alone.parquet')));
    return;
  }
  // By place in the batch and not by date: the names come again in every month.
  const place = `CAST(${quoteIdentifier(request.dayColumn)} AS DATE)
    - DATE ${quoteText(first)} AS ${PLACE}`;
  const select = selectDays(request, days, `${request.columns}, ${place}`);
  const [copied] = await sql.rows<{ Files: readonly string[] }>(
    `COPY (${select}) TO ${quoteText(folder)} (${DAY_FILE_FORMAT}, PARTITION_BY (${PLACE}),
      OVERWRITE_OR_IGNORE, RETURN_FILES)`,
  );
  for (const date of days) {
    const name = `${PLACE}=${toEpochDay(date) - toEpochDay(first)}`;
    const own = (copied?.Files ?? []).filter((file) => path.basename(path.dirname(file)) === name);
    const [only] = own;
    // The engine may flush a partition early and go on in a second file; the day is one file all
    // the same.
    const isWhole = own.length === 1 && only !== undefined;
    files.set(
      date,
      isWhole ? only : await writeOneDay(sql, request, date, path.join(folder, `${name}.parquet`)),
    );
  }
}

async function writeOneDay(
  sql: SqlSession,
  request: DayFilesRequest,
  date: CivilDate,
  file: string,
): Promise<string> {
  await sql.run(
    `COPY (${selectDays(request, [date], request.columns)})
      TO ${quoteText(file)} (${DAY_FILE_FORMAT})`,
  );
  return file;
}

function selectDays(
  { table, dayColumn, orderBy }: DayFilesRequest,
  days: readonly CivilDate[],
  columns: string,
): string {
  const day = quoteIdentifier(dayColumn);
  const [first = '', last = ''] = [days[0], days.at(-1)];
  // A range where it says the same: a list becomes a join, which takes longer than the rows of a
  // month.
  const isRange = datesBetween(first, last).length === days.length;
  const isWanted = isRange
    ? `${day} BETWEEN ${quoteText(first)} AND ${quoteText(last)}`
    : `${day} IN (${quoteTexts(days)})`;
  return `SELECT ${columns} FROM ${table} WHERE ${isWanted} ORDER BY ${orderBy}`;
}
