import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { PipelineError } from '../../../errors.ts';
import type { SliceTask, UnitOutcome } from '../../../pipelines/dataset.ts';
import { quoteIdentifier, quoteText } from '../../../pipelines/sql-text.ts';
import type { CivilDate } from '../../../pipelines/vocabulary.ts';
import type { SqlSession } from '../../../storage/ports.ts';
import { COUNT_COLUMNS, COUNTS_REQUIRED } from '../columns.ts';
import type { CountColumn } from '../columns.ts';
import { ZONE } from '../local-hours.ts';
import type { CsvFile } from '../raw-csv.ts';
import { csvRowsSql, openCsv } from '../raw-csv.ts';
import { copyToParquet, parquetSql } from '../sql-day.ts';

/**
 * Slices of the road counts. The time of a row is the END of its hour, so a row belongs to the day in which its hour began: 00:00 to the day
 * before. Files have no order at all and may hold 20 million rows. The text is read once, into Parquet: its dictionaries make all that
 * follows cheap. What stays the same at an arc (names, nodes, geometry: nine tenths of the bytes) and the few thousand different times become
 * small tables, so that 20 million rows are sorted by three integers and carry a flow, an occupancy and a state, some millions at a time. Then days are cut.
 */

/** Columns whose text differs from hour to hour; unknown columns are taken as such too. */
const HOURLY: readonly CountColumn[] = ['at', 'flow', 'occupancy', 'state'];

/** Our own columns beside the published ones; no publisher uses such names. */
const DAY = 'quotidien_day';
const ARC = 'quotidien_arc';
const PLACE = 'quotidien_place';
const TIME = 'quotidien_time';

/** The rows of some 80 days, 300 MB as a table: memory does not grow with the file. */
const ROWS_SORTED_AT_ONCE = 4_100_000;

/** The names of columns, quoted. */
interface Columns {
  readonly arc: string;
  readonly at: string;
  /** What a place is: the arc and all texts about it. */
  readonly place: readonly string[];
  /** What a row adds to its place and time. */
  readonly row: readonly string[];
}

interface DayRows {
  /** As published, repeated rows included. */
  readonly published: number;
  /** Some rows have one arc and time, and differ otherwise. */
  readonly hasTwins: boolean;
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
  const columns = columnsOf(file);
  const days = task.days.map(({ date }) => date);
  const outcomes: UnitOutcome[] = [];
  const atOnce = await readText(sql, file, columns);
  const placeKey = await placeKeyOf(sql, columns);
  for (let start = 0; start < days.length; start += atOnce) {
    const stretch = days.slice(start, start + atOnce);
    const counts = await sortRows(sql, columns, placeKey, stretch);
    const cut = (date: CivilDate, own: SqlSession): Promise<UnitOutcome> =>
      cutDay(own, { file, columns, date, counts });
    outcomes.push(...(await sql.atOnce(stretch, cut)));
    task.progress(`${outcomes.length} of ${days.length} days cut`);
  }
  return outcomes;
}

function columnsOf({ published, known }: CsvFile<CountColumn>): Columns {
  const isHourly = (name: string): boolean => HOURLY.some((column) => known.get(column) === name);
  const isKnown = new Set(known.values());
  const at = known.get('at') ?? '';
  return {
    arc: quoteIdentifier(known.get('arc') ?? ''),
    at: quoteIdentifier(at),
    place: published.filter((name) => isKnown.has(name) && !isHourly(name)).map(quoteIdentifier),
    row: published.filter((name) => name !== at && (!isKnown.has(name) || isHourly(name))).map(quoteIdentifier),
  };
}

/** Fills the view `published` and the tables `times` and `places`; answers how many days to sort at once. */
async function readText(sql: SqlSession, file: CsvFile<CountColumn>, { arc, at, place }: Columns): Promise<number> {
  const folder = path.join(sql.scratch, 'published');
  await mkdir(folder, { recursive: true });
  await sql.run(`COPY (FROM ${csvRowsSql(file)}) TO ${quoteText(folder)}
    (FORMAT PARQUET, COMPRESSION SNAPPY, PER_THREAD_OUTPUT, OVERWRITE_OR_IGNORE, WRITE_BLOOM_FILTER false)`);
  await sql.run(`CREATE OR REPLACE VIEW published AS FROM ${parquetSql(path.join(folder, '*.parquet'))}`);
  await sql.run(`CREATE OR REPLACE TABLE times AS
    SELECT ${at}, CAST(${countDaySql(at)} AS DATE) AS ${DAY}, CAST(row_number() OVER (ORDER BY ${at}) AS INTEGER) AS ${TIME}
    FROM (SELECT DISTINCT ${at} FROM published)`);
  await refuseUnreadable(sql, file, at);
  const texts = place.join(', ');
  await sql.run(`CREATE OR REPLACE TABLE places AS SELECT *, CAST(dense_rank() OVER (ORDER BY ${arc}) AS INTEGER) AS ${ARC},
      CAST(row_number() OVER (ORDER BY ${texts}) AS INTEGER) AS ${PLACE} FROM (SELECT DISTINCT ${texts} FROM published)`);
  await enumerate(sql, 'times', [at]);
  await enumerate(sql, 'places', place);
  const [found] = await sql.rows<{ rows: number; days: number }>(
    `SELECT (SELECT count(*) FROM published) AS rows, count(DISTINCT ${DAY}) AS days FROM times`,
  );
  return Math.max(1, Math.floor((ROWS_SORTED_AT_ONCE * (found?.days ?? 0)) / Math.max(1, found?.rows ?? 0)));
}

/**
 * The columns that tell the places of the file apart: the arc, and of the texts about it only those that changed at some arc. To compare all of
 * them with those of 20 million rows would take as long as sorting the rows.
 */
async function placeKeyOf(sql: SqlSession, { arc, place }: Columns): Promise<readonly string[]> {
  const texts = place.filter((name) => name !== arc);
  const changes = (name: string): string =>
    `min(${name}) <> max(${name}) OR count(${name}) NOT IN (0, count(*)) AS ${name}`;
  const changed = texts.map((name) => `bool_or(${name}) AS ${name}`);
  const [found] = await sql.rows<Record<string, boolean | null>>(`SELECT ${['count(*)', ...changed].join(', ')}
    FROM (SELECT ${[arc, ...texts.map(changes)].join(', ')} FROM places GROUP BY ${arc})`);
  return [arc, ...texts.filter((_, index) => Object.values(found ?? {})[index + 1] === true)];
}

/** Fills `sorted` with the rows of a stretch of days in order of day, arc and time; answers what each has. */
async function sortRows(
  sql: SqlSession,
  { at, row }: Columns,
  placeKey: readonly string[],
  days: readonly CivilDate[],
): Promise<ReadonlyMap<CivilDate, DayRows>> {
  const isPlace = placeKey.map((name) => `r.${name} IS NOT DISTINCT FROM p.${name}`).join(' AND ');
  const [first = '', last = ''] = [days[0], days.at(-1)];
  await sql.run(`CREATE OR REPLACE TABLE sorted AS SELECT t.${DAY}, p.${ARC}, t.${TIME}, p.${PLACE}, ${row.map((name) => `r.${name}`).join(', ')}
    FROM published r JOIN times t ON r.${at} = t.${at} JOIN places p ON ${isPlace}
    WHERE t.${DAY} BETWEEN ${quoteText(first)} AND ${quoteText(last)} ORDER BY ${DAY}, ${ARC}, ${TIME}`);
  const counted = await sql.rows<{ day: CivilDate; rows: number }>(
    `SELECT ${DAY} AS day, count(*) AS rows FROM sorted GROUP BY ALL`,
  );
  const withTwins = new Set(await mergeTwins(sql));
  return new Map(counted.map(({ day, rows }) => [day, { published: rows, hasTwins: withTwins.has(day) }]));
}

/**
 * Of rows that are equal in every column one stays; only rows whose key occurs twice are compared. Answers the days that still have such keys.
 * A table keeps the order in which it was filled, so twins follow each other: seven times faster found than by grouping.
 */
async function mergeTwins(sql: SqlSession): Promise<CivilDate[]> {
  const key = `${DAY}, ${ARC}, ${TIME}`;
  await sql.run(`CREATE OR REPLACE TABLE doubled AS SELECT DISTINCT ${key} FROM (
    SELECT ${key}, lag(${ARC}) OVER () = ${ARC} AND lag(${TIME}) OVER () = ${TIME} AS follows_twin FROM sorted) WHERE follows_twin`);
  const [some] = await sql.rows(`SELECT 1 FROM doubled LIMIT 1`);
  if (some === undefined) return [];
  await sql.run(
    `CREATE OR REPLACE TABLE twins AS SELECT DISTINCT sorted.* FROM sorted SEMI JOIN doubled USING (${key})`,
  );
  await sql.run(`DELETE FROM sorted USING doubled d
    WHERE sorted.${DAY} = d.${DAY} AND sorted.${ARC} = d.${ARC} AND sorted.${TIME} = d.${TIME}`);
  await sql.run('INSERT INTO sorted FROM twins');
  const left = await sql.rows<{ day: CivilDate }>(
    `SELECT DISTINCT ${DAY} AS day FROM (SELECT ${key} FROM twins GROUP BY ALL HAVING count(*) > 1)`,
  );
  return left.map(({ day }) => day);
}

/** Makes text columns of a table enumerations: a sort moves their codes instead of half a kilobyte a row. */
async function enumerate(sql: SqlSession, table: string, columns: readonly string[]): Promise<void> {
  const typed: string[] = [];
  for (const [index, column] of columns.entries()) {
    const type = `${table}_text_${index}`;
    await sql.run(`CREATE TYPE ${type} AS ENUM (SELECT DISTINCT coalesce(${column}, '') FROM ${table})`);
    typed.push(`CAST(${column} AS ${type}) AS ${column}`);
  }
  await sql.run(`CREATE OR REPLACE TABLE ${table} AS SELECT * REPLACE (${typed.join(', ')}) FROM ${table}`);
}

async function refuseUnreadable(sql: SqlSession, file: CsvFile<CountColumn>, at: string): Promise<void> {
  const unread = await sql.rows(`SELECT 1 FROM times WHERE ${DAY} IS NULL LIMIT 1`);
  if (unread.length === 0) return;
  const [found] = await sql.rows<{ rows: number; example: string | null }>(
    `SELECT count(*) AS rows, min(${at}) AS example FROM published WHERE ${countDaySql(at)} IS NULL`,
  );
  throw new PipelineError(
    'SRC_SHAPE_CHANGED',
    `${file.what} has ${found?.rows ?? 0} rows whose time cannot be read, such as ${JSON.stringify(found?.example)}`,
  );
}

interface Cut {
  readonly file: CsvFile<CountColumn>;
  readonly columns: Columns;
  readonly date: CivilDate;
  readonly counts: ReadonlyMap<CivilDate, DayRows>;
}

/** Writes the rows of a day as they were published, in order of arc and time, and of all columns where these occur twice. */
async function cutDay(sql: SqlSession, { file, columns, date, counts }: Cut): Promise<UnitOutcome> {
  const { published, hasTwins } = counts.get(date) ?? { published: 0, hasTwins: false };
  const order = [ARC, TIME, ...(hasTwins ? [PLACE, ...columns.row] : [])];
  const texts = file.published.map((name) => `CAST(${quoteIdentifier(name)} AS VARCHAR) AS ${quoteIdentifier(name)}`);
  const select = `SELECT ${texts.join(', ')} FROM (
    SELECT * FROM (FROM sorted WHERE ${DAY} = ${quoteText(date)})
    JOIN (SELECT * EXCLUDE (${DAY}) FROM times) USING (${TIME}) JOIN (SELECT * EXCLUDE (${ARC}) FROM places) USING (${PLACE})
    ORDER BY ${order.join(', ')})`;
  const slice = published === 0 ? undefined : await copyToParquet(sql, select, `counts-${date}`);
  const rows = slice?.rows ?? 0;
  return {
    scope: date,
    outputs: slice === undefined ? {} : { slice },
    checks: [],
    facts: {
      rows,
      published_columns: file.published.length,
      unknown_columns: file.unknown,
      duplicates_removed: published - rows,
    },
  };
}
