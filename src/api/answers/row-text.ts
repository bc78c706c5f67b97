import type { RowsText } from '../../engine/look/table-rows.ts';
import type { AnswerRow, TableColumn } from '../../pipelines/tables.ts';
import { csvHeader, csvRows } from './csv.ts';
import type { Dialect } from './csv.ts';

/** The header, then the lines that the engine writes by `csvLineSql`, set by set. */
export async function* csvOf(
  columns: readonly TableColumn[],
  sets: AsyncIterable<RowsText>,
  dialect: Dialect,
): AsyncGenerator<string> {
  yield csvHeader(columns, dialect);
  for await (const { text } of sets) yield text;
}

/** Rows as text, set by set; JSON is one array of objects. */
export async function* textOf(
  format: 'json' | 'ndjson' | 'csv',
  columns: readonly TableColumn[],
  sets: AsyncIterable<readonly AnswerRow[]>,
  dialect: Dialect,
): AsyncGenerator<string> {
  if (format === 'csv') {
    yield csvHeader(columns, dialect);
    for await (const rows of sets) yield csvRows(columns, rows, dialect);
  } else if (format === 'ndjson') {
    for await (const rows of sets) yield rows.map((row) => `${JSON.stringify(row)}\n`).join('');
  } else {
    let before = '[';
    for await (const rows of sets) {
      yield `${before}${rows.map((row) => JSON.stringify(row)).join(',\n')}`;
      before = ',\n';
    }
    yield before === '[' ? '[]' : ']';
  }
}

const PIECE_CHARACTERS = 64 * 1024;

/**
 * The same texts in pieces that a reader takes one by one: by pieces it is seen whether somebody
 * reads.
 */
export async function* inPieces(texts: AsyncIterable<string>): AsyncGenerator<string> {
  for await (const text of texts)
    for (let at = 0; at < text.length; at += PIECE_CHARACTERS)
      yield text.slice(at, at + PIECE_CHARACTERS);
}
