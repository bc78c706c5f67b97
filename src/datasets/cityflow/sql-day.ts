import { writeFile } from 'node:fs/promises';
import path from 'node:path';
import { quoteIdentifier, quoteText } from '../../pipelines/sql-text.ts';
import type { JsonValue } from '../../ports/json.ts';
import type { SqlSession } from '../../ports/sql.ts';

/**
 * Day files as Parquet. Every day is a `COPY` of its own: its rows leave the engine in vectors that begin with the day, so that its bytes do not
 * depend on the other days of the set (held by `test/property/cityflow`). Days of road counts are larger than a vector, a shared pass gains nothing.
 */
const DAY_FILE_FORMAT = 'FORMAT PARQUET, COMPRESSION SNAPPY';

let files = 0;

/** A name in the session's scratch folder that no other file has. */
function scratchFile(sql: SqlSession, name: string): string {
  files += 1;
  return path.join(sql.scratch, `${files}-${name}`);
}

/** A Parquet file in the session's scratch folder. */
export interface RowsFile {
  readonly path: string;
  readonly rows: number;
}

/** Writes the rows of a query, which must have a total order. */
export async function copyToParquet(sql: SqlSession, select: string, name: string): Promise<RowsFile> {
  const file = scratchFile(sql, `${name}.parquet`);
  const [copied] = await sql.rows<{ Count: number }>(`COPY (${select}) TO ${quoteText(file)} (${DAY_FILE_FORMAT})`);
  return { path: file, rows: copied?.Count ?? 0 };
}

export interface ColumnType {
  readonly name: string;
  readonly type: 'VARCHAR' | 'BIGINT' | 'INTEGER' | 'DOUBLE' | 'BOOLEAN' | 'TIMESTAMPTZ' | 'DATE';
}

/** Writes rows that were made in memory, in their order. A few thousand rows of a day, never those of a window. */
export async function writeParquetRows(
  sql: SqlSession,
  columns: readonly ColumnType[],
  rows: readonly (readonly JsonValue[])[],
  name: string,
): Promise<RowsFile> {
  const json = scratchFile(sql, `${name}.json`);
  const lines = rows.map((row) => JSON.stringify(Object.fromEntries(columns.map(({ name: key }, i) => [key, row[i]]))));
  await writeFile(json, lines.map((line) => `${line}\n`).join(''));
  const types = columns.map((column) => `${quoteIdentifier(column.name)}: '${column.type}'`).join(', ');
  const names = columns.map((column) => quoteIdentifier(column.name)).join(', ');
  const from = `read_json(${quoteText(json)}, format = 'newline_delimited', columns = {${types}})`;
  return copyToParquet(sql, `SELECT ${names} FROM ${from}`, name);
}

/** A Parquet file as a table function; its folder's name is no column. */
export function parquetSql(file: string): string {
  return `read_parquet(${quoteText(file)}, hive_partitioning = false)`;
}
