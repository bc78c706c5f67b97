import { quoteText } from '../../kit/index.ts';
import type { SqlSession, StagedOutput } from '../../kit/index.ts';
import type { FrenchColumn, FrenchTable } from './french-tables.ts';
import { frenchRowsSql, orderOf } from './french-tables.ts';

/** CSV that French spreadsheets open by a double click: a byte order mark, `;` between fields, a decimal comma. */

const BYTE_ORDER_MARK = '\uFEFF';

/** A figure as people write it there: `1200000,25`, and no decimals where there are none. */
function textSql({ name, type }: FrenchColumn): string {
  if (type === 'instant') return `strftime(${name} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%SZ')`;
  const text = `CAST(${name} AS VARCHAR)`;
  return type === 'number' ? `replace(regexp_replace(${text}, '\\.0$', ''), '.', ',')` : text;
}

/** Writes a table from a table function of what it is made of. No text of it has a `;`, a quote or a line end. */
export async function copyFrenchCsv(
  sql: SqlSession,
  table: FrenchTable,
  source: string,
  path: string,
): Promise<StagedOutput> {
  const { columns } = table;
  // The header is a row: as the name of a column, the engine would put the mark into quotes.
  const header = quoteText(`${BYTE_ORDER_MARK}${columns.map(({ name }) => name).join(';')}`);
  const line = columns.map((column) => `coalesce(${textSql(column)}, '')`).join(` || ';' || `);
  const order = orderOf(table).join(', ');
  const lines = `SELECT 0 AS place, ${header} AS line UNION ALL
    SELECT row_number() OVER (ORDER BY ${order}), ${line} FROM (${frenchRowsSql(table, source)})`;
  const [copied] = await sql.rows<{ Count: number }>(
    `COPY (SELECT line FROM (${lines}) ORDER BY place) TO ${quoteText(path)}
      (FORMAT CSV, HEADER false, DELIMITER '\\x01', QUOTE '', ESCAPE '')`,
  );
  return { path, rows: (copied?.Count ?? 1) - 1 };
}
