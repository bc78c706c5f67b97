import { openCsv, PipelineError } from '../kit/index.ts';
import type { GivenFile, RecognisedFile, SqlSession } from '../kit/index.ts';
import { oddColumns } from '../kit/index.ts';
import { LAYOUT } from './columns.ts';
import { DAY, loadRows, published } from './raw-rows.ts';
import { finalitySql } from './row-meaning.ts';
import { DATASET_OF } from './source.ts';

/**
 * `Dataset.recognise`: both datasets have the same columns, and the nature of the rows tells them
 * apart.
 * @throws `INPUT_INVALID` with what can be imported
 */
export async function recogniseFile(
  { path, name }: GivenFile,
  sql: SqlSession,
): Promise<RecognisedFile> {
  try {
    const file = await openCsv(path, name, LAYOUT);
    await loadRows(sql, file);
    const nature = file.known.has('nature') ? finalitySql(published(file, 'nature')) : 'NULL';
    const [extent] = await sql.rows<{
      rows: number;
      first: string | null;
      last: string | null;
      real_time: number;
    }>(
      `SELECT count(*) AS rows, min(${DAY}) AS first, max(${DAY}) AS last, count(*)
        FILTER (WHERE ${nature} = 0) AS real_time
       FROM published_cut`,
    );
    const { first = null, last = null } = extent ?? {};
    if (extent === undefined || first === null || last === null) {
      throw new PipelineError('SRC_SHAPE_CHANGED', `${name} has a header and no rows`);
    }
    const part = extent.real_time * 2 >= extent.rows ? 'tr' : 'cons-def';
    return {
      part,
      kind: `${DATASET_OF[part]} (CSV export)`,
      from: first,
      to: last,
      rows: extent.rows,
      columns: oddColumns(file, LAYOUT),
      extension: 'csv',
      mediaType: 'text/csv; charset=utf-8',
    };
  } catch (cause) {
    if (!(cause instanceof PipelineError) || !cause.code.startsWith('SRC_')) throw cause;
    throw new PipelineError(
      'INPUT_INVALID',
      `${cause.message}. What can be imported: ${LAYOUT.title}`,
      { cause },
    );
  }
}
