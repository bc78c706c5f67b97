import { createReadStream } from 'node:fs';
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { finished } from 'node:stream/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Engine } from '../../engine/engine.ts';
import type { TableCut } from '../../engine/look/table-cut.ts';
import { readRowSets, readTexts, writeParquet } from '../../engine/look/table-rows.ts';
import type { TableColumn } from '../../pipelines/tables.ts';
import { untilHungUp } from '../shared/hung-up.ts';
import { HttpRefusal } from '../shared/problems.ts';
import type { Dialect } from './csv.ts';
import { beginDownload } from './downloads.ts';
import { csvLineSql } from './csv-sql.ts';
import { FORMATS } from './formats.ts';
import type { Format } from './formats.ts';
import { rowStream } from './row-stream.ts';

/** A whole table in one of the formats, at the pace of its reader. */

/** A table of a range that is sent as one file. */
export interface WholeRows {
  readonly cut: TableCut;
  readonly columns: readonly TableColumn[];
  readonly names: readonly string[] | undefined;
  readonly format: Format;
  readonly dialect: Dialect;
  /** A browser saves it, and does not show it. */
  readonly isAttachment?: true;
}

/** The name of a file with the rows. */
export function fileNameOf({ cut, format }: Pick<WholeRows, 'cut' | 'format'>): string {
  const suffix = format === 'arrow' ? 'arrows' : format;
  return `${cut.table.id}_${cut.span.from}_${cut.span.to}.${suffix}`;
}

/**
 * Streams, so that a range of years needs no memory; a client that hangs up stops the reading.
 * `BUSY` beyond what is sent at once.
 */
export async function sendWhole(
  engine: Engine,
  whole: WholeRows,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  const { cut, columns, names, format, dialect } = whole;
  beginDownload(request, reply.raw);
  const how = whole.isAttachment === true ? 'attachment' : 'inline';
  reply.type(FORMATS[format]);
  reply.header('content-disposition', `${how}; filename="${fileNameOf(whole)}"`);
  if (format === 'parquet') return sendParquet(engine, whole, request, reply);
  const signal = untilHungUp(reply.raw);
  const lines = readTexts(engine, cut, csvLineSql(columns, dialect), signal);
  const sets = readRowSets(engine, cut, { columns: names, signal });
  return reply.send(rowStream(whole, format, { lines, sets }));
}

/** Made on the disk, because its end tells where its columns are; so it also has byte ranges. */
async function sendParquet(
  engine: Engine,
  { cut, names }: WholeRows,
  request: FastifyRequest,
  reply: FastifyReply,
): Promise<FastifyReply> {
  await engine.withScratchFolder(async (folder) => {
    const file = path.join(folder, `${cut.table.id}.parquet`);
    await writeParquet(engine, cut, names, file);
    sendFile(file, (await stat(file)).size, request, reply);
    await finished(reply.raw).catch(() => undefined);
  });
  return reply;
}

/** The bytes of a file, or the one range of them that is asked for (RFC 9110, 14). */
export function sendFile(
  file: string,
  size: number,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  reply.header('accept-ranges', 'bytes');
  const range = rangeOf(
    request.headers.range,
    size,
    request.headers['if-range'],
    reply.getHeader('etag'),
  );
  if (range === 'outside') {
    reply.header('content-range', `bytes */${size}`);
    throw new HttpRefusal(
      416,
      `the range ${request.headers.range} is outside of the ${size} bytes`,
    );
  }
  if (range === undefined) return reply.header('content-length', size).send(createReadStream(file));
  const { start, end } = range;
  reply
    .code(206)
    .header('content-range', `bytes ${start}-${end}/${size}`)
    .header('content-length', end - start + 1);
  return reply.send(createReadStream(file, { start, end }));
}

function rangeOf(
  header: string | undefined,
  size: number,
  ifRange: string | string[] | undefined,
  tag: number | string | string[] | undefined,
): { readonly start: number; readonly end: number } | 'outside' | undefined {
  if (header === undefined || (ifRange !== undefined && ifRange !== tag)) return undefined;
  const [, first, last] = /^bytes=(\d*)-(\d*)$/.exec(header) ?? [];
  // Several ranges, and what is no range of bytes: the whole is always a good answer.
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  const start = first === '' ? Math.max(0, size - Number(last)) : Number(first);
  const end = first === '' || last === '' ? size - 1 : Math.min(Number(last), size - 1);
  return start <= end ? { start, end } : 'outside';
}
