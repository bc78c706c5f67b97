import { expect } from 'vitest';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../../src/storage/memory/memory.ts';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import { documentStoreConformance } from '../../conformance/document-store.suite.ts';
import { objectStoreConformance } from '../../conformance/object-store.suite.ts';
import { openTestHost, switched, temporaryFolder } from './fallback-host.ts';
import type { Outage } from './fallback-host.ts';

/** The cases of every store know nothing of a place. */
function unplaced(store: ObjectStore): ObjectStore {
  return {
    kind: store.kind,
    async put(key, body, options) {
      const { place, ...ref } = await store.put(key, body, options);
      expect(place).toEqual({ store: 'fallback', host: 'alpha' });
      return ref;
    },
    get: (key, range) => store.get(key, range),
    head: (key) => store.head(key),
    list: (prefix) => store.list(prefix),
    delete: (...args) => store.delete(...args),
    inspect: (ref) => store.inspect(ref),
    openLocal: (ref, options) => store.openLocal(ref, options),
  };
}

async function host(options: { pending: boolean; away: boolean }) {
  const folder = await temporaryFolder();
  const [objects, documents] = [createMemoryObjectStore(), createMemoryDocumentStore()];
  const outage: Outage = { code: 'STORE_UNAVAILABLE' };
  const primary = { objects: switched(objects, outage), documents: switched(documents, outage) };
  const first = await openTestHost(folder.path, primary);
  const second = await openTestHost(folder.path, primary);
  if (options.pending) {
    await first.stores.documents.put(
      { table: 'others', partition: 'p', sort: 'pending' },
      { waits: true },
    );
  }
  if (!options.away) outage.code = undefined;
  return {
    first,
    second,
    async close() {
      await first.close();
      await second.close();
      await objects.dispose();
      await folder.remove();
    },
  };
}

objectStoreConformance('a fallback whose primary store is there', async () => {
  const opened = await host({ pending: false, away: false });
  return {
    store: opened.first.stores.objects,
    peer: opened.second.stores.objects,
    close: () => opened.close(),
  };
});

objectStoreConformance('a fallback whose journal waits to be replayed', async () => {
  const opened = await host({ pending: true, away: false });
  return {
    store: unplaced(opened.first.stores.objects),
    peer: unplaced(opened.second.stores.objects),
    close: () => opened.close(),
  };
});

documentStoreConformance('a fallback whose primary store is there', async () => {
  const opened = await host({ pending: false, away: false });
  return {
    store: opened.first.stores.documents,
    peer: opened.second.stores.documents,
    table: 'conformance',
    close: () => opened.close(),
  };
});

documentStoreConformance('a fallback whose journal waits to be replayed', async () => {
  const opened = await host({ pending: true, away: false });
  return {
    store: opened.first.stores.documents,
    peer: opened.second.stores.documents,
    table: 'conformance',
    close: () => opened.close(),
  };
});

documentStoreConformance('a fallback whose primary store is away', async () => {
  const opened = await host({ pending: false, away: true });
  return {
    store: opened.first.stores.documents,
    peer: opened.second.stores.documents,
    table: 'conformance',
    close: () => opened.close(),
  };
});
