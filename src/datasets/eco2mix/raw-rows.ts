import {
  PipelineError,
  quoteIdentifier,
  quoteText,
  refuseUnreadable,
  required,
} from '../kit/index.ts';
import type { SqlSession } from '../kit/index.ts';
import { requireColumn } from './header.ts';
import type { RawFile } from './raw-file.ts';

/**
 * How the SQL engine reads the rows of a raw file: all fields as text, nothing guessed, nothing
 * skipped in silence.
 */

/**
 * The rows of a portal export as a table function. The columns are given, so that a row with more
 * or fewer fields is refused (`SRC_SHAPE_CHANGED`) rather than padded.
 */
export function portalRowsSql(file: RawFile): string {
  const columns = file.published.map((name) => `${quoteText(name)}: 'VARCHAR'`).join(', ');
  const options = [
    'auto_detect = false, header = false, skip = 1',
    `delim = ${quoteText(file.delimiter)}, quote = '"', escape = '"'`,
    `encoding = ${quoteText(file.encoding)}, columns = {${columns}}`,
  ].join(', ');
  return `read_csv(${quoteText(file.path)}, ${options})`;
}

/**
 * The instant of a portal row; NULL when it cannot be read. Without an offset a text is no instant:
 * the engine would take it for one in the session's own zone.
 */
export function portalTimeSql(file: RawFile): string {
  const instant = quoteIdentifier(requireColumn(file.header, 'date_heure', file.what));
  const isSign = (place: number): string => `${instant}[${place}] IN ('+', '-')`;
  const hasOffset = `${isSign(-6)} OR ${isSign(-5)} OR ${isSign(-3)} OR ${instant}[-1] = 'Z'`;
  return `CASE WHEN ${instant}[11] IN ('T', ' ')
    AND (${hasOffset}) THEN TRY_CAST(${instant} AS TIMESTAMPTZ) END`;
}

/**
 * The date of a local row, which RTE writes as 2016-06-01 or as 01/06/2016; NULL when it cannot be
 * read.
 */
export function localDateSql(text: string): string {
  return `coalesce(TRY_CAST(${text} AS DATE), CAST(try_strptime(${text}, '%d/%m/%Y') AS DATE))`;
}

/** Whether a local clock can be read. */
export function isClockSql(text: string): string {
  return `TRY_CAST(${text} AS TIME) IS NOT NULL`;
}

/** @throws `SRC_SHAPE_CHANGED` for a row whose time cannot be read, with its line */
export async function refuseUnreadableTimes(sql: SqlSession, file: RawFile): Promise<void> {
  const { path, what } = file;
  if (file.layout === 'portal') {
    const name = requireColumn(file.header, 'date_heure', what);
    const rows = { path, what, from: portalRowsSql(file), delimiter: file.delimiter };
    const isOdd = `${portalTimeSql(file)} IS NULL`;
    return refuseUnreadable(sql, rows, {
      what: 'time',
      columns: [name],
      isOdd,
      told: quoteIdentifier(name),
    });
  }
  const columns = [
    requireColumn(file.header, 'date', what),
    requireColumn(file.header, 'heure', what),
  ];
  const [date, clock] = columns.map(
    (name) => `nullif(fields[${file.published.indexOf(name) + 1}], '')`,
  ) as [string, string];
  await refuseUnreadable(
    sql,
    { path, what, from: `(${localLinesSql(file)})` },
    {
      what: 'time',
      columns,
      isOdd: `len(fields) > 1 AND (${localDateSql(date)} IS NULL
        OR NOT coalesce(${isClockSql(clock)}, false))`,
      told: `concat_ws(' ', ${date}, ${clock})`,
    },
  );
}

/** The lines after the header as they are, with their fields. */
function localLinesSql(file: RawFile): string {
  // A delimiter that cannot occur makes a line one field.
  const options = `auto_detect = false, header = false, skip = 1, delim = '\\x1f', quote = '', escape = '',
    encoding = ${quoteText(file.encoding)}, columns = {'line': 'VARCHAR'}`;
  const lines = `read_csv(${quoteText(file.path)}, ${options})`;
  return `SELECT line, string_split(line, ${quoteText(file.delimiter)}) AS fields FROM ${lines}`;
}

/**
 * Creates `published_lines` (`line`, `fields`) from a table in local time, split by hand: its data
 * rows may end in a delimiter that the header lacks, and lines without any delimiter are notices.
 * @throws `SRC_SHAPE_CHANGED` for a row with more or fewer fields than the header.
 */
export async function loadLocalLines(sql: SqlSession, file: RawFile): Promise<void> {
  await sql.run(
    `CREATE OR REPLACE TEMP TABLE published_lines AS FROM (${localLinesSql(file)})
      WHERE len(fields) > 1`,
  );
  const width = file.published.length;
  const isOdd = `len(fields) <> ${width} AND NOT (len(fields) = ${width + 1} AND fields[${width + 1}] = '')`;
  const [some] = await sql.rows(`SELECT 1 FROM published_lines WHERE ${isOdd} LIMIT 1`);
  if (some === undefined) return;
  const [odd] = await sql.rows<{
    place: number;
    line: string;
    fields: number;
  }>(`SELECT place, line, len(fields) AS fields
    FROM (SELECT row_number() OVER () + 1 AS place, * FROM (${localLinesSql(file)}))
      WHERE len(fields) > 1 AND ${isOdd} ORDER BY place LIMIT 1`);
  const { place, line, fields } = required(odd, 'the odd row');
  throw new PipelineError(
    'SRC_SHAPE_CHANGED',
    `${file.what} has a row of ${fields} fields under a header of ${width} in line ${place}: ${JSON.stringify(line.slice(0, 200))}`,
  );
}
