import type { FileHandle } from 'node:fs/promises';
import { PipelineError, errorCodeOf } from '../../errors.ts';
import type { ByteRange } from '../shared/byte-range.ts';
import { clipRange } from '../shared/byte-range.ts';
import { createCacheFiles } from './cache-files.ts';
import type { Binding, CacheFiles } from './cache-files.ts';
import { hashInKey } from '../shared/content-key.ts';
import { fileError } from '../shared/file-errors.ts';
import { bodyChunks } from '../shared/object-body.ts';
import { checkObjectKey } from '../shared/object-key.ts';
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
import type { StagedFile } from '../local/staged-files.ts';

/** Larger objects than this part of the cache pass by it: one would drive out everything else. */
const LARGEST_PART = 0.5;

const READ_AT_ONCE_BYTES = 256 * 1_024;

/** Kept in memory; without its time a key is compared again. */
const MAX_COMPARISONS = 50_000;

/** Counted since the cache was opened in this process. */
export interface CacheStats {
  /**
   * Reads from the cache; `staleHits` of them without a comparison, because the primary store did
   * not answer.
   */
  readonly hits: number;
  readonly staleHits: number;
  /** Reads that went to the primary store. */
  readonly misses: number;
  readonly hitBytes: number;
  readonly fetchedBytes: number;
  readonly evictions: number;
  readonly evictedBytes: number;
  /** Files with other bytes than their name says: removed and fetched again. */
  readonly corrupt: number;
}

/** A stream, and whether it could not be compared with the primary store. */
export interface MarkedStream {
  readonly stream: AsyncIterable<Uint8Array>;
  readonly stale: boolean;
}

/** An object store whose reads say when they could not be compared with the primary one. */
export interface CachedObjectStore extends ObjectStore {
  /** As `get`, with the mark. */
  read(key: string, range?: ByteRange): Promise<MarkedStream | undefined>;
  stats(): CacheStats;
}

/** `maxBytes` holds for the copies together; larger objects have a folder of their own. */
export interface CacheOptions {
  readonly primary: ObjectStore;
  /** Shared by the processes of this host; on a local disk. */
  readonly folder: string;
  readonly maxBytes: number;
  /** For how long a key that was compared is given out without asking again; 0 unless given. */
  readonly checkTtlMs?: number;
}

/**
 * A cache on the local disk in front of a remote object store.
 *
 * 1. Bytes are given out only after their hash was found right; a damaged file is removed and
 *    fetched again.
 * 2. A key whose last part is a sha256 names its bytes: they are given out without asking.
 *    `openLocal` says which bytes it wants, so it does not ask either, once this cache has seen
 *    them under that key. It therefore tells what the bytes were, not that the primary store still
 *    has them: who wants to know that, asks by `inspect`, and who wants it proven, by `openLocal`
 *    with `fresh`.
 * 3. Every other key is compared by its etag at each read, or again when `checkTtlMs` is over.
 *    While the primary store is away (`STORE_UNAVAILABLE`), the last copy is given out and marked
 *    as stale; nothing else makes a stale answer.
 * 4. Of several readers that miss the same object, in any process of the host, one fetches it.
 * 5. What is written passes through to the primary store first; a listing always comes from there.
 *
 * A path from `openLocal` may be evicted later unless it is held; the least recently used go first,
 * so open it soon.
 */
export function createCachedObjectStore(options: CacheOptions): CachedObjectStore {
  return new CachedObjects(options);
}

class CachedObjects implements CachedObjectStore {
  readonly kind: string;
  readonly #primary: ObjectStore;
  readonly #files: CacheFiles;
  readonly #largestBytes: number;
  readonly #counts = { evictions: 0, evictedBytes: 0, corrupt: 0 };
  readonly #reads = { hits: 0, staleHits: 0, misses: 0, hitBytes: 0, fetchedBytes: 0 };
  readonly #checkTtlMs: number;
  /** When each key was last compared, in this process. */
  readonly #comparedAtMs = new Map<string, number>();
  readonly #fetching = new Map<string, Promise<unknown>>();

  constructor({ primary, folder, maxBytes, checkTtlMs = 0 }: CacheOptions) {
    this.kind = primary.kind;
    this.#primary = primary;
    this.#files = createCacheFiles(folder, maxBytes, this.#counts);
    this.#largestBytes = maxBytes * LARGEST_PART;
    this.#checkTtlMs = checkTtlMs;
  }

  stats(): CacheStats {
    return { ...this.#reads, ...this.#counts };
  }

  async put(key: string, body: ObjectBody, options: PutOptions): Promise<ArtefactRef> {
    const ref = await this.#primary.put(key, body, options);
    // The next step usually reads what this one wrote. A stream is gone by now.
    if (!(Symbol.asyncIterator in body) && ref.bytes <= this.#largestBytes)
      await this.#keepWritten(ref, body);
    else if (options.mode === 'replace') await this.#files.unbind(key);
    return ref;
  }

  async get(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    return (await this.read(key, range))?.stream;
  }

  async read(key: string, range?: ByteRange): Promise<MarkedStream | undefined> {
    checkObjectKey(key);
    clipRange(range, 0);
    const named = hashInKey(key);
    const known = await this.#files.bindingOf(key);
    if (known !== undefined && (known.sha256 === named || this.#wasJustCompared(key))) {
      const hit = await this.#fromCopy(known, range, false);
      if (hit !== undefined) return hit;
    }
    const head = await this.#headOr(key, known);
    if (head === undefined) {
      if (known !== undefined) await this.#files.unbind(key);
      return undefined;
    }
    this.#noteComparison(head);
    if (known !== undefined && (head.stale === true || known.etag === head.etag)) {
      const hit = await this.#fromCopy(known, range, head.stale === true);
      if (hit !== undefined) return hit;
      if (head.stale === true) throw this.#noCopy(key);
    }
    // A part of an object is not worth the whole of it.
    if (range !== undefined || head.bytes > this.#largestBytes) return this.#pass(key, range);
    return this.#fetch(key, range);
  }

  head(key: string): Promise<ObjectHead | undefined> {
    return this.#headOr(key, undefined);
  }

  list(prefix: string): AsyncIterable<ObjectHead> {
    return this.#primary.list(prefix);
  }

  async delete(key: string, options?: DeleteOptions): Promise<void> {
    checkObjectKey(key);
    await this.#primary.delete(key, options);
    await this.#files.unbind(key);
    // Nobody is to find here what was destroyed there.
    const sha256 = hashInKey(key);
    if (sha256 !== undefined) await this.#files.discard({ key, sha256 });
  }

  /**
   * Never from the cache while the primary store answers; what that no longer has right is not
   * given out from here either.
   */
  async inspect(ref: ContentName): Promise<ObjectLook> {
    checkObjectKey(ref.key);
    try {
      const look = await this.#primary.inspect(ref);
      if (look.state !== 'intact') await this.#files.unbind(ref.key);
      return look;
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_UNAVAILABLE' || (await this.#findBound(ref)) === undefined)
        throw error;
      return { state: 'intact', stale: true };
    }
  }

  async openLocal(ref: ContentName, options: OpenOptions = {}): Promise<string | undefined> {
    checkObjectKey(ref.key);
    const { fresh = false, until } = options;
    if (until === undefined) return this.#openHere(ref, fresh);
    // Before the look, so that nobody evicts it in between.
    if (ref.bytes <= this.#largestBytes) await this.#files.hold(ref, until);
    const opened = await this.#openHere(ref, fresh);
    // Too large for this cache: one of the copies that the primary store keeps itself, which those
    // who opened it together share.
    return opened === undefined || ref.bytes <= this.#largestBytes
      ? opened
      : this.#primary.openLocal(ref, { until });
  }

  async #openHere(ref: ContentName, fresh: boolean): Promise<string | undefined> {
    if (fresh) {
      return this.#shared(`open anew ${ref.sha256} ${ref.key}`, () =>
        this.#files.alone(ref.key, () => this.#download(ref, { fresh })),
      );
    }
    const hit = await this.#findBound(ref);
    if (hit !== undefined) return hit;
    return this.#shared(`open ${ref.sha256} ${ref.key}`, () =>
      this.#files.alone(
        ref.key,
        async () => (await this.#findBound(ref)) ?? (await this.#download(ref)),
      ),
    );
  }

  #wasJustCompared(key: string): boolean {
    const at = this.#comparedAtMs.get(key);
    return at !== undefined && Date.now() - at < this.#checkTtlMs;
  }

  #noteComparison({ key, stale }: ObjectHead): void {
    if (this.#checkTtlMs === 0 || stale === true) return;
    if (this.#comparedAtMs.size >= MAX_COMPARISONS) this.#comparedAtMs.clear();
    this.#comparedAtMs.set(key, Date.now());
  }

  /** The primary store's word, or the last copy's when that is away. */
  async #headOr(key: string, known: Binding | undefined): Promise<ObjectHead | undefined> {
    try {
      return await this.#primary.head(key);
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_UNAVAILABLE') throw error;
      const binding = known ?? (await this.#files.bindingOf(key));
      if (binding === undefined) throw error;
      return { key, bytes: binding.bytes, etag: binding.etag ?? binding.sha256, stale: true };
    }
  }

  async #fromCopy(
    known: Binding,
    range: ByteRange | undefined,
    stale: boolean,
  ): Promise<MarkedStream | undefined> {
    const stream = await this.#stream(known, range);
    if (stream === undefined) return undefined;
    const { start, end } = clipRange(range, known.bytes);
    this.#reads.hits += 1;
    this.#reads.hitBytes += end - start;
    if (stale) this.#reads.staleHits += 1;
    return { stream, stale };
  }

  async #stream(
    known: Binding,
    range: ByteRange | undefined,
  ): Promise<AsyncIterable<Uint8Array> | undefined> {
    const file = await this.#files.find(known);
    const handle = file === undefined ? undefined : await this.#files.open(file);
    if (file === undefined || handle === undefined) return undefined;
    const { start, end } = clipRange(range, known.bytes);
    return rangeOf(handle, file, start, end);
  }

  async #pass(key: string, range: ByteRange | undefined): Promise<MarkedStream | undefined> {
    const stream = await this.#primary.get(key, range);
    if (stream === undefined) return undefined;
    this.#reads.misses += 1;
    return { stream: this.#counted(stream), stale: false };
  }

  async *#counted(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    for await (const chunk of stream) {
      this.#reads.fetchedBytes += chunk.byteLength;
      yield chunk;
    }
  }

  /** Fetches the whole object, or finds that another reader did so meanwhile. */
  async #fetch(key: string, range: ByteRange | undefined): Promise<MarkedStream | undefined> {
    const binding = await this.#shared(`read ${key}`, () =>
      this.#files.alone(key, () => this.#fetchAlone(key)),
    );
    if (binding === undefined) return undefined;
    const stream = await this.#stream(binding, range);
    // Evicted already: the cache is too small for what is read at the same time.
    return stream === undefined ? this.#pass(key, range) : { stream, stale: false };
  }

  async #fetchAlone(key: string): Promise<Binding | undefined> {
    const before = await this.#primary.head(key);
    if (before === undefined) return undefined;
    const known = await this.#files.bindingOf(key);
    if (known?.etag === before.etag && (await this.#files.find(known)) !== undefined) return known;
    const staged = await this.#stageRemote(key);
    if (staged === undefined) return undefined;
    const after = await this.#primary.head(key);
    const binding = { key, sha256: staged.sha256, bytes: staged.bytes };
    await this.#files.keep(key, staged);
    // Replaced meanwhile: nobody knows to which of the two etags these bytes belong.
    const bound = { ...binding, etag: after?.etag === before.etag ? before.etag : null };
    await this.#files.bind(bound);
    return bound;
  }

  /** The bytes that the reference names; other ones are kept away from the cache. */
  async #download(ref: ContentName, options?: OpenOptions): Promise<string | undefined> {
    if (ref.bytes > this.#largestBytes) return this.#openThere(ref, options);
    const staged = await this.#stageRemote(ref.key);
    if (staged === undefined) {
      await this.#files.unbind(ref.key);
      return undefined;
    }
    if (staged.sha256 !== ref.sha256 || staged.bytes !== ref.bytes) {
      await this.#files.drop(staged);
      throw otherBytes(ref, staged);
    }
    const file = await this.#files.keep(ref.key, staged);
    await this.#files.bind({ key: ref.key, sha256: ref.sha256, bytes: ref.bytes, etag: null });
    return file;
  }

  async #openThere(ref: ContentName, options?: OpenOptions): Promise<string | undefined> {
    this.#reads.misses += 1;
    return this.#primary.openLocal(ref, options);
  }

  async #stageRemote(key: string): Promise<StagedFile | undefined> {
    const stream = await this.#primary.get(key);
    if (stream === undefined) return undefined;
    this.#reads.misses += 1;
    return this.#files.stage(this.#counted(stream));
  }

  async #findBound(ref: ContentName): Promise<string | undefined> {
    const known = await this.#files.bindingOf(ref.key);
    if (known?.sha256 !== ref.sha256 || known.bytes !== ref.bytes) return undefined;
    const file = await this.#files.find(known);
    if (file === undefined) return undefined;
    this.#reads.hits += 1;
    this.#reads.hitBytes += ref.bytes;
    return file;
  }

  /**
   * A cache that cannot be written must not fail a put that was done; its next reader finds out.
   */
  async #keepWritten(ref: ArtefactRef, body: ObjectBody): Promise<void> {
    try {
      const staged = await this.#files.stage(body);
      if (staged.sha256 !== ref.sha256) {
        await this.#files.drop(staged);
        await this.#files.unbind(ref.key);
        return;
      }
      await this.#files.keep(ref.key, staged);
      await this.#files.bind({ key: ref.key, sha256: ref.sha256, bytes: ref.bytes, etag: null });
    } catch {
      await this.#files.unbind(ref.key).catch(() => undefined);
    }
  }

  /**
   * Readers of this process that want the same share one answer; the lock is for other processes.
   */
  async #shared<T>(name: string, work: () => Promise<T>): Promise<T> {
    const running = this.#fetching.get(name) as Promise<T> | undefined;
    if (running !== undefined) return running;
    const started = work().finally(() => this.#fetching.delete(name));
    this.#fetching.set(name, started);
    return started;
  }

  #noCopy(key: string): PipelineError {
    const message = `the object ${key} was cached and is no longer, and its store does not answer; try again`;
    return new PipelineError('STORE_UNAVAILABLE', message, { context: { key } });
  }
}

function otherBytes(
  ref: ContentName,
  found: { readonly sha256: string; readonly bytes: number },
): PipelineError {
  return new PipelineError(
    'STORE_CORRUPT',
    `the object ${ref.key} has ${found.bytes} bytes with sha256 ${found.sha256} instead of ${ref.bytes} bytes with ` +
      `${ref.sha256}: keep it aside, check the store, then re-run the day to rebuild it`,
    { context: { key: ref.key } },
  );
}

/**
 * Small parts are read before the answer, so that a reader who forgets the stream holds no file
 * open.
 */
async function rangeOf(
  handle: FileHandle,
  file: string,
  start: number,
  end: number,
): Promise<AsyncIterable<Uint8Array>> {
  if (end - start > READ_AT_ONCE_BYTES) return readAndClose(handle, file, start, end);
  const chunks: Uint8Array[] = [];
  for await (const chunk of readAndClose(handle, file, start, end)) chunks.push(chunk);
  return bodyChunks(Buffer.concat(chunks));
}

async function* readAndClose(
  handle: FileHandle,
  file: string,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  try {
    for (let at = start; at < end;) {
      const size = Math.min(READ_AT_ONCE_BYTES, end - at);
      const { bytesRead, buffer } = await handle.read(Buffer.allocUnsafe(size), 0, size, at);
      if (bytesRead === 0)
        throw new PipelineError('STORE_CORRUPT', `${file} became shorter while it was read`);
      at += bytesRead;
      yield buffer.subarray(0, bytesRead);
    }
  } catch (error) {
    throw fileError(error, 'read the cache', file);
  } finally {
    await handle.close();
  }
}
