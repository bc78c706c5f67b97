import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { DocumentKey, DocumentStore } from '../../../src/ports/documents.ts';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import { createLocalObjectStore } from '../../../src/storage/local/local-files.ts';
import { createOverlayObjects } from '../../../src/storage/local/overlay-objects.ts';
import { createMemoryDocumentStore } from '../../../src/storage/memory/memory.ts';
import { createOverlayDocuments } from '../../../src/storage/memory/overlay-documents.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-overlay-'));
});

afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const TEXT = { mediaType: 'text/plain' } as const;
const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

async function objectsIn(store: ObjectStore): Promise<Record<string, string>> {
  const found: Record<string, string> = {};
  for await (const { key } of store.list('')) {
    const chunks: Uint8Array[] = [];
    for await (const chunk of (await store.get(key)) ?? []) chunks.push(chunk);
    found[key] = Buffer.concat(chunks).toString();
  }
  return found;
}

describe('an overlay of objects', () => {
  it('shows what was written and removed, in order, and leaves the store below as it was', async () => {
    const base = createLocalObjectStore({ root: path.join(folder, 'base') });
    for (const key of ['a/1', 'a/2', 'b/1'])
      await base.put(key, bytes(`${key} below`), { ...TEXT, mode: 'create' });
    const before = await objectsIn(base);
    const overlay = createOverlayObjects(base, path.join(folder, 'own'));
    await overlay.put('a/2', bytes('other'), { ...TEXT, mode: 'replace' });
    const ref = await overlay.put('a/15', bytes('new'), { ...TEXT, mode: 'create' });
    await overlay.delete('b/1');
    expect(Object.entries(await objectsIn(overlay))).toEqual([
      ['a/1', 'a/1 below'],
      ['a/15', 'new'],
      ['a/2', 'other'],
    ]);
    expect(await overlay.openLocal(ref)).toBeDefined();
    expect(await overlay.inspect(ref)).toEqual({ state: 'intact' });
    expect(await overlay.head('b/1')).toBeUndefined();
    await expect(overlay.put('a/1', bytes('x'), { ...TEXT, mode: 'create' })).rejects.toMatchObject(
      {
        code: 'STORE_CONFLICT',
      },
    );
    await overlay.put('b/1', bytes('again'), { ...TEXT, mode: 'create' });
    expect(await objectsIn(base)).toEqual(before);
  });
});

function at(sort: string, partition = 'p'): DocumentKey {
  return { table: 'records', partition, sort };
}

async function documentsIn(store: DocumentStore, query = {}): Promise<[string, number, object][]> {
  const found: [string, number, object][] = [];
  for await (const { sort, version, body } of store.query({
    table: 'records',
    partition: 'p',
    ...query,
  })) {
    found.push([sort, version, body]);
  }
  return found;
}

async function partitionsIn(store: DocumentStore): Promise<string[]> {
  const found: string[] = [];
  for await (const partition of store.partitions('records')) found.push(partition);
  return found.sort();
}

describe('an overlay of documents', () => {
  let base: DocumentStore;
  let overlay: DocumentStore;

  beforeEach(async () => {
    base = createMemoryDocumentStore();
    for (const sort of ['a', 'c', 'e']) await base.put(at(sort), { of: 'below' });
    await base.put(at('c'), { of: 'below, twice' });
    await base.put(at('x', 'other'), {});
    overlay = createOverlayDocuments(base);
  });

  it('goes on from the versions of the store below, and changes nothing there', async () => {
    const before = await documentsIn(base);
    expect(await overlay.put(at('c'), { of: 'us' }, { expectedVersion: 2 })).toEqual({
      version: 3,
    });
    await expect(overlay.put(at('c'), {}, { expectedVersion: 2 })).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
    });
    await expect(overlay.put(at('a'), {}, { expectedVersion: 0 })).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
    });
    expect(await overlay.put(at('c'), { of: 'us again' })).toEqual({ version: 4 });
    expect(await overlay.get(at('c'))).toMatchObject({ version: 4, body: { of: 'us again' } });
    expect(await overlay.createMany([at('e'), at('f')].map((key) => ({ key, body: {} })))).toEqual([
      false,
      true,
    ]);
    expect(await documentsIn(base)).toEqual(before);
  });

  it('still shows what is below where a write of it was refused', async () => {
    const before = await documentsIn(overlay);
    await expect(overlay.put(at('a'), {}, { expectedVersion: 0 })).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
    });
    expect(await overlay.createMany([{ key: at('e'), body: {} }])).toEqual([false]);
    expect(await overlay.get(at('a'))).toMatchObject({ version: 1, body: { of: 'below' } });
    expect(await documentsIn(overlay)).toEqual(before);
  });

  it('has one of two writes of a document below, at once, on its version', async () => {
    const puts = [1, 2].map((by) => overlay.put(at('c'), { by }, { expectedVersion: 2 }));
    const ended = await Promise.allSettled(puts);
    expect(ended.map(({ status }) => status).sort()).toEqual(['fulfilled', 'rejected']);
    expect(await overlay.get(at('c'))).toMatchObject({ version: 3 });
  });

  it('finds its own documents among those below in order, and none that was removed', async () => {
    for (const sort of ['b', 'd', 'g']) await overlay.put(at(sort), { of: 'us' });
    await overlay.delete(at('c'));
    const sorts = async (query = {}): Promise<string> =>
      (await documentsIn(overlay, query)).map(([sort]) => sort).join('');
    expect(await sorts()).toBe('abdeg');
    expect(await sorts({ order: 'descending' })).toBe('gedba');
    expect(await sorts({ limit: 3 })).toBe('abd');
    expect(await sorts({ order: 'descending', limit: 2 })).toBe('ge');
    expect(await sorts({ from: 'b', to: 'e' })).toBe('bd');
    expect(await overlay.put(at('c'), {}, { expectedVersion: 0 })).toEqual({ version: 1 });
  });

  it('names the partitions that have a document', async () => {
    await overlay.put(at('n', 'new'), {});
    await overlay.delete(at('x', 'other'));
    expect(await partitionsIn(overlay)).toEqual(['new', 'p']);
    expect(await partitionsIn(base)).toEqual(['other', 'p']);
  });
});
