import { createHash } from 'node:crypto';
import type { DocumentKey } from '../../ports/documents.ts';
import type { JsonObject } from '../../ports/json.ts';
import type { PutOptions } from '../../ports/objects.ts';

/** A document at one moment; version 0 and no hash where it does not exist. */
export interface DocumentView {
  readonly version: number;
  readonly sha256: string | null;
}

interface Entered {
  /** Unlike any other, of any host. */
  readonly id: string;
  /** ISO instant of the host's clock. */
  readonly at: string;
}

/**
 * A write that a host acknowledged while the primary store was away. `before` is what the writer
 * believed to be there.
 */
export interface DocumentPutEntry extends Entered {
  readonly kind: 'document-put';
  readonly key: DocumentKey;
  readonly before: DocumentView;
  /** Null: whatever is there is replaced. */
  readonly expected: number | null;
  readonly sha256: string;
  readonly body: JsonObject;
}

/** A document that a host deleted while the primary store was away. */
export interface DocumentDeleteEntry extends Entered {
  readonly kind: 'document-delete';
  readonly key: DocumentKey;
  readonly before: DocumentView;
}

/**
 * Of a name that shows the newest of numbered versions: asked again when it is replayed. Older
 * records have none.
 */
export interface FencedEntry {
  readonly fence?: { readonly of: DocumentKey; readonly version: number };
}

/** An object that a host wrote meanwhile; its bytes are in the local store. */
export interface ObjectPutEntry extends Entered, FencedEntry {
  readonly kind: 'object-put';
  readonly key: string;
  /** The hash of the bytes before; null for none. */
  readonly before: string | null;
  readonly mode: PutOptions['mode'];
  readonly mediaType: string;
  readonly sha256: string;
  readonly bytes: number;
  /** The key of the bytes in the local store. */
  readonly blob: string;
}

/** An object that a host deleted meanwhile; `before` is its hash, null for none. */
export interface ObjectDeleteEntry extends Entered, FencedEntry {
  readonly kind: 'object-delete';
  readonly key: string;
  readonly before: string | null;
}

/** What has to be brought to the primary store. */
export type JournalEntry =
  | DocumentPutEntry
  | DocumentDeleteEntry
  | ObjectPutEntry
  | ObjectDeleteEntry;

/**
 * - applied: written to the primary store and read back.
 * - same: the primary store says the same already.
 * - merged: the primary store said something else, and the rule of the table or the name decided.
 * - conflict: the primary store says something else; both are kept until a person decides.
 * - dismissed: a conflict ended, by a person's decision or because the one right content of its
 *   name was there.
 */
export type Settlement = 'applied' | 'same' | 'merged' | 'conflict' | 'dismissed';

/** What became of an entry. */
export interface SettledRecord {
  readonly kind: 'settled';
  readonly entry: string;
  readonly outcome: Settlement;
  /** In words: for a conflict what the primary store has, for a merge how it was decided. */
  readonly found: string;
  /** The version that a document has in the primary store now. */
  readonly version: number | null;
  readonly at: string;
  /** Who decided a conflict; older records do not tell. */
  readonly by?: string;
}

/** Who replays; valid when the claim that it replaces is the present one. */
export interface ClaimRecord {
  readonly kind: 'claim';
  readonly id: string;
  readonly replaces: string | null;
  readonly host: string;
  readonly pid: number;
  readonly at: string;
}

/** The end of a claim by whoever has it; a claim of a killed process is replaced instead. */
export interface ReleaseRecord {
  readonly kind: 'release';
  readonly claim: string;
}

/** The end of a segment in which nothing is left to do; what follows it there is void. */
export interface SealRecord {
  readonly kind: 'seal';
  readonly id: string;
}

/** Whatever stands in a segment, one per line. */
export type JournalRecord = JournalEntry | SettledRecord | ClaimRecord | ReleaseRecord | SealRecord;

/** A record as one line: the beginning of the text's sha256, the number of its bytes, the text. */
export function encodeRecord(record: JournalRecord): Buffer {
  const text = Buffer.from(JSON.stringify(record));
  return Buffer.concat([Buffer.from(`${checksum(text)} ${text.byteLength} `), text, NEWLINE]);
}

/** Ends each record; one that is cut off has none. */
export const NEWLINE = Buffer.from('\n');

const HEADER = /^(?<sum>[0-9a-f]{16}) (?<bytes>\d+) /;
const BEGINNING_OF_HEADER = /^[0-9a-f]{0,16}$|^[0-9a-f]{16} \d*$/;
const LONGEST_HEADER_BYTES = 40;

/**
 * Reads a line without its newline. `torn` is what a write that did not end left behind, which
 * nobody was told of: the beginning of a record, or bytes that the file system never filled.
 * `damaged` is a record that was whole once.
 */
export function decodeRecord(line: Uint8Array): JournalRecord | 'torn' | 'damaged' {
  if (line.includes(0)) return 'torn';
  const bytes = Buffer.from(line.buffer, line.byteOffset, line.byteLength);
  const beginning = bytes.subarray(0, LONGEST_HEADER_BYTES).toString('latin1');
  const header = HEADER.exec(beginning);
  if (header === null) return BEGINNING_OF_HEADER.test(beginning) ? 'torn' : 'damaged';
  const text = bytes.subarray(header[0].length);
  if (text.byteLength < Number(header.groups?.['bytes'])) return 'torn';
  if (checksum(text) !== header.groups?.['sum']) return 'damaged';
  return JSON.parse(text.toString()) as JournalRecord;
}

function checksum(text: Uint8Array): string {
  return createHash('sha256').update(text).digest('hex').slice(0, 16);
}
