import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalObjectStore } from '../../../src/storage/local-files.ts';
import { createMemoryDocumentStore, createMemoryObjectStore } from '../../../src/storage/memory.ts';
import { migrate } from '../../../src/storage/migrate.ts';
import type { Installation, MigrationCursor } from '../../../src/storage/migrate.ts';
import type { ObjectStore } from '../../../src/storage/ports.ts';
import { openSqliteDocumentStore } from '../../../src/storage/sqlite-documents.ts';
import { collectText, toArray } from '../../conformance/byte-streams.ts';
import { temporaryFolder } from './fallback-host.ts';

const CREATE = { mode: 'create', mediaType: 'text/plain' } as const;
const TABLES = ['ledger', 'manifests'];

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let from: Installation;
let to: Installation;
const closings: (() => Promise<void>)[] = [];

beforeEach(async () => {
  folder = await temporaryFolder();
  const documents = await openSqliteDocumentStore({ file: path.join(folder.path, 'from.db') });
  from = { objects: createLocalObjectStore({ root: path.join(folder.path, 'from') }), documents };
  const objects = createMemoryObjectStore();
  to = { objects, documents: createMemoryDocumentStore() };
  closings.push(
    () => documents.close(),
    () => objects.dispose(),
  );
  for (let n = 0; n < 20; n += 1) await from.objects.put(`days/${n}.json`, Buffer.from(`{"day":${n}}`), CREATE);
  for (const table of TABLES) {
    for (const partition of ['eco2mix/2024-01', 'eco2mix/2024-02', 'é']) {
      const key = (n: number) => ({ table, partition, sort: String(n).padStart(4, '0') });
      await documents.createMany(Array.from({ length: 250 }, (_, n) => ({ key: key(n), body: { n, x: 0.1 } })));
    }
  }
  await documents.put({ table: 'ledger', partition: 'é', sort: '0000' }, { replaced: true });
});
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
  await folder.remove();
});

describe('a migration', () => {
  it('copies everything, and finds it the same the next time', async () => {
    const report = await migrate({ from, to, tables: TABLES });
    expect(report).toEqual({
      objects: { copied: 20, same: 0 },
      documents: { copied: 1_500, same: 0 },
      conflicts: [],
    });
    expect(await collectText(await to.objects.get('days/7.json'))).toBe('{"day":7}');
    expect(await to.documents.get({ table: 'ledger', partition: 'é', sort: '0000' })).toMatchObject({
      version: 1,
      body: { replaced: true },
    });
    const again = await migrate({ from, to, tables: TABLES });
    expect(again).toMatchObject({ objects: { copied: 0, same: 20 }, documents: { copied: 0, same: 1_500 } });
  });

  it('goes on behind the cursor of a run that was stopped', async () => {
    const stop = new AbortController();
    let cursor: MigrationCursor | undefined;
    const stopped = migrate({
      from,
      to,
      tables: TABLES,
      signal: stop.signal,
      progress: (progress) => {
        cursor = progress.cursor;
        if (progress.objects === 16) stop.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    expect(await toArray(to.objects.list(''))).toHaveLength(16);
    const report = await migrate({ from, to, tables: TABLES, resumeAfter: cursor! });
    expect(report).toMatchObject({ objects: { copied: 4, same: 0 }, documents: { copied: 1_500 }, conflicts: [] });
  });

  it('touches nothing that the target has otherwise, and lists it', async () => {
    await to.objects.put('days/3.json', Buffer.from('{"day":4}'), CREATE);
    await to.documents.put({ table: 'manifests', partition: 'é', sort: '0009' }, { n: 'another' });
    const { conflicts } = await migrate({ from, to, tables: TABLES });
    expect(conflicts).toEqual([
      'the object days/3.json has other bytes in the target',
      'the document manifests:é:0009 has another body in the target',
    ]);
    expect(await collectText(await to.objects.get('days/3.json'))).toBe('{"day":4}');
  });

  it('notices a target that does not keep what it was given', async () => {
    const put: ObjectStore['put'] = async (key, body, options) => {
      await toArray(body as AsyncIterable<Uint8Array>);
      return to.objects.put(key, Buffer.from('something else'), options);
    };
    const broken = { ...to, objects: { ...to.objects, put } };
    await expect(migrate({ from, to: broken, tables: TABLES })).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });
});
