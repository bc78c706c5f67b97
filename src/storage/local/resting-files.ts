import { measuring } from '@quotidien/machine/file-hash';
import { closeSync, fstatSync, openSync, readSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { Readable } from 'node:stream';
import { constants, createGunzip, createGzip } from 'node:zlib';
import { PipelineError } from '../../errors.ts';
import type { ObjectBody } from '../../ports/objects.ts';
import { errnoOf, fileError } from '../shared/file-errors.ts';
import { bodyChunks } from '../shared/object-body.ts';
import type { PlainBytes } from './packed-files.ts';

/**
 * Objects that have a name and are rarely read (`PutOptions.rests`), as gzip: `counts.csv` lies in
 * `counts.csv.gz`, which any program opens that reads gzip. The bytes, hash, size and ranges of the
 * object are always those of what is in it.
 *
 * The file ends with an empty member of gzip, whose file name has the size and the hash of what
 * comes before: readers pass over it, and it tells our files from those that others put. Where a
 * plain file of the name lies beside it, the one that got its name last counts: somebody has put a
 * newer edition, or a crash kept the older one from being removed.
 */
export const RESTING_ENDING = '.gz';

/**
 * Measured on a GB of road counts: 2.5 s of processor time; the default level takes 5.4 s for a
 * fifth less. Reading takes 0.7 s.
 */
const LEVEL = constants.Z_BEST_SPEED;

const LONGEST_NAME_BYTES = 255;
const PIECE_BYTES = 256 << 10;

/** The fourth byte says that a file name follows. DuckDB refuses a comment. */
const MEMBER_HEAD = Buffer.from([0x1f, 0x8b, 8, 0x08, 0, 0, 0, 0, 0, 0xff]);
/** Deflate of nothing, its CRC-32 and its length. */
const MEMBER_END = Buffer.from([3, 0, 0, 0, 0, 0, 0, 0, 0, 0]);
const BYTES_DIGITS = 15;
const LABEL = /^quotidien (\d{15}) ([0-9a-f]{64})\0$/;
const LABEL_BYTES = 'quotidien '.length + BYTES_DIGITS + 1 + 64 + 1;
const TAIL_BYTES = MEMBER_HEAD.byteLength + LABEL_BYTES + MEMBER_END.byteLength;

/** A body on its way into a resting file. */
export interface Resting {
  readonly body: ObjectBody;
  /** What went into it; to be asked when the body has ended. */
  readonly plain: () => PlainBytes;
}

/**
 * The body as gzip, with size and hash of the plain bytes behind it: nobody has to unpack it to
 * learn these.
 */
export function rest(body: ObjectBody): Resting {
  let plain: PlainBytes | undefined;
  async function* kept(): AsyncGenerator<Uint8Array> {
    // A producer may use its buffer again while this one is packed.
    for await (const chunk of bodyChunks(body)) yield Buffer.from(chunk);
  }
  const { chunks, measured } = measuring(kept());
  async function* packed(): AsyncGenerator<Uint8Array> {
    const source = Readable.from(chunks, { objectMode: false });
    const gzip = createGzip({ level: LEVEL, chunkSize: PIECE_BYTES });
    source.on('error', (error) => gzip.destroy(error));
    yield* source.pipe(gzip) as AsyncIterable<Uint8Array>;
    plain = measured();
    yield tailOf(plain);
  }
  return {
    body: packed(),
    plain() {
      if (plain === undefined)
        throw new PipelineError('INTERNAL', 'a resting body is asked for its hash before its end');
      return plain;
    },
  };
}

function tailOf({ sha256, bytes }: PlainBytes): Buffer {
  const label = `quotidien ${String(bytes).padStart(BYTES_DIGITS, '0')} ${sha256}\0`;
  return Buffer.concat([MEMBER_HEAD, Buffer.from(label, 'latin1'), MEMBER_END]);
}

/**
 * What a file says that rests in it; undefined when there is none, or none of ours. By calls that
 * the page cache answers.
 */
export function restingIn(file: string): PlainBytes | undefined {
  let descriptor: number;
  try {
    descriptor = openSync(file, 'r');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT' || errno === 'ENOTDIR' || errno === 'ENAMETOOLONG') return undefined;
    throw fileError(error, 'read', file);
  }
  try {
    const { size } = fstatSync(descriptor);
    if (size < TAIL_BYTES) return undefined;
    const tail = Buffer.alloc(TAIL_BYTES);
    readSync(descriptor, tail, 0, TAIL_BYTES, size - TAIL_BYTES);
    return parseTail(tail);
  } catch (error) {
    // A folder of that name.
    if (errnoOf(error) === 'EISDIR') return undefined;
    throw fileError(error, 'read', file);
  } finally {
    closeSync(descriptor);
  }
}

function parseTail(tail: Buffer): PlainBytes | undefined {
  if (!tail.subarray(0, MEMBER_HEAD.byteLength).equals(MEMBER_HEAD)) return undefined;
  const label = tail.toString(
    'latin1',
    MEMBER_HEAD.byteLength,
    MEMBER_HEAD.byteLength + LABEL_BYTES,
  );
  const [whole, bytes = '', sha256 = ''] = LABEL.exec(label) ?? [];
  return whole === undefined ? undefined : { sha256, bytes: Number(bytes) };
}

/** Whether a file of this name may rest: some names have no room for the ending. */
export function mayRest(file: string): boolean {
  return Buffer.byteLength(path.basename(file)) + RESTING_ENDING.length <= LONGEST_NAME_BYTES;
}

/**
 * The resting file of a plain file's name, unless the plain file is there and got its name later.
 * File systems tell times in steps of some milliseconds; of two in one step the plain file counts,
 * which somebody may just have put.
 */
export function restingBeside(file: string): string | undefined {
  const resting = file + RESTING_ENDING;
  if (restingIn(resting) === undefined) return undefined;
  const plain = changedAt(file);
  return plain === undefined || plain < (changedAt(resting) ?? 0n) ? resting : undefined;
}

/**
 * The time of the last change of the name too: copies of others may keep an older time of their
 * bytes.
 */
function changedAt(file: string): bigint | undefined {
  const found = statSync(file, { bigint: true, throwIfNoEntry: false });
  return found?.isFile() === true ? found.ctimeNs : undefined;
}

/** The bytes `[start, end)` of what rests in an open file; `STORE_CORRUPT` when it is damaged. */
export async function* restingBytes(
  handle: FileHandle,
  file: string,
  start = 0,
  end = Number.POSITIVE_INFINITY,
): AsyncGenerator<Uint8Array> {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  const source = Readable.from(storedBytes(handle), { objectMode: false });
  source.on('error', (error) => gunzip.destroy(error));
  let at = 0;
  try {
    for await (const chunk of source.pipe(gunzip) as AsyncIterable<Uint8Array>) {
      const piece = chunk.subarray(Math.max(start - at, 0), Math.max(end - at, 0));
      at += chunk.byteLength;
      if (piece.byteLength > 0) yield piece;
      if (at >= end) return;
    }
  } catch (error) {
    if (errnoOf(error)?.startsWith('Z_') === true) throw damaged(file, error);
    throw fileError(error, 'read', file);
  } finally {
    source.destroy();
    gunzip.destroy();
  }
}

/** Not a stream of the file: that would close it. */
async function* storedBytes(handle: FileHandle): AsyncGenerator<Uint8Array> {
  for (let at = 0; ;) {
    const { bytesRead, buffer } = await handle.read(
      Buffer.allocUnsafe(PIECE_BYTES),
      0,
      PIECE_BYTES,
      at,
    );
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    at += bytesRead;
  }
}

/** The same, of a file that is closed at the end, or when the reader stops early. */
export async function* restingBytesAndClose(
  handle: FileHandle,
  file: string,
  start?: number,
  end?: number,
): AsyncGenerator<Uint8Array> {
  try {
    yield* restingBytes(handle, file, start, end);
  } finally {
    await handle.close();
  }
}

function damaged(file: string, cause: unknown): PipelineError {
  const message = `${file} cannot be unpacked: keep the file aside, check the disk, and import it again`;
  return new PipelineError('STORE_CORRUPT', message, { cause, context: { path: file } });
}
