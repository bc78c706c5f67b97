import type { SqlSession } from '../../ports/sql.ts';
import { quoteIdentifier, quoteText } from '../../pipelines/sql-text.ts';
import { scratchFile } from './parquet.ts';
import type { RowsFile } from './parquet.ts';

/**
 * A table as CSV that French spreadsheets open by a double click: a byte order mark, `;` between
 * fields, a decimal comma.
 */
export interface FrenchCsv {
  /** SQL of the rows. No text of them may have a `;`, a quote or a line end. */
  readonly select: string;
  /**
   * In their order; `instant`: written as ISO-8601 in UTC, `number`: without decimals where there
   * are none.
   */
  readonly columns: readonly { readonly name: string; readonly type: string }[];
  /** Columns that give the rows a total order. */
  readonly order: readonly string[];
}

const BYTE_ORDER_MARK = '\uFEFF';

/** Writes the table into the session's scratch folder, streamed by the SQL engine. */
export async function copyFrenchCsv(
  sql: SqlSession,
  { select, columns, order }: FrenchCsv,
  name: string,
): Promise<RowsFile> {
  const file = scratchFile(sql, `${name}.csv`);
  // The header is a row: as the name of a column, the engine would put the mark into quotes.
  const header = quoteText(`${BYTE_ORDER_MARK}${columns.map((column) => column.name).join(';')}`);
  const line = columns.map((column) => `coalesce(${textSql(column)}, '')`).join(` || ';' || `);
  const lines = `SELECT 0 AS place, ${header} AS line UNION ALL
    SELECT row_number()
      OVER (ORDER BY ${order.map(quoteIdentifier).join(', ')}), ${line} FROM (${select})`;
  const [copied] = await sql.rows<{ Count: number }>(
    `COPY (SELECT line FROM (${lines}) ORDER BY place) TO ${quoteText(file)}
      (FORMAT CSV, HEADER false, DELIMITER '\\x01', QUOTE '', ESCAPE '')`,
  );
  return { path: file, rows: (copied?.Count ?? 1) - 1 };
}

function textSql({ name, type }: FrenchCsv['columns'][number]): string {
  const column = quoteIdentifier(name);
  if (type === 'instant') return `strftime(${column} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')`;
  const text = `CAST(${column} AS VARCHAR)`;
  return type === 'number' ? `replace(regexp_replace(${text}, '\\.0$', ''), '.', ',')` : text;
}
