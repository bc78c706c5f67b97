import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { livelyObjects } from '../../../src/activities/signs-of-life.ts';
import { objectsWith } from '../../../src/engine/objects-with.ts';
import { TOMBSTONES } from '../../../src/pipelines/garbage.ts';
import { withoutBuried } from '../../../src/engine/records/tombstones.ts';
import type { ObjectStore, PutFence } from '../../../src/ports/objects.ts';
import { createCachedObjectStore } from '../../../src/storage/cache/cache-objects.ts';
import { createPlacedObjectStore } from '../../../src/storage/local/placed-objects.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../../src/storage/memory/memory.ts';
import type { MemoryObjectStore } from '../../../src/storage/memory/memory.ts';
import { createCircuitBreaker, guardObjects } from '../../../src/storage/outage/circuit-breaker.ts';
import { collectText } from '../../conformance/byte-streams.ts';

/**
 * Whatever stands between a writer and its store: none may lose the fence, or a late writer gets
 * through.
 */

const KEY = 'reports/day.html';
const PAST: PutFence = { version: 1, holds: () => Promise.resolve(false) };
const NEWEST: PutFence = { version: 2, holds: () => Promise.resolve(true) };
const REPLACE = { mode: 'replace', mediaType: 'text/html' } as const;

let store: MemoryObjectStore;
let folder: string;

beforeEach(async () => {
  store = createMemoryObjectStore();
  folder = await mkdtemp(path.join(os.tmpdir(), 'fenced-'));
  await store.put(KEY, Buffer.from('version 2'), REPLACE);
});
afterEach(async () => {
  await store.dispose();
  await rm(folder, { recursive: true });
});

async function beforeTombstones(): Promise<ObjectStore> {
  const documents = createMemoryDocumentStore();
  const now = () => new Date('2024-03-01T00:00:00Z');
  await documents.put({ ...TOMBSTONES, sort: 'other' }, { key: 'other', at: now().toISOString() });
  return (await withoutBuried({ objects: store, documents, now })).objects;
}

const WRAPPERS: Readonly<Record<string, () => ObjectStore | Promise<ObjectStore>>> = {
  'a circuit breaker': () =>
    guardObjects(store, createCircuitBreaker({ name: 'the object store' })),
  'a cache': () => createCachedObjectStore({ primary: store, folder, maxBytes: 1 << 20 }),
  'a store with folders elsewhere': () =>
    createPlacedObjectStore(store, [{ folder: 'raw', store }]),
  'a folder elsewhere': () =>
    createPlacedObjectStore(createMemoryObjectStore(), [{ folder: 'at', store }]),
  'signs of life': () => livelyObjects(store),
  'held files': () => objectsWith(store, {}),
  'buried objects': beforeTombstones,
};

describe.each(Object.entries(WRAPPERS))('a fenced writer behind %s', (name, wrap) => {
  const key = name === 'a folder elsewhere' ? `at/${KEY}` : KEY;

  it('is refused when its version is not the newest any more, as is its removal', async () => {
    const objects = await wrap();
    const late = objects.put(key, Buffer.from('version 1'), { ...REPLACE, fence: PAST });
    await expect(late).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
    await expect(objects.delete(key, { fence: PAST })).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
    });
    expect(await collectText(await store.get(KEY))).toBe('version 2');
  });

  it('gets through when it is', async () => {
    const objects = await wrap();
    await objects.put(key, Buffer.from('again'), { ...REPLACE, fence: NEWEST });
    expect(await collectText(await store.get(KEY))).toBe('again');
    await objects.delete(key, { fence: NEWEST });
    expect(await store.head(KEY)).toBeUndefined();
  });
});
