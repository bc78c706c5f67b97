import path from 'node:path';
import { quoteText, quoteTexts } from '../kit/index.ts';
import type { LocalArtefact, SqlSession, StepUnit } from '../kit/index.ts';

/** Tables of this pipeline as Parquet. */

/**
 * Small groups of rows keep the memory of a writer low; dictionaries work best above a hundred
 * thousand rows.
 */
const FORMAT = 'FORMAT PARQUET, COMPRESSION ZSTD, ROW_GROUP_SIZE 122880';

/**
 * For tables of half-hours, of which a year is kept: one dictionary of energies is for two and a
 * half times as many rows. Measured on 25,000 meters: 1.64 bytes a reading instead of 1.73, and
 * 1.58 without the filters by which a reader skips groups of rows: in rows that are sorted by
 * meter, the smallest and the largest key of a group say as much.
 */
export const DENSE =
  'FORMAT PARQUET, COMPRESSION ZSTD, COMPRESSION_LEVEL 9, ROW_GROUP_SIZE 307200, WRITE_BLOOM_FILTER false';

let files = 0;

/** Writes the rows of a query, which must have a total order, in the session's scratch folder. */
export async function copyTable(
  sql: SqlSession,
  select: string,
  name: string,
  format = FORMAT,
): Promise<{ readonly path: string; readonly rows: number }> {
  files += 1;
  const file = path.join(sql.scratch, `${files}-${name}.parquet`);
  const [copied] = await sql.rows<{ Count: number }>(
    `COPY (${select}) TO ${quoteText(file)} (${format})`,
  );
  return { path: file, rows: copied?.Count ?? 0 };
}

/** Of more texts the engine's own look-up is faster. */
const MAX_COMPARED = 8;

/**
 * SQL of a text of which all values are known, as their numbers: what is sorted and written with
 * every row is a byte, and the file says each text once. Files have texts all the same. Measured
 * over a day of readings: half of the processor time. Texts must be in order, for rows to be. A few
 * are compared one by one: a third of what it costs to look for a text among all.
 */
export function fewTextsSql(
  value: string,
  texts: readonly string[],
  type = `ENUM(${quoteTexts(texts)})`,
): string {
  if (texts.length === 0) return value;
  const cast = (text: string): string => `CAST(${text} AS ${type})`;
  if (texts.length > MAX_COMPARED) return cast(value);
  const cases = texts.map(quoteText).map((text) => `WHEN ${value} = ${text} THEN ${cast(text)}`);
  return `CASE ${cases.join(' ')} ELSE ${cast(value)} END`;
}

/** Parquet files as one table function. */
export function parquetOf(paths: readonly string[]): string {
  return `read_parquet([${paths.map(quoteText).join(', ')}], hive_partitioning = false)`;
}

/** The paths of inputs that are there. */
export function pathsOf(unit: StepUnit, ...names: readonly string[]): string[] {
  return names.flatMap((name) =>
    (unit.inputs[name] ?? []).map(({ path: file }: LocalArtefact) => file),
  );
}

/** An input, or a table of the same columns without rows where it is missing. */
export function inputOrEmpty(
  unit: StepUnit,
  name: string,
  columns: Readonly<Record<string, string>>,
): string {
  const paths = pathsOf(unit, name);
  if (paths.length > 0) return parquetOf(paths);
  const nulls = Object.entries(columns).map(
    ([column, type]) => `CAST(NULL AS ${type}) AS ${column}`,
  );
  return `(SELECT ${nulls.join(', ')} WHERE false)`;
}
