import { createMemoryDocumentStore, createMemoryObjectStore } from '../../src/storage/memory/memory.ts';
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
