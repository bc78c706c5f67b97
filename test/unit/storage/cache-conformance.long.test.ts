import path from 'node:path';
import { createCachedObjectStore } from '../../../src/storage/cache/cache-objects.ts';
import { createLocalObjectStore } from '../../../src/storage/local/local-files.ts';
import { createMemoryObjectStore } from '../../../src/storage/memory/memory.ts';
import { objectStoreConformance } from '../../conformance/object-store.suite.ts';
import { temporaryFolder } from './fallback-host.ts';

const GIB = 1 << 30;

objectStoreConformance('a cache in front of a memory store', async () => {
  const folder = await temporaryFolder();
  const primary = createMemoryObjectStore();
  const open = () => createCachedObjectStore({ primary, folder: folder.path, maxBytes: GIB });
  return {
    store: open(),
    peer: open(),
    async close() {
      await primary.dispose();
      await folder.remove();
    },
  };
});

objectStoreConformance('a cache that is too small, in front of local files', async () => {
  const folder = await temporaryFolder();
  const primary = createLocalObjectStore({ root: path.join(folder.path, 'objects') });
  const open = () =>
    createCachedObjectStore({ primary, folder: path.join(folder.path, 'cache'), maxBytes: 4_096 });
  return { store: open(), peer: open(), close: folder.remove };
});
