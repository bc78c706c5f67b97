import { copyToParquet, csvRowsSql, openCsv, quoteIdentifier, quoteText } from 'quotidien/kit';

/**
 * How the publisher's file is laid out: our names of its columns, each with every spelling that was
 * seen.
 */
export const LAYOUT = {
  title: 'water levels of a harbour',
  names: { at: ['time', 'date and hour'], level: ['level', 'water level (m)'] },
  required: /** @type {const} */ (['at', 'level']),
  foreign: [],
  usual: [],
  unused: [],
};

/**
 * Cuts a raw file into days: the rows as published, all text, in a total order. What is made of a
 * day depends on these bytes and on nothing else, whatever file brought them.
 * @type {import('quotidien/kit').Dataset['slice']}
 */
export async function slice(task, sql) {
  const file = await openCsv(task.raw.path, 'the file of levels', LAYOUT);
  const at = quoteIdentifier(file.known.get('at') ?? '');
  const outcomes = [];
  for (const { date, startAt, endAt } of task.days) {
    const ofDay = `TRY_CAST(${at} AS TIMESTAMPTZ) >= ${quoteText(startAt)} AND TRY_CAST(${at} AS TIMESTAMPTZ) < ${quoteText(endAt)}`;
    const rows = await copyToParquet(
      sql,
      `SELECT DISTINCT * FROM ${csvRowsSql(file)} WHERE ${ofDay} ORDER BY ALL`,
      date,
    );
    outcomes.push({
      scope: date,
      outputs: rows.rows === 0 ? {} : { slice: rows },
      checks: [],
      facts: { rows: rows.rows, published_columns: file.published.length },
    });
  }
  return outcomes;
}
