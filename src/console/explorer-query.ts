import { z } from 'zod';
import { civilDate, instant } from '../api/shared/fields.ts';
import { columnsNamed } from '../engine/look/table-rows.ts';
import { isNumeric, TOGETHER } from '../engine/look/table-series.ts';
import type { SeriesRequest } from '../engine/look/table-series.ts';
import { PipelineError } from '../errors.ts';
import { definedMembers } from '../given.ts';
import type { DaySpan, TableDefinition } from '../pipelines/tables.ts';
import { filledIn, readForm } from './form.ts';

/** What the explorer is asked for, from its address; everything may be left out. */

/** How the explorer draws. */
export const DRAWN_AS = ['line', 'bar', 'scatter'] as const;

/** A ticked box is a member of its own, a link has them together. */
const names = z
  .union([z.string(), z.array(z.string())])
  .transform((given) =>
    [given].flat().flatMap((text) => text.split(',').filter((name) => name !== '')),
  );

const query = z.strictObject({
  from: civilDate.optional(),
  to: civilDate.optional(),
  as_of: instant.optional(),
  columns: names.optional(),
  x: z.string().max(80).optional(),
  y: names.optional(),
  series: z.string().max(80).optional(),
  together: z.enum(TOGETHER).default('mean'),
  kind: z.enum(DRAWN_AS).default('line'),
});

/** A view of a table: its rows, and the chart of them. */
export interface Explored {
  readonly range: DaySpan;
  /** ISO instant: the data as they were known then. */
  readonly asOf: string | undefined;
  /** Columns of the rows and files; undefined for all. */
  readonly columns: readonly string[] | undefined;
  readonly kind: (typeof DRAWN_AS)[number];
  /** Null for a table without a column of numbers. */
  readonly chart: SeriesRequest | null;
}

/**
 * Empty fields count as left out. Without a range the last known day, or all of a table that has no
 * days. `INPUT_INVALID` tells what is wrong.
 */
export function readExplored(given: unknown, table: TableDefinition, known: DaySpan): Explored {
  const read = readForm(query, filledIn(given));
  const { from, to, as_of: asOf, columns, x, y, series, together, kind } = read;
  const last = to ?? (from !== undefined && from > known.to ? from : known.to);
  const range = { from: from ?? (table.rows.each === 'day' ? last : known.from), to: last };
  if (range.to < range.from)
    throw new PipelineError(
      'INPUT_INVALID',
      `the range ends (${range.to}) before it begins (${range.from})`,
    );
  columnsNamed(table, columns);
  const chosen = columns?.length === 0 ? undefined : columns;
  const drawn = definedMembers({ x, y: y?.length === 0 ? undefined : y, series });
  return { range, asOf, columns: chosen, kind, chart: chartOf(table, { together, ...drawn }) };
}

function chartOf(
  table: TableDefinition,
  { x, y, ...rest }: Partial<SeriesRequest> & Pick<SeriesRequest, 'together'>,
): SeriesRequest | null {
  const { columns, order } = table;
  const time =
    columns.find(({ type }) => type === 'instant') ?? columns.find(({ type }) => type === 'date');
  const place = x ?? time?.name ?? order[0] ?? columns[0]?.name;
  const first = columns.find(
    (column) => isNumeric(column) && column.name !== place && !order.includes(column.name),
  );
  const values = y ?? (first === undefined ? [] : [first.name]);
  if (place === undefined || values.length === 0) return null;
  return { x: place, y: values, ...rest };
}

/** The rows and files of the view, as the API takes them. */
export function rowsQueryOf({ range, asOf, columns }: Explored): string {
  const members = definedMembers({ as_of: asOf, columns: columns?.join(',') });
  return new URLSearchParams({ ...range, ...members }).toString();
}

/** The whole view; with `asOf`, as the data were known then. */
export function linkOf(explored: Explored, asOf: string | undefined): string {
  const { range, columns, chart, kind } = explored;
  const drawn =
    chart === null ? {} : { x: chart.x, y: chart.y.join(','), together: chart.together, kind };
  const members = definedMembers({
    as_of: asOf,
    columns: columns?.join(','),
    series: chart?.series,
  });
  return new URLSearchParams({ ...range, ...members, ...drawn }).toString();
}
