import { createWriteStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import type { Engine } from '../../engine/engine.ts';
import { readRowSets, readTexts, writeParquet } from '../../engine/look/table-rows.ts';
import type { RowsText } from '../../engine/look/table-rows.ts';
import type { AnswerRow } from '../../pipelines/tables.ts';
import { csvLineSql } from './csv-sql.ts';
import { rowStream } from './row-stream.ts';
import type { WholeRows } from './send-rows.ts';

/**
 * Writes a whole table into a file, in any of the formats, at the pace of the disk; returns the
 * number of rows.
 */
export async function writeRows(
  engine: Engine,
  whole: WholeRows,
  file: string,
  signal: AbortSignal,
): Promise<number> {
  const { cut, names, format, columns, dialect } = whole;
  if (format === 'parquet') return writeParquet(engine, cut, names, file);
  let rows = 0;
  async function* lines(): AsyncGenerator<RowsText> {
    for await (const set of readTexts(engine, cut, csvLineSql(columns, dialect), signal)) {
      rows += set.rows;
      yield set;
    }
  }
  async function* sets(): AsyncGenerator<readonly AnswerRow[]> {
    for await (const set of readRowSets(engine, cut, { columns: names, signal })) {
      rows += set.length;
      yield set;
    }
  }
  const stream = rowStream(whole, format, { lines: lines(), sets: sets() });
  await pipeline(stream, createWriteStream(file), { signal });
  return rows;
}
