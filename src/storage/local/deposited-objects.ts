import path from 'node:path';
import { PipelineError } from '../../errors.ts';
import type { ContentName, ObjectHead, ObjectStore, OpenOptions } from '../../ports/objects.ts';
import type { ByteRange } from '../shared/byte-range.ts';
import { createLocalObjectStore } from './local-files.ts';

/**
 * Files that other programs write, as objects that can be read and not written: a whole folder, or
 * one file of it. They come and go as those programs please, so a look at one tells of the moment.
 */
export function createDepositedStore(folder: string, only?: string): ObjectStore {
  return new DepositedStore(folder, only);
}

class DepositedStore implements ObjectStore {
  readonly kind = 'deposited-files';
  readonly #files: ObjectStore;
  readonly #only: string | undefined;

  constructor(folder: string, only: string | undefined) {
    this.#files = createLocalObjectStore({ root: path.resolve(folder), packs: () => false });
    this.#only = only;
  }

  put(key: string): Promise<never> {
    return Promise.reject(readOnly(key));
  }

  delete(key: string): Promise<never> {
    return Promise.reject(readOnly(key));
  }

  async get(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    return this.#shows(key) ? this.#files.get(key, range) : undefined;
  }

  async head(key: string): Promise<ObjectHead | undefined> {
    return this.#shows(key) ? this.#files.head(key) : undefined;
  }

  async *list(prefix: string): AsyncGenerator<ObjectHead> {
    if (this.#only === undefined) {
      yield* this.#files.list(prefix);
      return;
    }
    const head = this.#only.startsWith(prefix) ? await this.#files.head(this.#only) : undefined;
    if (head !== undefined) yield head;
  }

  async inspect(ref: ContentName) {
    return this.#shows(ref.key) ? this.#files.inspect(ref) : ({ state: 'missing' } as const);
  }

  async openLocal(ref: ContentName, options?: OpenOptions): Promise<string | undefined> {
    return this.#shows(ref.key) ? this.#files.openLocal(ref, options) : undefined;
  }

  #shows(key: string): boolean {
    return this.#only === undefined || key === this.#only;
  }
}

function readOnly(key: string): PipelineError {
  return new PipelineError(
    'STORE_DENIED',
    `${key} lies where other programs put files, which is only read`,
  );
}
