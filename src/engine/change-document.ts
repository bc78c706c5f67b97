import { PipelineError, errorCodeOf } from '../errors.ts';
import type { DocumentKey, DocumentStore, PutDocument } from '../ports/documents.ts';

/** Each lost try means that another writer got through. */
const MAX_TRIES = 100;

/**
 * Changes a document by compare-and-set, however many others do the same; returns its new body, and
 * what the put returns.
 */
export async function changeDocument<T extends object>(
  documents: DocumentStore,
  key: DocumentKey,
  change: (found: T | undefined) => T,
): Promise<PutDocument & { readonly body: T }> {
  for (let tries = 1; tries <= MAX_TRIES; tries += 1) {
    const found = await documents.get<T>(key);
    const body = change(found?.body);
    try {
      return {
        body,
        ...(await documents.put(key, body, { expectedVersion: found?.version ?? 0 })),
      };
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
    }
  }
  const name = `${key.table} ${key.partition} ${key.sort}`;
  throw new PipelineError(
    'STORE_CONFLICT',
    `${name} was changed by others ${MAX_TRIES} times in a row`,
  );
}
