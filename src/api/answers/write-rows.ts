import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Engine } from '../../engine/engine.ts';
import { readRowSets, writeParquet } from '../../engine/look/table-rows.ts';
import type { AnswerRow } from '../../pipelines/tables.ts';
import { arrowStream } from './arrow.ts';
import { textOf } from './row-text.ts';
import type { WholeRows } from './send-rows.ts';
import { xlsxStream } from './xlsx.ts';

/** Writes a whole table into a file, in any of the formats, at the pace of the disk; returns the number of rows. */
export async function writeRows(engine: Engine, whole: WholeRows, file: string, signal: AbortSignal): Promise<number> {
  const { cut, names } = whole;
  if (whole.format === 'parquet') return writeParquet(engine, cut, names, file);
  let rows = 0;
  const sets = readRowSets(engine, cut, { columns: names, signal });
  const counted = (async function* (): AsyncGenerator<readonly AnswerRow[]> {
    for await (const set of sets) {
      rows += set.length;
      yield set;
    }
  })();
  await pipeline(streamOf(whole, counted), createWriteStream(file), { signal });
  return rows;
}

function streamOf(
  { columns, format, dialect }: Pick<WholeRows, 'columns' | 'dialect'> & { readonly format: WholeRows['format'] },
  sets: AsyncIterable<readonly AnswerRow[]>,
): Readable {
  if (format === 'xlsx') return xlsxStream(columns, sets);
  if (format === 'arrow') return arrowStream(columns, sets);
  return Readable.from(textOf(format === 'parquet' ? 'json' : format, columns, sets, dialect), { objectMode: false });
}
