import { openCsv, quoteIdentifier, writeDayFiles } from '../kit/index.ts';
import type { SliceTask, SqlSession, UnitOutcome } from '../kit/index.ts';
import { LAYOUT, unknownOf } from './columns.ts';
import { DAY, loadRows, ofDays, REGION, TIME } from './raw-rows.ts';

/**
 * Cuts an export into slices: the rows of one civil day of Paris exactly as published, every
 * published column as text under its published name, by time, region and then all columns, exact
 * duplicates once. So a day has one slice whatever file brought it.
 */
export async function sliceRawFile(
  task: SliceTask,
  sql: SqlSession,
): Promise<readonly UnitOutcome[]> {
  const file = await openCsv(task.raw.path, `the regional eCO2mix ${task.part} file`, LAYOUT);
  await loadRows(sql, file);
  const dates = task.days.map(({ date }) => date);
  const counts = await sql.rows<{ day: string; rows: number }>(
    `SELECT ${DAY} AS day, count(*) AS rows FROM published_cut WHERE ${ofDays(dates)} GROUP BY 1`,
  );
  const rowsOf = new Map(counts.map(({ day, rows }) => [day, rows]));
  task.progress(`read the rows of ${counts.length} days`);
  const names = file.published.map(quoteIdentifier).join(', ');
  const files = await writeDayFiles(sql, {
    table: 'published_cut',
    dayColumn: DAY,
    columns: names,
    orderBy: `${TIME}, ${REGION}, ${names}`,
    days: dates.map((date) => ({ date, rows: rowsOf.get(date) ?? 0 })),
  });
  return dates.map((scope): UnitOutcome => {
    const path = files.get(scope);
    const rows = rowsOf.get(scope) ?? 0;
    return {
      scope,
      outputs: path === undefined ? {} : { slice: { path, rows } },
      checks: [],
      facts: { rows, published_columns: file.published.length, unknown_columns: unknownOf(file) },
    };
  });
}
