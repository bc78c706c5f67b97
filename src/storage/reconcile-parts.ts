import type { StoreMirror } from './fallback-mirror.ts';
import type { Journal } from './journal.ts';
import type { DocumentKey, DocumentStore, JsonObject, ObjectStore } from './ports.ts';

/** What a replay works with. The primary stores are the bare ones: a replay wants to know at once whether they answer. */
export interface ReconcileParts {
  readonly journal: Journal;
  readonly primary: { readonly objects: ObjectStore; readonly documents: DocumentStore };
  /** The bytes of pending objects on this host. */
  readonly blobs: ObjectStore;
  readonly mirror: StoreMirror;
  /**
   * Whether two bodies of one document say the same although their bytes differ, such as two ledger entries of one step and equal
   * outputs that two hosts executed: then the one in the primary store stays, and it is no conflict. Unless given, only equal bodies do.
   */
  readonly equivalent?: (key: DocumentKey, ours: JsonObject, theirs: JsonObject) => boolean;
}

/** What the primary store says to an entry. */
export type Judgement =
  /** The version is that of a document in the primary store, afterwards. */
  | { readonly kind: 'apply' | 'same'; readonly version?: number }
  /** `found` tells in words what is there instead. */
  | { readonly kind: 'conflict'; readonly found: string };

/** How often an entry is judged anew because somebody wrote the key between the look and the write. */
export const MOST_TRIES = 5;
