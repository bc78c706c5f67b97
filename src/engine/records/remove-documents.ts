import type { DocumentKey, DocumentStore } from '../../ports/documents.ts';
import { mapConcurrent } from '../map-concurrent.ts';

/** Deletions on their way to a store that takes them one by one. */
const REMOVED_AT_ONCE = 8;

/**
 * Removes documents in any order; a failure leaves some of them, and doing it again removes the
 * rest.
 */
export async function removeDocuments(
  documents: Pick<DocumentStore, 'delete' | 'deleteMany'>,
  keys: readonly DocumentKey[],
): Promise<void> {
  if (documents.deleteMany !== undefined) await documents.deleteMany(keys);
  else await mapConcurrent(keys, REMOVED_AT_ONCE, (key) => documents.delete(key));
}
