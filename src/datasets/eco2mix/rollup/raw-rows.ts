import { quoteIdentifier, quoteTexts } from '../../kit/index.ts';
import type { LocalArtefact, SqlSession, StagedOutput } from '../../kit/index.ts';
import { DESCRIPTORS, MEASURES } from '../columns.ts';
import { columnNameOf } from '../header.ts';
import { copyTable } from './copy-table.ts';

/** The portal's order of columns; what we do not know comes after it, by name. */
const ORDER: readonly string[] = [...DESCRIPTORS, ...MEASURES].map(({ name }) => name);

/**
 * A row group is held in memory until it is written: 40 columns of text of the usual 122,880 rows
 * are 200 MB more.
 */
const ROW_GROUP_ROWS = 20_480;

/**
 * Published rows of many files in one: text columns under the portal's short names, whatever
 * dialect each file was in, and unknown columns under their own. Columns that a file lacks are NULL
 * in its rows.
 *
 * `by time` sorts the rows by time, then by all columns. `as they come` keeps the files' order and
 * their rows': files that follow each other in time, each sorted, need no sort of decades, which
 * would take 400 MB more.
 */
export async function copyRawRows(
  sql: SqlSession,
  files: readonly LocalArtefact[],
  path: string,
  order: 'by time' | 'as they come',
): Promise<StagedOutput> {
  const source = `read_parquet([${quoteTexts(files.map((file) => file.path))}], union_by_name = true, hive_partitioning = false)`;
  const described = await sql.rows<{ column_name: string }>(`DESCRIBE SELECT * FROM ${source}`);
  const spellings = new Map<string, string[]>();
  for (const { column_name: published } of described) {
    const name = columnNameOf(published) ?? published;
    spellings.set(name, [...(spellings.get(name) ?? []), quoteIdentifier(published)]);
  }
  const names = [...spellings.keys()].sort(comparePlaces);
  const columns = names.map(
    (name) => `coalesce(${(spellings.get(name) ?? []).join(', ')}) AS ${quoteIdentifier(name)}`,
  );
  const rows = `SELECT ${columns.join(', ')} FROM ${source}`;
  if (order === 'as they come') return copyTable(sql, rows, path, ROW_GROUP_ROWS);
  const keys = ['TRY_CAST("date_heure" AS TIMESTAMPTZ)', ...names.map(quoteIdentifier)];
  return copyTable(sql, `SELECT * FROM (${rows}) ORDER BY ${keys.join(', ')}`, path);
}

function comparePlaces(a: string, b: string): number {
  const place = (name: string): number =>
    ORDER.includes(name) ? ORDER.indexOf(name) : ORDER.length;
  return place(a) - place(b) || (a < b ? -1 : 1);
}
