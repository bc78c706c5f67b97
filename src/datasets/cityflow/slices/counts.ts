import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { PipelineError } from '../../../errors.ts';
import type { SliceTask, UnitOutcome } from '../../../pipelines/dataset.ts';
import { quoteIdentifier, quoteList, quoteText } from '../../../pipelines/sql-text.ts';
import type { CivilDate } from '../../../pipelines/vocabulary.ts';
import type { SqlSession } from '../../../storage/ports.ts';
import { COUNT_COLUMNS, COUNTS_REQUIRED } from '../columns.ts';
import type { CountColumn } from '../columns.ts';
import { ZONE } from '../local-hours.ts';
import type { CsvFile } from '../raw-csv.ts';
import { csvRowsSql, openCsv } from '../raw-csv.ts';
import { copyToParquet } from '../sql-day.ts';

/**
 * Slices of the road counts. The time of a row is the END of its hour, so a row belongs to the day in which its hour began: 00:00 to the day
 * before. Files have no order at all and may hold 20 million rows: a large one is read once and parted by tens of days on the
 * disk, then every day is sorted alone. Memory is that of ten days, whatever the file.
 */

/** Our own column beside the published ones. */
const DAY = 'quotidien_day';
/** Up to this size a file is one table in memory. */
const BYTES_TAKEN_WHOLE = 96 * 1024 * 1024;
/** Rows that an open partition gathers before it writes them; a year has about 40 partitions open per thread. */
const ROWS_PER_PARTITION_WRITE = 8_192;

interface DayRows {
  readonly rows: number;
  readonly keys: number;
}

export function openCounts(file: string, what: string): Promise<CsvFile<CountColumn>> {
  return openCsv(file, what, COUNT_COLUMNS, COUNTS_REQUIRED);
}

/**
 * SQL of the civil date in Paris at which the hour of a row began, as text; NULL when its time cannot be read. With an offset of Paris, or none,
 * the text is local time already, and 23 of 24 rows need no arithmetic: a calendar call for each of 20 million rows would take longer than
 * reading them.
 */
export function countDaySql(at: string): string {
  const isParis = `(length(${at}) = 19 OR ${at}[20:] IN ('+01:00', '+02:00'))`;
  const local = `TRY_CAST(${at}[:19] AS TIMESTAMP)`;
  const other = `timezone(${quoteText(ZONE)}, TRY_CAST(${at} AS TIMESTAMPTZ))`;
  const dayOfSql = (time: string): string => `strftime(${time} - INTERVAL 1 HOUR, '%Y-%m-%d')`;
  return `CASE WHEN ${at}[11] NOT IN ('T', ' ') OR ${local} IS NULL THEN NULL
    WHEN ${isParis} AND ${at}[12:13] <> '00' THEN ${at}[:10]
    WHEN ${isParis} THEN ${dayOfSql(local)} ELSE ${dayOfSql(other)} END`;
}

export async function sliceCounts(task: SliceTask, sql: SqlSession): Promise<readonly UnitOutcome[]> {
  const file = await openCounts(task.raw.path, `the road counts ${path.basename(task.raw.path)}`);
  const days = task.days.map(({ date }) => date);
  const outcomes = new Map<CivilDate, UnitOutcome>();
  for await (const part of tablesOf(sql, file, days)) {
    for (const outcome of await cutDays(sql, file, part)) outcomes.set(outcome.scope, outcome);
    task.progress(`${outcomes.size} of ${days.length} days cut`);
  }
  return days.map((date) => outcomes.get(date) ?? outcomeOf(date, file, { rows: 0, duplicates: 0, slice: undefined }));
}

/** Fills the table `published` with the rows of some days, again and again until every wanted day had its turn. */
async function* tablesOf(
  sql: SqlSession,
  file: CsvFile<CountColumn>,
  days: readonly CivilDate[],
): AsyncGenerator<readonly CivilDate[], void, undefined> {
  const at = quoteIdentifier(file.known.get('at') ?? '');
  const rows = `SELECT *, ${countDaySql(at)} AS ${DAY} FROM ${csvRowsSql(file)}`;
  if (file.bytes <= BYTES_TAKEN_WHOLE) {
    await sql.run(`CREATE OR REPLACE TEMP TABLE published AS ${rows}`);
    await refuseUnreadable(sql, file, 'published');
    yield days;
    return;
  }
  for (const { files, dates } of await partByTens(sql, file, rows, days)) {
    if (files.length > 0) {
      await sql.run(`CREATE OR REPLACE TEMP TABLE published AS SELECT * FROM
        read_parquet(${quoteList(files)}, hive_partitioning = false)`);
      yield dates;
    }
  }
}

/** The first to ninth, tenth to nineteenth … days of each month, each as files. */
async function partByTens(
  sql: SqlSession,
  file: CsvFile<CountColumn>,
  rows: string,
  days: readonly CivilDate[],
): Promise<{ readonly files: readonly string[]; readonly dates: readonly CivilDate[] }[]> {
  const folder = path.join(sql.scratch, 'tens');
  const [first = '', last = ''] = [days[0], days.at(-1)];
  const wanted = `${DAY} IS NULL OR ${DAY} BETWEEN ${quoteText(first)} AND ${quoteText(last)}`;
  await sql.run(`COPY (SELECT *, coalesce(${DAY}[:9], 'none') AS ten FROM (${rows}) WHERE ${wanted})
    TO ${quoteText(folder)} (FORMAT PARQUET, COMPRESSION SNAPPY, PARTITION_BY (ten), OVERWRITE_OR_IGNORE,
      ROW_GROUP_SIZE ${ROWS_PER_PARTITION_WRITE})`);
  const written = await readdir(folder, { recursive: true });
  const filesOf = (ten: string): string[] =>
    written
      .filter((name) => name.startsWith(`ten=${ten}${path.sep}`))
      .map((name) => path.join(folder, name))
      .sort();
  const none = filesOf('none');
  if (none.length > 0) await refuseUnreadable(sql, file, `read_parquet(${quoteList(none)}, hive_partitioning = false)`);
  const tens = new Map<string, CivilDate[]>();
  for (const date of days) tens.set(date.slice(0, 9), [...(tens.get(date.slice(0, 9)) ?? []), date]);
  return [...tens].map(([ten, dates]) => ({ files: filesOf(ten), dates }));
}

async function refuseUnreadable(sql: SqlSession, file: CsvFile<CountColumn>, table: string): Promise<void> {
  const at = quoteIdentifier(file.known.get('at') ?? '');
  const [found] = await sql.rows<{ rows: number; example: string | null }>(
    `SELECT count(*) AS rows, min(${at}) AS example FROM ${table} WHERE ${DAY} IS NULL`,
  );
  if (found === undefined || found.rows === 0) return;
  throw new PipelineError(
    'SRC_SHAPE_CHANGED',
    `${file.what} has ${found.rows} rows whose time cannot be read, such as ${JSON.stringify(found.example)}`,
  );
}

async function cutDays(
  sql: SqlSession,
  file: CsvFile<CountColumn>,
  dates: readonly CivilDate[],
): Promise<UnitOutcome[]> {
  const [arc, at] = keyOf(file);
  const columns = file.published.map(quoteIdentifier).join(', ');
  const before = await countDays(sql, file);
  const hasTwins = [...before.values()].some(({ rows, keys }) => keys < rows);
  if (hasTwins) await removeDuplicates(sql, file);
  const after = hasTwins ? await countDays(sql, file) : before;
  const outcomes: UnitOutcome[] = [];
  for (const date of dates) {
    const count = after.get(date);
    const select = `SELECT ${columns} FROM published WHERE ${DAY} = ${quoteText(date)}
      ORDER BY ${arc}, ${at}${count !== undefined && count.keys < count.rows ? `, ${columns}` : ''}`;
    const slice = count === undefined ? undefined : await copyToParquet(sql, select, `counts-${date}`);
    const duplicates = (before.get(date)?.rows ?? 0) - (count?.rows ?? 0);
    outcomes.push(outcomeOf(date, file, { rows: count?.rows ?? 0, duplicates, slice }));
  }
  return outcomes;
}

/** The columns that name a row. */
function keyOf({ known }: CsvFile<CountColumn>): readonly [arc: string, at: string] {
  return [quoteIdentifier(known.get('arc') ?? ''), quoteIdentifier(known.get('at') ?? '')];
}

/**
 * Rows and distinct keys of each day. Keys are counted by their hash, a third faster than by their texts: two keys with one hash would only
 * make a day that has no twins look as if it had.
 */
async function countDays(sql: SqlSession, file: CsvFile<CountColumn>): Promise<ReadonlyMap<CivilDate, DayRows>> {
  const counted = await sql.rows<DayRows & { day: CivilDate }>(
    `SELECT ${DAY} AS day, count(*) AS rows, count(DISTINCT hash(${keyOf(file).join(', ')})) AS keys FROM published GROUP BY ALL`,
  );
  return new Map(counted.map((row) => [row.day, row]));
}

/** Leaves one of the rows that are equal in every column; only rows whose key occurs twice are compared. */
async function removeDuplicates(sql: SqlSession, file: CsvFile<CountColumn>): Promise<void> {
  const key = `hash(${keyOf(file).join(', ')})`;
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE doubled AS SELECT ${key} AS key FROM published GROUP BY 1 HAVING count(*) > 1`,
  );
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE twins AS SELECT DISTINCT * FROM published WHERE ${key} IN (FROM doubled)`,
  );
  await sql.run(`DELETE FROM published WHERE ${key} IN (FROM doubled)`);
  await sql.run('INSERT INTO published FROM twins');
}

interface CutDay {
  readonly rows: number;
  readonly duplicates: number;
  readonly slice: string | undefined;
}

function outcomeOf(scope: CivilDate, file: CsvFile<CountColumn>, { rows, duplicates, slice }: CutDay): UnitOutcome {
  return {
    scope,
    outputs: slice === undefined ? {} : { slice: { path: slice, rows } },
    checks: [],
    facts: {
      rows,
      published_columns: file.published.length,
      unknown_columns: file.unknown,
      duplicates_removed: duplicates,
    },
  };
}
