import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PipelineError } from '../../kit/index.ts';
import type { ArchiveName } from '../decode/archive-name.ts';
import { parseDeliveredName } from '../decode/archive-name.ts';
import type { ReadDocument } from '../decode/read-archive.ts';
import type { DocumentRecord } from '../flux/document-tree.ts';
import type { LinearColumns } from '../flux/linear.ts';

/**
 * A piece is what is read of one archive. The pieces of a day are a folder on the scratch disk
 * while the day is cut; what is kept is the archive. What no shape names (names and addresses of
 * customers) is not in it.
 *
 * | file | content |
 * |---|---|
 * | `archives.ndjson` | a line of JSON for each archive: which it was, and its documents or why it could not be read |
 * | `<n>.tsv` | the occurrences of the nth archive, from 0: the columns of `OCCURRENCE_COLUMNS` with tabs between; JSON has neither tabs nor line ends |
 */
export interface PieceHead {
  readonly archive: string;
  readonly sha256: string;
  readonly bytes: number;
}

/** Why an archive could not be read, in words that quote nothing of a customer. */
export interface PieceFailure {
  /** A `RefusalCause`. */
  readonly cause: string;
  readonly message: string;
}

/** How reading ended. */
export type PieceEnd =
  | {
      readonly documents: readonly ReadDocument[];
      /** Of the longest line of its occurrences, at most so many bytes. */
      readonly longestLine: number;
    }
  | { readonly failure: PieceFailure };

/** What is read of an occurrence; `head` and `record` are JSON, as a slice keeps them. */
export const OCCURRENCE_COLUMNS: LinearColumns = {
  document: 'text',
  occurrence: 'integer',
  head: 'text',
  record: 'text',
};

/** A piece, and where its occurrences are; an archive that could not be read has none. */
export interface Piece {
  readonly head: PieceHead;
  readonly name: ArchiveName;
  readonly end: PieceEnd;
  readonly occurrences: string;
}

/** The file of the occurrences of an archive of the folder, by its number. */
export function occurrencesFile(folder: string, number: number): string {
  return path.join(folder, `${number}.tsv`);
}

/** The file that says which archives there are. */
export function archivesFile(folder: string): string {
  return path.join(folder, 'archives.ndjson');
}

/** The line of an archive, with the line end. */
export function pieceLine(head: PieceHead, end: PieceEnd): string {
  return `${JSON.stringify({ ...head, ...end })}\n`;
}

/**
 * Writes heads as JSON: the occurrences of a document have one after the other, nearly always the
 * same.
 */
export function headWriter(): (head: DocumentRecord['head']) => string {
  let last: DocumentRecord['head'] | undefined;
  let members = 0;
  let json = '';
  return (head) => {
    // A head only ever gains members while its document is read.
    const now = Object.keys(head).length;
    if (head !== last || now !== members) json = JSON.stringify(head);
    last = head;
    members = now;
    return json;
  };
}

/**
 * The pieces of a folder, in the order of their archives.
 *
 * @throws `SRC_SHAPE_CHANGED` for what is no piece
 */
export async function readPieces(folder: string): Promise<Piece[]> {
  const text = await readFile(archivesFile(folder), 'utf8').catch(() => {
    throw foreign();
  });
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line, number) => {
      const { archive, sha256, bytes, ...end } = parseLine(line);
      const name = parseDeliveredName(archive);
      if ('other' in name || !('documents' in end || 'failure' in end)) throw foreign();
      return {
        head: { archive, sha256, bytes },
        name,
        end,
        occurrences: occurrencesFile(folder, number),
      };
    });
}

function parseLine(text: string): PieceHead & PieceEnd {
  try {
    const line = JSON.parse(text) as unknown;
    if (typeof line === 'object' && line !== null && 'archive' in line)
      return line as PieceHead & PieceEnd;
  } catch {
    // Refused below.
  }
  throw foreign();
}

function foreign(): PipelineError {
  return new PipelineError(
    'SRC_SHAPE_CHANGED',
    'what was made of the archives is none of it; give the archives themselves to quotidien import',
  );
}
