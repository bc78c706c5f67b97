import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';
import { PipelineError } from '../../kit/index.ts';
import type { ArchiveName } from '../decode/archive-name.ts';
import { parseDeliveredName } from '../decode/archive-name.ts';
import type { ReadDocument } from '../decode/read-archive.ts';
import type { DocumentRecord } from '../flux/read-xml.ts';

/**
 * A piece is what is read of one archive: lines of JSON that say which archive it was, each occurrence as it was read, and how it ended. Pieces of a day may
 * follow one another in one file. What no shape names (names and addresses of customers) is not in it. It is on the scratch disk while a day is cut; what is kept is the archive.
 *
 * | line | members |
 * |---|---|
 * | first | `archive` (its name), `sha256` and `bytes` of the archive as delivered |
 * | occurrence | `document`, `occurrence`; `head` and `record` as JSON in a text, as a slice keeps them |
 * | last | `documents` with their hashes, or `failure` with its cause; then there are no occurrences |
 */
export interface PieceHead {
  readonly archive: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** What the line of an occurrence begins with; no other line does. */
const RECORD_START = '{"document":';

/** Why an archive could not be read, in words that quote nothing of a customer. */
export interface PieceFailure {
  /** A `RefusalCause`. */
  readonly cause: string;
  readonly message: string;
}

/** A piece without such a line was cut off. */
export type PieceEnd = { readonly documents: readonly ReadDocument[] } | { readonly failure: PieceFailure };

type Line = PieceHead | PieceEnd;

/** What a file of pieces gives, in its order. */
export type PieceEvent =
  | { readonly kind: 'head'; readonly head: PieceHead; readonly name: ArchiveName }
  /** The line as it stands: it goes into a slice without being taken apart, which costs more than reading it. */
  | { readonly kind: 'record'; readonly line: string }
  | { readonly kind: 'end'; readonly end: PieceEnd };

/** With the line end. */
export function pieceLine(line: Line): string {
  return `${JSON.stringify(line)}\n`;
}

/** The line of an occurrence, with the inner file that it stands in and the line end. */
export function recordLine({ occurrence, head, record }: DocumentRecord, document: string): string {
  const members = { document, occurrence, head: JSON.stringify(head), record: JSON.stringify(record) };
  return `${JSON.stringify(members)}\n`;
}

/**
 * Reads pieces line by line.
 *
 * @throws `SRC_SHAPE_CHANGED` for what is no piece, `SRC_TRUNCATED` for one without its end
 */
export async function* readPieces(path: string): AsyncGenerator<PieceEvent> {
  let isOpen = false;
  for await (const text of createInterface({ input: createReadStream(path), crlfDelay: Infinity })) {
    if (text === '') continue;
    const event = eventOf(text);
    if ((event.kind === 'head') === isOpen) throw isOpen ? truncated() : foreign();
    isOpen = event.kind !== 'end';
    yield event;
  }
  if (isOpen) throw truncated();
}

function parseLine(text: string): Line {
  try {
    const line = JSON.parse(text) as unknown;
    if (typeof line === 'object' && line !== null) return line as Line;
  } catch {
    // Refused below.
  }
  throw foreign();
}

function eventOf(text: string): PieceEvent {
  if (text.startsWith(RECORD_START) && text.endsWith('}')) return { kind: 'record', line: text };
  const line = parseLine(text);
  if ('documents' in line || 'failure' in line) return { kind: 'end', end: line };
  if (!('archive' in line)) throw foreign();
  const name = parseDeliveredName(line.archive);
  if ('other' in name) throw foreign();
  return { kind: 'head', head: line, name };
}

function foreign(): PipelineError {
  return new PipelineError(
    'SRC_SHAPE_CHANGED',
    'what was made of the archives is none of it; give the archives themselves to quotidien import',
  );
}

function truncated(): PipelineError {
  return new PipelineError('SRC_TRUNCATED', 'the file ends in the middle of an archive; import the archive again');
}
