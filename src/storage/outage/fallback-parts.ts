import { errorCodeOf } from '../../errors.ts';
import type { CachedObjectStore } from '../cache/cache-objects.ts';
import type { CircuitBreaker } from './circuit-breaker.ts';
import type { StoreMirror } from './fallback-mirror.ts';
import type { Journal } from './journal.ts';
import type { MergeRules } from './reconcile-parts.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import type { ObjectStore } from '../../ports/objects.ts';

/** What work did to the stores, other than through the primary ones. */
export interface StoreUse {
  /** Writes that only this host has, until its journal is replayed. */
  readonly journaledWrites: number;
  /** Reads of what only this host has. */
  readonly pendingReads: number;
  /**
   * Reads that were answered by what this host knew from before, because the primary store did not
   * answer.
   */
  readonly staleReads: number;
}

/** Counts; one per scope, none shared. */
export type UseCounter = { -readonly [name in keyof StoreUse]: StoreUse[name] };

/** The objects behind a fallback, perhaps with a cache that marks what it could not compare. */
export type PrimaryObjects = ObjectStore & Partial<Pick<CachedObjectStore, 'read'>>;

/** What the two fallback stores of a host have in common. */
export interface FallbackParts {
  readonly host: string;
  readonly primary: { readonly objects: PrimaryObjects; readonly documents: DocumentStore };
  readonly breakers: { readonly objects: CircuitBreaker; readonly documents: CircuitBreaker };
  /** The bytes of pending objects. */
  readonly blobs: ObjectStore;
  readonly mirror: StoreMirror;
  readonly journal: Journal;
  readonly now: () => Date;
  /**
   * How pending documents read that this host may have numbered alone; unless given, as they were
   * written.
   */
  readonly rules?: Pick<MergeRules, 'numbering'>;
}

/**
 * Whether a call failed because its store is away, and the fallback takes its place. Before the
 * breaker opens, callers try again.
 */
export function isAway(error: unknown, breaker: CircuitBreaker): boolean {
  return errorCodeOf(error) === 'STORE_UNAVAILABLE' && breaker.isOpen();
}
