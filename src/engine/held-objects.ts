import type { ObjectStore } from '../ports/objects.ts';
import { objectsWith } from './objects-with.ts';

/**
 * Runs a piece of work whose opened files stay where they are until its end: SQL opens a path
 * again, and reads hundreds of them at once, of which a small cache would evict the first before
 * the last are there. So what many days read is opened and proven once.
 */
export async function holdingFiles<E extends { readonly objects: ObjectStore }, T>(
  engine: E,
  work: (engine: E) => Promise<T>,
): Promise<T> {
  return untilEnd((until) => {
    const { objects } = engine;
    const opened = new Map<string, string>();
    const openLocal: ObjectStore['openLocal'] = async (ref, options) => {
      const name = `${ref.key} ${ref.sha256}`;
      const known = options?.fresh === true ? undefined : opened.get(name);
      if (known !== undefined) return known;
      const file = await objects.openLocal(ref, { ...options, until });
      if (file !== undefined) opened.set(name, file);
      return file;
    };
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
