import { writeFile } from 'node:fs/promises';
import parquet from 'parquetjs-lite';
import type { ParquetField } from 'parquetjs-lite';
import { PipelineError } from '../../errors.ts';
import { isWellFormed } from '../shared/byte-order.ts';
import { fileError } from '../shared/file-errors.ts';

/** A flat table, small enough for memory. Every column can be null. */
export interface FlatParquetTable {
  readonly columns: readonly {
    readonly name: string;
    /**
     * `integer` is INT64 but takes only whole numbers that a double holds exactly; `number` is
     * DOUBLE, finite; `instant` takes ISO-8601 text with offset or `Z` and keeps milliseconds.
     */
    readonly type: 'text' | 'integer' | 'number' | 'instant' | 'boolean';
  }[];
  /** Values in the order of the columns. */
  readonly rows: readonly (readonly FlatValue[])[];
  /** Key and value pairs in the footer of the file. */
  readonly metadata?: Readonly<Record<string, string>>;
}

/** Null in any column; the types of the others are checked. */
export type FlatValue = string | number | boolean | null;

type Column = FlatParquetTable['columns'][number];
type Cell = string | number | boolean | Date | null;

const PARQUET_TYPES = {
  text: 'UTF8',
  integer: 'INT64',
  number: 'DOUBLE',
  instant: 'TIMESTAMP_MILLIS',
  boolean: 'BOOLEAN',
} as const satisfies Record<Column['type'], ParquetField['type']>;

const ROW_GROUP_ROWS = 4_096;

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d(?::\d\d(?:\.\d{1,9})?)?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * The table as the bytes of a Parquet file (SNAPPY), the same bytes for the same table. It needs no
 * native engine. What the library would write wrongly without a word is refused with
 * `INPUT_INVALID` instead:
 *
 * - it rounds or cuts values that do not fit their column (`1.9` and `"12abc"` become whole
 *   numbers), so each is checked here;
 * - its statistics compare text in UTF-16 order and mislead readers that skip row groups by them:
 *   they are switched off;
 * - version 2 pages and the page index are less widely readable: they are switched off too;
 * - it loses errors of the stream that it writes to, so it gets memory to write to;
 * - columns are members of an object, which JavaScript reorders when their names are numbers: such
 *   names are refused.
 */
export async function encodeFlatParquet(table: FlatParquetTable): Promise<Uint8Array> {
  checkColumns(table.columns);
  const chunks: Uint8Array[] = [];
  const output = {
    write: (bytes: Uint8Array, done: () => void) => {
      chunks.push(bytes);
      done();
    },
    end: (done: () => void) => {
      done();
    },
  };
  const options = { rowGroupSize: ROW_GROUP_ROWS, useDataPageV2: false, pageIndex: false };
  const writer = await parquet.ParquetWriter.openStream(schemaOf(table.columns), output, options);
  for (const [key, value] of Object.entries(table.metadata ?? {})) writer.setMetadata(key, value);
  for (const [at, row] of table.rows.entries())
    await writer.appendRow(cellsOf(table.columns, row, at));
  await writer.close();
  return Buffer.concat(chunks);
}

/**
 * Writes the table to a file, replacing what is there; `INPUT_INVALID` as above, `STORE_DENIED`
 * when it cannot be written.
 */
export async function writeFlatParquet(
  options: FlatParquetTable & { readonly path: string },
): Promise<{ readonly bytes: number; readonly rows: number }> {
  const bytes = await encodeFlatParquet(options);
  await writeFile(options.path, bytes).catch((error: unknown) => {
    throw fileError(error, 'write', options.path);
  });
  return { bytes: bytes.byteLength, rows: options.rows.length };
}

function checkColumns(columns: readonly Column[]): void {
  const names = new Set<string>();
  for (const { name } of columns) {
    const problem = names.has(name) ? 'is there twice' : columnNameProblem(name);
    if (problem !== undefined)
      throw new PipelineError(
        'INPUT_INVALID',
        `the export column ${JSON.stringify(name)} ${problem}`,
      );
    names.add(name);
  }
  if (columns.length === 0)
    throw new PipelineError('INPUT_INVALID', 'an export table needs at least one column');
}

function columnNameProblem(name: string): string | undefined {
  if (name === '' || name === '__proto__' || !isWellFormed(name)) return 'has no usable name';
  return /^\d+$/.test(name) ? 'has a number as its name' : undefined;
}

function schemaOf(columns: readonly Column[]): InstanceType<typeof parquet.ParquetSchema> {
  const fields = columns.map(({ name, type }): [string, ParquetField] => [
    name,
    { type: PARQUET_TYPES[type], optional: true, compression: 'SNAPPY', statistics: false },
  ]);
  return new parquet.ParquetSchema(Object.fromEntries(fields));
}

function cellsOf(
  columns: readonly Column[],
  row: readonly FlatValue[],
  at: number,
): Record<string, Cell> {
  if (row.length !== columns.length) {
    throw new PipelineError(
      'INPUT_INVALID',
      `row ${at} of an export has ${row.length} values for ${columns.length} columns`,
    );
  }
  return Object.fromEntries(
    columns.map((column, index) => [column.name, cellOf(column, row[index] ?? null, at)]),
  );
}

function cellOf(column: Column, value: FlatValue, at: number): Cell {
  if (value === null) return null;
  const cell = CELLS[column.type](value);
  if (cell !== undefined) return cell;
  const shown = JSON.stringify(value).slice(0, 80);
  throw new PipelineError(
    'INPUT_INVALID',
    `row ${at} of an export: column "${column.name}" takes ${column.type}, not ${shown}`,
  );
}

/** The value as the library takes it; `undefined` when it does not fit. */
const CELLS: Readonly<Record<Column['type'], (value: FlatValue) => Cell | undefined>> = {
  text: (value) => (typeof value === 'string' && isWellFormed(value) ? value : undefined),
  integer: (value) => (Number.isSafeInteger(value) ? value : undefined),
  number: (value) => (Number.isFinite(value) ? value : undefined),
  boolean: (value) => (typeof value === 'boolean' ? value : undefined),
  // As a Date, because the library refuses negative milliseconds (before 1970) but not such a Date.
  instant: (value) => {
    if (typeof value !== 'string' || !INSTANT.test(value)) return undefined;
    const instant = new Date(value);
    return Number.isNaN(instant.getTime()) ? undefined : instant;
  },
};
