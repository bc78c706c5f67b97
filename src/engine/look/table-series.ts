import { PipelineError } from '../../errors.ts';
import { quoteIdentifier } from '../../pipelines/sql-text.ts';
import type { AnswerRow, TableColumn, TableDefinition } from '../../pipelines/tables.ts';
import type { Engine } from '../engine.ts';
import type { TableCut } from './table-cut.ts';
import { columnsNamed, withViews } from './table-rows.ts';

/**
 * The numbers of a table for a chart: rows at the same place become one, by the way that is asked
 * for.
 */

/** How several rows at one place become a number; of one row each but `count` is its value. */
export const TOGETHER = ['mean', 'sum', 'min', 'max', 'count'] as const;

/** One of `TOGETHER`. */
export type Together = (typeof TOGETHER)[number];

/** Which columns make the chart. */
export interface SeriesRequest {
  readonly x: string;
  /** Columns of numbers. */
  readonly y: readonly string[];
  /** A column whose values are a series each. */
  readonly series?: string | undefined;
  readonly together: Together;
}

/** Rows by `x` ascending: `x`, `series` where one is asked for, and each column of `y`. */
export interface TableSeries {
  readonly rows: readonly AnswerRow[];
  /** Rows of the table that they stand for. */
  readonly counted: number;
  /** Values of `series` that are left out: those with the fewest rows. */
  readonly leftOut: number;
}

/** More places and series than a person can tell apart, or a page can hold. */
const MAX_ROWS = 60_000;
const MAX_SERIES = 10;

const FUNCTIONS: Readonly<Record<Together, string>> = {
  mean: 'avg',
  sum: 'sum',
  min: 'min',
  max: 'max',
  count: 'count',
};

/** Whether a column has numbers to draw. */
export function isNumeric({ type }: Pick<TableColumn, 'type'>): boolean {
  return type === 'number' || type === 'integer';
}

/**
 * `INPUT_INVALID` for a column that the table does not have, or that has no numbers;
 * `RANGE_TOO_LARGE` for more than a chart can hold.
 */
export async function readSeries(
  engine: Engine,
  cut: TableCut,
  { x, y, series, together }: SeriesRequest,
): Promise<TableSeries> {
  const { table } = cut;
  checkColumns(table, { x, y, series });
  const [place, of] = [
    quoteIdentifier(x),
    series === undefined ? undefined : quoteIdentifier(series),
  ];
  const own = quoteIdentifier(table.id);
  const values = y.map(
    (name) => `${FUNCTIONS[together]}(${quoteIdentifier(name)}) AS ${quoteIdentifier(name)}`,
  );
  const perSeries = `SELECT ${of ?? 'NULL'} AS own, count(*) AS n
    FROM ${own} WHERE ${of ?? 'NULL'} IS NOT NULL GROUP BY 1`;
  const only =
    of === undefined
      ? ''
      : `AND ${of} IN (SELECT own FROM (${perSeries}) ORDER BY n DESC, own LIMIT ${MAX_SERIES})`;
  const columns = [place, ...(of === undefined ? [] : [of])];
  return withViews(engine, [cut], async (session) => {
    const rows = await session.rows<AnswerRow & { readonly 'rows counted': number }>(
      `SELECT ${[...columns, ...values].join(', ')}, count(*) AS "rows counted" FROM ${own}
       WHERE ${place} IS NOT NULL ${only} GROUP BY ${columns.join(', ')} ORDER BY ${columns.join(', ')} LIMIT ${MAX_ROWS + 1}`,
    );
    if (rows.length > MAX_ROWS) {
      throw new PipelineError(
        'RANGE_TOO_LARGE',
        `the chart has more than ${MAX_ROWS} points: ask for a shorter range, or download the rows`,
      );
    }
    const [all] =
      of === undefined
        ? []
        : await session.rows<{ n: number }>(`SELECT count(*) AS n FROM (${perSeries})`);
    const counted = rows.reduce((sum, row) => sum + row['rows counted'], 0);
    return { rows, counted, leftOut: Math.max(0, (all?.n ?? 0) - MAX_SERIES) };
  });
}

function checkColumns(
  table: TableDefinition,
  { x, y, series }: Omit<SeriesRequest, 'together'>,
): void {
  columnsNamed(table, [x, ...(series === undefined ? [] : [series])]);
  const wrong = columnsNamed(table, y).filter((column) => !isNumeric(column));
  if (wrong.length > 0 || y.length === 0 || new Set([x, ...y, series]).size < y.length + 2) {
    const numbers = table.columns.filter(isNumeric).map(({ name }) => name);
    throw new PipelineError(
      'INPUT_INVALID',
      `y has to be other columns of numbers than x: ${numbers.join(', ')}`,
    );
  }
}
