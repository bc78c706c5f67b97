import { PipelineError } from '../../errors.ts';
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
import { compareBytes } from '../shared/byte-order.ts';
import type { ByteRange } from '../shared/byte-range.ts';
import { mergeSorted } from '../shared/merge-sorted.ts';
import { checkObjectKey } from '../shared/object-key.ts';
import { createLocalObjectStore } from './local-files.ts';

/**
 * The objects of `base` with changes that only this store knows: they are files below `root`, and
 * `base` is only read. For trying what work would write; whoever made the folder removes it.
 */
export function createOverlayObjects(base: ObjectStore, root: string): ObjectStore {
  return new OverlayObjects(base, createLocalObjectStore({ root }));
}

class OverlayObjects implements ObjectStore {
  readonly kind: string;
  readonly #base: ObjectStore;
  readonly #own: ObjectStore;
  /** Keys whose object is the one below `root`, or none. */
  readonly #hidden = new Set<string>();

  constructor(base: ObjectStore, own: ObjectStore) {
    this.kind = base.kind;
    this.#base = base;
    this.#own = own;
  }

  async put(key: string, body: ObjectBody, options: PutOptions): Promise<ArtefactRef> {
    checkObjectKey(key);
    if (
      options.mode === 'create' &&
      !this.#hidden.has(key) &&
      (await this.#base.head(key)) !== undefined
    ) {
      throw new PipelineError('STORE_CONFLICT', `the object ${key} exists already`, {
        context: { key },
      });
    }
    const ref = await this.#own.put(key, body, options);
    this.#hidden.add(key);
    return ref;
  }

  get(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#at(key).get(key, range);
  }

  head(key: string): Promise<ObjectHead | undefined> {
    return this.#at(key).head(key);
  }

  async *list(prefix: string): AsyncIterable<ObjectHead> {
    const own: ObjectHead[] = [];
    for await (const found of this.#own.list(prefix)) own.push(found);
    yield* mergeSorted(
      this.#visible(prefix),
      own,
      (one, other) => compareBytes(one.key, other.key) < 0,
    );
  }

  async delete(key: string, options?: DeleteOptions): Promise<void> {
    await this.#own.delete(key, options);
    this.#hidden.add(key);
  }

  inspect(ref: ContentName): Promise<ObjectLook> {
    return this.#at(ref.key).inspect(ref);
  }

  openLocal(ref: ContentName, options?: OpenOptions): Promise<string | undefined> {
    return this.#at(ref.key).openLocal(ref, options);
  }

  async *#visible(prefix: string): AsyncIterable<ObjectHead> {
    for await (const found of this.#base.list(prefix))
      if (!this.#hidden.has(found.key)) yield found;
  }

  #at(key: string): ObjectStore {
    return this.#hidden.has(key) ? this.#own : this.#base;
  }
}
