import { readFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ErrorCode } from '../../../src/errors.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../../src/storage/memory/memory.ts';
import type { MemoryObjectStore } from '../../../src/storage/memory/memory.ts';
import type { DocumentStore } from '../../../src/ports/documents.ts';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import { reconcile } from '../../../src/storage/outage/reconcile.ts';
import { collectText, sha256Of, toArray } from '../../conformance/byte-streams.ts';
import { openTestHost, switched, temporaryFolder } from './fallback-host.ts';
import type { Outage, TestHost } from './fallback-host.ts';
import { mountTinyDisk } from './tiny-disk.ts';

const REPLACE = { mode: 'replace', mediaType: 'text/plain' } as const;
const CREATE = { mode: 'create', mediaType: 'text/plain' } as const;
const key = (sort: string) => ({ table: 'ledger', partition: 'p', sort });

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let objects: MemoryObjectStore;
let documents: DocumentStore;
let objectOutage: Outage;
let documentOutage: Outage;
const hosts: TestHost[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
  objects = createMemoryObjectStore();
  documents = createMemoryDocumentStore();
  objectOutage = { code: undefined };
  documentOutage = { code: undefined };
});
afterEach(async () => {
  for (const host of hosts.splice(0)) await host.close();
  await objects.dispose();
  await folder.remove();
});

async function open(): Promise<TestHost> {
  const primary = {
    objects: switched(objects, objectOutage),
    documents: switched(documents, documentOutage),
  };
  const host = await openTestHost(folder.path, primary);
  hosts.push(host);
  return host;
}

function outage(code: ErrorCode | undefined): void {
  objectOutage.code = code;
  documentOutage.code = code;
}

describe('stores with a fallback', () => {
  it('use the primary stores, and say so, while these are there', async () => {
    const scope = (await open()).stores.scope();
    expect(await scope.objects.put('a.txt', Buffer.from('a'), CREATE)).not.toHaveProperty('place');
    await scope.documents.put(key('a'), { n: 1 });
    expect(scope.use()).toEqual({ journaledWrites: 0, pendingReads: 0, staleReads: 0 });
    expect([scope.place(), scope.degraded()]).toEqual([{ store: 'primary', host: 'alpha' }, false]);
    expect(await documents.get(key('a'))).toMatchObject({ body: { n: 1 } });
  });

  it('keep what is written while the stores are away, and tell the work that did it', async () => {
    const host = await open();
    outage('STORE_UNAVAILABLE');
    const [scope, other] = [host.stores.scope(), host.stores.scope()];
    const ref = await scope.objects.put('days/a.txt', Buffer.from('away'), CREATE);
    expect(ref).toEqual({
      key: 'days/a.txt',
      sha256: sha256Of('away'),
      bytes: 4,
      mediaType: 'text/plain',
      place: { store: 'fallback', host: 'alpha' },
    });
    await scope.documents.put(key('a'), { ref: 'days/a.txt' }, { expectedVersion: 0 });
    expect(
      await scope.documents.createMany([
        { key: key('a'), body: {} },
        { key: key('b'), body: {} },
      ]),
    ).toEqual([false, true]);
    expect(scope.use()).toMatchObject({ journaledWrites: 3 });
    expect([scope.place(), scope.degraded()]).toEqual([{ store: 'fallback', host: 'alpha' }, true]);
    expect(other.degraded()).toBe(false);
    expect(await readFile((await other.objects.openLocal(ref))!, 'utf8')).toBe('away');
    expect(other.place().store).toBe('fallback');
    expect(await host.stores.state()).toMatchObject({
      pending: 3,
      conflicts: 0,
      objects: { state: 'open' },
      documents: { state: 'open' },
    });
  });

  it.each<ErrorCode>(['STORE_DENIED', 'STORE_CORRUPT', 'STORE_CONFLICT', 'INTERNAL'])(
    'pass %s on and keep nothing',
    async (code) => {
      const { stores } = await open();
      outage(code);
      for (let time = 0; time < 5; time += 1) {
        await expect(stores.objects.put('a.txt', Buffer.from('a'), REPLACE)).rejects.toMatchObject({
          code,
        });
        await expect(stores.documents.put(key('a'), {})).rejects.toMatchObject({ code });
        await expect(stores.documents.delete(key('a'))).rejects.toMatchObject({ code });
      }
      expect(await stores.state()).toMatchObject({
        pending: 0,
        objects: { state: 'closed' },
        documents: { state: 'closed' },
      });
    },
  );

  it('show every process of the host what is pending, also after the stores are back', async () => {
    const [host, peer] = [await open(), await open()];
    await documents.put(key('old'), { n: 0 });
    outage('STORE_UNAVAILABLE');
    await host.stores.documents.put(key('new'), { n: 1 });
    await host.stores.objects.put('published.txt', Buffer.from('new'), REPLACE);
    outage(undefined);
    expect(await peer.stores.documents.get(key('new'))).toMatchObject({
      version: 1,
      body: { n: 1 },
    });
    expect(await collectText(await peer.stores.objects.get('published.txt'))).toBe('new');
    const range = { table: 'ledger', partition: 'p' };
    const sorts = (await toArray(peer.stores.documents.query(range))).map(({ sort }) => sort);
    expect(sorts).toEqual(['new', 'old']);
    expect((await toArray(peer.stores.objects.list(''))).map((head) => head.key)).toEqual([
      'published.txt',
    ]);
    expect(await documents.get(key('new'))).toBeUndefined();
  });

  it('journal the record of bytes that are pending, though its own store is there', async () => {
    const { stores, parts } = await open();
    objectOutage.code = 'STORE_UNAVAILABLE';
    await stores.objects.put('days/a.txt', Buffer.from('a'), CREATE);
    await stores.documents.put(key('a'), { ref: 'days/a.txt' }, { expectedVersion: 0 });
    expect(await documents.get(key('a'))).toBeUndefined();
    objectOutage.code = undefined;
    const order: string[] = [];
    await reconcile(parts, { progress: ({ kind }) => order.push(kind) });
    expect(order).toEqual(['object-put', 'document-put']);
    expect(await documents.get(key('a'))).toMatchObject({ version: 1 });
  });

  it('go by what the primary store has, while it is there and the journal waits', async () => {
    const { stores } = await open();
    outage('STORE_UNAVAILABLE');
    await stores.documents.put(key('pending'), {});
    outage(undefined);
    await documents.put(key('theirs'), { by: 'another host' });
    await objects.put('theirs.txt', Buffer.from('theirs'), CREATE);
    const refused = { code: 'STORE_CONFLICT' };
    await expect(
      stores.documents.put(key('theirs'), {}, { expectedVersion: 0 }),
    ).rejects.toMatchObject(refused);
    await expect(
      stores.objects.put('theirs.txt', Buffer.from('ours'), CREATE),
    ).rejects.toMatchObject(refused);
    expect(
      await stores.documents.put(key('theirs'), { by: 'us' }, { expectedVersion: 1 }),
    ).toMatchObject({
      version: 2,
    });
  });

  it('answer from what was seen before while the stores are away, and count that', async () => {
    const { stores } = await open();
    for (const sort of ['a', 'b', 'c']) await documents.put(key(sort), { sort });
    await toArray(stores.documents.query({ table: 'ledger', partition: 'p' }));
    await documents.delete(key('b'));
    await toArray(stores.documents.query({ table: 'ledger', partition: 'p', order: 'descending' }));
    await documents.put(key('d'), {});
    await stores.objects.put('a.txt', Buffer.from('a'), CREATE);
    outage('STORE_UNAVAILABLE');
    const scope = stores.scope();
    const seen = await toArray(scope.documents.query({ table: 'ledger', partition: 'p' }));
    expect(seen.map(({ sort }) => sort)).toEqual(['a', 'c']);
    expect(await scope.documents.get(key('d'))).toBeUndefined();
    expect(await toArray(scope.documents.partitions('ledger'))).toEqual(['p']);
    expect(scope.use()).toEqual({ journaledWrites: 0, pendingReads: 0, staleReads: 3 });
    expect([scope.place().store, scope.degraded()]).toEqual(['primary', true]);
  });

  it('never call bytes absent that nobody here has seen', async () => {
    const { stores } = await open();
    await objects.put('theirs.txt', Buffer.from('theirs'), CREATE);
    outage('STORE_UNAVAILABLE');
    const unavailable = { code: 'STORE_UNAVAILABLE' };
    const ref = { key: 'theirs.txt', sha256: sha256Of('theirs'), bytes: 6 };
    await expect(stores.objects.get('theirs.txt')).rejects.toMatchObject(unavailable);
    await expect(stores.objects.head('theirs.txt')).rejects.toMatchObject(unavailable);
    await expect(stores.objects.openLocal(ref)).rejects.toMatchObject(unavailable);
    await expect(toArray(stores.objects.list(''))).rejects.toMatchObject(unavailable);
  });

  it('give a stream back to its producer when the store had begun to read it', async () => {
    const { stores } = await open();
    async function* body(): AsyncGenerator<Uint8Array> {
      yield Buffer.from('first');
      await Promise.resolve();
      objectOutage.code = 'STORE_UNAVAILABLE';
      yield Buffer.from('second');
    }
    const failing: ObjectStore = {
      ...objects,
      put: async (name, source, options) => {
        await toArray(source as AsyncIterable<Uint8Array>);
        return switched(objects, objectOutage).put(name, Buffer.from(''), options);
      },
    };
    const other = await openTestHost(`${folder.path}/other`, { objects: failing, documents });
    hosts.push(other);
    const put = (): Promise<unknown> => other.stores.objects.put('a.txt', body(), CREATE);
    await expect(put()).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
    expect((await other.stores.state()).pending).toBe(0);
    outage('STORE_UNAVAILABLE');
    expect(await stores.objects.put('a.txt', body(), CREATE)).toMatchObject({
      bytes: 11,
      place: { store: 'fallback' },
    });
  });

  it('show pending deletions as absent, in every reading', async () => {
    const { stores } = await open();
    await stores.documents.put(key('a'), {});
    await stores.documents.put(key('b'), {});
    const ref = await stores.objects.put('a.txt', Buffer.from('a'), CREATE);
    outage('STORE_UNAVAILABLE');
    await stores.documents.delete(key('a'));
    await stores.objects.delete('a.txt');
    outage(undefined);
    expect(await stores.documents.get(key('a'))).toBeUndefined();
    const first = await toArray(
      stores.documents.query({ table: 'ledger', partition: 'p', limit: 1 }),
    );
    expect(first.map(({ sort }) => sort)).toEqual(['b']);
    expect(await stores.objects.get('a.txt')).toBeUndefined();
    expect(await stores.objects.head('a.txt')).toBeUndefined();
    expect(await stores.objects.openLocal(ref)).toBeUndefined();
    expect(await toArray(stores.objects.list(''))).toEqual([]);
    expect(
      await stores.documents.put(key('a'), { again: true }, { expectedVersion: 0 }),
    ).toMatchObject({ version: 1 });
  });

  it('say that pending bytes are damaged, or gone, instead of serving them', async () => {
    const { stores, parts } = await open();
    outage('STORE_UNAVAILABLE');
    const ref = await stores.objects.put('a.txt', Buffer.from('a'), CREATE);
    await expect(stores.objects.openLocal({ ...ref, sha256: sha256Of('b') })).rejects.toMatchObject(
      {
        code: 'STORE_CORRUPT',
      },
    );
    for await (const blob of parts.blobs.list('')) await parts.blobs.delete(blob.key);
    await expect(stores.objects.openLocal(ref)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await expect(stores.objects.get('a.txt')).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('are refused by a full disk, and keep what they acknowledged', async ({ skip }) => {
    const tiny = await mountTinyDisk(512);
    if (tiny === undefined) return skip();
    const host = await openTestHost(tiny.folder, {
      objects: switched(objects, objectOutage),
      documents,
    });
    objectOutage.code = 'STORE_UNAVAILABLE';
    const acknowledged: string[] = [];
    const fill = async (): Promise<void> => {
      for (let n = 0; n < 20; n += 1) {
        await host.stores.objects.put(`${n}.txt`, Buffer.alloc(40_000, `${n}`), CREATE);
        acknowledged.push(`${n}`);
      }
    };
    await expect(fill()).rejects.toMatchObject({ code: 'STORE_DENIED' });
    objectOutage.code = undefined;
    expect(acknowledged.length).toBeGreaterThan(2);
    for (const n of acknowledged) {
      expect(await collectText(await host.stores.objects.get(`${n}.txt`))).toBe(
        String(Buffer.alloc(40_000, n)),
      );
    }
    await host.close();
    await tiny.unmount();
  });

  it('do not open on a read-only disk: what they could not keep must not be promised', async ({
    skip,
  }) => {
    const tiny = await mountTinyDisk(512);
    if (tiny === undefined) return skip();
    await tiny.makeReadOnly();
    await expect(openTestHost(tiny.folder, { objects, documents })).rejects.toMatchObject({
      code: 'STORE_DENIED',
    });
    await tiny.unmount();
  });
});
