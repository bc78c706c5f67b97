import { deflateSync, inflateSync } from 'node:zlib';
import { PipelineError } from '../../errors.ts';
import { documentContext, documentName } from '../shared/document-key.ts';
import type { DocumentKey } from '../../ports/documents.ts';

/** A shorter body stays text: little is won, and people can read it with any SQLite tool. */
const SHORTEST_PACKED_CHARACTERS = 512;

/** What deflate looks back on; more of a dictionary would not be used. */
const FULL_DICTIONARY_BYTES = 32_768;

const LARGEST_SAMPLE_BYTES = 8_192;

/** A body that is packed to more than this part of its bytes has something that the dictionary lacks. */
const POORLY_PACKED = 1 / 4;

/** The header of a zlib stream: a flag that says "with a dictionary", then the dictionary's Adler-32. */
const FLAGS_AT = 1;
const HAS_DICTIONARY = 0x20;
const DICTIONARY_ID_AT = 2;

/** Where the samples of the dictionaries are kept; they are never changed nor removed. */
export interface DictionarySamples {
  /** In the order of their numbers 1, 2, …; those of one table never have more than a dictionary's bytes. */
  of(table: string): readonly ArrayBuffer[];
  /** `false` when another process has added a sample of this number. */
  add(table: string, number: number, sample: Uint8Array): boolean;
}

export interface PackedBodies {
  /** The text itself, or a zlib stream where that is smaller. */
  pack(table: string, text: string): string | Uint8Array;
  /** The text again; `STORE_CORRUPT` when the stored value is damaged or its dictionary is lost. */
  unpack(key: DocumentKey, stored: unknown): string;
}

interface Dictionaries {
  /** The samples one after the other: what a new body is packed with. */
  readonly newest: Buffer;
  readonly count: number;
  /** By id: those of the first sample, of the first two, and so on. */
  readonly byId: ReadonlyMap<number, Buffer>;
}

/**
 * Bodies as zlib streams with a dictionary of their table: the documents of one table say much the same, and one alone is too short
 * for deflate to find that out. Measured on 13 months of a pipeline: 12.7 MB of JSON are 4.7 MB without dictionaries, 1.9 MB with them.
 *
 * 1. A dictionary grows by the bodies that it packs poorly, until it is full. Each state of it is a dictionary of its own.
 * 2. A sample is durable before the first body that is packed with it; a crash in between leaves a sample that nobody needs.
 * 3. A stream names its dictionary by the id in its own header, and says by a checksum that it was unpacked rightly.
 */
export function createPackedBodies(samples: DictionarySamples): PackedBodies {
  const known = new Map<string, Dictionaries>();

  function load(table: string): Dictionaries {
    const found = dictionariesOf(samples.of(table));
    known.set(table, found);
    return found;
  }

  /** The dictionaries with this body as a further sample; the same when it does not help or has no room. */
  function grown(table: string, current: Dictionaries, bytes: Buffer): Dictionaries {
    const room = FULL_DICTIONARY_BYTES - current.newest.byteLength;
    const sample = bytes.subarray(0, Math.min(room, LARGEST_SAMPLE_BYTES));
    if (room === 0) return current;
    samples.add(table, current.count + 1, sample);
    // Read again: another process may have added another one of this number.
    return load(table);
  }

  return {
    pack(table, text) {
      if (text.length < SHORTEST_PACKED_CHARACTERS) return text;
      const dictionaries = known.get(table) ?? load(table);
      const bytes = Buffer.from(text);
      const packed = deflate(bytes, dictionaries.newest);
      if (packed.byteLength > bytes.byteLength * POORLY_PACKED) known.set(table, grown(table, dictionaries, bytes));
      return packed.byteLength < bytes.byteLength ? packed : text;
    },
    unpack(key, stored) {
      if (typeof stored === 'string') return stored;
      // The driver returns bytes as an ArrayBuffer, without copying.
      if (!(stored instanceof ArrayBuffer)) throw damaged(key);
      const stream = Buffer.from(stored);
      const id = dictionaryIdOf(stream);
      if (id === undefined) return inflate(key, stream);
      const dictionary = known.get(key.table)?.byId.get(id) ?? load(key.table).byId.get(id);
      if (dictionary === undefined) throw damaged(key, `its dictionary ${id.toString(16)} is missing`);
      return inflate(key, stream, dictionary);
    },
  };
}

function dictionariesOf(samples: readonly ArrayBuffer[]): Dictionaries {
  const byId = new Map<number, Buffer>();
  let newest = Buffer.alloc(0);
  for (const sample of samples) {
    newest = Buffer.concat([newest, Buffer.from(sample)]);
    byId.set(deflate(Buffer.alloc(0), newest).readUInt32BE(DICTIONARY_ID_AT), newest);
  }
  return { newest, count: samples.length, byId };
}

function deflate(bytes: Buffer, dictionary: Buffer): Buffer {
  return deflateSync(bytes, dictionary.byteLength === 0 ? {} : { dictionary });
}

function inflate(key: DocumentKey, stream: Buffer, dictionary?: Buffer): string {
  try {
    return inflateSync(stream, dictionary === undefined ? {} : { dictionary }).toString();
  } catch (error) {
    throw damaged(key, 'it cannot be decompressed', error);
  }
}

function dictionaryIdOf(stream: Buffer): number | undefined {
  const hasOne = stream.byteLength > DICTIONARY_ID_AT + 4 && ((stream[FLAGS_AT] ?? 0) & HAS_DICTIONARY) !== 0;
  return hasOne ? stream.readUInt32BE(DICTIONARY_ID_AT) : undefined;
}

function damaged(key: DocumentKey, why = 'it is neither text nor bytes', cause?: unknown): PipelineError {
  const message = `the stored body of ${documentName(key)} is damaged, ${why}: keep the database aside`;
  return new PipelineError('STORE_CORRUPT', message, { cause, context: documentContext(key) });
}
