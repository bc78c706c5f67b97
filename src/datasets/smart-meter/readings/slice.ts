import path from 'node:path';
import type { RecognisedFile, RowMeaning, SliceTask, SqlSession, UnitOutcome } from '../../kit/index.ts';
import { readHead } from '../dialects/dialects.ts';
import type { FileHead } from '../dialects/dialect.ts';
import { copyTable } from '../tables.ts';
import { orderedSql, SLICE_COLUMNS } from './columns.ts';
import { extentOf, inDaySql } from './days.ts';
import { readFile } from './read-file.ts';

/** Readings of any dialect as slices of days. A row without a time is kept with the first day of its file, so that it is told of. */
export async function sliceReadings(task: SliceTask, sql: SqlSession, secret: string): Promise<UnitOutcome[]> {
  const head = await readHead(task.raw.path, path.basename(task.raw.path));
  const { constants, zones } = await readFile(sql, head, {
    sha256: task.raw.sha256,
    secret,
    isReadOnce: task.days.length === 1,
  });
  // Only rows without a time make a difference to the first day, and to look for it is to read all of the file.
  const extent = zones === undefined ? await extentOf(sql) : { from: undefined, zones };
  const outcomes: UnitOutcome[] = [];
  for (const { date } of task.days) {
    task.progress(`readings of ${date}`);
    const facts = { published_columns: Object.keys(SLICE_COLUMNS).length };
    const undated = date === extent.from ? ' OR start_s IS NULL' : '';
    const slice = await copyTable(
      sql,
      orderedSql(`${inDaySql(date, extent.zones)}${undated}`, constants),
      `readings-${date}`,
    );
    const outputs = slice.rows === 0 ? {} : { slice };
    outcomes.push({ scope: date, outputs, checks: [], facts: { rows: slice.rows, ...facts } });
  }
  return outcomes;
}

/** What a file of readings holds. */
export async function recogniseReadings(head: FileHead, sql: SqlSession, secret: string): Promise<RecognisedFile> {
  const { dialect, extension, mediaType } = await readFile(sql, head, { sha256: '', secret, isReadOnce: true });
  const { from, to, rows } = await extentOf(sql);
  return { part: 'readings', kind: dialect?.title ?? 'joined readings', from, to, rows, extension, mediaType };
}

/**
 * Any file may bring any reading of any day: rows are the same when all that they say is the same, and no row takes another's place. Which of them counts is
 * decided later, by rank. Hashes keep the comparison of millions of rows small; that two of a day's rows have one hash by chance is one in a million.
 */
export const READING_ROWS: RowMeaning = {
  key: `CAST(hash(meter_key, channel, start_s, step_min, revision, file_time, energy_wh, quality, refused,
    CASE WHEN refused IS NOT NULL THEN concat_ws('|', stamp, value, unit) END, label, avg_past_raw) AS VARCHAR)`,
  values: { reading: `'1'` },
  names: {},
};
