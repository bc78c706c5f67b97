import { definedMembers } from '../../given.ts';
import type { StorePlace } from '../../ports/objects.ts';
import type { Engine } from '../engine.ts';

/**
 * What travels beside the result of an activity whose stores were away. Only three places know it:
 * this one, which adds it, the interceptor of the workflows, which reads it
 * (`workflows/host-routing.ts`), and whoever marks days as degraded.
 */
export interface OutageNote {
  /**
   * `fallback`: what came out, or what it was made from, is on this host alone; what builds on it
   * must run there.
   */
  readonly place: StorePlace;
  /** The task queue of that host. */
  readonly queue: string;
  /** In words, for people. */
  readonly why: string;
}

/** The form in which histories have it; absent where the primary stores did everything. */
export interface NotedResult {
  readonly served?: OutageNote;
}

/** An engine for one piece of work, which knows afterwards how its stores did. */
export interface NotedEngine {
  readonly engine: Engine;
  /** Undefined when the primary stores did everything so far. */
  readonly note: () => OutageNote | undefined;
}

/** A note per piece of work: an engine for two would tell one about the other's outage. */
export function notedEngine(engine: Engine): NotedEngine {
  const { fallback } = engine;
  if (fallback === undefined) return { engine, note: () => undefined };
  const stores = fallback.forWork();
  return {
    engine: { ...engine, objects: stores.objects, documents: stores.documents },
    note() {
      if (!stores.degraded()) return undefined;
      const why =
        fallback.away() ?? `what ${fallback.host} wrote while a store was away is not replayed yet`;
      return { place: stores.place(), queue: fallback.queue, why };
    },
  };
}

/**
 * Runs a piece of work and puts beside its result, which is an object or nothing, how the stores
 * did. Neither the work nor its result type speaks of that.
 */
export async function withOutageNote<T>(
  engine: Engine,
  work: (noted: NotedEngine) => Promise<T>,
): Promise<T> {
  const noted = notedEngine(engine);
  const result = await work(noted);
  const served = noted.note();
  const told: T & NotedResult = { ...result, ...definedMembers({ served }) };
  return told;
}
