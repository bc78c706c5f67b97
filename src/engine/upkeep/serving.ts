import type { MaybeServed, Served } from '../contract.ts';
import type { Engine } from '../engine.ts';

/** An engine for one piece of work, which knows afterwards how its stores served it. */
export interface ServedWork {
  readonly engine: Engine;
  /** Undefined when the primary stores served everything. */
  readonly served: () => Served | undefined;
}

export function servedWork(engine: Engine): ServedWork {
  const { fallback } = engine;
  if (fallback === undefined) return { engine, served: () => undefined };
  const stores = fallback.serve();
  return {
    engine: { ...engine, objects: stores.objects, documents: stores.documents },
    served() {
      if (!stores.degraded()) return undefined;
      const why = fallback.away() ?? `what ${fallback.host} wrote while a store was away is not replayed yet`;
      return { place: stores.place(), queue: fallback.queue, why };
    },
  };
}

/** Runs a piece of work and says with its result how it was served. */
export async function serve<T extends MaybeServed>(engine: Engine, work: (engine: Engine) => Promise<T>): Promise<T> {
  const { engine: own, served } = servedWork(engine);
  const result = await work(own);
  const how = served();
  return how === undefined ? result : { ...result, served: how };
}
