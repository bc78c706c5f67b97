import { quoteTexts } from '../../pipelines/sql-text.ts';
import type { SqlSession } from '../../ports/sql.ts';

/** Parquet files of one part with the same columns, which can be read together. */
export interface AlikeFiles<File extends { readonly part: string }> {
  readonly part: File['part'];
  readonly columns: readonly string[];
  /** At least one. */
  readonly files: readonly File[];
}

/**
 * Parts the files by `part` and columns: names may differ from file to file, also within a month.
 */
export async function alikeFiles<File extends { readonly part: string; readonly path: string }>(
  sql: SqlSession,
  files: readonly File[],
): Promise<AlikeFiles<File>[]> {
  if (files.length === 0) return [];
  const paths = quoteTexts([...new Set(files.map(({ path }) => path))]);
  const schemas = await sql.rows<{ path: string; names: string }>(
    `SELECT file_name AS path, to_json(list(name))::VARCHAR AS names
     FROM parquet_schema([${paths}]) WHERE num_children IS NULL GROUP BY ALL`,
  );
  const namesOf = new Map(schemas.map(({ path, names }) => [path, names]));
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
