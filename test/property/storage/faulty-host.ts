import { setImmediate } from 'node:timers/promises';
import { PipelineError, errorCodeOf } from '../../../src/errors.ts';
import {
  createCircuitBreaker,
  guardDocuments,
  guardObjects,
} from '../../../src/storage/outage/circuit-breaker.ts';
import { createStoreMirror } from '../../../src/storage/outage/fallback-mirror.ts';
import { createFallbackStores } from '../../../src/storage/outage/fallback-stores.ts';
import type { FallbackStores } from '../../../src/storage/outage/fallback-stores.ts';
import type { JournalDisk, JournalSegment } from '../../../src/storage/outage/journal-disk.ts';
import { openJournal } from '../../../src/storage/outage/journal.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../../src/storage/memory/memory.ts';
import type { DocumentStore } from '../../../src/ports/documents.ts';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import { reconcile } from '../../../src/storage/outage/reconcile.ts';
import type { ReconcileOptions, ReconcileReport } from '../../../src/storage/outage/reconcile.ts';

/**
 * A host whose primary stores come and go and whose process dies, in memory and without real time:
 * what is on its disks and in the primary stores outlives the process, and everything else is lost.
 */

/**
 * What happens to one call to a primary store. `unanswered`: it was done, and the answer was lost.
 */
export type CallFate = 'done' | 'refused' | 'unanswered' | 'slow';

/**
 * Where a process dies: at which of its next calls to a disk or a primary store, and whether that
 * call was done.
 */
export interface Death {
  readonly afterCalls: number;
  readonly moment: 'before' | 'torn' | 'done';
}

class Dead extends Error {}

export interface Host {
  /** Whether the process that ran last has died. */
  readonly dead: boolean;
  readonly stores: FallbackStores;
  /** The fates of the next calls to primary stores; those that follow are done. */
  suffer(fates: readonly CallFate[]): void;
  dieAt(death: Death | undefined): void;
  /** A new process on the same disks. */
  restart(): Promise<void>;
  reconcile(options?: ReconcileOptions): Promise<ReconcileReport>;
  readonly primary: { readonly objects: ObjectStore; readonly documents: DocumentStore };
  dispose(): Promise<void>;
}

export async function openHost(): Promise<Host> {
  const host = new FaultyHost();
  await host.restart();
  return host;
}

interface Process {
  dead: boolean;
  callsLeft: number;
  moment: Death['moment'];
}

class FaultyHost implements Host {
  readonly #objects = createMemoryObjectStore();
  readonly #blobs = createMemoryObjectStore();
  readonly #documents = createMemoryDocumentStore();
  readonly #known = createMemoryDocumentStore();
  readonly #disk = new Map<number, { bytes: Buffer }>();
  #fates: CallFate[] = [];
  #clock = 0;
  #process: Process = { dead: false, callsLeft: Number.POSITIVE_INFINITY, moment: 'before' };
  #running: { stores: FallbackStores; reconcile: Host['reconcile'] } | undefined;

  get primary() {
    return { objects: this.#objects, documents: this.#documents };
  }

  get dead(): boolean {
    return this.#process.dead;
  }

  get stores(): FallbackStores {
    if (this.#running === undefined) throw new Error('no process runs');
    return this.#running.stores;
  }

  suffer(fates: readonly CallFate[]): void {
    this.#fates = [...fates];
  }

  dieAt(death: Death | undefined): void {
    this.#process.callsLeft = death?.afterCalls ?? Number.POSITIVE_INFINITY;
    this.#process.moment = death?.moment ?? 'before';
  }

  async restart(): Promise<void> {
    this.#process.dead = true;
    const own: Process = { dead: false, callsLeft: Number.POSITIVE_INFINITY, moment: 'before' };
    this.#process = own;
    const now = (): number => (this.#clock += 1);
    const breaker = (name: string) =>
      createCircuitBreaker({
        name,
        failuresToOpen: 2,
        probeAfterMs: 10,
        longestProbeAfterMs: 20,
        now,
      });
    const breakers = { objects: breaker('objects'), documents: breaker('documents') };
    const primary = {
      objects: this.#remote(own, this.#objects),
      documents: this.#remote(own, this.#documents),
    };
    const mirror = createStoreMirror(this.#local(own, this.#known));
    const blobs = this.#local(own, this.#blobs);
    const journal = await openJournal({
      disk: this.#journalDisk(own),
      host: 'host',
      now: () => new Date(now()),
    });
    const guarded = {
      objects: guardObjects(primary.objects, breakers.objects),
      documents: guardDocuments(primary.documents, breakers.documents),
    };
    const date = (): Date => new Date(now());
    this.#running = {
      stores: createFallbackStores({
        host: 'host',
        primary: guarded,
        breakers,
        blobs,
        mirror,
        journal,
        now: date,
      }),
      reconcile: (options) =>
        reconcile(
          { journal, primary, blobs, mirror },
          { entriesPerSecond: Number.POSITIVE_INFINITY, now: date, ...options },
        ),
    };
  }

  reconcile(options?: ReconcileOptions): Promise<ReconcileReport> {
    if (this.#running === undefined) throw new Error('no process runs');
    return this.#running.reconcile(options);
  }

  async dispose(): Promise<void> {
    await this.#objects.dispose();
    await this.#blobs.dispose();
  }

  /**
   * Every call of the process passes here; the one at which it dies is done before or not at all.
   */
  async #live<T>(own: Process, call: () => Promise<T>): Promise<T> {
    if (own.dead) throw new Dead('the process is dead');
    own.callsLeft -= 1;
    if (own.callsLeft > 0) return call();
    own.dead = true;
    if (own.moment === 'done') await call();
    throw new Dead('the process died');
  }

  #remote<S extends ObjectStore | DocumentStore>(own: Process, store: S): S {
    return intercept(store, (call) =>
      this.#live(own, async () => {
        const fate = this.#fates.shift() ?? 'done';
        if (fate === 'refused') throw away();
        if (fate === 'slow') await setImmediate();
        const result = await call();
        if (fate === 'unanswered') throw away();
        return result;
      }),
    );
  }

  #local<S extends ObjectStore | DocumentStore>(own: Process, store: S): S {
    return intercept(store, (call) => this.#live(own, call));
  }

  #journalDisk(own: Process): JournalDisk {
    const open = (number: number): JournalSegment => {
      const file = this.#disk.get(number) ?? { bytes: Buffer.alloc(0) };
      this.#disk.set(number, file);
      const append = (bytes: Uint8Array): void => {
        file.bytes = Buffer.concat([file.bytes, bytes]);
      };
      return {
        number,
        append: async (bytes) => {
          const torn = own.moment === 'torn' && own.callsLeft === 1 && !own.dead;
          if (torn) append(bytes.subarray(0, Math.ceil(bytes.byteLength * 0.6)));
          await this.#live(own, () => {
            append(bytes);
            return Promise.resolve();
          });
        },
        size: () => Promise.resolve(file.bytes.byteLength),
        read: (start, end) => Promise.resolve(file.bytes.subarray(start, end)),
        close: () => Promise.resolve(),
      };
    };
    return {
      segments: () => Promise.resolve([...this.#disk.keys()].sort((a, b) => a - b)),
      open: (number) => Promise.resolve(this.#disk.has(number) ? open(number) : undefined),
      create: (number) => Promise.resolve(open(number)),
      remove: (number) =>
        this.#live(own, () => {
          this.#disk.delete(number);
          return Promise.resolve();
        }),
    };
  }
}

function away(): PipelineError {
  return new PipelineError('STORE_UNAVAILABLE', 'the store does not answer');
}

/** The store with every call, and the first item of every listing, passed through `around`. */
function intercept<S extends object>(
  store: S,
  around: <T>(call: () => Promise<T>) => Promise<T>,
): S {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function') return member;
      return (...args: unknown[]): unknown => {
        const call = () => Reflect.apply(member, target, args) as unknown;
        if (name === 'query' || name === 'list' || name === 'partitions')
          return listed(call, around);
        return around(() => Promise.resolve(call()));
      };
    },
  });
}

async function* listed(
  call: () => unknown,
  around: <T>(call: () => Promise<T>) => Promise<T>,
): AsyncGenerator {
  const items = await around(async () => {
    const all: unknown[] = [];
    for await (const item of call() as AsyncIterable<unknown>) all.push(item);
    return all;
  });
  yield* items;
}

/**
 * Whether the process died, or the store was away: the caller does not know whether the call was
 * done.
 */
export function isUnknown(error: unknown): boolean {
  return error instanceof Dead || errorCodeOf(error) === 'STORE_UNAVAILABLE';
}
