import { quoteText } from '../../kit/index.ts';
import type { SqlSession, StagedOutput } from '../../kit/index.ts';

/** Larger files than days', written once and read often: zstd. */
const ROLLUP_FILE_FORMAT = 'FORMAT PARQUET, COMPRESSION ZSTD';

/**
 * Writes the rows of a query in its order as one Parquet file, in row groups of DuckDB's size
 * unless told otherwise.
 */
export async function copyTable(
  sql: SqlSession,
  select: string,
  path: string,
  rowGroupRows?: number,
): Promise<StagedOutput> {
  const rowGroups = rowGroupRows === undefined ? '' : `, ROW_GROUP_SIZE ${rowGroupRows}`;
  const [copied] = await sql.rows<{ Count: number }>(
    `COPY (${select}) TO ${quoteText(path)} (${ROLLUP_FILE_FORMAT}${rowGroups})`,
  );
  return { path, rows: copied?.Count ?? 0 };
}
