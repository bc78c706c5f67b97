import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../../src/storage/memory/memory.ts';
import type { MemoryObjectStore } from '../../../src/storage/memory/memory.ts';
import type { DocumentStore } from '../../../src/ports/documents.ts';
import type { ObjectStore } from '../../../src/ports/objects.ts';
import { readConflict, settleConflict } from '../../../src/storage/outage/reconcile-conflicts.ts';
import type { ReconcileParts } from '../../../src/storage/outage/reconcile-parts.ts';
import { listConflicts, planReconcile, reconcile } from '../../../src/storage/outage/reconcile.ts';
import { collectText, sha256Of, toArray } from '../../conformance/byte-streams.ts';
import { openTestHost, switched, temporaryFolder } from './fallback-host.ts';
import type { Outage, TestHost } from './fallback-host.ts';

const REPLACE = { mode: 'replace', mediaType: 'text/plain' } as const;
const CREATE = { mode: 'create', mediaType: 'text/plain' } as const;
const key = (sort: string) => ({ table: 'ledger', partition: 'p', sort });
const fast = { entriesPerSecond: Number.POSITIVE_INFINITY };

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let objects: MemoryObjectStore;
let documents: DocumentStore;
let outage: Outage;
let host: TestHost;

beforeEach(async () => {
  folder = await temporaryFolder();
  objects = createMemoryObjectStore();
  documents = createMemoryDocumentStore();
  outage = { code: undefined };
  host = await open();
});
afterEach(async () => {
  await host.close();
  await objects.dispose();
  await folder.remove();
});

function open(options: Parameters<typeof openTestHost>[2] = {}): Promise<TestHost> {
  const primary = { objects: switched(objects, outage), documents: switched(documents, outage) };
  return openTestHost(folder.path, primary, options);
}

/** Does the work while the primary stores are away. */
async function away(
  work: (stores: { objects: ObjectStore; documents: DocumentStore }) => Promise<unknown>,
) {
  outage.code = 'STORE_UNAVAILABLE';
  await work(host.stores);
  outage.code = undefined;
}

const textOf = async (name: string) => collectText(await objects.get(name));

describe('a replay', () => {
  it('brings everything to the primary stores, in order, and proves it', async () => {
    await host.stores.documents.put(key('pointer'), { at: 0 });
    await host.stores.documents.put(key('old'), {});
    await host.stores.objects.put('published.txt', Buffer.from('old'), REPLACE);
    await away(async (stores) => {
      await stores.objects.put('days/new.txt', Buffer.from('new'), CREATE);
      await stores.documents.put(key('new'), { n: 1 }, { expectedVersion: 0 });
      await stores.documents.put(key('pointer'), { at: 1 }, { expectedVersion: 1 });
      await stores.documents.put(key('pointer'), { at: 2 }, { expectedVersion: 2 });
      await stores.documents.delete(key('old'));
      await stores.objects.put('published.txt', Buffer.from('newer'), REPLACE);
      await stores.objects.put('published.txt', Buffer.from('newest'), REPLACE);
    });
    const seen: string[] = [];
    const report = await reconcile(host.parts, {
      ...fast,
      progress: ({ done, total, kind, outcome }) =>
        seen.push(`${done}/${total} ${kind} ${outcome.kind}`),
    });
    expect(report).toEqual({
      applied: 7,
      same: 0,
      merged: [],
      conflicts: [],
      pending: 0,
      converged: true,
    });
    expect(seen[0]).toBe('1/7 object-put apply');
    expect(await documents.get(key('pointer'))).toMatchObject({ version: 3, body: { at: 2 } });
    expect(await documents.get(key('new'))).toMatchObject({ version: 1 });
    expect(await documents.get(key('old'))).toBeUndefined();
    expect([await textOf('published.txt'), await textOf('days/new.txt')]).toEqual([
      'newest',
      'new',
    ]);
    expect(await toArray(host.parts.blobs.list(''))).toEqual([]);
    const scope = host.stores.scope();
    await scope.documents.put(key('after'), {});
    expect(scope.degraded()).toBe(false);
    expect(await reconcile(host.parts, fast)).toMatchObject({ applied: 0, converged: true });
  });

  it('plans without doing anything', async () => {
    await documents.put(key('theirs'), { by: 'another host' });
    await away(async (stores) => {
      await stores.documents.put(key('ours'), {}, { expectedVersion: 0 });
      await stores.documents.put(key('theirs'), { by: 'us' }, { expectedVersion: 0 });
      await stores.objects.put('a.txt', Buffer.from('a'), CREATE);
    });
    await objects.put('a.txt', Buffer.from('a'), CREATE);
    const planned = await planReconcile(host.parts);
    expect(planned.map(({ outcome }) => outcome.kind)).toEqual(['apply', 'conflict', 'same']);
    expect(await documents.get(key('ours'))).toBeUndefined();
    expect((await host.stores.state()).pending).toBe(3);
  });

  it('overwrites nothing that another host wrote meanwhile, and lists both with a remedy', async () => {
    await host.stores.objects.put('published.txt', Buffer.from('known'), REPLACE);
    await host.stores.documents.put(key('pointer'), { at: 0 });
    await away(async (stores) => {
      await stores.documents.put(key('created'), { by: 'us' }, { expectedVersion: 0 });
      await stores.documents.put(key('pointer'), { at: 'ours' }, { expectedVersion: 1 });
      await stores.documents.put(key('unseen'), { by: 'us' });
      await stores.objects.put('published.txt', Buffer.from('ours'), REPLACE);
      await stores.objects.put('unseen.txt', Buffer.from('ours'), REPLACE);
      await stores.objects.put('fine.txt', Buffer.from('fine'), CREATE);
    });
    await documents.put(key('created'), { by: 'them' });
    await documents.put(key('pointer'), { at: 'theirs' });
    await documents.put(key('unseen'), { by: 'them' });
    await objects.put('published.txt', Buffer.from('theirs'), REPLACE);
    await objects.put('unseen.txt', Buffer.from('theirs'), REPLACE);
    const report = await reconcile(host.parts, fast);
    expect(report).toMatchObject({ applied: 1, same: 0, pending: 0, converged: false });
    expect(report.conflicts).toHaveLength(5);
    expect(report.conflicts[3]).toMatchObject({
      key: 'published.txt',
      ours: { sha256: sha256Of('ours') },
      found: `the object published.txt has the sha256 ${sha256Of('theirs')}`,
      remedy: expect.stringContaining('compare both') as string,
    });
    expect(await documents.get(key('created'))).toMatchObject({ version: 1, body: { by: 'them' } });
    expect(await documents.get(key('pointer'))).toMatchObject({
      version: 2,
      body: { at: 'theirs' },
    });
    expect([await textOf('published.txt'), await textOf('unseen.txt')]).toEqual([
      'theirs',
      'theirs',
    ]);
    // Reads are those of the primary store again, and writes go there.
    expect(await host.stores.documents.get(key('created'))).toMatchObject({ body: { by: 'them' } });
    expect(await readConflict(host.parts, report.conflicts[0]!.id)).toEqual({
      ours: { by: 'us' },
      primary: { by: 'them' },
    });
  });

  it('keeps a conflict, with its bytes, until a person decides', async () => {
    await away(async (stores) => {
      await stores.documents.put(key('a'), { by: 'us' }, { expectedVersion: 0 });
      await stores.documents.put(key('b'), { by: 'us' }, { expectedVersion: 0 });
      await stores.objects.put('a.txt', Buffer.from('ours'), CREATE);
    });
    for (const sort of ['a', 'b']) await documents.put(key(sort), { by: 'them' });
    await objects.put('a.txt', Buffer.from('theirs'), CREATE);
    const inAWeek = new Date(Date.now() + 7 * 24 * 3_600_000);
    await reconcile(host.parts, { ...fast, now: () => inAWeek });
    const [a, b, object] = (await listConflicts(host.parts)).map(({ id }) => id);
    await settleConflict(host.parts, a!, { keep: 'primary', by: 'a tester' });
    await settleConflict(host.parts, b!, { keep: 'ours', by: 'a tester' });
    await settleConflict(host.parts, object!, { keep: 'ours', by: 'a tester' });
    expect(await documents.get(key('a'))).toMatchObject({ version: 1, body: { by: 'them' } });
    expect(await documents.get(key('b'))).toMatchObject({ version: 2, body: { by: 'us' } });
    expect(await textOf('a.txt')).toBe('ours');
    await expect(
      settleConflict(host.parts, a!, { keep: 'ours', by: 'a tester' }),
    ).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
    expect(await reconcile(host.parts, { ...fast, now: () => inAWeek })).toMatchObject({
      conflicts: [],
      converged: true,
    });
    expect(await toArray(host.parts.blobs.list(''))).toEqual([]);
  });

  it('takes for the same what says the same by the word of its caller', async () => {
    await host.close();
    const outputs = (body: object): unknown => (body as { outputs: unknown }).outputs;
    host = await open({ equivalent: (_, ours, theirs) => outputs(ours) === outputs(theirs) });
    await away((stores) =>
      stores.documents.put(key('step'), { outputs: 'hash', host: 'alpha' }, { expectedVersion: 0 }),
    );
    await documents.put(key('step'), { outputs: 'hash', host: 'beta' });
    expect(await reconcile(host.parts, fast)).toMatchObject({
      same: 1,
      conflicts: [],
      converged: true,
    });
    expect(await documents.get(key('step'))).toMatchObject({ version: 1, body: { host: 'beta' } });
  });

  it('goes on where it was stopped, with what was written meanwhile', async () => {
    await away(async (stores) => {
      for (let n = 0; n < 10; n += 1)
        await stores.documents.put(key(`${n}`), { n }, { expectedVersion: 0 });
    });
    const stop = new AbortController();
    const stopped = reconcile(host.parts, {
      ...fast,
      signal: stop.signal,
      progress: ({ done }) => {
        if (done === 4) stop.abort(new Error('enough'));
      },
    });
    await expect(stopped).rejects.toThrow('enough');
    expect((await host.stores.state()).pending).toBe(6);
    await host.stores.documents.put(key('10'), { n: 10 }, { expectedVersion: 0 });
    expect(await documents.get(key('10'))).toBeUndefined();
    expect(await reconcile(host.parts, fast)).toMatchObject({
      applied: 7,
      same: 0,
      converged: true,
    });
    expect(await toArray(documents.query({ table: 'ledger', partition: 'p' }))).toHaveLength(11);
  });

  it('stops when a store goes away again or refuses, and keeps the rest', async () => {
    await away((stores) =>
      stores.documents.createMany(['a', 'b', 'c'].map((sort) => ({ key: key(sort), body: {} }))),
    );
    for (const code of ['STORE_UNAVAILABLE', 'STORE_DENIED'] as const) {
      const progress = (): void => {
        outage.code = code;
      };
      await expect(reconcile(host.parts, { ...fast, progress })).rejects.toMatchObject({ code });
      outage.code = undefined;
    }
    expect((await host.stores.state()).pending).toBe(1);
    expect(await reconcile(host.parts, fast)).toMatchObject({ converged: true });
  });

  it('is refused while another process replays', async () => {
    await away((stores) => stores.documents.put(key('a'), {}));
    const release = await host.parts.journal.claim();
    await expect(reconcile(host.parts, fast)).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
    await release!();
    expect(await reconcile(host.parts, fast)).toMatchObject({ converged: true });
  });

  it('lists bytes that were lost on this host, and replays the rest', async () => {
    await away(async (stores) => {
      await stores.objects.put('lost.txt', Buffer.from('lost'), CREATE);
      await stores.objects.put('kept.txt', Buffer.from('kept'), CREATE);
    });
    const [lost] = [...(await host.parts.journal.refresh()).pending.values()];
    await host.parts.blobs.delete((lost as { blob: string }).blob);
    const report = await reconcile(host.parts, fast);
    expect(report).toMatchObject({
      applied: 1,
      conflicts: [{ key: 'lost.txt', found: expect.stringContaining('gone') as string }],
    });
  });

  describe('of a name that is the hash of its bytes', () => {
    const name = `core/${sha256Of('right')}.json`;
    const expectRight = async () => {
      expect(await textOf(name)).toBe('right');
      expect(await listConflicts(host.parts)).toEqual([]);
      expect(await toArray(host.parts.blobs.list(''))).toEqual([]);
    };

    it('replaces bytes that were damaged before or after it was written here', async () => {
      await away((stores) => stores.objects.put(name, Buffer.from('right'), CREATE));
      await objects.put(name, Buffer.from('wrong'), CREATE);
      expect((await planReconcile(host.parts)).map(({ outcome }) => outcome.kind)).toEqual([
        'apply',
      ]);
      expect(await reconcile(host.parts, fast)).toMatchObject({
        applied: 1,
        conflicts: [],
        converged: true,
      });
      await expectRight();
    });

    it('brings back what vanished after this host had replaced damaged bytes', async () => {
      await objects.put(name, Buffer.from('wrong'), CREATE);
      await away(async (stores) => {
        await stores.documents.put(key('first'), {});
        // What follows in the journal waits behind it, though the stores are there again.
        outage.code = undefined;
        await stores.objects.put(name, Buffer.from('right'), REPLACE);
      });
      await objects.delete(name);
      expect(await reconcile(host.parts, fast)).toMatchObject({ applied: 2, converged: true });
      await expectRight();
    });

    it('leaves right bytes where this host wrote or removed other ones', async () => {
      await away(async (stores) => {
        await stores.objects.put(name, Buffer.from('wrong'), CREATE);
        await stores.objects.delete(name);
      });
      await objects.put(name, Buffer.from('right'), CREATE);
      expect(await reconcile(host.parts, fast)).toMatchObject({
        merged: [{}, {}],
        conflicts: [],
        converged: true,
      });
      await expectRight();
    });

    it('ends a listed conflict once the right bytes are there, whoever brought them', async () => {
      await away((stores) => stores.objects.put(name, Buffer.from('right'), CREATE));
      await objects.put(name, Buffer.from('wrong'), CREATE);
      const [entry] = [...(await host.parts.journal.refresh()).pending.values()];
      await host.parts.blobs.delete((entry as { blob: string }).blob);
      expect(await reconcile(host.parts, fast)).toMatchObject({
        conflicts: [{ key: name }],
        converged: false,
      });
      await objects.put(name, Buffer.from('right'), REPLACE);
      expect(await reconcile(host.parts, fast)).toMatchObject({
        same: 1,
        conflicts: [],
        converged: true,
      });
      await expectRight();
    });
  });

  it('lists what the primary store can never hold', async () => {
    await objects.put('a', Buffer.from('a'), CREATE);
    await away((stores) => stores.objects.put('a/below', Buffer.from('b'), CREATE));
    const report = await reconcile(host.parts, fast);
    expect(report.conflicts).toMatchObject([
      { found: expect.stringContaining('refuses it') as string },
    ]);
  });

  it('notices a primary store that does not keep what it acknowledged', async () => {
    await away((stores) => stores.documents.put(key('a'), { n: 1 }));
    const forgetful: DocumentStore = {
      ...documents,
      put: (at, body) => Promise.resolve({ ...at, version: 1, body }),
    };
    const parts: ReconcileParts = {
      ...host.parts,
      primary: { ...host.parts.primary, documents: forgetful },
    };
    await expect(reconcile(parts, fast)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    expect((await host.stores.state()).pending).toBe(1);
  });

  it('keeps to its rate', async () => {
    await away((stores) =>
      stores.documents.createMany(
        ['a', 'b', 'c', 'd'].map((sort) => ({ key: key(sort), body: {} })),
      ),
    );
    const begun = performance.now();
    await reconcile(host.parts, { entriesPerSecond: 40 });
    expect(performance.now() - begun).toBeGreaterThanOrEqual(95);
  });
});
