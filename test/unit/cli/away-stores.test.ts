import { mkdir, readdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { CommandContext } from '../../../src/cli/context.ts';
import { examineFallback } from '../../../src/cli/doctor/fallback.ts';
import { doctor } from '../../../src/cli/doctor.ts';
import { migrate } from '../../../src/cli/migrate.ts';
import { reconcile } from '../../../src/cli/reconcile.ts';
import { createMemoryDocumentStore, createMemoryObjectStore } from '../../../src/storage/memory.ts';
import type { MemoryObjectStore } from '../../../src/storage/memory.ts';
import { engineFallback } from '../../../src/workers/engine-fallback.ts';
import { openHostFallback } from '../../../src/workers/open-fallback.ts';
import type { HostFallback } from '../../../src/workers/open-fallback.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import type { TestContext } from '../../fixtures/cli-context.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { collectText } from '../../conformance/byte-streams.ts';
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
  const primary = { objects: switched(objects, outage), documents: switched(createMemoryDocumentStore(), outage) };
  fallback = await openHostFallback({
    folder: path.join(opened.home, 'fallback'),
    primary,
    remote: { objects: true, documents: true },
    cache: { folder: path.join(opened.home, 'cache'), maxBytes: 1 << 20 },
  });
  engine = { ...opened, stores: { ...fallback.stores, primary, fallback, close: () => Promise.resolve() } };
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

async function printed(context: TestContext, work: (context: CommandContext) => Promise<number>) {
  return { exit: await work(context), text: context.terminal.text() };
}

describe('quotidien doctor', () => {
  it('ends with 3 while writes wait on this host, and says which process finds which store away', async () => {
    expect(await examineFallback(fallback)).toMatchObject([{ status: 'ok' }, { status: 'ok' }, { status: 'ok' }]);
    await writeAlone();
    const context = testContext(engine);
    const { exit, text } = await printed(context, doctor);
    expect(exit).toBe(3);
    expect(text).toMatch(new RegExp(`process ${process.pid} finds the object store .* away \\(open since`));
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

describe('quotidien reconcile', () => {
  it('lists what a replay would do and changes nothing with --dry-run', async () => {
    await writeAlone();
    const { exit, text } = await printed(testContext(engine), (context) => reconcile(context, { dryRun: true }));
    expect(exit).toBe(3);
    expect(text).toMatch(/object-put +a\.txt {2}would be written/);
    expect(text).toMatch(/document-put +ledger.*would be written/);
    expect(text).toContain('2 writes of');
    expect(await objects.head('a.txt')).toBeUndefined();
    outage.code = 'STORE_UNAVAILABLE';
    const away = await printed(testContext(engine), (context) => reconcile(context, { dryRun: true }));
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
      expect(await host.replay(control)).toMatchObject({ applied: 1, conflicts: 1, converged: false });
      expect(await collectText(await objects.get('a.txt'))).toBe('theirs');

      const listed = await printed(testContext(engine), (context) => reconcile(context, { dryRun: true }));
      expect(listed.exit).toBe(3);
      const id = /--conflict (\S+) --keep/.exec(listed.text)?.[1] ?? '';
      const undecided = reconcile(testContext(engine), { conflict: id, dryRun: true });
      await expect(undecided).rejects.toMatchObject({ code: 'INPUT_INVALID' });
      const decided = await printed(testContext(engine), (context) =>
        reconcile(context, { conflict: id, keep, dryRun: true }),
      );
      expect(decided.exit).toBe(0);
      expect(await collectText(await objects.get('a.txt'))).toBe(keep === 'ours' ? 'ours' : 'theirs');
      expect(await host.replay(control)).toMatchObject({ conflicts: 0, converged: true });
    },
  );

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
    expect(again.terminal.values[0]).toMatchObject({ objects: { same: 1 }, documents: { same: 1 } });

    await embedded.documents.put(KEY, { n: 2 });
    const contradicted = testContext(embedded);
    expect(await migrate(contradicted, { from: 'embedded', to: profile })).toBe(1);
    expect(contradicted.terminal.text()).toContain('it was left as it is there');
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
