import type { SqlSession } from '../../ports/sql.ts';

/** A rule over the rows of a table that has a column `unit`. */
export interface RowRule {
  readonly id: string;
  /** SQL: which rows are looked at, and which of them break the rule. */
  readonly tested: string;
  readonly failed: string;
  /** SQL: how many rows break the rule, where counting them is cheaper than finding them. */
  readonly failedRows?: string;
}

/** How many rows a rule looked at, and how many of them break it. */
export interface RowCount {
  readonly tested: number;
  readonly failed: number;
}

/** By rule. */
export type RowCounts = Readonly<Record<string, RowCount>>;

/** Counts by unit, in one pass over the table for all rules. A unit without rows is not in it. */
export async function countRows(
  sql: SqlSession,
  table: string,
  rules: readonly RowRule[],
): Promise<ReadonlyMap<number, RowCounts>> {
  const columns = rules.map(({ id, tested, failed, failedRows }) => {
    const failing = failedRows ?? `count(*) FILTER (WHERE (${tested}) AND (${failed}))`;
    return `count(*) FILTER (WHERE ${tested}) AS "${id} tested", ${failing} AS "${id} failed"`;
  });
  const rows = await sql.rows<Readonly<Record<string, number>> & { readonly unit: number }>(
    `SELECT unit, ${columns.join(', ')} FROM ${table} GROUP BY unit`,
  );
  return new Map(rows.map((row) => [row.unit, countsOf(row, rules)]));
}

function countsOf(row: Readonly<Record<string, number>>, rules: readonly RowRule[]): RowCounts {
  return Object.fromEntries(
    rules.map(({ id }) => [
      id,
      { tested: row[`${id} tested`] ?? 0, failed: row[`${id} failed`] ?? 0 },
    ]),
  );
}
