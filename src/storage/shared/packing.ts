import { deflateSync, inflateSync } from 'node:zlib';
import { definedMembers } from '../../given.ts';

/** What deflate looks back on; more of a dictionary would not be used. */
const FULL_DICTIONARY_BYTES = 32_768;

const LARGEST_SAMPLE_BYTES = 8_192;

/**
 * The header of a zlib stream: a flag that says "with a dictionary", then the dictionary's
 * Adler-32.
 */
const FLAGS_AT = 1;
const HAS_DICTIONARY = 0x20;
const DICTIONARY_ID_AT = 2;

/** Where the samples of the dictionaries are kept; they are never changed nor removed. */
export interface DictionarySamples {
  /**
   * In the order of their numbers 1, 2, …; those of one kind never have more than a dictionary's
   * bytes.
   */
  of(kind: string): readonly (ArrayBuffer | Uint8Array)[];
  /**
   * Keeps the sample, unless there is one of this number, which another process has added, or it
   * cannot be kept.
   */
  add(kind: string, number: number, sample: Uint8Array): void;
  /** Whether the sample is still there: somebody may have removed what these are kept in. */
  has(kind: string, number: number): boolean;
}

/** Small texts of one kind, packed with what texts of that kind have in common. */
export interface Packing {
  /** A zlib stream; `undefined` where that is not smaller. */
  pack(kind: string, bytes: Buffer): Buffer | undefined;
  /**
   * The bytes again; throws an `Error` that says why, when the stream is damaged or its dictionary
   * is lost.
   */
  unpack(kind: string, stream: Buffer): Buffer;
}

/** When a dictionary is made, and from what. */
export interface PackingOptions {
  /**
   * A text that is packed to more than this part of its bytes has something that the dictionary
   * lacks.
   */
  readonly poorly: number;
  /** A larger dictionary packs better and more slowly; 32 KiB unless given. */
  readonly fullBytes?: number;
  /** What of a text may be kept as a sample; all of it unless given. */
  readonly sampleOf?: (bytes: Buffer) => Buffer;
}

interface Dictionaries {
  /** The samples one after the other: what new bytes are packed with. */
  readonly newest: Buffer;
  readonly count: number;
  /** By id: those of the first sample, of the first two, and so on. */
  readonly byId: ReadonlyMap<number, Buffer>;
}

/**
 * Texts as zlib streams with a dictionary of their kind: those of one kind say much the same, and
 * one alone is too short for deflate to find that out.
 *
 * 1. A dictionary grows by the texts that it packs poorly, until it is full. Each state of it is a
 *    dictionary of its own.
 * 2. A sample is durable before the first text that is packed with it; a crash in between leaves a
 *    sample that nobody needs.
 * 3. A stream names its dictionary by the id in its own header, and says by a checksum that it was
 *    unpacked rightly.
 *
 */
export function createPacking(
  samples: DictionarySamples,
  { poorly, fullBytes = FULL_DICTIONARY_BYTES, sampleOf = (bytes) => bytes }: PackingOptions,
): Packing {
  const known = new Map<string, Dictionaries>();
  /**
   * Kinds whose next sample is nothing new, cannot be kept, or cannot be read back: this process
   * goes on with what they have.
   */
  const refused = new Set<string>();

  function load(kind: string): Dictionaries {
    const found = dictionariesOf(samples.of(kind));
    known.set(kind, found);
    return found;
  }

  /** Those in memory, if whoever unpacks finds them as well. */
  function current(kind: string): Dictionaries {
    const found = known.get(kind);
    return found !== undefined && (found.count === 0 || samples.has(kind, found.count))
      ? found
      : load(kind);
  }

  /** Takes the bytes as a further sample of their kind, when there is room for it. */
  function grow(kind: string, { newest, count }: Dictionaries, bytes: Buffer): void {
    if (refused.has(kind)) return;
    const room = fullBytes - newest.byteLength;
    const sample = sampleOf(bytes.subarray(0, Math.min(room, LARGEST_SAMPLE_BYTES)));
    const isNew = !newest.includes(sample);
    if (isNew) samples.add(kind, count + 1, sample);
    // Read again: another process may have added another one of this number.
    if (!isNew || load(kind).count <= count) refused.add(kind);
  }

  return {
    pack(kind, bytes) {
      const dictionaries = current(kind);
      const packed = deflate(bytes, dictionaries.newest);
      if (packed.byteLength > bytes.byteLength * poorly) grow(kind, dictionaries, bytes);
      return packed.byteLength < bytes.byteLength ? packed : undefined;
    },
    unpack(kind, stream) {
      const id = dictionaryIdOf(stream);
      if (id === undefined) return inflate(stream);
      const dictionary = known.get(kind)?.byId.get(id) ?? load(kind).byId.get(id);
      if (dictionary === undefined) throw new Error(`its dictionary ${id.toString(16)} is missing`);
      return inflate(stream, dictionary);
    },
  };
}

function dictionariesOf(samples: ReturnType<DictionarySamples['of']>): Dictionaries {
  const byId = new Map<number, Buffer>();
  let newest = Buffer.alloc(0);
  for (const sample of samples) {
    newest = Buffer.concat([newest, new Uint8Array(sample)]);
    byId.set(deflate(Buffer.alloc(0), newest).readUInt32BE(DICTIONARY_ID_AT), newest);
  }
  return { newest, count: samples.length, byId };
}

/**
 * Most texts are packed to less than this part of them, and are less than so many times their
 * stream; what is more takes another chunk.
 */
const MAX_PART = 1 / 4;
const MAX_TIMES = 16;

/**
 * About as much as comes out: zlib's own chunks of 16 KiB are garbage at once, and making them took
 * half of the time of packing.
 */
function chunkFor(bytes: number): number {
  return Math.min(Math.max(Math.ceil(bytes), 512), 16_384);
}

function deflate(bytes: Buffer, dictionary: Buffer): Buffer {
  const chunkSize = chunkFor(bytes.byteLength * MAX_PART);
  return deflateSync(bytes, { chunkSize, ...(dictionary.byteLength === 0 ? {} : { dictionary }) });
}

function inflate(stream: Buffer, dictionary?: Buffer): Buffer {
  const { buffer, engine } = inflateAll(stream, dictionary);
  // What follows a stream is not looked at by zlib.
  if (engine.bytesWritten === stream.byteLength) return buffer;
  throw new Error(`${stream.byteLength - engine.bytesWritten} bytes follow what was packed`);
}

function inflateAll(stream: Buffer, dictionary?: Buffer): Inflated {
  try {
    const chunkSize = chunkFor(stream.byteLength * MAX_TIMES);
    const options = { info: true, chunkSize, ...definedMembers({ dictionary }) };
    return inflateSync(stream, options) as unknown as Inflated;
  } catch (error) {
    throw new Error('it cannot be decompressed', { cause: error });
  }
}

/** What `info` makes of the result, which the types do not know. */
interface Inflated {
  readonly buffer: Buffer;
  /** `bytesWritten`: bytes of the stream that were used. */
  readonly engine: { readonly bytesWritten: number };
}

function dictionaryIdOf(stream: Buffer): number | undefined {
  const hasOne =
    stream.byteLength > DICTIONARY_ID_AT + 4 && ((stream[FLAGS_AT] ?? 0) & HAS_DICTIONARY) !== 0;
  return hasOne ? stream.readUInt32BE(DICTIONARY_ID_AT) : undefined;
}
