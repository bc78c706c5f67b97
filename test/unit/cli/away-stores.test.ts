import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../../src/cli/shared/context.ts';
import { examineFallback } from '../../../src/cli/doctor/fallback.ts';
import { doctor } from '../../../src/cli/doctor/doctor.ts';
import { migrate } from '../../../src/cli/stores/migrate.ts';
import { reconcile } from '../../../src/cli/stores/reconcile.ts';
import { status } from '../../../src/cli/look/status.ts';
import { tellAway } from '../../../src/cli/shared/away.ts';
import {
  createMemoryDocumentStore,
  createMemoryObjectStore,
} from '../../../src/storage/memory/memory.ts';
import type { MemoryObjectStore } from '../../../src/storage/memory/memory.ts';
import { chooseStorage } from '../../../src/config/storage-choice.ts';
import { engineFallback } from '../../../src/workers/engine-fallback.ts';
import { openHostFallback } from '../../../src/workers/open-fallback.ts';
import type { HostFallback } from '../../../src/workers/open-fallback.ts';
import { openPrimary } from '../../../src/workers/open-stores.ts';
import type { PrimaryStores } from '../../../src/workers/open-stores.ts';
import { readProfile } from '../../../src/workers/profile.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import type { TestContext } from '../../fixtures/cli-context.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { collectText, sha256Of, toArray } from '../../conformance/byte-streams.ts';
import { switched } from '../storage/fallback-host.ts';
import type { Outage } from '../storage/fallback-host.ts';

const CREATE = { mode: 'create', mediaType: 'text/plain' } as const;
const KEY = { table: 'ledger', partition: 'p', sort: 'a' };

let engine: TestEngine;
let objects: MemoryObjectStore;
let fallback: HostFallback;
let outage: Outage;

beforeEach(async () => {
  const opened = await openTestEngine([]);
  outage = { code: undefined };
  objects = createMemoryObjectStore();
  const primary = {
    objects: switched(objects, outage),
    documents: switched(createMemoryDocumentStore(), outage),
  };
  fallback = await openHostFallback({
    folder: path.join(opened.home, 'fallback'),
    primary,
    remote: { objects: true, documents: true },
    cache: { folder: path.join(opened.home, 'cache'), maxBytes: 1 << 20 },
  });
  engine = {
    ...opened,
    stores: { ...fallback.stores, primary, fallback, close: () => Promise.resolve() },
  };
});
afterEach(async () => {
  await fallback.close();
  await objects.dispose();
  await engine.close();
});

/** Three calls without an answer, and then a write that this host keeps. */
async function writeAlone(text = 'kept here'): Promise<void> {
  outage.code = 'STORE_UNAVAILABLE';
  const { stores } = fallback;
  for (let failed = 0; failed < 3; failed += 1) {
    await stores.objects.head('a.txt').catch(() => undefined);
    await stores.documents.get(KEY).catch(() => undefined);
  }
  await stores.objects.put('a.txt', Buffer.from(text), CREATE);
  await stores.documents.put(KEY, { text }, { expectedVersion: 0 });
  outage.code = undefined;
}

/** Everything that stores hold, but for the versions of documents. */
async function stateOf({
  objects: all,
  documents,
}: PrimaryStores): Promise<Record<string, unknown>> {
  const state: Record<string, unknown> = {};
  for await (const { key } of all.list('')) state[key] = await collectText(await all.get(key));
  for (const table of ['ledger', 'manifests']) {
    for await (const partition of documents.partitions(table)) {
      for await (const { sort, body } of documents.query({ table, partition }))
        state[`${table} ${sort}`] = body;
    }
  }
  return state;
}

async function printed(context: TestContext, work: (context: CommandContext) => Promise<number>) {
  return { exit: await work(context), text: context.terminal.text() };
}

describe('quotidien doctor', () => {
  it('ends with 3 while writes wait on this host, and says which process finds which store away', async () => {
    expect(await examineFallback(fallback)).toMatchObject([
      { status: 'ok' },
      { status: 'ok' },
      { status: 'ok' },
    ]);
    await writeAlone();
    const context = testContext(engine);
    const { exit, text } = await printed(context, doctor);
    expect(exit).toBe(3);
    expect(text).toMatch(
      new RegExp(`process ${process.pid} finds the object store .* away \\(open since`),
    );
    expect(text).toContain('2 writes wait since');
    expect(text).toContain('→ Run "quotidien reconcile"');
  });

  it('looks at the stores themselves, so that one that is away does not seem to work', async () => {
    outage.code = 'STORE_UNAVAILABLE';
    const { exit, text } = await printed(testContext(engine), doctor);
    expect(exit).toBe(3);
    expect(text).toMatch(/warn +objects \(memory\) +STORE_UNAVAILABLE/);
    expect((await fallback.stores.state()).pending).toBe(0);
    outage.code = 'STORE_DENIED';
    expect(await doctor(testContext(engine))).toBe(1);
  });
});

describe('quotidien status', () => {
  it('calls days unknown, not missing, that this host never saw while the store of records is away, and ends with 3', async () => {
    const dataset = tinyDataset();
    const own = { ...engine, datasets: { tiny: dataset }, documents: fallback.stores.documents };
    const away = { ...own, fallback: engineFallback(fallback, 'q') };
    const read = (context: CommandContext) =>
      status(context, { pipeline: 'tiny', period: '2024-01' });
    const context = testContext(away);
    expect(await tellAway(context, await read(context))).toBe(0);
    expect(context.terminal.text()).toContain('31 missing');
    outage.code = 'STORE_UNAVAILABLE';
    for (let calls = 0; calls < 3; calls += 1)
      await fallback.stores.documents.get(KEY).catch(() => undefined);
    const blind = testContext(away);
    expect(await tellAway(blind, await read(blind))).toBe(3);
    expect(blind.terminal.text()).toContain('31 unknown while a store is away');
    expect(blind.terminal.text()).not.toContain('missing');
    expect(blind.terminal.notes.join()).toContain('the document store (memory) is away since');
  });
});

describe('quotidien reconcile', () => {
  it('lists what a replay would do and changes nothing with --dry-run', async () => {
    await writeAlone();
    const { exit, text } = await printed(testContext(engine), (context) =>
      reconcile(context, { dryRun: true }),
    );
    expect(exit).toBe(3);
    expect(text).toMatch(/object-put +a\.txt {2}would be written/);
    expect(text).toMatch(/document-put +ledger.*would be written/);
    expect(text).toContain('2 writes to replay: 2 to write; 0 earlier conflicts to decide');
    expect(await objects.head('a.txt')).toBeUndefined();
    outage.code = 'STORE_UNAVAILABLE';
    const away = await printed(testContext(engine), (context) =>
      reconcile(context, { dryRun: true }),
    );
    expect(away.exit).toBe(3);
    expect(away.text).toMatch(/object-put +a\.txt {2}waits: the store is away/);
  });

  it('lets a command that begins while the stores are away read what this host knows', async () => {
    await writeAlone();
    outage.code = 'STORE_UNAVAILABLE';
    const later = await openHostFallback({
      folder: fallback.folder,
      primary: engine.stores.primary,
      remote: { objects: true, documents: true },
      cache: fallback.cache,
    });
    expect(await later.stores.documents.get({ ...KEY, sort: 'never seen' })).toBeUndefined();
    expect(await collectText(await later.stores.objects.get('a.txt'))).toBe('kept here');
    await later.close();
  });

  it.each(['primary', 'ours'] as const)(
    'keeps both sides of a conflict until somebody decides, here for %s',
    async (keep) => {
      await writeAlone('ours');
      await objects.put('a.txt', Buffer.from('theirs'), CREATE);
      const host = engineFallback(fallback, 'q');
      const control = { signal: new AbortController().signal, progress: () => undefined };
      expect(await host.replay(control)).toMatchObject({
        applied: 1,
        conflicts: 1,
        converged: false,
      });
      expect(await collectText(await objects.get('a.txt'))).toBe('theirs');

      const listed = await printed(testContext(engine), (context) =>
        reconcile(context, { dryRun: true }),
      );
      expect(listed.exit).toBe(3);
      const id = /--conflict (\S+) --keep/.exec(listed.text)?.[1] ?? '';
      const undecided = reconcile(testContext(engine), { conflict: id, dryRun: true });
      await expect(undecided).rejects.toMatchObject({ code: 'INPUT_INVALID' });
      const decided = await printed(testContext(engine), (context) =>
        reconcile(context, { conflict: id, keep, dryRun: true }),
      );
      expect(decided.exit).toBe(0);
      expect(await collectText(await objects.get('a.txt'))).toBe(
        keep === 'ours' ? 'ours' : 'theirs',
      );
      expect(await host.replay(control)).toMatchObject({ conflicts: 0, converged: true });
    },
  );

  it('sums what a replay would do by what would come of it', async () => {
    await writeAlone('ours');
    await objects.put('a.txt', Buffer.from('theirs'), CREATE);
    const { text } = await printed(testContext(engine), (context) =>
      reconcile(context, { dryRun: true }),
    );
    expect(text).toContain(
      '2 writes to replay: 1 to write, 1 in conflict; 0 earlier conflicts to decide',
    );
  });

  it('decides all conflicts at once, and keeps who did it', async () => {
    await writeAlone('ours');
    const { documents } = engine.stores.primary;
    await objects.put('a.txt', Buffer.from('theirs'), CREATE);
    await documents.put(KEY, { outputs: 'theirs' }, { expectedVersion: 0 });
    const host = engineFallback(fallback, 'q');
    const control = { signal: new AbortController().signal, progress: () => undefined };
    expect(await host.replay(control)).toMatchObject({ conflicts: 2, converged: false });
    const options = { conflict: 'all', keep: 'primary', by: 'Ada', dryRun: true };
    const decided = await printed(testContext(engine), (context) => reconcile(context, options));
    expect(decided.exit).toBe(0);
    const [partition] = await toArray(documents.partitions('settlements'));
    const kept = await toArray(documents.query({ table: 'settlements', partition: partition! }));
    expect(kept.map(({ body }) => body)).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ key: 'a.txt', keep: 'primary', by: 'Ada' }),
        expect.objectContaining({ key: 'ledger:p:a', keep: 'primary', by: 'Ada' }),
      ]),
    );
  });

  it('has nothing to do where all stores are on this host', async () => {
    const embedded = await openTestEngine([]);
    expect(await reconcile(testContext(embedded), {})).toBe(0);
    await embedded.close();
  });
});

describe('quotidien migrate', () => {
  it('copies an installation to another, proves it, and finds the second time that nothing is left', async () => {
    const embedded = await openTestEngine([]);
    await embedded.objects.put('core/a.txt', Buffer.from('a'), CREATE);
    await embedded.documents.put(KEY, { n: 0.1 });
    const context = testContext(embedded);
    const profile = path.join(embedded.home, 'other.json');
    await writeFile(profile, JSON.stringify({ QUOTIDIEN_HOME: 'other' }));
    const first = await printed(context, () => migrate(context, { from: 'embedded', to: profile }));
    expect(first.exit).toBe(0);
    expect(context.terminal.values[0]).toMatchObject({
      objects: { copied: 1 },
      documents: { copied: 1 },
      conflicts: [],
    });
    const copied = await readdir(path.join(embedded.home, 'other', 'store', 'core'));
    expect(copied).toEqual(['a.txt']);

    const again = testContext(embedded);
    expect(await migrate(again, { from: 'embedded', to: profile })).toBe(0);
    expect(again.terminal.values[0]).toMatchObject({
      objects: { same: 1 },
      documents: { same: 1 },
    });

    await embedded.documents.put(KEY, { n: 2 });
    const contradicted = testContext(embedded);
    expect(await migrate(contradicted, { from: 'embedded', to: profile })).toBe(1);
    expect(contradicted.terminal.text()).toContain('it was left as it is there');
    await embedded.close();
  });

  it('copies what was done on the source between two tries of it, and leaves nothing out', async () => {
    const embedded = await openTestEngine([]);
    const put = (key: string, text: string) =>
      embedded.objects.put(key, Buffer.from(text), { ...CREATE, mode: 'replace' });
    const ref = (key: string, text: string) => ({
      key,
      sha256: sha256Of(text),
      bytes: text.length,
    });
    for (let n = 0; n < 172; n += 1) await put(`core/${String(n).padStart(3, '0')}.txt`, `${n}`);
    for (const name of ['day', 'withdrawn']) await put(`published/${name}.txt`, 'old');
    for (const sort of ['a', 'b', 'c'])
      await embedded.documents.put({ ...KEY, sort }, { says: 'old' });
    await embedded.documents.put({ table: 'manifests', partition: 'p', sort: 'a' }, {});
    const profile = path.join(embedded.home, 'other.json');
    await writeFile(profile, JSON.stringify({ QUOTIDIEN_HOME: 'other' }));
    const stop = new AbortController();
    const first = testContext(embedded);
    const note = first.terminal.note.bind(first.terminal);
    const terminal = Object.assign(Object.create(first.terminal) as typeof first.terminal, {
      note(text: string) {
        note(text);
        stop.abort(new Error('enough'));
      },
    });
    const stopped = migrate(
      { ...first, terminal, signal: stop.signal },
      { from: 'embedded', to: profile },
    );
    await expect(stopped).rejects.toThrow('enough');

    await put('core/000-new.txt', 'new');
    await put('published/day.txt', 'new');
    await embedded.objects.delete('published/withdrawn.txt');
    await embedded.documents.put({ ...KEY, sort: 'b' }, { says: 'new' });
    await embedded.documents.delete({ ...KEY, sort: 'c' });
    await embedded.documents.put(
      { table: 'manifests', partition: 'p', sort: 'd' },
      { outputs: { page: ref('core/000-new.txt', 'new'), lost: ref('core/lost.txt', 'lost') } },
    );
    const second = testContext(embedded);
    expect(await migrate(second, { from: 'embedded', to: profile })).toBe(3);
    expect(second.terminal.values[0]).toMatchObject({ conflicts: [], missing: ['core/lost.txt'] });

    const home = path.join(embedded.home, 'other');
    const { storage } = readProfile(
      profile,
      { home, env: {}, storage: chooseStorage({}).storage },
      embedded.home,
    );
    const [there, here] = [await openPrimary({ home, storage }), embedded.stores.primary];
    expect(await stateOf(there)).toEqual(await stateOf(here));
    expect(await migrate(testContext(embedded), { from: 'embedded', to: profile })).toBe(3);
    await there.close();
    await embedded.close();
  });

  it('refuses to copy stores onto themselves, and profiles that it cannot read', async () => {
    const embedded = await openTestEngine([]);
    await mkdir(embedded.home, { recursive: true });
    const context = testContext(embedded);
    await expect(migrate(context, { from: 'embedded', to: 'configured' })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
    await expect(migrate(context, { from: 'embedded', to: 'nowhere' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    await embedded.close();
  });
});
