import { civilDateAt, csvRowsSql, openCsv, quoteIdentifier } from 'quotidien/kit';
import { LAYOUT } from './slice.js';

/**
 * What a file holds that somebody gives to `quotidien import`: its part and its first and last day.
 * @type {NonNullable<import('quotidien/kit').Dataset['recognise']>}
 */
export async function recognise({ path, name }, sql) {
  const file = await openCsv(path, name, LAYOUT);
  const at = `epoch_ms(CAST(${quoteIdentifier(file.known.get('at') ?? '')} AS TIMESTAMPTZ))`;
  const [extent] = await sql.rows(
    `SELECT min(${at}) AS first, max(${at}) AS last, count(*) AS rows FROM ${csvRowsSql(file)}`,
  );
  const dayOf = (ms) => civilDateAt(new Date(ms), 'Europe/Paris');
  return {
    part: 'levels',
    kind: 'water levels',
    from: dayOf(extent.first),
    to: dayOf(extent.last),
    rows: extent.rows,
    extension: 'csv',
    mediaType: 'text/csv; charset=utf-8',
  };
}
