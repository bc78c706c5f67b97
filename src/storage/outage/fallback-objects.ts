import { randomUUID } from 'node:crypto';
import { measure, measuring } from '@quotidien/machine/file-hash';
import path from 'node:path';
import { PipelineError, asPipelineError } from '../../errors.ts';
import { compareBytes } from '../shared/byte-order.ts';
import type { ByteRange } from '../shared/byte-range.ts';
import type { MarkedStream } from '../cache/cache-objects.ts';
import { hashInKey } from '../shared/content-key.ts';
import { isAway } from './fallback-parts.ts';
import type { FallbackParts, PrimaryObjects, UseCounter } from './fallback-parts.ts';
import type { NewEntry } from './journal.ts';
import type { FencedEntry } from './journal-records.ts';
import type { JournalState, PendingObject } from './journal-state.ts';
import { checkObjectKey, checkObjectPrefix, endingOf } from '../shared/object-key.ts';
import type {
  ArtefactRef,
  ContentName,
  DeleteOptions,
  ObjectBody,
  ObjectHead,
  ObjectLook,
  ObjectStore,
  OpenOptions,
  PutFence,
  PutOptions,
} from '../../ports/objects.ts';
import { checkFence } from '../local/put-fence.ts';

/**
 * The folder of the pending bytes in the local store; the day in the name tells how old they are.
 */
export const PENDING_FOLDER = 'pending';

const UNPROVEN_WAIT_MS = 1_000;

/** The objects of a host, with its fallback; see `createFallbackStores` for what holds. */
export class FallbackObjects implements ObjectStore {
  readonly kind: string;
  readonly #parts: FallbackParts;
  readonly #use: UseCounter;

  constructor(parts: FallbackParts, use: UseCounter) {
    this.kind = parts.primary.objects.kind;
    this.#parts = parts;
    this.#use = use;
  }

  /** The bytes go to the local store before the journal's record says that they are there. */
  async put(key: string, body: ObjectBody, options: PutOptions): Promise<ArtefactRef> {
    checkObjectKey(key);
    const { primary, breakers, journal, mirror } = this.#parts;
    const source = repeatable(body);
    let blob: ArtefactRef | undefined;
    for (;;) {
      const state = await journal.refresh();
      if (state.pending.size === 0) {
        const asked = this.#provable(options);
        try {
          const ref = await primary.objects.put(key, source.body, asked.options);
          await mirror.learnObject(key, ref.sha256);
          return ref;
        } catch (error) {
          if (!asked.isUnproven() && !isAway(error, breakers.objects)) throw error;
          source.refuseWhenUsed(error);
        }
      }
      const before = await this.#hashBefore(state, key, options.mode);
      if (options.mode === 'create' && before !== null) throw conflict(key);
      blob ??= await this.#stage(key, source.body, options);
      if (!(await this.#passFence(state, key, options.fence))) continue;
      const { sha256, bytes } = blob;
      const mediaType = options.mediaType;
      const { mode } = options;
      const fence = fenceIn(options);
      const entry = {
        kind: 'object-put',
        key,
        before,
        mode,
        mediaType,
        sha256,
        bytes,
        blob: blob.key,
        ...fence,
      } as const;
      const written = await this.#journal(entry);
      if (written === 'refused') throw conflict(key);
      if (written === 'void') continue;
      return {
        key,
        sha256,
        bytes,
        mediaType,
        place: { store: 'fallback', host: this.#parts.host },
      };
    }
  }

  /** A pending object of this host first; a stale copy of the cache is counted. */
  async get(key: string, range?: ByteRange): Promise<AsyncIterable<Uint8Array> | undefined> {
    checkObjectKey(key);
    const pending = await this.#pending(key);
    if (pending?.kind === 'object-delete') return undefined;
    const { blobs, primary } = this.#parts;
    if (pending !== undefined) {
      const found = await blobs.get(pending.blob, range);
      if (found !== undefined) return found;
      await this.#refuseWhileWaiting(pending);
    }
    const found = await readMarked(primary.objects, key, range);
    if (found?.stale === true) this.#use.staleReads += 1;
    if (found === undefined || found.stale || range !== undefined || hashInKey(key) !== undefined)
      return found?.stream;
    return this.#learning(key, found.stream);
  }

  /** Whoever read all of a replaceable object knows what a later write replaces. */
  async *#learning(key: string, stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    const { chunks, measured } = measuring(stream);
    yield* chunks;
    await this.#parts.mirror.learnObject(key, measured().sha256);
  }

  /** As `get`, without opening anything. */
  async head(key: string): Promise<ObjectHead | undefined> {
    checkObjectKey(key);
    const pending = await this.#pending(key);
    if (pending !== undefined) return headOf(pending);
    const found = await this.#parts.primary.objects.head(key);
    if (found?.stale === true) this.#use.staleReads += 1;
    return found;
  }

  /** Pending objects of this host among those of the store, by the bytes of their keys. */
  async *list(prefix: string): AsyncGenerator<ObjectHead> {
    checkObjectPrefix(prefix);
    const state = await this.#parts.journal.refresh();
    const own = state.objectsUnder(prefix).sort((a, b) => compareBytes(a.key, b.key));
    let at = 0;
    for await (const other of this.#parts.primary.objects.list(prefix)) {
      for (; compareBytes(own[at]?.key ?? other.key, other.key) < 0; at += 1)
        yield* present(own[at]);
      if (own[at]?.key !== other.key) yield other;
    }
    for (const mine of own.slice(at)) yield* present(mine);
  }

  /** Journaled while the store is away, or while earlier writes wait. */
  async delete(key: string, options: DeleteOptions = {}): Promise<void> {
    checkObjectKey(key);
    const { primary, breakers, journal, mirror } = this.#parts;
    for (;;) {
      const state = await journal.refresh();
      if (state.pending.size === 0) {
        const asked = this.#provable(options);
        try {
          await primary.objects.delete(key, asked.options);
          await mirror.learnObject(key, null);
          return;
        } catch (error) {
          if (!asked.isUnproven() && !isAway(error, breakers.objects)) throw error;
        }
      }
      const before = await this.#hashBefore(state, key, 'replace');
      if (!(await this.#passFence(state, key, options.fence))) continue;
      if (
        (await this.#journal({ kind: 'object-delete', key, before, ...fenceIn(options) })) ===
        'accepted'
      )
        return;
    }
  }

  /** Of a pending object what the local store has, by the hash of its bytes. */
  async inspect(ref: ContentName): Promise<ObjectLook> {
    checkObjectKey(ref.key);
    const pending = await this.#pending(ref.key);
    if (pending?.kind === 'object-delete') return { state: 'missing' };
    if (pending !== undefined) {
      if (pending.sha256 !== ref.sha256 || pending.bytes !== ref.bytes) return { state: 'damaged' };
      const look = await this.#parts.blobs.inspect({ ...ref, key: pending.blob });
      if (look.state !== 'missing') return look;
      await this.#refuseWhileWaiting(pending);
    }
    const look = await this.#parts.primary.objects.inspect(ref);
    if (look.stale === true) this.#use.staleReads += 1;
    return look;
  }

  /** `STORE_CORRUPT` when a pending object has other bytes than those that are asked for. */
  async openLocal(ref: ContentName, options?: OpenOptions): Promise<string | undefined> {
    checkObjectKey(ref.key);
    const pending = await this.#pending(ref.key);
    if (pending?.kind === 'object-delete') return undefined;
    const { blobs, primary } = this.#parts;
    if (pending === undefined) return primary.objects.openLocal(ref, options);
    if (pending.sha256 !== ref.sha256 || pending.bytes !== ref.bytes)
      throw otherBytes(pending, ref);
    const path = await blobs.openLocal({ ...ref, key: pending.blob }, options);
    if (path !== undefined) return path;
    await this.#refuseWhileWaiting(pending);
    return primary.objects.openLocal(ref, options);
  }

  /**
   * Bytes that are gone from this host were brought to the primary store a moment ago, or are lost.
   */
  async #refuseWhileWaiting(entry: PendingObject): Promise<void> {
    const state = await this.#parts.journal.refresh();
    if (state.pending.has(entry.id) || state.conflicts.has(entry.id)) lostBlob(entry);
  }

  /**
   * The options with a fence that lets nobody through who only remembers which version is the
   * newest, because the documents are away: such a write waits in the journal, and its replay asks
   * again.
   */
  #provable<O extends DeleteOptions>(
    options: O,
  ): { readonly options: O; readonly isUnproven: () => boolean } {
    const { fence } = options;
    let unproven = false;
    const isUnproven = () => unproven;
    if (fence?.of === undefined) return { options, isUnproven };
    const holds = async (): Promise<boolean> => {
      const before = this.#use.staleReads;
      const holdsHere = await fence.holds();
      unproven = holdsHere && this.#use.staleReads > before;
      if (!unproven) return holdsHere;
      const message =
        'the document store is away, so nobody can tell which version is the newest one';
      // With a time to wait it says nothing against the object store.
      throw new PipelineError('STORE_UNAVAILABLE', message, { retryAfterMs: UNPROVEN_WAIT_MS });
    };
    return { options: { ...options, fence: { ...fence, holds } }, isUnproven };
  }

  /** False when somebody on this host wrote the name during the look: that may be newer. */
  async #passFence(
    state: JournalState,
    key: string,
    fence: PutFence | undefined,
  ): Promise<boolean> {
    if (fence === undefined) return true;
    const before = state.object(key)?.id;
    await checkFence(key, fence);
    return (await this.#parts.journal.refresh()).object(key)?.id === before;
  }

  async #pending(key: string): Promise<PendingObject | undefined> {
    const pending = (await this.#parts.journal.refresh()).object(key);
    if (pending !== undefined) this.#use.pendingReads += 1;
    return pending;
  }

  async #journal(entry: NewEntry): Promise<'accepted' | 'refused' | 'void'> {
    const [outcome] = await this.#parts.journal.append([entry]);
    if (outcome?.kind === 'accepted') this.#use.journaledWrites += 1;
    return outcome?.kind ?? 'void';
  }

  /** The bytes on the host's own disk, durable, under a name that no other put has. */
  #stage(key: string, body: ObjectBody, { mediaType }: PutOptions): Promise<ArtefactRef> {
    const day = this.#parts.now().toISOString().slice(0, 10);
    // Some readers go by the ending of a name.
    const name = `${PENDING_FOLDER}/${day}/${randomUUID()}${endingOf(path.posix.basename(key))}`;
    return this.#parts.blobs.put(name, body, { mode: 'create', mediaType });
  }

  /**
   * The hash of what a write would replace: pending, else in the primary store, else as last
   * written from here. To a creator it only matters whether anything is there.
   */
  async #hashBefore(
    state: JournalState,
    key: string,
    mode: PutOptions['mode'],
  ): Promise<string | null> {
    const pending = state.object(key);
    if (pending !== undefined) return pending.kind === 'object-put' ? pending.sha256 : null;
    const { primary, breakers, mirror } = this.#parts;
    const known = await mirror.object(key);
    try {
      const head = await primary.objects.head(key);
      if (head?.stale === true) return known;
      if (head === undefined) return null;
      return mode === 'create' ? 'present' : await hashOfObject(primary.objects, key);
    } catch (error) {
      if (!isAway(error, breakers.objects)) throw error;
      return known;
    }
  }
}

/** What a replay asks again. */
function fenceIn({ fence }: DeleteOptions): FencedEntry {
  return fence?.of === undefined ? {} : { fence: { of: fence.of, version: fence.version } };
}

/** The sha256 of an object's bytes, read as a stream; null when there is none. */
export async function hashOfObject(objects: ObjectStore, key: string): Promise<string | null> {
  const stream = await objects.get(key);
  if (stream === undefined) return null;
  return (await measure(stream)).sha256;
}

async function readMarked(
  objects: PrimaryObjects,
  key: string,
  range?: ByteRange,
): Promise<MarkedStream | undefined> {
  if (objects.read !== undefined) return objects.read(key, range);
  const stream = await objects.get(key, range);
  return stream === undefined ? undefined : { stream, stale: false };
}

interface RepeatableBody {
  readonly body: ObjectBody;
  /**
   * A stream can be read once: when the primary store took some of it, only the producer can begin
   * again.
   */
  refuseWhenUsed(error: unknown): void;
}

function repeatable(body: ObjectBody): RepeatableBody {
  if (!(Symbol.asyncIterator in body)) return { body, refuseWhenUsed: () => undefined };
  let used = false;
  async function* watched(stream: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
    used = true;
    yield* stream;
  }
  return {
    // A new generator each time: a store that gave up may have ended the first without having read
    // from it.
    get body() {
      return watched(body);
    },
    refuseWhenUsed(error) {
      if (used) throw asPipelineError(error);
    },
  };
}

function headOf(pending: PendingObject): ObjectHead | undefined {
  if (pending.kind === 'object-delete') return undefined;
  return { key: pending.key, bytes: pending.bytes, etag: `pending-${pending.id}` };
}

function present(pending: PendingObject | undefined): ObjectHead[] {
  const head = pending === undefined ? undefined : headOf(pending);
  return head === undefined ? [] : [head];
}

function conflict(key: string): PipelineError {
  const message = `the object ${key} exists already, as far as this host knows while its store is away or its journal is replayed`;
  return new PipelineError('STORE_CONFLICT', message, { context: { key } });
}

function lostBlob({ key }: PendingObject): never {
  const message = `the bytes of ${key} were acknowledged on this host and are gone from its disk`;
  throw new PipelineError(
    'STORE_CORRUPT',
    `${message}: restore its folder, or re-run the day to rebuild them`,
    {
      context: { key },
    },
  );
}

function otherBytes(
  pending: { readonly key: string; readonly sha256: string; readonly bytes: number },
  ref: { readonly sha256: string; readonly bytes: number },
): PipelineError {
  const has = `${pending.bytes} bytes with sha256 ${pending.sha256}`;
  return new PipelineError(
    'STORE_CORRUPT',
    `the object ${pending.key} on this host has ${has} instead of ${ref.bytes} bytes with ${ref.sha256}: ` +
      'keep it aside, then re-run the day to rebuild it',
    { context: { key: pending.key } },
  );
}
