import type { ObjectStore } from '../ports/objects.ts';
import { objectsWith } from './objects-with.ts';

/**
 * Runs a piece of work whose opened files stay where they are until its end: SQL opens a path again, and reads hundreds of them at once,
 * of which a small cache would evict the first before the last are there.
 */
export async function holdingFiles<E extends { readonly objects: ObjectStore }, T>(
  engine: E,
  work: (engine: E) => Promise<T>,
): Promise<T> {
  return untilEnd((until) => {
    const { objects } = engine;
    const openLocal: ObjectStore['openLocal'] = (ref, options) => objects.openLocal(ref, { ...options, until });
    return work({ ...engine, objects: objectsWith(objects, { openLocal }) });
  });
}

/** Runs a piece of work with a signal of its end. */
export async function untilEnd<T>(work: (until: AbortSignal) => Promise<T>): Promise<T> {
  const ended = new AbortController();
  try {
    return await work(ended.signal);
  } finally {
    ended.abort();
  }
}
