import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { quoteIdentifier, quoteList, quoteText } from '../../pipelines/sql-text.ts';
import type { JsonValue } from '../../ports/json.ts';
import type { SqlSession } from '../../ports/sql.ts';

/**
 * Parquet files that a step writes one by one. A day is a `COPY` of its own: its rows leave the
 * engine in vectors that begin with the day, so that its bytes do not depend on the other days of
 * the set. For thousands of small days see `day-files.ts`.
 */

let files = 0;

/** A path in the session's scratch folder that no other file has. */
export function scratchFile(sql: SqlSession, name: string): string {
  files += 1;
  return path.join(sql.scratch, `${files}-${name}`);
}

/** A Parquet file in the session's scratch folder, ready to be an output of a step. */
export interface RowsFile {
  readonly path: string;
  readonly rows: number;
}

/**
 * - snappy: fast to write and read; for days (default).
 * - zstd: a quarter smaller, slower to write; for months and histories, written once and read
 *   often.
 */
export type ParquetCompression = 'snappy' | 'zstd';

/**
 * Writes the rows of a query, which must have a total order. `name` makes the scratch file readable
 * for a person.
 */
export async function copyToParquet(
  sql: SqlSession,
  select: string,
  name: string,
  compression: ParquetCompression = 'snappy',
): Promise<RowsFile> {
  const file = scratchFile(sql, `${name}.parquet`);
  const format = `FORMAT PARQUET, COMPRESSION ${compression.toUpperCase()}`;
  const [copied] = await sql.rows<{ Count: number }>(
    `COPY (${select}) TO ${quoteText(file)} (${format})`,
  );
  return { path: file, rows: copied?.Count ?? 0 };
}

/** A column of rows that are made in memory, with the type that the SQL engine gives it. */
export interface SqlColumn {
  readonly name: string;
  readonly type: 'VARCHAR' | 'BIGINT' | 'INTEGER' | 'DOUBLE' | 'BOOLEAN' | 'TIMESTAMPTZ' | 'DATE';
}

/**
 * Writes rows that were made in memory, in their order. A few thousand rows of a day, never those
 * of a window.
 */
export async function writeParquetRows(
  sql: SqlSession,
  columns: readonly SqlColumn[],
  rows: readonly (readonly JsonValue[])[],
  name: string,
): Promise<RowsFile> {
  const json = scratchFile(sql, `${name}.json`);
  const lines = rows.map((row) =>
    JSON.stringify(Object.fromEntries(columns.map(({ name: key }, i) => [key, row[i]]))),
  );
  await writeFile(json, lines.map((line) => `${line}\n`).join(''));
  const types = columns
    .map((column) => `${quoteIdentifier(column.name)}: '${column.type}'`)
    .join(', ');
  const names = columns.map((column) => quoteIdentifier(column.name)).join(', ');
  const from = `read_json(${quoteText(json)}, format = 'newline_delimited', columns = {${types}})`;
  return copyToParquet(sql, `SELECT ${names} FROM ${from}`, name);
}

/** Parquet files as one table function; the names of their folders are no columns. */
export function parquetSql(files: string | readonly string[]): string {
  const list = typeof files === 'string' ? quoteText(files) : quoteList(files);
  return `read_parquet(${list}, hive_partitioning = false)`;
}
