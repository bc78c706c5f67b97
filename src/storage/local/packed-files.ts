import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import path from 'node:path';
import { deflate } from 'node:zlib';
import { PipelineError } from '../../errors.ts';
import type { ObjectBody } from '../../ports/objects.ts';
import { hashInKey } from '../shared/content-key.ts';
import { bodyChunks } from '../shared/object-body.ts';
import { createPacking } from '../shared/packing.ts';
import { createSampleFiles } from './packing-samples.ts';

/**
 * A shorter text stays a plain file: most of what packing would leave of it is the head of the
 * file.
 */
const SHORTEST_PACKED_BYTES = 128;

/** A longer text stays a plain file: it is opened and read in pieces. */
export const LARGEST_PACKED_BYTES = 4 << 20;

/**
 * A longer one is packed in another thread, and without a dictionary, which would hardly help it.
 */
const PACKED_AT_ONCE_BYTES = 64 << 10;

/** Of samples without figures; twice as much would pack no better, at twice the time. */
const FULL_DICTIONARY_BYTES = 16 << 10;

/**
 * How a packed file begins; a zlib stream follows. A text that begins so itself is packed in any
 * case.
 */
const HEAD = /^packed (\d{1,10})\n/;

/** Bytes that have to be read to know whether a file is packed, and how long its text is. */
export const LONGEST_HEAD_BYTES = 18;

const PACKABLE = /\.(?:csv|geojson|html|json|md|ndjson|txt|xml)$/;

/** What is known of the bytes of an object, whatever form they are stored in. */
export interface PlainBytes {
  readonly sha256: string;
  readonly bytes: number;
}

/** What is to be stored; `plain` where that is packed. */
export interface PackedBody {
  readonly body: ObjectBody;
  readonly plain?: PlainBytes;
}

/**
 * Texts that lie under their own hash as packed files: `packed <bytes>\n`, then a zlib stream, with
 * a dictionary of the folder that the day's folder is in (`shared/packing.ts`). Only they: what has
 * a name is for people and other programs, and tables are packed already. The bytes, hash, size and
 * ranges of an object are always those of its text.
 */
export interface PackedFiles {
  pack(key: string, body: ObjectBody): Promise<PackedBody>;
  /**
   * The text; `undefined` when the file is not packed. `STORE_CORRUPT` when it is damaged or its
   * dictionary is lost.
   */
  unpack(key: string, stored: Buffer): Buffer | undefined;
}

/** `root` is the store's folder; dictionaries are kept there, beside what they pack. */
export function createPackedFiles(root: string): PackedFiles {
  const packing = createPacking(createSampleFiles(root), {
    poorly: 1 / 8,
    fullBytes: FULL_DICTIONARY_BYTES,
    sampleOf: withoutFigures,
  });

  return {
    async pack(key, body) {
      const { whole, rest } = await gather(body);
      if (whole === undefined) return { body: rest };
      if (whole.byteLength < SHORTEST_PACKED_BYTES && headOf(whole) === undefined)
        return { body: whole };
      const kind = whole.byteLength > PACKED_AT_ONCE_BYTES ? undefined : kindOf(key);
      const packed =
        (kind === undefined ? undefined : packing.pack(kind, whole)) ??
        (await deflateInThread(whole));
      const head = Buffer.from(`packed ${whole.byteLength}\n`);
      const isSmaller = head.byteLength + packed.byteLength < whole.byteLength;
      if (!isSmaller && headOf(whole) === undefined) return { body: whole };
      const plain = {
        sha256: createHash('sha256').update(whole).digest('hex'),
        bytes: whole.byteLength,
      };
      return { body: Buffer.concat([head, packed]), plain };
    },
    unpack(key, stored) {
      const head = headOf(stored);
      if (head === undefined) return undefined;
      try {
        const text = packing.unpack(kindOf(key) ?? '', stored.subarray(head.length));
        if (text.byteLength === head.bytes) return text;
      } catch (error) {
        throw damaged(key, (error as Error).message, error);
      }
      throw damaged(key, `it does not unpack to ${head.bytes} bytes`);
    },
  };
}

/**
 * Letters and digits that stand together, at least one of them a digit: a figure, a time, a hash,
 * an id.
 */
const FIGURE = /[A-Za-z]*\d[A-Za-z\d]*/g;

/**
 * With zeros for whatever has a digit in it: nothing of a text may stay in a dictionary when the
 * text is deleted. Measured, the texts of a day take a fifth more than with whole samples.
 */
function withoutFigures(text: Buffer): Buffer {
  const masked = text.toString('latin1').replace(FIGURE, (figure) => '0'.repeat(figure.length));
  return Buffer.from(masked, 'latin1');
}

/**
 * Whether the object is one that is packed, unless it is large or written by an earlier version.
 */
export function isPackable(key: string): boolean {
  return PACKABLE.test(key) && hashInKey(key) !== undefined;
}

/** The length of a packed file's text; `undefined` when the file is not packed. */
export function plainLength(start: Buffer): number | undefined {
  return headOf(start)?.bytes;
}

function headOf(stored: Buffer): { readonly length: number; readonly bytes: number } | undefined {
  const [head, bytes] = HEAD.exec(stored.toString('latin1', 0, LONGEST_HEAD_BYTES)) ?? [];
  return head === undefined ? undefined : { length: head.length, bytes: Number(bytes) };
}

/**
 * The folder of which the day has one, and the ending: `metrics/cityflow/bikes/json`. None for what
 * is not made of days: raw files may say anything.
 */
function kindOf(key: string): string | undefined {
  const folders = key.split('/').slice(0, -1);
  const day = folders.findIndex((name) => name.includes('='));
  return day === -1 ? undefined : [...folders.slice(0, day), path.extname(key).slice(1)].join('/');
}

interface Whole {
  readonly whole: Buffer;
  readonly rest?: undefined;
}

type Gathered = Whole | { readonly whole?: undefined; readonly rest: ObjectBody };

/** The whole body, or when it is large what gives it. */
async function gather(body: ObjectBody): Promise<Gathered> {
  if (sizeOf(body) > LARGEST_PACKED_BYTES) return { rest: body };
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  const reading = bodyChunks(body)[Symbol.asyncIterator]();
  for (;;) {
    const next = await reading.next();
    if (next.done === true) return { whole: Buffer.concat(chunks) };
    // A producer may use its buffer again.
    chunks.push(Buffer.from(next.value));
    bytes += next.value.byteLength;
    if (bytes > LARGEST_PACKED_BYTES) return { rest: begunWith(chunks, reading) };
  }
}

function deflateInThread(whole: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    deflate(whole, (error, packed) => {
      if (error === null) resolve(packed);
      else reject(error);
    });
  });
}

/** 0 where only reading it tells. */
function sizeOf(body: ObjectBody): number {
  if (body instanceof Uint8Array) return body.byteLength;
  return 'path' in body ? (statSync(body.path, { throwIfNoEntry: false })?.size ?? 0) : 0;
}

async function* begunWith(
  chunks: readonly Uint8Array[],
  rest: AsyncGenerator<Uint8Array>,
): AsyncGenerator<Uint8Array> {
  yield* chunks;
  yield* rest;
}

function damaged(key: string, why: string, cause?: unknown): PipelineError {
  const message = `the packed file of ${key} is damaged, ${why}: keep it aside, check the disk, then re-run the day to rebuild it`;
  return new PipelineError('STORE_CORRUPT', message, { cause, context: { key } });
}
