import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createOverlayObjects } from '../../src/storage/local/overlay-objects.ts';
import { createOverlayDocuments } from '../../src/storage/memory/overlay-documents.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../src/storage/memory/memory.ts';
import { documentStoreConformance } from './document-store.suite.ts';
import { objectStoreConformance } from './object-store.suite.ts';

objectStoreConformance('the memory fake', () => {
  const store = createMemoryObjectStore();
  return Promise.resolve({ store, peer: store, close: () => store.dispose() });
});

documentStoreConformance('the memory fake', () => {
  const store = createMemoryDocumentStore();
  return Promise.resolve({ store, peer: store, table: 'conformance', close: () => store.close() });
});

objectStoreConformance('an overlay of objects', async () => {
  const base = createMemoryObjectStore();
  const folder = await mkdtemp(path.join(tmpdir(), 'quotidien-overlay-'));
  const store = createOverlayObjects(base, path.join(folder, 'own'));
  const close = async () => {
    await base.dispose();
    await rm(folder, { recursive: true, force: true });
  };
  return { store, peer: store, close };
});

documentStoreConformance('an overlay of documents', () => {
  const store = createOverlayDocuments(createMemoryDocumentStore());
  return Promise.resolve({ store, peer: store, table: 'conformance', close: () => store.close() });
});
