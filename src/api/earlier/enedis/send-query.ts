import path from 'node:path';
import { finished } from 'node:stream/promises';
import type { FastifyReply } from 'fastify';
import { quoteIdentifier, quoteText } from '../../../pipelines/sql-text.ts';
import type { AnswerRow, TableColumn } from '../../../pipelines/tables.ts';
import { sqlOf } from '../../../engine/engine.ts';
import type { Engine } from '../../../engine/engine.ts';
import { arrowStream } from '../../answers/arrow.ts';
import { beginDownload } from '../../answers/downloads.ts';
import { FORMATS } from '../../answers/formats.ts';
import { xlsxStream } from '../../answers/xlsx.ts';
import { untilHungUp } from '../../shared/hung-up.ts';
import type { Asked, Supplier } from './supplier.ts';

/** The formats of files that the earlier system had. */
export type SentFormat = 'arrow' | 'xlsx';

/** By format, how it is sent. */
export const SENT_AS = {
  arrow: { type: FORMATS.arrow, stream: arrowStream },
  xlsx: { type: FORMATS.xlsx, stream: xlsxStream },
} as const;

/** Rows that are sent as a file of this name. */
export interface SentQuery {
  readonly name: string;
  readonly format: SentFormat;
  /** The declared tables that the query reads. */
  readonly tables: readonly string[];
  readonly columns: readonly TableColumn[];
  readonly sql: string;
}

const ROWS_AT_ONCE = 20_000;

/**
 * Keeps the rows in a file of the scratch folder, and sends them from there at the pace of their
 * reader: a slow one holds no session of the engine, and memory for some thousand rows.
 */
export async function sendQuery(
  supplier: Supplier,
  asked: Asked,
  { name, format, tables, columns, sql }: SentQuery,
): Promise<FastifyReply> {
  const { request, reply } = asked;
  beginDownload(request, reply.raw);
  const { engine } = supplier;
  await engine.withScratchFolder(async (folder) => {
    const file = path.join(folder, 'rows.parquet');
    const copied = await supplier.read(asked, tables, async (session) => {
      await session.run(`COPY (${sql}) TO ${quoteText(file)} (FORMAT PARQUET)`);
      return true;
    });
    if (copied === undefined) return reply.send();
    const { type, stream } = SENT_AS[format];
    reply.type(type).header('content-disposition', `attachment; filename="${name}.${format}"`);
    reply.send(stream(columns, rowsOf(engine, file, columns, untilHungUp(reply.raw))));
    await finished(reply.raw).catch(() => undefined);
    return reply;
  });
  return reply;
}

async function* rowsOf(
  engine: Engine,
  file: string,
  columns: readonly TableColumn[],
  signal: AbortSignal,
): AsyncGenerator<readonly AnswerRow[]> {
  const names = columns.map(({ name }) => quoteIdentifier(name)).join(', ');
  for (let from = 0; ; from += ROWS_AT_ONCE) {
    const rows = await sqlOf(engine).session(
      (session) =>
        session.rows<AnswerRow>(
          `SELECT ${names} FROM read_parquet(${quoteText(file)}, file_row_number = true)
            WHERE file_row_number >= ${from} AND file_row_number < ${from + ROWS_AT_ONCE} ORDER BY file_row_number`,
        ),
      { signal },
    );
    if (rows.length > 0) yield rows;
    if (rows.length < ROWS_AT_ONCE) return;
  }
}
