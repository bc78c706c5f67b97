import type { ErrorCode } from '../../errors.ts';
import type { DocumentKey } from '../../ports/documents.ts';
import type { Engine } from '../engine.ts';

/**
 * What is known of each raw object that has a name which other programs use too: one note by
 * pipeline and name.
 */
export const DEPOSIT_TABLE = 'deposits';

/** What is known of a file that another program put under a raw name. */
export interface DepositNote {
  /**
   * Of the object as it was when it was written by us, or taken in. Another one: somebody has put
   * something there since.
   */
  readonly etag: string;
  readonly seenAt: string;
  /** Why it could not be taken in; it is tried again when it changes. */
  readonly failure?: { readonly code: ErrorCode; readonly message: string };
}

/** One note per name; a new edition replaces it. */
export function depositKey(pipeline: string, name: string): DocumentKey {
  return { table: DEPOSIT_TABLE, partition: pipeline, sort: name };
}

/**
 * Says of an object that this pipeline has written it itself, so that nobody takes it for another
 * program's.
 */
export async function noteOwnFile(
  { objects, documents, now }: Pick<Engine, 'objects' | 'documents' | 'now'>,
  pipeline: string,
  name: string,
): Promise<void> {
  const head = await objects.head(name);
  if (head === undefined) return;
  const note: DepositNote = { etag: head.etag, seenAt: now().toISOString() };
  await documents.put(depositKey(pipeline, name), note);
}

/** The notes of every object whose name begins so, by name. */
export async function readDepositNotes(
  { documents }: Pick<Engine, 'documents'>,
  pipeline: string,
  prefix = '',
): Promise<Map<string, DepositNote>> {
  const notes = new Map<string, DepositNote>();
  const range = prefix === '' ? {} : { from: prefix, to: `${prefix}\u{10ffff}` };
  const query = { table: DEPOSIT_TABLE, partition: pipeline, ...range };
  for await (const { sort, body } of documents.query<DepositNote>(query)) notes.set(sort, body);
  return notes;
}
