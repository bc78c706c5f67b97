/* oxlint-disable typescript/require-await -- async makes refusals rejected promises, as callers of the port expect */
import { createHash, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { PipelineError } from '../../errors.ts';
import { compareBytes } from '../shared/byte-order.ts';
import { clipRange } from '../shared/byte-range.ts';
import { decodeDocumentBody, encodeDocumentBody } from '../shared/document-body.ts';
import {
  checkDocumentKey,
  checkDocumentQuery,
  checkExpectedVersion,
  checkTable,
  documentConflict,
} from '../shared/document-key.ts';
import { bodyChunks } from '../shared/object-body.ts';
import { checkObjectKey, checkObjectPrefix } from '../shared/object-key.ts';
import { checkFence } from '../local/put-fence.ts';
import type {
  DocumentKey,
  DocumentQuery,
  DocumentStore,
  DocumentVersion,
  StoredDocument,
} from '../../ports/documents.ts';
import type {
  ContentName,
  ObjectBody,
  ObjectHead,
  ObjectLook,
  ObjectStore,
  PutFence,
} from '../../ports/objects.ts';

/** An object store that forgets; `dispose` removes the folder that `openLocal` wrote to. */
export interface MemoryObjectStore extends ObjectStore {
  dispose(): Promise<void>;
}

interface MemoryObject {
  readonly bytes: Uint8Array;
  readonly sha256: string;
  readonly etag: string;
}

/** What somebody wrote during the look may be newer: then it is looked again. */
async function passFence(
  objects: ReadonlyMap<string, MemoryObject>,
  key: string,
  fence: PutFence | undefined,
) {
  for (;;) {
    const before = objects.get(key)?.etag;
    await checkFence(key, fence);
    if (objects.get(key)?.etag === before) return;
  }
}

/**
 * The fake for tests of other folders: the semantics of the port, held by the same conformance
 * suite as the real ones.
 */
export function createMemoryObjectStore(): MemoryObjectStore {
  const objects = new Map<string, MemoryObject>();
  const folders = createKeyFolders();
  const copies = createLocalCopies();
  let puts = 0;

  return {
    kind: 'memory',
    async put(key, body, options) {
      checkObjectKey(key);
      const bytes = await copyOf(body);
      await passFence(objects, key, options.fence);
      folders.refuseNested(key, objects);
      if (options.mode === 'create' && objects.has(key)) {
        throw new PipelineError('STORE_CONFLICT', `the object ${key} exists already in memory`, {
          context: { key },
        });
      }
      puts += 1;
      if (!objects.has(key)) folders.count(key, 1);
      const sha256 = hashOf(bytes);
      objects.set(key, { bytes, sha256, etag: String(puts) });
      return { key, sha256, bytes: bytes.byteLength, mediaType: options.mediaType };
    },
    async get(key, range) {
      checkObjectKey(key);
      const found = objects.get(key);
      const { start, end } = clipRange(range, found?.bytes.byteLength ?? 0);
      return found === undefined ? undefined : bodyChunks(found.bytes.subarray(start, end));
    },
    async head(key) {
      checkObjectKey(key);
      const found = objects.get(key);
      return found === undefined ? undefined : headOf(key, found);
    },
    async *list(prefix) {
      checkObjectPrefix(prefix);
      for (const key of [...objects.keys()]
        .filter((name) => name.startsWith(prefix))
        .sort(compareBytes)) {
        const found = objects.get(key);
        if (found !== undefined) yield headOf(key, found);
      }
    },
    async delete(key, { fence } = {}) {
      checkObjectKey(key);
      await passFence(objects, key, fence);
      if (objects.delete(key)) folders.count(key, -1);
    },
    async inspect(ref) {
      checkObjectKey(ref.key);
      return { state: stateOf(objects.get(ref.key), ref) };
    },
    async openLocal(ref) {
      checkObjectKey(ref.key);
      const found = objects.get(ref.key);
      if (found === undefined) return undefined;
      if (stateOf(found, ref) === 'damaged') throw otherBytes(ref, found);
      return copies.write(found.bytes, path.extname(ref.key));
    },
    dispose: () => copies.dispose(),
  };
}

function otherBytes(ref: ContentName, found: MemoryObject): PipelineError {
  const message = `the object ${ref.key} in memory has sha256 ${found.sha256}, not ${ref.sha256}`;
  return new PipelineError('STORE_CORRUPT', message);
}

/** Copied, because the producer may use its buffer again. */
async function copyOf(body: ObjectBody): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of bodyChunks(body)) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

function stateOf(found: MemoryObject | undefined, ref: ContentName): ObjectLook['state'] {
  if (found === undefined) return 'missing';
  return found.sha256 === ref.sha256 && found.bytes.byteLength === ref.bytes ? 'intact' : 'damaged';
}

/** The files that `openLocal` hands out, in one temporary folder. */
function createLocalCopies(): {
  write(bytes: Uint8Array, extension: string): Promise<string>;
  dispose(): Promise<void>;
} {
  let folder: Promise<string> | undefined;
  return {
    async write(bytes, extension) {
      folder ??= mkdtemp(path.join(tmpdir(), 'quotidien-memory-'));
      const local = path.join(await folder, randomUUID() + extension);
      await writeFile(local, bytes);
      return local;
    },
    async dispose() {
      if (folder !== undefined) await rm(await folder, { recursive: true, force: true });
      folder = undefined;
    },
  };
}

/**
 * Which folders the present keys make: what a file system cannot hold (a key that is the folder of
 * another), no adapter takes.
 */
function createKeyFolders(): {
  count(key: string, by: 1 | -1): void;
  refuseNested(key: string, objects: ReadonlyMap<string, unknown>): void;
} {
  const keysBelow = new Map<string, number>();
  const foldersOf = (key: string): string[] => {
    const parts = key.split('/');
    return parts.slice(1).map((_, at) => parts.slice(0, at + 1).join('/'));
  };
  return {
    count(key, by) {
      for (const above of foldersOf(key)) keysBelow.set(above, (keysBelow.get(above) ?? 0) + by);
    },
    refuseNested(key, objects) {
      const above = foldersOf(key).find((name) => objects.has(name));
      if (above === undefined && (keysBelow.get(key) ?? 0) === 0) return;
      const clash =
        above === undefined ? 'is the folder of other objects' : `lies below the object ${above}`;
      throw new PipelineError('INPUT_INVALID', `the object key ${key} ${clash}`);
    },
  };
}

/** The fake of the document store, with bodies kept as JSON text like everywhere. */
export function createMemoryDocumentStore(): DocumentStore {
  const documents = new Map<
    string,
    { readonly key: DocumentKey; readonly text: string; readonly version: number }
  >();

  function write(key: DocumentKey, body: object, expectedVersion?: number): DocumentVersion {
    const text = encodeDocumentBody(key, body);
    const found = documents.get(nameOf(key))?.version;
    if (expectedVersion !== undefined && expectedVersion !== (found ?? 0)) {
      throw documentConflict(key, expectedVersion, found);
    }
    const version = (found ?? 0) + 1;
    documents.set(nameOf(key), { key, text, version });
    return { version };
  }

  return {
    kind: 'memory',
    async get<T extends object>(key: DocumentKey) {
      checkDocumentKey(key);
      const found = documents.get(nameOf(key));
      return found === undefined ? undefined : toDocument<T>(found);
    },
    async put(key: DocumentKey, body: object, options: { readonly expectedVersion?: number } = {}) {
      checkDocumentKey(key);
      if (options.expectedVersion !== undefined) checkExpectedVersion(options.expectedVersion);
      return write(key, body, options.expectedVersion);
    },
    async *query<T extends object>(query: DocumentQuery) {
      checkDocumentQuery(query);
      const matching = [...documents.values()]
        .map(({ key }) => key)
        .filter((key) => matches(query, key));
      const ordered = matching.sort((a, b) => compareBytes(a.sort, b.sort));
      if (query.order === 'descending') ordered.reverse();
      for (const key of ordered.slice(0, query.limit)) {
        const found = documents.get(nameOf(key));
        if (found !== undefined) yield toDocument<T>(found);
      }
    },
    async *partitions(table) {
      checkTable(table);
      const inTable = [...documents.values()].filter(({ key }) => key.table === table);
      yield* new Set(inTable.map(({ key }) => key.partition));
    },
    async delete(key) {
      checkDocumentKey(key);
      documents.delete(nameOf(key));
    },
    async createMany(many) {
      for (const { key } of many) checkDocumentKey(key);
      return many.map(({ key, body }) => {
        if (documents.has(nameOf(key))) return false;
        write(key, body, 0);
        return true;
      });
    },
    async close() {
      // Nothing is held; the documents stay, so that a test can look at what a closed worker left.
    },
  };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}

function headOf(key: string, object: MemoryObject): ObjectHead {
  return { key, bytes: object.bytes.byteLength, etag: object.etag };
}

function nameOf(key: DocumentKey): string {
  return JSON.stringify([key.table, key.partition, key.sort]);
}

function matches(query: DocumentQuery, key: DocumentKey): boolean {
  if (key.table !== query.table || key.partition !== query.partition) return false;
  const fromOk = query.from === undefined || compareBytes(key.sort, query.from) >= 0;
  return fromOk && (query.to === undefined || compareBytes(key.sort, query.to) < 0);
}

function toDocument<T extends object>(stored: {
  key: DocumentKey;
  text: string;
  version: number;
}): StoredDocument<T> {
  const { table, partition, sort } = stored.key;
  return {
    table,
    partition,
    sort,
    version: stored.version,
    body: decodeDocumentBody(stored.key, stored.text) as T,
  };
}
