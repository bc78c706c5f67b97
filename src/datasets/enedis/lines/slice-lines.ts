import { addMonths, quoteText } from '../../kit/index.ts';
import type { SliceTask, SqlSession, UnitOutcome } from '../../kit/index.ts';
import { copyRows, rowsOfJson } from '../days/tables.ts';
import type { LinearColumns } from '../flux/linear.ts';
import { LINE_COLUMNS } from './invoice-line.ts';

/** Where a line stands: the file, and the line in it. */
export const LINE_PLACE: LinearColumns = {
  fichier: 'text',
  fichier_sha256: 'text',
  ligne: 'integer',
};

/**
 * A slice is the lines of the files of one campaign, as given. Where no line of a file says its
 * month, all of them are of the month before the day for which the file was given.
 */
export async function sliceLines(
  { part, raw, days }: SliceTask,
  sql: SqlSession,
): Promise<UnitOutcome[]> {
  const columns = { ...LINE_COLUMNS, ...LINE_PLACE };
  const rows = rowsOfJson(raw.path, columns);
  const outcomes: UnitOutcome[] = [];
  for (const { date } of days) {
    const month = quoteText(addMonths(date.slice(0, 7), -1));
    const select = `SELECT * REPLACE (CASE WHEN count(mois)
      OVER (PARTITION BY fichier, fichier_sha256) = 0 THEN ${month} ELSE mois END AS mois)
      FROM ${rows} ORDER BY fichier, fichier_sha256, ligne`;
    const slice = await copyRows(sql, select, `${part}-${date}`);
    const facts = { rows: slice.rows, published_columns: Object.keys(columns).length };
    outcomes.push({ scope: date, outputs: slice.rows === 0 ? {} : { slice }, checks: [], facts });
  }
  return outcomes;
}
