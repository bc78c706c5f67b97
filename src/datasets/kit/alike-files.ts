import { quoteTexts } from '../../pipelines/sql-text.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { keptColumns } from './kept-rows.ts';
import type { FileOfRows } from './kept-rows.ts';

/** Parquet files of one part with the same columns, which can be read together. */
export interface AlikeFiles<File extends { readonly part: string }> {
  readonly part: File['part'];
  readonly columns: readonly string[];
  /** At least one. */
  readonly files: readonly File[];
}

/**
 * Parts the files by `part` and columns: names may differ from file to file, also within a month. A file
 * with its `sha256` is not opened where its rows are in memory.
 */
export async function alikeFiles<File extends Partial<FileOfRows> & { readonly part: string; readonly path: string }>(
  sql: SqlSession,
  files: readonly File[],
): Promise<AlikeFiles<File>[]> {
  if (files.length === 0) return [];
  const namesOf = new Map<string, string>();
  for (const { path, sha256 } of files) {
    const columns = sha256 === undefined ? undefined : keptColumns(sql, { path, sha256 });
    if (columns !== undefined) namesOf.set(path, JSON.stringify(columns));
  }
  const unknown = files.map(({ path }) => path).filter((path) => !namesOf.has(path));
  if (unknown.length > 0) await readNames(sql, unknown, namesOf);
  const groups = new Map<string, AlikeFiles<File> & { readonly files: File[] }>();
  for (const file of files) {
    const names = namesOf.get(file.path) ?? '[]';
    const key = `${file.part} ${names}`;
    const group = groups.get(key);
    if (group === undefined)
      groups.set(key, { part: file.part, columns: JSON.parse(names) as string[], files: [file] });
    else group.files.push(file);
  }
  return [...groups.values()];
}

/** Puts the columns of files, as JSON, into `namesOf`. */
async function readNames(sql: SqlSession, files: readonly string[], namesOf: Map<string, string>): Promise<void> {
  const paths = quoteTexts([...new Set(files)]);
  const schemas = await sql.rows<{ path: string; names: string }>(
    `SELECT file_name AS path, to_json(list(name))::VARCHAR AS names
     FROM parquet_schema([${paths}]) WHERE num_children IS NULL GROUP BY ALL`,
  );
  for (const { path, names } of schemas) namesOf.set(path, names);
}
