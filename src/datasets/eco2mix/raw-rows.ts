import { PipelineError, quoteIdentifier, quoteText } from '../kit/index.ts';
import type { SqlSession } from '../kit/index.ts';
import { requireColumn } from './header.ts';
import type { RawFile } from './raw-file.ts';

/** How the SQL engine reads the rows of a raw file: all fields as text, nothing guessed, nothing skipped in silence. */

/**
 * The rows of a portal export as a table function. The columns are given, so that a row with more or fewer fields is refused
 * (`SRC_SHAPE_CHANGED`) rather than padded.
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
 * The instant of a portal row; NULL when it cannot be read. Without an offset a text is no instant: the engine would take it for one
 * in the session's own zone.
 */
export function portalTimeSql(file: RawFile): string {
  const instant = quoteIdentifier(requireColumn(file.header, 'date_heure', file.what));
  const isSign = (place: number): string => `${instant}[${place}] IN ('+', '-')`;
  const hasOffset = `${isSign(-6)} OR ${isSign(-5)} OR ${isSign(-3)} OR ${instant}[-1] = 'Z'`;
  return `CASE WHEN ${instant}[11] IN ('T', ' ') AND (${hasOffset}) THEN TRY_CAST(${instant} AS TIMESTAMPTZ) END`;
}

/** The date of a local row, which RTE writes as 2016-06-01 or as 01/06/2016; NULL when it cannot be read. */
export function localDateSql(text: string): string {
  return `coalesce(TRY_CAST(${text} AS DATE), CAST(try_strptime(${text}, '%d/%m/%Y') AS DATE))`;
}

/**
 * Creates `published_lines` (`line`, `fields`) from a table in local time, split by hand: its data rows may end in a delimiter that the
 * header lacks, and lines without any delimiter are notices.
 * @throws `SRC_SHAPE_CHANGED` for a row with more or fewer fields than the header.
 */
export async function loadLocalLines(sql: SqlSession, file: RawFile): Promise<void> {
  // A delimiter that cannot occur makes a line one field.
  const options = `auto_detect = false, header = false, skip = 1, delim = '\\x1f', quote = '', escape = '',
    encoding = ${quoteText(file.encoding)}, columns = {'line': 'VARCHAR'}`;
  await sql.run(`CREATE OR REPLACE TEMP TABLE published_lines AS SELECT line, fields
    FROM (SELECT line, string_split(line, ${quoteText(file.delimiter)}) AS fields FROM read_csv(${quoteText(file.path)}, ${options}))
    WHERE len(fields) > 1`);
  const width = file.published.length;
  const [other] = await sql.rows<{
    line: string;
    fields: number;
  }>(`SELECT line, len(fields) AS fields FROM published_lines
    WHERE len(fields) <> ${width} AND NOT (len(fields) = ${width + 1} AND fields[${width + 1}] = '') LIMIT 1`);
  if (other === undefined) return;
  throw new PipelineError(
    'SRC_SHAPE_CHANGED',
    `${file.what} has a row of ${other.fields} fields under a header of ${width}: ${JSON.stringify(other.line.slice(0, 200))}`,
  );
}
