import type { StoreMirror } from './fallback-mirror.ts';
import type { Journal } from './journal.ts';
import type { DocumentKey, DocumentQuery, DocumentStore } from '../../ports/documents.ts';
import type { JsonObject } from '../../ports/json.ts';
import type { ObjectStore } from '../../ports/objects.ts';

/** What becomes of a document that two hosts wrote differently. `why` is for people. */
export type DocumentMerge =
  | { readonly keep: 'theirs' | 'ours'; readonly why: string }
  /** Neither: what both say together. */
  | { readonly body: JsonObject; readonly why: string };

/**
 * What becomes of an object that two hosts wrote differently: theirs stays; `beside` is where ours
 * is put, so that it is not lost.
 */
export interface ObjectMerge {
  readonly beside?: string;
  readonly why: string;
}

/**
 * Numbers from a counter that all hosts share. A host that cannot see it counts on alone: what it
 * numbers came after what it has seen, and before whatever is numbered after its replay; more is
 * not known.
 */
export interface Numbering {
  readonly counter: DocumentKey;
  /**
   * The document of a host with how high its number may have to be: up to what is `counted`;
   * undefined while that is not known.
   */
  unsure(body: JsonObject, host: string, counted: JsonObject | undefined): JsonObject;
  /** What two hosts say of one document. */
  together(ours: JsonObject, theirs: JsonObject): JsonObject;
}

/** What a person need not decide. A rule that returns undefined leaves the conflict to one. */
export interface MergeRules {
  /** A side is undefined where it is a deletion, or does not exist. */
  document(
    key: DocumentKey,
    ours: JsonObject | undefined,
    theirs: JsonObject | undefined,
  ): DocumentMerge | undefined;
  /** `ours` is the hash of what this host wrote; null for a deletion. */
  object(key: string, ours: string | null): ObjectMerge | undefined;
  /**
   * The document on which this one builds: once that was not taken over, this one is not either.
   */
  basisOf(key: DocumentKey): DocumentKey | undefined;
  /** Of documents that are numbered in the order in which they came; undefined for all others. */
  numbering?(key: DocumentKey): Numbering | undefined;
  /**
   * Where documents lie that are newer versions of what this one is a version of; undefined where
   * there are none.
   */
  newerThan?(key: DocumentKey): DocumentQuery | undefined;
  /**
   * Objects whose deletion is not replayed: it only saved space, and they may be the only copy by
   * now.
   */
  keeps(key: string): boolean;
}

/**
 * What a replay works with. The primary stores are the bare ones: a replay wants to know at once
 * whether they answer.
 */
export interface ReconcileParts {
  readonly journal: Journal;
  readonly primary: { readonly objects: ObjectStore; readonly documents: DocumentStore };
  /** The bytes of pending objects on this host. */
  readonly blobs: ObjectStore;
  readonly mirror: StoreMirror;
  /**
   * Whether two bodies of one document say the same although their bytes differ, such as two ledger
   * entries of one step and equal outputs that two hosts executed: then the one in the primary
   * store stays, and it is no conflict. Unless given, only equal bodies do.
   */
  readonly equivalent?: (key: DocumentKey, ours: JsonObject, theirs: JsonObject) => boolean;
  readonly rules?: MergeRules;
}

/** What the primary store says to an entry. */
export type Judgement =
  /** The version is that of a document in the primary store, afterwards. */
  | { readonly kind: 'apply' | 'same'; readonly version?: number }
  /** A rule settles what two hosts wrote differently; `found` tells how. */
  | { readonly kind: 'merged'; readonly found: string; readonly version?: number }
  /** `found` tells in words what is there instead. */
  | { readonly kind: 'conflict'; readonly found: string };

/**
 * How often an entry is judged anew because somebody wrote the key between the look and the write.
 */
export const MAX_TRIES = 5;
