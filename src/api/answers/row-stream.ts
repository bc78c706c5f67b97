import { Readable } from 'node:stream';
import type { RowsText } from '../../engine/look/table-rows.ts';
import type { AnswerRow, TableColumn } from '../../pipelines/tables.ts';
import { arrowStream } from './arrow.ts';
import type { Dialect } from './csv.ts';
import type { Format } from './formats.ts';
import { csvOf, inPieces, textOf } from './row-text.ts';
import { xlsxStream } from './xlsx.ts';

/**
 * The rows of a table, read when they are taken: as `lines` that the engine has written by
 * `csvLineSql`, or as `sets` of values.
 */
export interface RowSource {
  readonly lines: AsyncIterable<RowsText>;
  readonly sets: AsyncIterable<readonly AnswerRow[]>;
}

/**
 * The bytes of a table in a format that is written while it is read; CSV takes the lines, all
 * others the sets.
 */
export function rowStream(
  { columns, dialect }: { readonly columns: readonly TableColumn[]; readonly dialect: Dialect },
  format: Exclude<Format, 'parquet'>,
  { lines, sets }: RowSource,
): Readable {
  if (format === 'xlsx') return xlsxStream(columns, sets);
  if (format === 'arrow') return arrowStream(columns, sets);
  const texts =
    format === 'csv' ? csvOf(columns, lines, dialect) : textOf(format, columns, sets, dialect);
  return Readable.from(inPieces(texts), { objectMode: false });
}
