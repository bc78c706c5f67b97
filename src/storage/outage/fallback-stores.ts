import { FallbackDocuments } from './fallback-documents.ts';
import { FallbackObjects } from './fallback-objects.ts';
import type { FallbackParts, StoreUse, UseCounter } from './fallback-parts.ts';
import type { BreakerState } from './circuit-breaker.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import type { ObjectStore, StorePlace } from '../../ports/objects.ts';

/** The stores for one piece of work, which can say afterwards who did it. */
export interface ScopedStores {
  readonly objects: ObjectStore;
  readonly documents: DocumentStore;
  /** What the work did so far. */
  use(): StoreUse;
  /**
   * `fallback` as soon as the work wrote or read what only this host has: what builds on it must
   * run here.
   */
  place(): StorePlace;
  /**
   * Whether the work is to count as degraded: something was not done by the primary stores as they
   * are now.
   */
  degraded(): boolean;
  /** Whether a read was answered by what this host had seen before, because its store was away. */
  remembered(): boolean;
}

/** For `doctor`, metrics and the details of a run. */
export interface FallbackState {
  readonly host: string;
  readonly objects: BreakerState;
  readonly documents: BreakerState;
  /** Writes that wait to be replayed. */
  readonly pending: number;
  /** Instant of the oldest of them. */
  readonly pendingSince: string | undefined;
  readonly conflicts: number;
  /**
   * Copies of what was seen that could not be kept; each may cost an answer while a store is away.
   */
  readonly mirrorFailures: number;
}

/**
 * The two stores, with a view per piece of work that knows whether anything came from this host
 * alone.
 */
export interface FallbackStores {
  readonly objects: ObjectStore;
  readonly documents: DocumentStore;
  scope(): ScopedStores;
  breakers(): FallbackParts['breakers'];
  state(): Promise<FallbackState>;
}

/**
 * The stores of a host that go on while their primary ones are away.
 *
 * 1. A store is away when its circuit breaker is open. Until it opens, a failed call is the
 *    caller's to repeat; a refusal (permission, missing bucket or table, full disk), a conflict and
 *    damage are never taken for absence.
 * 2. A write while its store is away is acknowledged once its bytes and its journal entry are on
 *    this host's disk.
 * 3. While anything is pending, ALL writes of the host are journaled behind it, to both stores,
 *    also when the primary ones are back: so the primary stores never hold a record before the
 *    bytes that it names, and a replay finds the order in which things were said.
 * 4. Reads see the pending writes first, those of every process of this host, until they are
 *    settled.
 * 5. Create-only and expected versions are decided against the pending writes, else the primary
 *    store, else what this host last saw of it. The last is a decision by one host: another may
 *    have decided otherwise, and the replay then lists a conflict.
 * 6. What nobody here has seen: a document counts as absent (its writer creates, and the replay
 *    compares); an object's bytes are `STORE_UNAVAILABLE`, never absent, because a reference says
 *    that they exist. A listing of objects is `STORE_UNAVAILABLE` too.
 * 7. A stream that the primary store had begun to read when it failed is `STORE_UNAVAILABLE`: only
 *    its producer can begin again.
 *
 * A call that failed with `STORE_UNAVAILABLE` may have been applied. Doing it again, here or later
 * through the journal, settles as "the same" when the bytes are equal. A write without an expected
 * version may so be counted twice by the primary store, whose version is then ahead of the one that
 * was answered here.
 */
export function createFallbackStores(parts: FallbackParts): FallbackStores {
  const { objects, documents } = scopeOf(parts);
  return {
    objects,
    documents,
    scope: () => scopeOf(parts),
    breakers: () => parts.breakers,
    async state() {
      const { pending, conflicts } = await parts.journal.refresh();
      const [oldest] = pending.values();
      return {
        host: parts.host,
        objects: parts.breakers.objects.state(),
        documents: parts.breakers.documents.state(),
        pending: pending.size,
        pendingSince: oldest?.at,
        conflicts: conflicts.size,
        mirrorFailures: parts.mirror.failures,
      };
    },
  };
}

function scopeOf(parts: FallbackParts): ScopedStores {
  const counter = newCounter();
  return {
    objects: new FallbackObjects(parts, counter),
    documents: new FallbackDocuments(parts, counter),
    use: () => ({ ...counter }),
    place: () => ({
      store: counter.journaledWrites + counter.pendingReads > 0 ? 'fallback' : 'primary',
      host: parts.host,
    }),
    degraded: () => counter.journaledWrites + counter.pendingReads + counter.staleReads > 0,
    remembered: () => counter.staleReads > 0,
  };
}

function newCounter(): UseCounter {
  return { journaledWrites: 0, pendingReads: 0, staleReads: 0 };
}
