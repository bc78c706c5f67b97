import {
  csvRowsSql,
  PipelineError,
  quoteIdentifier,
  quoteText,
  quoteTexts,
  refuseUnreadable,
  required,
  rowsOfCsv,
} from '../kit/index.ts';
import type { CsvFile, SqlSession } from '../kit/index.ts';
import type { ColumnName } from './columns.ts';
import { ZONE } from './regions.ts';

/** Our own columns beside the published ones; no publisher uses such names. */
export const DAY = 'quotidien_day';
/** The instant of the row, as a timestamp with zone. */
export const TIME = 'quotidien_time';
/** INSEE code of the region. */
export const REGION = 'quotidien_region';

/** The published name of a column that the layout requires, as SQL. */
export function published(
  { known, what }: Pick<CsvFile<ColumnName>, 'known' | 'what'>,
  name: ColumnName,
): string {
  const found = known.get(name);
  if (found === undefined)
    throw new PipelineError('SRC_SHAPE_CHANGED', `${what} has no column ${name}`);
  return quoteIdentifier(found);
}

/** SQL of an instant; NULL for a text without an offset, which is no instant. */
export function instantSql(text: string): string {
  return `CASE WHEN regexp_matches(${text},
    '[T ].*([+-]\\d\\d(:?\\d\\d)?|Z)$') THEN TRY_CAST(${text} AS TIMESTAMPTZ) END`;
}

/** The code of a region as two digits: spreadsheets and some exports make numbers of them. */
export function regionSql(text: string): string {
  return `lpad(regexp_replace(trim(${text}), '\\.0$', ''), 2, '0')`;
}

/**
 * Creates the temporary table `published_cut` with every published column as text and our own
 * three.
 * @throws `SRC_SHAPE_CHANGED` when the time of a row cannot be read
 */
export async function loadRows(sql: SqlSession, file: CsvFile<ColumnName>): Promise<void> {
  const instant = published(file, 'date_heure');
  await sql.run(`CREATE OR REPLACE TEMP TABLE published_cut AS
    SELECT DISTINCT *, strftime(timezone(${quoteText(ZONE)}, ${TIME}), '%Y-%m-%d') AS ${DAY}
    FROM (SELECT *, ${instantSql(instant)} AS ${TIME}, ${regionSql(published(file, 'code_insee_region'))} AS ${REGION}
      FROM ${csvRowsSql(file)})`);
  const [odd] = await sql.rows(`SELECT 1 FROM published_cut WHERE ${TIME} IS NULL LIMIT 1`);
  if (odd === undefined) return;
  await refuseUnreadable(sql, rowsOfCsv(file), {
    what: 'time',
    columns: [required(file.known.get('date_heure'), 'the column date_heure')],
    isOdd: `${instantSql(instant)} IS NULL`,
    told: instant,
  });
}

/** Keeps the rows of these days alone. */
export function ofDays(days: readonly string[]): string {
  return `${DAY} IN (${quoteTexts(days)})`;
}
