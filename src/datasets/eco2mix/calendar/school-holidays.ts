import {
  csvRowsSql,
  mapColumns,
  oddColumns,
  openCsv,
  PipelineError,
  quoteIdentifier,
  quoteText,
  quoteTexts,
  refuseUnreadable,
  rowsOfCsv,
  writeDayFiles,
} from '../../kit/index.ts';
import type {
  CsvFile,
  CsvLayout,
  GivenFile,
  LocalArtefact,
  RecognisedFile,
  SliceTask,
  SqlSession,
  UnitOutcome,
} from '../../kit/index.ts';
import { ZONE } from '../local-time.ts';

/**
 * School holidays as people import them: the calendar that the ministry of education publishes
 * (data.education.gouv.fr, fr-en-calendrier-scolaire, Licence Ouverte 2.0). A row is a holiday of a
 * zone, from its first day to the day on which school begins again.
 *
 * The slice of a day has the published rows that hold on it, and of each zone the last one that
 * began before: so a day of school is told from a day that the file knows nothing of.
 */
export const SCHOOL_PART = 'school-holidays';

type Column = 'description' | 'population' | 'start' | 'end' | 'academies' | 'zones' | 'year';

const SCHOOL_LAYOUT: CsvLayout<Column> = {
  title: 'the school calendar of data.education.gouv.fr (fr-en-calendrier-scolaire)',
  names: {
    description: ['description', 'Description'],
    population: ['population', 'Population'],
    start: ['start_date', 'Date de début'],
    end: ['end_date', 'Date de fin'],
    academies: ['location', 'Académies'],
    zones: ['zones', 'Zones'],
    year: ['annee_scolaire'],
  },
  required: ['start', 'end', 'zones'],
  foreign: ['consommation', 'Consommation', 'Consommation (MW)'],
  usual: ['description', 'population', 'academies', 'year'],
  unused: [],
};

const DAY = 'quotidien_day';

/** SQL of the civil day in Paris of an instant with offset, or of a plain date. */
function dateSql(text: string): string {
  return `CASE WHEN length(trim(${text})) > 10 THEN CAST(timezone(${quoteText(ZONE)},
    TRY_CAST(${text} AS TIMESTAMPTZ)) AS DATE)
    ELSE TRY_CAST(${text} AS DATE) END`;
}

function columnOf({ known }: Pick<CsvFile<Column>, 'known'>, name: Column): string {
  return quoteIdentifier(known.get(name) ?? name);
}

/** Creates `school_rows`: the published columns, `begins` and `ends` (exclusive). */
async function loadRows(sql: SqlSession, file: CsvFile<Column>): Promise<void> {
  await sql.run(`CREATE OR REPLACE TEMP TABLE school_rows AS
    SELECT DISTINCT *, ${dateSql(columnOf(file, 'start'))} AS begins, ${dateSql(columnOf(file, 'end'))} AS ends
    FROM ${csvRowsSql(file)}`);
  const [odd] = await sql.rows(
    'SELECT 1 FROM school_rows WHERE begins IS NULL OR ends IS NULL LIMIT 1',
  );
  if (odd === undefined) return;
  for (const name of ['start', 'end'] as const) {
    const text = columnOf(file, name);
    await refuseUnreadable(sql, rowsOfCsv(file), {
      what: 'date',
      columns: [file.known.get(name) ?? name],
      isOdd: `${dateSql(text)} IS NULL`,
      told: text,
    });
  }
}

/** The slices of the wanted days. */
export async function sliceSchoolHolidays(
  task: SliceTask,
  sql: SqlSession,
): Promise<readonly UnitOutcome[]> {
  const file = await openCsv(task.raw.path, 'the school calendar', SCHOOL_LAYOUT);
  await loadRows(sql, file);
  const dates = task.days.map(({ date }) => date);
  const group = (['zones', 'population'] as const).filter((name) => file.known.has(name));
  await sql.run(`CREATE OR REPLACE TEMP TABLE school_days AS
    SELECT strftime(wanted.day, '%Y-%m-%d') AS ${DAY}, school_rows.*
    FROM (SELECT CAST(unnest([${quoteTexts(dates)}]) AS DATE) AS day) AS wanted
    JOIN school_rows ON begins <= wanted.day AND wanted.day < (SELECT max(ends) FROM school_rows)
    QUALIFY wanted.day < ends OR rank() OVER (
      PARTITION BY wanted.day, ${group.map((name) => columnOf(file, name)).join(', ')} ORDER BY begins DESC) = 1`);
  const counts = await sql.rows<{ day: string; rows: number }>(
    `SELECT ${DAY} AS day, count(*) AS rows FROM school_days GROUP BY 1`,
  );
  const rowsOf = new Map(counts.map(({ day, rows }) => [day, rows]));
  const names = file.published.map(quoteIdentifier).join(', ');
  const files = await writeDayFiles(sql, {
    table: 'school_days',
    dayColumn: DAY,
    columns: names,
    orderBy: names,
    days: dates.map((date) => ({ date, rows: rowsOf.get(date) ?? 0 })),
  });
  return dates.map((scope): UnitOutcome => {
    const [path, rows] = [files.get(scope), rowsOf.get(scope) ?? 0];
    const facts = { rows, published_columns: file.published.length };
    return {
      scope,
      outputs: path === undefined ? {} : { slice: { path, rows } },
      checks: [],
      facts,
    };
  });
}

/** Whether a file has the columns of a school calendar; what else it may be is not said here. */
export async function isSchoolCalendar({ path, name }: GivenFile): Promise<boolean> {
  try {
    await openCsv(path, name, SCHOOL_LAYOUT);
    return true;
  } catch (error) {
    if (error instanceof PipelineError && error.code.startsWith('SRC_')) return false;
    throw error;
  }
}

/** What a school calendar holds: the days from its first holiday to the end of its last. */
export async function recogniseSchoolHolidays(
  given: GivenFile,
  sql: SqlSession,
): Promise<RecognisedFile> {
  const file = await openCsv(given.path, given.name, SCHOOL_LAYOUT);
  await loadRows(sql, file);
  const [extent] = await sql.rows<{ rows: number; from: string | null; to: string | null }>(
    `SELECT count(*) AS rows, strftime(min(begins), '%Y-%m-%d') AS "from",
      strftime(max(ends) - 1, '%Y-%m-%d') AS "to" FROM school_rows`,
  );
  const { from = null, to = null, rows = 0 } = extent ?? {};
  if (from === null || to === null)
    throw new PipelineError('SRC_SHAPE_CHANGED', `${given.name} has no rows`);
  const columns = oddColumns(file, SCHOOL_LAYOUT);
  return {
    part: SCHOOL_PART,
    kind: 'school calendar',
    from,
    to,
    rows,
    columns,
    extension: 'csv',
    mediaType: 'text/csv',
  };
}

/**
 * SQL of `date` and `school_holiday_zones` of days with a slice: the zones A, B and C that have
 * holidays, such as `A,C`, and an empty text where none has. Holidays of teachers alone do not
 * count.
 */
export async function schoolZonesSql(
  sql: SqlSession,
  slices: readonly LocalArtefact[],
): Promise<string> {
  const paths = slices.map(({ path }) => path);
  const source = `read_parquet([${quoteTexts(paths)}], union_by_name = true, filename = true, hive_partitioning = false)`;
  const described = await sql.rows<{ column_name: string }>(`DESCRIBE SELECT * FROM ${source}`);
  const file = mapColumns(
    described.map(({ column_name: name }) => name),
    SCHOOL_LAYOUT.names,
  );
  const days = slices.map(({ scope, path }) => `(${quoteText(path)}, DATE ${quoteText(scope)})`);
  const isOfPupils = file.known.has('population')
    ? `lower(coalesce(${columnOf(file, 'population')}, '')) NOT LIKE '%enseignant%'`
    : 'true';
  const zone = `regexp_extract(${columnOf(file, 'zones')}, '^Zone ([ABC])$', 1)`;
  const holds = `${dateSql(columnOf(file, 'start'))} <= date AND date < ${dateSql(columnOf(file, 'end'))}`;
  return `SELECT date, coalesce(array_to_string(list_sort(list(DISTINCT ${zone})
      FILTER (WHERE ${zone} <> '' AND ${isOfPupils} AND ${holds})), ','),
        '') AS school_holiday_zones
    FROM ${source} AS rows JOIN (VALUES ${days.join(', ')}) AS days(path, date)
      ON days.path = rows.filename GROUP BY date ORDER BY date`;
}
