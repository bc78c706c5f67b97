import type { DocumentStore } from '../../src/ports/documents.ts';
import type { ObjectBody, ObjectStore } from '../../src/ports/objects.ts';
import type { Process } from './scheduler.ts';
import { fileBytes, keepFile } from './virtual-files.ts';
import type { Weather } from './weather.ts';

/**
 * The stores as one process reaches them: each call may be late, refused, unanswered, or the last
 * one of the process.
 */

export interface Stores {
  readonly objects: ObjectStore;
  readonly documents: DocumentStore;
}

/** Why a store cannot be reached from here now; undefined when it can. */
export type Away = (store: 'objects' | 'documents') => string | undefined;

const LISTS = new Set(['list', 'query', 'partitions']);

type Call = (...args: unknown[]) => unknown;

export function storesOf(
  process: Process,
  weather: Weather,
  stores: Stores,
  away: Away = () => undefined,
): Stores {
  const around = (store: 'objects' | 'documents') => (what: string, work: () => Promise<unknown>) =>
    weather.call(process, what, work, () => away(store));
  return {
    objects: outside(stores.objects, around('objects'), virtual),
    documents: outside(stores.documents, around('documents')),
  };
}

type Around = (what: string, work: () => Promise<unknown>) => Promise<unknown>;
type Special = (name: string, target: object, args: unknown[]) => Promise<unknown> | undefined;

function outside<S extends object>(
  store: S,
  around: Around,
  special: Special = () => undefined,
): S {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(target, name);
      if (typeof member !== 'function' || typeof name !== 'string' || name === 'close')
        return member;
      return (...args: unknown[]): unknown => {
        const call = (): Promise<unknown> =>
          special(name, target, args) ?? Promise.resolve((member as Call).apply(target, args));
        const what = `${name} ${labelOf(args[0])}`;
        if (!LISTS.has(name)) return around(what, call);
        return listed(() => around(what, () => all(call)));
      };
    },
  });
}

async function all(call: () => Promise<unknown>): Promise<unknown[]> {
  const items: unknown[] = [];
  for await (const item of (await call()) as AsyncIterable<unknown>) items.push(item);
  return items;
}

async function* listed(items: () => Promise<unknown>): AsyncGenerator {
  yield* (await items()) as unknown[];
}

/**
 * Readers get virtual files, and what is stored from one is its bytes: nothing waits for a disk.
 */
const virtual: Special = (name, target, args) => {
  const objects = target as ObjectStore;
  if (name === 'put') {
    const [key, body, options] = args as Parameters<ObjectStore['put']>;
    return objects.put(key, virtualBody(body), options);
  }
  if (name !== 'openLocal') return undefined;
  const [ref] = args as Parameters<ObjectStore['openLocal']>;
  return openVirtual(objects, ref);
};

/** The store for callers that have virtual files, without turns. */
export function inMemory(objects: ObjectStore): ObjectStore {
  return outside(objects, (_what, work) => work(), virtual);
}

function virtualBody(body: ObjectBody): ObjectBody {
  if (!('path' in body)) return body;
  return fileBytes(body.path) ?? body;
}

/** The bytes of an object; undefined where there is none. */
export async function readObject(objects: ObjectStore, key: string): Promise<Buffer | undefined> {
  const stream = await objects.get(key);
  if (stream === undefined) return undefined;
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/** As the memory store does it, without a file: the same refusal for other bytes. */
async function openVirtual(objects: ObjectStore, ref: Parameters<ObjectStore['openLocal']>[0]) {
  const bytes = await readObject(objects, ref.key);
  if (bytes === undefined) return undefined;
  const path = keepFile(bytes);
  // The store itself says what is wrong with other bytes.
  if (!path.endsWith(ref.sha256) || bytes.byteLength !== ref.bytes) return objects.openLocal(ref);
  return path;
}

function labelOf(subject: unknown): string {
  if (typeof subject === 'string') return shortened(subject);
  if (Array.isArray(subject))
    return `${subject.length}: ${subject.map((one) => labelOf((one as { key: unknown }).key)).join(', ')}`;
  const { key, table, partition, sort, from, to } = subject as Record<string, string | undefined>;
  if (typeof key === 'string') return shortened(key);
  return shortened(
    [table, partition, sort ?? (from === undefined ? undefined : `${from}…${to ?? ''}`)]
      .filter((part) => part !== undefined)
      .join(' '),
  );
}

/** Hashes are told by their first letters. */
function shortened(text: string): string {
  return text.replace(/[0-9a-f]{64}/g, (hash) => hash.slice(0, 8));
}
