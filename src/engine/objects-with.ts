import type { ObjectStore } from '../ports/objects.ts';

/** The same store with other methods here and there. */
export function objectsWith(objects: ObjectStore, methods: Partial<ObjectStore>): ObjectStore {
  return {
    kind: objects.kind,
    put: (key, body, options) => objects.put(key, body, options),
    get: (key, range) => objects.get(key, range),
    head: (key) => objects.head(key),
    list: (prefix) => objects.list(prefix),
    delete: (key, options) => objects.delete(key, options),
    inspect: (ref) => objects.inspect(ref),
    openLocal: (ref, options) => objects.openLocal(ref, options),
    ...methods,
  };
}
