import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import {
  copyToParquet,
  csvRowsSql,
  openCsv,
  parquetSql,
  quoteIdentifier,
  quoteText,
  refuseUnreadable,
  required,
  rowsOfCsv,
} from '../../kit/index.ts';
import type { CivilDate, CsvFile, SliceTask, SqlSession, UnitOutcome } from '../../kit/index.ts';
import { cutOutcome } from './cut-outcome.ts';
import { COUNTS } from '../columns.ts';
import type { CountColumn } from '../columns.ts';
import { ZONE } from '../zones.ts';

/**
 * Slices of the road counts. The time of a row is the END of its hour, so a row belongs to the day
 * in which its hour began: 00:00 to the day before. Files have no order at all and may hold 20
 * million rows. Their text is read once, and of what stays the same at an arc (names, nodes,
 * geometry: nine tenths of the bytes) only a hash is kept with each row. These places and the few
 * thousand different times become small tables, so that 20 million rows are sorted by three
 * integers and carry a flow, an occupancy and a state, some millions at a time. Then days are cut.
 */

/** Columns whose text differs from hour to hour; unknown columns are taken as such too. */
const HOURLY: readonly CountColumn[] = ['at', 'flow', 'occupancy', 'state'];

/** Our own columns beside the published ones; no publisher uses such names. */
const DAY = 'quotidien_day';
const ARC = 'quotidien_arc';
const PLACE = 'quotidien_place';
const TIME = 'quotidien_time';
const PLACE_HASH = 'quotidien_place_hash';

/** The rows of some 80 days, 300 MB as a table: memory does not grow with the file. */
const ROWS_SORTED_AT_ONCE = 4_100_000;

/** Thirty rows of every place of the largest file. */
const ROWS_NAMING_PLACES = 100_000;

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
  readonly date: CivilDate;
  /** As published, repeated rows included. */
  readonly published: number;
  /** Some rows have one arc and time, and differ otherwise. */
  readonly hasTwins: boolean;
  /** The same for days that have the same places. */
  readonly places: string;
}

/**
 * Reads the header; `SRC_SHAPE_CHANGED` names a column that is missing or belongs to another file.
 */
export function openCounts(file: string, what: string): Promise<CsvFile<CountColumn>> {
  return openCsv(file, what, COUNTS);
}

/**
 * SQL of the civil date in Paris at which the hour of a row began, as text; NULL when its time
 * cannot be read. With an offset of Paris, or none, the text is local time already, and 23 of 24
 * rows need no arithmetic: a calendar call for each of 20 million rows would take longer than
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

/** Cuts as many days at once as memory takes; outcomes are in the order of days. */
export async function sliceCounts(
  task: SliceTask,
  sql: SqlSession,
): Promise<readonly UnitOutcome[]> {
  const file = await openCounts(task.raw.path, `the road counts ${path.basename(task.raw.path)}`);
  const columns = columnsOf(file);
  const days = task.days.map(({ date }) => date);
  const outcomes: UnitOutcome[] = [];
  const atOnce = await readText(sql, file, columns);
  const cut = (day: DayRows, own: SqlSession): Promise<UnitOutcome> =>
    cutDay(own, { file, columns, day });
  for (let start = 0; start < days.length; start += atOnce) {
    for (const alike of await sortRows(sql, columns, days.slice(start, start + atOnce))) {
      await namePlaces(sql, columns, alike);
      outcomes.push(...(await sql.atOnce(alike, cut)));
      task.progress(`${outcomes.length} of ${days.length} days cut`);
    }
  }
  return outcomes.sort((a, b) => (a.scope < b.scope ? -1 : 1));
}

function columnsOf({ published, known }: CsvFile<CountColumn>): Columns {
  const isHourly = (name: string): boolean => HOURLY.some((column) => known.get(column) === name);
  const isKnown = new Set(known.values());
  const at = required(known.get('at'), 'the column at');
  return {
    arc: quoteIdentifier(required(known.get('arc'), 'the column arc')),
    at: quoteIdentifier(at),
    place: published.filter((name) => isKnown.has(name) && !isHourly(name)).map(quoteIdentifier),
    row: published
      .filter((name) => name !== at && (!isKnown.has(name) || isHourly(name)))
      .map(quoteIdentifier),
  };
}

/**
 * Fills the view `published` and the tables `times` and `places`; returns how many days to sort at
 * once.
 */
async function readText(
  sql: SqlSession,
  file: CsvFile<CountColumn>,
  columns: Columns,
): Promise<number> {
  const { at, place, row } = columns;
  const folder = path.join(sql.scratch, 'published');
  await mkdir(folder, { recursive: true });
  await sql.run(`COPY
    (SELECT ${[at, ...row].join(', ')}, ${placeHashSql(place)} AS ${PLACE_HASH} FROM ${csvRowsSql(file)}) TO ${quoteText(folder)}
    (FORMAT PARQUET, COMPRESSION SNAPPY, PER_THREAD_OUTPUT, OVERWRITE_OR_IGNORE,
    WRITE_BLOOM_FILTER false)`);
  await sql.run(
    `CREATE OR REPLACE VIEW published AS FROM ${parquetSql(path.join(folder, '*.parquet'))}`,
  );
  await sql.run(`CREATE OR REPLACE TABLE times AS
    SELECT ${at}, CAST(${countDaySql(at)} AS DATE) AS ${DAY},
      CAST(row_number() OVER (ORDER BY ${at}) AS INTEGER) AS ${TIME}
    FROM (SELECT DISTINCT ${at} FROM published)`);
  const [unread] = await sql.rows(`SELECT 1 FROM times WHERE ${DAY} IS NULL LIMIT 1`);
  if (unread !== undefined) await refuseUnreadableHours(sql, file);
  await findPlaces(sql, file, columns);
  const [found] = await sql.rows<{ rows: number; days: number }>(
    `SELECT (SELECT count(*) FROM published) AS rows, count(DISTINCT ${DAY}) AS days FROM times`,
  );
  return Math.max(
    1,
    Math.floor((ROWS_SORTED_AT_ONCE * (found?.days ?? 0)) / Math.max(1, found?.rows ?? 0)),
  );
}

/**
 * Of a place, of all texts about it. Two of ten thousand places have the same 64 bits in one of
 * 10^11 files.
 */
function placeHashSql(place: readonly string[]): string {
  return `hash(${place.join(', ')})`;
}

/**
 * Fills `places`, of the first rows of the file: it has no order, so they nearly always name every
 * place. Those that they do not name are looked for in the whole file.
 */
async function findPlaces(
  sql: SqlSession,
  file: CsvFile<CountColumn>,
  { arc, place }: Columns,
): Promise<void> {
  const texts = place.join(', ');
  const named = `SELECT ${placeHashSql(place)} AS ${PLACE_HASH}, ${texts} FROM ${csvRowsSql(file)}`;
  const unnamed = `(SELECT DISTINCT ${PLACE_HASH} FROM published) ANTI JOIN found
    USING (${PLACE_HASH})`;
  await sql.run(
    `CREATE OR REPLACE TABLE found AS SELECT DISTINCT * FROM (${named} LIMIT ${ROWS_NAMING_PLACES})`,
  );
  const [some] = await sql.rows(`SELECT 1 FROM ${unnamed} LIMIT 1`);
  if (some !== undefined) {
    await sql.run(
      `INSERT INTO found SELECT DISTINCT * FROM (${named}) SEMI JOIN (FROM ${unnamed})
        USING (${PLACE_HASH})`,
    );
  }
  await sql.run(`CREATE OR REPLACE TABLE places AS SELECT *,
    CAST(dense_rank() OVER (ORDER BY ${arc}) AS INTEGER) AS ${ARC},
      CAST(row_number() OVER (ORDER BY ${texts}) AS INTEGER) AS ${PLACE} FROM found`);
}

/**
 * Fills `sorted` with the rows of a span of days in order of day, arc and time; returns what each
 * has, days with the same places together.
 */
async function sortRows(
  sql: SqlSession,
  { at, row }: Columns,
  days: readonly CivilDate[],
): Promise<readonly (readonly DayRows[])[]> {
  const [first = '', last = ''] = [days[0], days.at(-1)];
  await sql.run(`CREATE OR REPLACE TABLE sorted AS SELECT t.${DAY}, p.${ARC}, t.${TIME},
    p.${PLACE}, ${row.map((name) => `r.${name}`).join(', ')}
    FROM published r JOIN times t ON r.${at} = t.${at} JOIN places p USING (${PLACE_HASH})
    WHERE t.${DAY} BETWEEN ${quoteText(first)} AND ${quoteText(last)} ORDER BY ${DAY}, ${ARC}, ${TIME}`);
  const counted = await sql.rows<{ day: CivilDate; rows: number; places: string }>(
    `SELECT ${DAY} AS day, CAST(sum(rows) AS BIGINT) AS rows,
      md5(string_agg(${PLACE}, ' ' ORDER BY ${PLACE})) AS places
      FROM (SELECT ${DAY}, ${PLACE}, count(*) AS rows FROM sorted GROUP BY ALL) GROUP BY ALL`,
  );
  const found = new Map(counted.map((day) => [day.day, day]));
  const withTwins = new Set(await mergeTwins(sql));
  const alike = new Map<string, DayRows[]>();
  for (const date of days) {
    const { rows: published = 0, places = '' } = found.get(date) ?? {};
    const day = { date, published, hasTwins: withTwins.has(date), places };
    alike.set(places, [...(alike.get(places) ?? []), day]);
  }
  return [...alike.values()];
}

/**
 * Of rows that are equal in every column one stays; only rows whose key occurs twice are compared.
 * Returns the days that still have such keys. A table keeps the order in which it was filled, so
 * twins follow each other: seven times faster found than by grouping.
 */
async function mergeTwins(sql: SqlSession): Promise<CivilDate[]> {
  const key = `${DAY}, ${ARC}, ${TIME}`;
  await sql.run(`CREATE OR REPLACE TABLE doubled AS SELECT DISTINCT ${key} FROM (
    SELECT ${key}, lag(${ARC}) OVER () = ${ARC} AND lag(${TIME}) OVER () = ${TIME} AS follows_twin
      FROM sorted) WHERE follows_twin`);
  const [some] = await sql.rows(`SELECT 1 FROM doubled LIMIT 1`);
  if (some === undefined) return [];
  await sql.run(
    `CREATE OR REPLACE TABLE twins AS SELECT DISTINCT sorted.* FROM sorted SEMI JOIN doubled
      USING (${key})`,
  );
  await sql.run(`DELETE FROM sorted USING doubled d
    WHERE sorted.${DAY} = d.${DAY} AND sorted.${ARC} = d.${ARC} AND sorted.${TIME} = d.${TIME}`);
  await sql.run('INSERT INTO sorted FROM twins');
  const left = await sql.rows<{ day: CivilDate }>(
    `SELECT DISTINCT ${DAY} AS day FROM (SELECT ${key} FROM twins GROUP BY ALL
      HAVING count(*) > 1)`,
  );
  return left.map(({ day }) => day);
}

/**
 * Fills `day_places` with the places that some days have in common, their texts as enumerations.
 * Sorting then moves codes instead of half a kilobyte a row, and the codes are written as they are,
 * with a day's own texts and no others as the dictionary of each column.
 */
async function namePlaces(
  sql: SqlSession,
  { place }: Columns,
  [day]: readonly DayRows[],
): Promise<void> {
  await sql.run(`CREATE OR REPLACE TABLE day_places AS SELECT ${[PLACE, ...place].join(', ')}
    FROM places SEMI JOIN (FROM sorted WHERE ${DAY} = ${quoteText(day?.date ?? '')})
      USING (${PLACE})`);
  const typed: string[] = [];
  for (const [index, column] of place.entries()) {
    const type = `place_text_${index}`;
    await sql.run(`CREATE OR REPLACE TYPE ${type} AS ENUM (
      SELECT DISTINCT coalesce(${column}, '') AS text FROM day_places ORDER BY text)`);
    typed.push(`CAST(${column} AS ${type}) AS ${column}`);
  }
  await sql.run(
    `CREATE OR REPLACE TABLE day_places AS SELECT * REPLACE (${typed.join(', ')}) FROM day_places`,
  );
}

/** @throws `SRC_SHAPE_CHANGED` for a row whose time cannot be read, with its line */
export async function refuseUnreadableHours(
  sql: SqlSession,
  file: CsvFile<CountColumn>,
): Promise<void> {
  const name = required(file.known.get('at'), 'the column at');
  const told = quoteIdentifier(name);
  const isOdd = `${countDaySql(told)} IS NULL`;
  await refuseUnreadable(sql, rowsOfCsv(file), { what: 'time', columns: [name], isOdd, told });
}

interface Cut {
  readonly file: CsvFile<CountColumn>;
  readonly columns: Columns;
  readonly day: DayRows;
}

/**
 * Writes the rows of a day as they were published, in order of arc and time, and of all columns
 * where these occur twice.
 */
async function cutDay(sql: SqlSession, { file, columns, day }: Cut): Promise<UnitOutcome> {
  const { date, published, hasTwins } = day;
  const order = [ARC, TIME, ...(hasTwins ? [PLACE, ...columns.row] : [])];
  const select = `SELECT ${file.published.map(quoteIdentifier).join(', ')} FROM (FROM sorted
    WHERE ${DAY} = ${quoteText(date)})
    JOIN (SELECT * EXCLUDE (${DAY}) FROM times) USING (${TIME}) JOIN day_places USING (${PLACE})
      ORDER BY ${order.join(', ')}`;
  const slice = published === 0 ? undefined : await copyToParquet(sql, select, `counts-${date}`);
  return cutOutcome(date, file, slice, published);
}
