import path from 'node:path';
import {
  copyToParquet,
  csvRowsSql,
  openCsv,
  quoteIdentifier,
  quoteText,
  refuseUnreadable,
  required,
  rowsOfCsv,
} from '../../kit/index.ts';
import type {
  CivilDate,
  CsvFile,
  CsvLayout,
  RowsFile,
  SliceTask,
  SqlSession,
  UnitOutcome,
} from '../../kit/index.ts';
import { cutOutcome } from '../slices/cut-outcome.ts';
import { RAIL_RIDES, SERVICE, SURFACE_RIDES } from './columns.ts';
import type { RideColumn, ServiceColumn } from './columns.ts';

/**
 * Slices of the public-transport files: of the validations those of the day, of the quality of
 * service those of the quarter that the day lies in, one file for all of its days. Rows that are
 * equal in every column are one.
 */

/** By part. */
export const RIDES: Readonly<Record<string, CsvLayout<RideColumn>>> = {
  validations: SURFACE_RIDES,
  'validations-rail': RAIL_RIDES,
};

/**
 * SQL of the civil date of a text such as `2025-04-12`, `2025-04-12T00:00:00+02:00` or
 * `12/04/2025`; NULL for any other.
 */
export function rideDaySql(text: string): string {
  return `CAST(coalesce(try_strptime(${text}[:10], '%Y-%m-%d'),
    try_strptime(${text}[:10], '%d/%m/%Y')) AS DATE)`;
}

/**
 * SQL of the first day of a quarter, of texts such as `T3` (or `3`, `T3 2024`) and `2024`; NULL
 * where they cannot be read.
 */
export function quarterSql(quarter: string, year: string): string {
  const number = `regexp_extract(trim(${quarter}), '^[Tt]?([1-4])([^0-9].*)?$', 1)`;
  const wholeYear = `regexp_extract(trim(${year}), '^(20[0-9]{2})$', 1)`;
  return `CASE WHEN ${number} <> '' AND ${wholeYear} <> ''
    THEN make_date(CAST(${wholeYear} AS BIGINT), CAST(${number} AS BIGINT) * 3 - 2, 1) END`;
}

/** Reads the header of the validations of `part`; `SRC_SHAPE_CHANGED` names what does not fit. */
export function openRides(file: string, what: string, part: string): Promise<CsvFile<RideColumn>> {
  return openCsv(file, what, RIDES[part] ?? SURFACE_RIDES);
}

/** Reads the header; `SRC_SHAPE_CHANGED` names what does not fit. */
export function openService(file: string, what: string): Promise<CsvFile<ServiceColumn>> {
  return openCsv(file, what, SERVICE);
}

/** Which days a file has rows of. */
export interface DatedRows {
  readonly rows: number;
  readonly first: CivilDate | null;
  readonly last: CivilDate | null;
}

/**
 * The rows of validations and the days between which they lie. @throws `SRC_SHAPE_CHANGED` when a
 * day or number cannot be read.
 */
export async function rideDays(sql: SqlSession, file: CsvFile<RideColumn>): Promise<DatedRows> {
  const [day, count] = [
    quoteIdentifier(required(file.known.get('day'), 'the column day')),
    quoteIdentifier(required(file.known.get('count'), 'the column count')),
  ];
  const isCount = `regexp_full_match(coalesce(trim(${count}), ''), ${quoteText(READABLE_COUNT)})`;
  const counts = { isOdd: `NOT ${isCount}`, told: count, what: 'number of validations' };
  await refuseUnreadable(sql, rowsOfCsv(file), { ...counts, columns: namesOf(file, ['count']) });
  const columns = namesOf(file, ['day']);
  return datedRows(sql, file, {
    date: rideDaySql(day),
    told: day,
    what: 'day',
    columns,
    last: 'max(date)',
  });
}

/** `1234`, `1 234`, `12.0`, `Moins de 5`, or a sign that it is not known. */
const READABLE_COUNT = String.raw`(?i)([0-9][0-9\s\x{a0}\x{202f}]*([.,]0+)?|moins de [0-9]+|\?|n/?d)?`;

/**
 * The rows of a file of indicators and the days of their quarters. @throws `SRC_SHAPE_CHANGED` when
 * a quarter cannot be read.
 */
export async function serviceDays(
  sql: SqlSession,
  file: CsvFile<ServiceColumn>,
): Promise<DatedRows> {
  const { quarter, year } = quarterColumns(file);
  const told = `coalesce(${quarter}, '') || ' ' || coalesce(${year}, '')`;
  const last = `CAST(max(date) + INTERVAL 3 MONTH - INTERVAL 1 DAY AS DATE)`;
  const columns = namesOf(file, ['quarter', 'year']);
  return datedRows(sql, file, {
    date: quarterSql(quarter, year),
    told,
    what: 'quarter',
    columns,
    last,
  });
}

function quarterColumns({ known }: CsvFile<ServiceColumn>): {
  readonly quarter: string;
  readonly year: string;
} {
  return {
    quarter: quoteIdentifier(required(known.get('quarter'), 'the column quarter')),
    year: quoteIdentifier(required(known.get('year'), 'the column year')),
  };
}

interface Dating {
  /** SQL of the date of a row. */
  readonly date: string;
  /** SQL of what the row says of it. */
  readonly told: string;
  readonly what: string;
  /** The published names of the columns that say it. */
  readonly columns: readonly string[];
  /** SQL of the last day, over `date`. */
  readonly last: string;
}

/** The published names of columns that a file must have. */
function namesOf<Column extends string>(
  { known }: CsvFile<Column>,
  columns: readonly Column[],
): string[] {
  return columns.map((column) => required(known.get(column), `the column ${column}`));
}

async function datedRows(
  sql: SqlSession,
  file: CsvFile<string>,
  dating: Dating,
): Promise<DatedRows> {
  const { date, told, what, columns, last } = dating;
  await refuseUnreadable(sql, rowsOfCsv(file), { isOdd: `${date} IS NULL`, told, what, columns });
  const [found] = await sql.rows<DatedRows>(
    `SELECT count(*) AS rows, min(date) AS first, ${last} AS last
      FROM (SELECT ${date} AS date FROM ${csvRowsSql(file)})`,
  );
  return found ?? { rows: 0, first: null, last: null };
}

const DATED = 'quotidien_dated';

/** A day without rows in the file has no slice: the file does not cover it. */
export async function sliceRides(
  task: SliceTask,
  sql: SqlSession,
): Promise<readonly UnitOutcome[]> {
  const file = await openRides(
    task.raw.path,
    `the validations ${path.basename(task.raw.path)}`,
    task.part,
  );
  await rideDays(sql, file);
  const day = rideDaySql(quoteIdentifier(required(file.known.get('day'), 'the column day')));
  const published = await readDated(sql, file, day);
  const outcomes: UnitOutcome[] = [];
  for (const { date } of task.days) {
    const rows = published.get(date) ?? 0;
    const slice = rows === 0 ? undefined : await cutDated(sql, file, date, `${task.part}-${date}`);
    outcomes.push(cutOutcome(date, file, slice, rows));
    task.progress(`${outcomes.length} of ${task.days.length} days cut`);
  }
  return outcomes;
}

/** Days of one quarter share one slice; a quarter that the file lacks gives its days none. */
export async function sliceService(
  task: SliceTask,
  sql: SqlSession,
): Promise<readonly UnitOutcome[]> {
  const file = await openService(
    task.raw.path,
    `the quality of service ${path.basename(task.raw.path)}`,
  );
  await serviceDays(sql, file);
  const { quarter, year } = quarterColumns(file);
  const published = await readDated(sql, file, quarterSql(quarter, year));
  const slices = new Map<CivilDate, RowsFile>();
  const outcomes: UnitOutcome[] = [];
  for (const { date } of task.days) {
    const first = quarterOf(date);
    const rows = published.get(first) ?? 0;
    const slice =
      rows === 0
        ? undefined
        : (slices.get(first) ?? (await cutDated(sql, file, first, `quality-${first}`)));
    if (slice !== undefined) slices.set(first, slice);
    outcomes.push(cutOutcome(date, file, slice, rows));
  }
  return outcomes;
}

/** The first day of the quarter that a day lies in. */
export function quarterOf(date: CivilDate): CivilDate {
  const month = Math.floor((Number(date.slice(5, 7)) - 1) / 3) * 3 + 1;
  return `${date.slice(0, 4)}-${String(month).padStart(2, '0')}-01`;
}

/**
 * Fills the table of the file's rows, each with its date; returns how many were published of each
 * date.
 */
async function readDated(
  sql: SqlSession,
  file: CsvFile<string>,
  date: string,
): Promise<ReadonlyMap<CivilDate, number>> {
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE published AS SELECT *, ${date} AS ${DATED} FROM ${csvRowsSql(file)}`,
  );
  const counted = await sql.rows<{ date: CivilDate; rows: number }>(
    `SELECT ${DATED} AS date, count(*) AS rows FROM published GROUP BY 1`,
  );
  return new Map(counted.map((one) => [one.date, one.rows]));
}

function cutDated(
  sql: SqlSession,
  file: CsvFile<string>,
  date: CivilDate,
  name: string,
): Promise<RowsFile> {
  const columns = file.published.map(quoteIdentifier).join(', ');
  const rows = `SELECT DISTINCT ${columns} FROM published WHERE ${DATED} = DATE ${quoteText(date)}`;
  return copyToParquet(sql, `${rows} ORDER BY ${columns}`, name);
}
