import path from 'node:path';
import { measure } from '@quotidien/machine/file-hash';
import { errorCodeOf } from '../../errors.ts';
import type { ObjectHead, ObjectStore } from '../../ports/objects.ts';
import type { FetchedFile, Source } from '../../ports/source.ts';
import type { Engine } from '../engine.ts';

/**
 * Our own store as a source: files that were kept under names, and objects that other programs put
 * there. With `atHand` a store that is away offers nothing, where this host goes on without it: the
 * day is made of what lies here, and run again once the store is back.
 */
export function openStoredSource(
  { objects, fallback }: Pick<Engine, 'objects' | 'fallback'>,
  { atHand = false }: { readonly atHand?: boolean } = {},
): Source {
  return {
    place: `store:${objects.kind}`,
    async *list({ below = [''] }) {
      const seen = new Set<string>();
      for (const prefix of new Set(below))
        for (const { key, bytes, etag } of await headsBelow(
          objects,
          prefix,
          atHand && fallback !== undefined,
        )) {
          if (seen.has(key)) continue;
          seen.add(key);
          yield {
            path: key,
            name: path.posix.basename(key),
            bytes,
            modifiedAt: null,
            version: etag,
          };
        }
    },
    async *open({ path: key }, start) {
      yield* (await objects.get(key, { start })) ?? [];
    },
    fetch: ({ path: key }) => namedFile(objects, key),
    // It is the store's own file, or lies in its cache.
    discard: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
}

/** A listing is of the whole store, or none. */
async function headsBelow(
  objects: ObjectStore,
  prefix: string,
  mayBeAway: boolean,
): Promise<ObjectHead[]> {
  const heads: ObjectHead[] = [];
  try {
    for await (const head of objects.list(prefix)) heads.push(head);
  } catch (error) {
    if (!mayBeAway || errorCodeOf(error) !== 'STORE_UNAVAILABLE') throw error;
    return [];
  }
  return heads;
}

/**
 * The object under a name as a verified local file, without a copy of it where the store has its
 * objects on this disk.
 */
export async function namedFile(
  objects: ObjectStore,
  name: string,
): Promise<FetchedFile | undefined> {
  const stream = await objects.get(name);
  if (stream === undefined) return undefined;
  const { sha256, bytes } = await measure(stream);
  const file = await objects.openLocal({ key: name, sha256, bytes });
  return file === undefined ? undefined : { path: file, sha256, bytes };
}
