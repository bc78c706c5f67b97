import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createLocalObjectStore } from '../../src/storage/local/local-files.ts';
import { openSqliteDocumentStore } from '../../src/storage/sqlite/sqlite-documents.ts';
import { documentStoreConformance, openedTwice } from './document-store.suite.ts';
import { objectStoreConformance } from './object-store.suite.ts';

async function temporaryFolder(): Promise<string> {
  return mkdtemp(path.join(tmpdir(), 'quotidien-embedded-'));
}

objectStoreConformance('a folder of local files', async () => {
  const folder = await temporaryFolder();
  const root = path.join(folder, 'objects');
  return {
    store: createLocalObjectStore({ root }),
    peer: createLocalObjectStore({ root }),
    close: () => rm(folder, { recursive: true, force: true }),
  };
});

objectStoreConformance('a folder of local files that packs whatever it can', async () => {
  const folder = await temporaryFolder();
  const open = () =>
    createLocalObjectStore({ root: path.join(folder, 'objects'), packs: () => true });
  return { store: open(), peer: open(), close: () => rm(folder, { recursive: true, force: true }) };
});

documentStoreConformance('an SQLite file', async () => {
  const folder = await temporaryFolder();
  const file = path.join(folder, 'documents.db');
  return openedTwice(
    await openSqliteDocumentStore({ file }),
    await openSqliteDocumentStore({ file }),
    () => rm(folder, { recursive: true, force: true }),
  );
});
