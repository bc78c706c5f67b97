import { crc32 } from 'node:zlib';
import { PipelineError } from '../../errors.ts';
import type { DocumentKey } from '../../ports/documents.ts';
import { documentContext, documentName } from '../shared/document-key.ts';
import { createPacking } from '../shared/packing.ts';
import type { DictionarySamples } from '../shared/packing.ts';
import type { HashMarks, SharedHashes } from './shared-hashes.ts';

/** A shorter body stays text: little is won, and people can read it with any SQLite tool. */
const SHORTEST_PACKED_CHARACTERS = 512;

/** What stands for a hash in a packed text; JSON escapes both. */
const MARKS: HashMarks = { hash: '\u0001', again: '\u0002' };

/**
 * How a body begins that names shared hashes: this byte, which no zlib stream begins with, the
 * CRC-32 of its text with all hashes, how many they are (two bytes), and their numbers of four
 * bytes; the zlib stream follows. What repeats the hash before it has no number.
 */
const NAMES_HASHES = 1;
const CRC_AT = 1;
const COUNT_AT = 5;
const HEAD_BYTES = 7;
const NUMBER_BYTES = 4;
const MAX_NUMBERS = 0xff_ff;

/**
 * Of bodies that were read last: each step of a set of days reads their records again. With what
 * they were packed to, about 10 MB.
 */
const MAX_KNOWN_CHARACTERS = 8_000_000;

const EITHER_MARK = /[\u0001\u0002]/g;

const WRONG_COUNT = 'it does not name as many hashes as it has places for';

/** Bodies of documents as they lie in a file of SQLite. */
export interface PackedBodies {
  /** The text itself, or bytes where they are fewer. */
  pack(table: string, text: string): string | Uint8Array;
  /**
   * The text again; `STORE_CORRUPT` when the stored value is damaged, or its dictionary or one of
   * its hashes is lost.
   */
  unpack(key: DocumentKey, stored: unknown): string;
}

/**
 * Bodies packed with a dictionary of their table, and without the hashes that they share. Measured
 * on 13 months of a pipeline whose days read sixty others: a database of 7.6 MB with dictionaries
 * alone, of 2.9 MB with both. Dictionaries that grow by what is packed to more than a sixteenth
 * know the long records of steps that read many days; those that take more are full of what is said
 * once.
 */
export function createPackedBodies(samples: DictionarySamples, hashes: SharedHashes): PackedBodies {
  const packing = createPacking(samples, { poorly: 1 / 16, sampleOf: withoutNumbers });
  const known = createKnownTexts();

  function unpackBytes(table: string, stored: Buffer): string {
    if (stored[0] !== NAMES_HASHES) return packing.unpack(table, stored).toString();
    const count = stored.readUInt16BE(COUNT_AT);
    const end = HEAD_BYTES + count * NUMBER_BYTES;
    const short = packing.unpack(table, stored.subarray(end)).toString();
    let [at, last] = [0, ''];
    const text = short.replace(EITHER_MARK, (mark) => {
      if (mark === MARKS.again) return last;
      if (at === count) throw new Error(WRONG_COUNT);
      const number = stored.readUInt32BE(HEAD_BYTES + at * NUMBER_BYTES);
      const hash = hashes.hashOf(number);
      if (hash === undefined) throw new Error(`its hash ${number.toString(16)} is missing`);
      at += 1;
      last = hash;
      return hash;
    });
    if (at !== count) throw new Error(WRONG_COUNT);
    if (crc32(text) !== stored.readUInt32BE(CRC_AT)) throw new Error('its checksum differs');
    return text;
  }

  return {
    pack(table, text) {
      if (text.length < SHORTEST_PACKED_CHARACTERS) return text;
      const short = hashes.take(text, MARKS);
      if (short.numbers.length === 0 || short.numbers.length > MAX_NUMBERS)
        return packing.pack(table, Buffer.from(text)) ?? text;
      const bytes = Buffer.from(short.text);
      const head = headOf(text, short.numbers);
      const packed = packing.pack(table, bytes);
      return packed === undefined ? text : Buffer.concat([head, packed]);
    },
    unpack(key, stored) {
      if (typeof stored === 'string') return stored;
      // The driver returns bytes as an ArrayBuffer, without copying.
      if (!(stored instanceof ArrayBuffer)) throw damaged(key, 'it is neither text nor bytes');
      const bytes = Buffer.from(stored);
      const seen = known.of(key, bytes);
      if (seen !== undefined) return seen;
      try {
        const text = unpackBytes(key.table, bytes);
        known.add(key, bytes, text);
        return text;
      } catch (error) {
        throw damaged(key, (error as Error).message, error);
      }
    },
  };
}

/**
 * Texts by the bytes that they were unpacked from: these never mean anything else, whoever has
 * written them.
 */
function createKnownTexts() {
  const texts = new Map<string, { readonly bytes: Buffer; readonly text: string }>();
  let characters = 0;
  const nameOf = ({ table, partition, sort }: DocumentKey): string =>
    `${table}\0${partition}\0${sort}`;
  return {
    of(key: DocumentKey, bytes: Buffer): string | undefined {
      const found = texts.get(nameOf(key));
      return found?.bytes.equals(bytes) === true ? found.text : undefined;
    },
    add(key: DocumentKey, bytes: Buffer, text: string): void {
      characters += text.length;
      if (characters > MAX_KNOWN_CHARACTERS) {
        texts.clear();
        characters = text.length;
      }
      texts.set(nameOf(key), { bytes, text });
    },
  };
}

function headOf(text: string, numbers: readonly number[]): Buffer {
  const head = Buffer.alloc(HEAD_BYTES + numbers.length * NUMBER_BYTES);
  head[0] = NAMES_HASHES;
  head.writeUInt32BE(crc32(text), CRC_AT);
  head.writeUInt16BE(numbers.length, COUNT_AT);
  for (const [at, number] of numbers.entries())
    head.writeUInt32BE(number, HEAD_BYTES + at * NUMBER_BYTES);
  return head;
}

/**
 * Samples stay for good: a number as long as somebody's name is none to keep, and no help to other
 * records either.
 */
function withoutNumbers(bytes: Buffer): Buffer {
  return Buffer.from(
    bytes
      .toString('latin1')
      .replace(/(?<![0-9A-Za-z])\d{6,}(?![0-9A-Za-z])/g, ({ length }) => '0'.repeat(length)),
    'latin1',
  );
}

function damaged(key: DocumentKey, why: string, cause?: unknown): PipelineError {
  const message = `the stored body of ${documentName(key)} is damaged, ${why}: keep the database aside`;
  return new PipelineError('STORE_CORRUPT', message, { cause, context: documentContext(key) });
}
