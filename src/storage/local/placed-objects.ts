import { textBefore } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { compareBytes } from '../shared/byte-order.ts';
import type { ByteRange } from '../shared/byte-range.ts';
import { checkObjectKey, checkObjectPrefix } from '../shared/object-key.ts';
import type {
  ArtefactRef,
  ContentName,
  DeleteOptions,
  ObjectBody,
  ObjectHead,
  ObjectLook,
  ObjectStore,
  OpenOptions,
  PutOptions,
} from '../../ports/objects.ts';

/** A folder of keys that lives elsewhere: `raw` with a store in which `raw/a/b` is `a/b`. */
export interface PlacedFolder {
  readonly folder: string;
  readonly store: ObjectStore;
  /**
   * Where that store lies within the rest, when both are in one bucket: these keys are no objects
   * of the rest.
   */
  readonly within?: string;
  /**
   * Other programs write it: its keys are no objects of ours, and are listed only by who asks for
   * them.
   */
  readonly foreign?: boolean;
}

/**
 * One store of objects whose folders lie in other buckets or below other prefixes, as an earlier
 * system laid them out. Keys stay the same for whoever uses it.
 */
export function createPlacedObjectStore(
  rest: ObjectStore,
  places: readonly PlacedFolder[],
): ObjectStore {
  return new PlacedObjects(rest, places);
}

class PlacedObjects implements ObjectStore {
  readonly kind: string;
  readonly #rest: ObjectStore;
  readonly #places: readonly PlacedFolder[];

  constructor(rest: ObjectStore, places: readonly PlacedFolder[]) {
    this.kind = rest.kind;
    this.#rest = rest;
    this.#places = places;
  }

  async put(key: string, body: ObjectBody, options: PutOptions): Promise<ArtefactRef> {
    const [store, own] = this.#at(key);
    return { ...(await store.put(own, body, options)), key };
  }

  async get(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    const [store, own] = this.#at(key);
    return store.get(own, range);
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    const [store, own] = this.#at(key);
    const found = await store.head(own);
    return found === undefined ? undefined : { ...found, key };
  }

  async *list(prefix: string): AsyncGenerator<ObjectHead> {
    checkObjectPrefix(prefix);
    const within = this.#places.find(({ folder }) => prefix.startsWith(`${folder}/`));
    if (within !== undefined) {
      // Also where the rest cannot be asked: nothing of it lies there.
      yield* listPlace(within, prefix);
      return;
    }
    const lists = [
      this.#listRest(prefix),
      ...this.#places.map((place) => listPlace(place, prefix)),
    ];
    const iterators = lists.map((list) => list[Symbol.asyncIterator]());
    const heads = await Promise.all(iterators.map((one) => one.next()));
    try {
      for (;;) {
        let least = -1;
        for (const [at, head] of heads.entries()) {
          const before = heads[least];
          if (head.done === true) continue;
          if (before?.done !== false || compareBytes(head.value.key, before.value.key) < 0)
            least = at;
        }
        const [head, iterator] = [heads[least], iterators[least]];
        if (head?.done !== false || iterator === undefined) return;
        yield head.value;
        heads[least] = await iterator.next();
      }
    } finally {
      await Promise.all(iterators.map((one) => one.return(undefined)));
    }
  }

  async delete(key: string, options?: DeleteOptions): Promise<void> {
    const [store, own] = this.#at(key);
    await store.delete(own, options);
  }

  async inspect(ref: ContentName): Promise<ObjectLook> {
    const [store, own] = this.#at(ref.key);
    return store.inspect({ ...ref, key: own });
  }

  async openLocal(ref: ContentName, options?: OpenOptions): Promise<string | undefined> {
    const [store, own] = this.#at(ref.key);
    return store.openLocal({ ...ref, key: own }, options);
  }

  #at(key: string): readonly [ObjectStore, string] {
    checkObjectKey(key);
    const place = this.#places.find(({ folder }) => key.startsWith(`${folder}/`));
    if (place !== undefined) return [place.store, key.slice(place.folder.length + 1)];
    const taken = this.#places.find(
      ({ within }) => within !== undefined && key.startsWith(`${within}/`),
    );
    if (taken === undefined) return [this.#rest, key];
    const message = `the object key ${key} lies where ${taken.folder}/ is kept; choose another prefix for that`;
    throw new PipelineError('INPUT_INVALID', message);
  }

  async *#listRest(prefix: string): AsyncGenerator<ObjectHead> {
    const hidden = this.#places.flatMap(({ folder, within }) => [
      folder,
      ...(within === undefined ? [] : [within]),
    ]);
    for await (const head of this.#rest.list(prefix)) {
      if (!hidden.some((folder) => head.key.startsWith(`${folder}/`))) yield head;
    }
  }
}

async function* listPlace(
  { folder, store, foreign }: PlacedFolder,
  prefix: string,
): AsyncGenerator<ObjectHead> {
  const start = `${folder}/`;
  if (foreign === true && !prefix.startsWith(`${textBefore(folder, '/')}/`)) return;
  if (!start.startsWith(prefix) && !prefix.startsWith(start)) return;
  const own = prefix.length > start.length ? prefix.slice(start.length) : '';
  for await (const head of store.list(own)) yield { ...head, key: start + head.key };
}
