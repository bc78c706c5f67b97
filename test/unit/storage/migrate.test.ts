import { appendFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createLocalObjectStore } from '../../../src/storage/local/local-files.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../../src/storage/memory/memory.ts';
import { migrate } from '../../../src/storage/setup/migrate.ts';
import type { Installation } from '../../../src/storage/setup/migrate.ts';
import { openMigrationNotes } from '../../../src/storage/setup/migration-notes.ts';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import { openSqliteDocumentStore } from '../../../src/storage/sqlite/sqlite-documents.ts';
import { collectText, sha256Of, toArray } from '../../conformance/byte-streams.ts';
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
  for (let n = 0; n < 20; n += 1)
    await from.objects.put(`days/${n}.json`, Buffer.from(`{"day":${n}}`), CREATE);
  for (const table of TABLES) {
    for (const partition of ['eco2mix/2024-01', 'eco2mix/2024-02', 'é']) {
      const key = (n: number) => ({ table, partition, sort: String(n).padStart(4, '0') });
      await documents.createMany(
        Array.from({ length: 250 }, (_, n) => ({ key: key(n), body: { n, x: 0.1 } })),
      );
    }
  }
  await documents.put({ table: 'ledger', partition: 'é', sort: '0000' }, { replaced: true });
});
afterEach(async () => {
  for (const close of closings.splice(0)) await close();
  await folder.remove();
});

/** The store with some of its methods changed. */
function proxied(store: ObjectStore, changes: Partial<ObjectStore>): ObjectStore {
  return new Proxy(store, {
    get(target, name) {
      const member: unknown = Reflect.get(name in changes ? changes : target, name);
      return typeof member === 'function' ? (member.bind(target) as unknown) : member;
    },
  });
}

describe('a migration', () => {
  it('copies everything, and finds it the same the next time', async () => {
    const report = await migrate({ from, to, tables: TABLES });
    expect(report).toEqual({
      objects: { copied: 20, same: 0, replaced: 0, removed: 0 },
      documents: { copied: 1_500, same: 0, replaced: 0, removed: 0 },
      conflicts: [],
      missing: [],
    });
    expect(await collectText(await to.objects.get('days/7.json'))).toBe('{"day":7}');
    expect(await to.documents.get({ table: 'ledger', partition: 'é', sort: '0000' })).toMatchObject(
      {
        version: 1,
        body: { replaced: true },
      },
    );
    const again = await migrate({ from, to, tables: TABLES });
    expect(again).toMatchObject({
      objects: { copied: 0, same: 20 },
      documents: { copied: 0, same: 1_500 },
    });
  });

  it('reads nothing again that an earlier try noted, and goes on with the rest', async () => {
    const file = path.join(folder.path, 'notes', 'migration.jsonl');
    const stop = new AbortController();
    const stopped = migrate({
      from,
      to,
      tables: TABLES,
      notes: await openMigrationNotes(file),
      signal: stop.signal,
      progress: (progress) => {
        if (progress.objects === 16) stop.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    expect(await toArray(to.objects.list(''))).toHaveLength(16);
    const read: string[] = [];
    const get: ObjectStore['get'] = (key, range) => {
      read.push(key);
      return from.objects.get(key, range);
    };
    const objects = proxied(from.objects, { get });
    // What a kill left of the last line.
    await appendFile(file, '\n{"name":"days/');
    const notes = await openMigrationNotes(file);
    const report = await migrate({ from: { ...from, objects }, to, tables: TABLES, notes });
    expect(report).toMatchObject({
      objects: { copied: 4, same: 16 },
      documents: { copied: 1_500 },
      conflicts: [],
    });
    expect(read).toHaveLength(4);
  });

  it('replaces what an earlier try copied and the source changed since, unless the target has moved on as well', async () => {
    const notes = await openMigrationNotes(path.join(folder.path, 'notes.jsonl'));
    await migrate({ from, to, tables: TABLES, notes });
    for (const n of [3, 4]) {
      await from.objects.put(`days/${n}.json`, Buffer.from('{"day":"later"}'), {
        ...CREATE,
        mode: 'replace',
      });
      await from.documents.put(
        { table: 'manifests', partition: 'é', sort: `000${n}` },
        { n: 'later' },
      );
    }
    await to.objects.put('days/4.json', Buffer.from('{"day":"theirs"}'), {
      ...CREATE,
      mode: 'replace',
    });
    await to.documents.put({ table: 'manifests', partition: 'é', sort: '0004' }, { n: 'theirs' });
    const report = await migrate({ from, to, tables: TABLES, notes });
    expect(report).toMatchObject({
      objects: { replaced: 1, same: 18 },
      documents: { replaced: 1, same: 1_498 },
    });
    expect(report.conflicts).toEqual([
      'the object days/4.json has other bytes in the target',
      'the document manifests:é:0004 has another body in the target',
    ]);
    expect(await collectText(await to.objects.get('days/3.json'))).toBe('{"day":"later"}');
    expect(await collectText(await to.objects.get('days/4.json'))).toBe('{"day":"theirs"}');
  });

  it('finds every artefact that the documents of the target name, also one that no listing showed', async () => {
    const body = {
      outputs: { page: { key: 'days/7.json', sha256: sha256Of('{"day":7}'), bytes: 9 } },
    };
    await from.documents.put({ table: 'manifests', partition: 'p', sort: 'a' }, body);
    async function* list(prefix: string) {
      for await (const head of from.objects.list(prefix))
        if (head.key !== 'days/7.json') yield head;
    }
    const blind = { ...from, objects: proxied(from.objects, { list }) };
    const report = await migrate({
      from: blind,
      to,
      tables: TABLES,
      naming: { manifests: 'required' },
    });
    expect(report).toMatchObject({ objects: { copied: 20 }, missing: [] });
    expect(await collectText(await to.objects.get('days/7.json'))).toBe('{"day":7}');
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
    await expect(migrate({ from, to: broken, tables: TABLES })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
    });
  });
});
