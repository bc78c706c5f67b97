import { spawnSync } from 'node:child_process';
import { readFile, readdir, rm, stat, truncate, utimes, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createCachedObjectStore } from '../../../src/storage/cache/cache-objects.ts';
import { createMemoryObjectStore } from '../../../src/storage/memory/memory.ts';
import type { MemoryObjectStore } from '../../../src/storage/memory/memory.ts';
import type { ArtefactRef, ObjectStore } from '../../../src/ports/objects.ts';
import { collectText, inParallel, sha256Of } from '../../conformance/byte-streams.ts';
import { startChild } from './children/start.ts';
import { switched, temporaryFolder } from './fallback-host.ts';
import type { Outage } from './fallback-host.ts';

const CREATE = { mode: 'create', mediaType: 'text/plain' } as const;
const REPLACE = { mode: 'replace', mediaType: 'text/plain' } as const;
const MIB = 1 << 20;

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let remote: MemoryObjectStore;
let outage: Outage;
/** Calls that reached the primary store. */
let calls: string[];

beforeEach(async () => {
  folder = await temporaryFolder();
  remote = createMemoryObjectStore();
  outage = { code: undefined };
  calls = [];
});
afterEach(async () => {
  await remote.dispose();
  await folder.remove();
});

function open(maxBytes = 64 * MIB, checkTtlMs = 0) {
  const store = switched(remote, outage);
  const counted: ObjectStore = {
    ...remote,
    get: (key, range) => {
      calls.push(`get ${key}`);
      return store.get(key, range);
    },
    head: (key) => {
      calls.push(`head ${key}`);
      return store.head(key);
    },
    put: (key, body, options) => store.put(key, body, options),
    delete: (...args) => store.delete(...args),
    inspect: (ref) => store.inspect(ref),
    openLocal: (ref, options) => {
      calls.push(`open ${ref.key}`);
      return store.openLocal(ref, options);
    },
  };
  return createCachedObjectStore({ primary: counted, folder: folder.path, maxBytes, checkTtlMs });
}

/** An artefact that only the primary store has, under a key that ends in its hash. */
function artefact(text: string): Promise<ArtefactRef> {
  return remote.put(`core/${sha256Of(text)}.txt`, Buffer.from(text), CREATE);
}

async function contents(): Promise<string[]> {
  const names = await readdir(folder.path, { recursive: true });
  return names.filter((name) => /^content.*[0-9a-f]{64}[^~]*$/.test(name));
}

describe('a cache of objects', () => {
  it('is never asked whether the primary store has an artefact, unless that is away', async () => {
    const cache = open();
    const ref = await artefact('rows');
    await cache.openLocal(ref);
    await remote.delete(ref.key);
    outage.code = 'STORE_UNAVAILABLE';
    expect(await cache.inspect(ref)).toEqual({ state: 'intact', stale: true });
    await expect(cache.openLocal(ref, { fresh: true })).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    outage.code = undefined;
    expect(await cache.inspect(ref)).toEqual({ state: 'missing' });
    // What the store no longer has is not given out any longer.
    expect(await cache.openLocal(ref)).toBeUndefined();
  });

  it('does not know of an artefact that it never saw while the primary store is away', async () => {
    const cache = open();
    const ref = await artefact('rows');
    outage.code = 'STORE_UNAVAILABLE';
    await expect(cache.inspect(ref)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('fetches an artefact once, and asks nobody for it again', async () => {
    const cache = open();
    const ref = await artefact('rows');
    for (let time = 0; time < 3; time += 1) {
      expect(await readFile((await cache.openLocal(ref))!, 'utf8')).toBe('rows');
      expect(await collectText(await cache.get(ref.key))).toBe('rows');
    }
    expect(calls).toEqual([`get ${ref.key}`]);
    expect(cache.stats()).toMatchObject({
      hits: 5,
      misses: 1,
      fetchedBytes: 4,
      hitBytes: 20,
      staleHits: 0,
    });
    outage.code = 'STORE_UNAVAILABLE';
    expect(await cache.read(ref.key, { start: 1, end: 3 })).toMatchObject({ stale: false });
    expect(path.extname((await cache.openLocal(ref))!)).toBe('.txt');
  });

  it('keeps what is written through it', async () => {
    const cache = open();
    const key = `core/${sha256Of('rows')}.txt`;
    const ref = await cache.put(key, Buffer.from('rows'), CREATE);
    expect(await readFile((await cache.openLocal(ref))!, 'utf8')).toBe('rows');
    expect(await collectText(await cache.get(key))).toBe('rows');
    expect(calls).toEqual([]);
  });

  it.each([
    ['other bytes of the same length', (file: string) => writeFile(file, 'lies')],
    ['a shorter file', (file: string) => truncate(file, 2)],
    ['no file', (file: string) => rm(file)],
  ])('fetches again what has become %s', async (_, damage) => {
    const cache = open();
    const ref = await artefact('rows');
    await damage((await cache.openLocal(ref))!);
    expect(await collectText(await cache.get(ref.key))).toBe('rows');
    await damage((await cache.openLocal(ref))!);
    expect(await readFile((await cache.openLocal(ref))!, 'utf8')).toBe('rows');
    expect(cache.stats().misses).toBe(3);
  });

  it('does not ask about a name again before the given time is over', async () => {
    const cache = open(MIB, 3_600_000);
    await remote.put('published/day.json', Buffer.from('first'), REPLACE);
    expect(await collectText(await cache.get('published/day.json'))).toBe('first');
    await remote.put('published/day.json', Buffer.from('second'), REPLACE);
    calls.length = 0;
    expect(await collectText(await cache.get('published/day.json'))).toBe('first');
    expect(calls).toEqual([]);
    await cache.put('published/day.json', Buffer.from('own'), REPLACE);
    expect(await collectText(await cache.get('published/day.json'))).toBe('own');
  });

  it('refuses to keep or serve an object that is not what its reference says', async () => {
    const cache = open();
    const ref = await artefact('rows');
    await expect(cache.openLocal({ ...ref, sha256: sha256Of('lies') })).rejects.toMatchObject({
      code: 'STORE_CORRUPT',
    });
    expect(await contents()).toEqual([]);
  });

  it('compares a replaceable name each time, and fetches it again when it changed', async () => {
    const cache = open();
    await remote.put('published.txt', Buffer.from('one'), REPLACE);
    expect(await collectText(await cache.get('published.txt'))).toBe('one');
    calls = [];
    expect(await collectText(await cache.get('published.txt'))).toBe('one');
    expect(calls).toEqual(['head published.txt']);
    await remote.put('published.txt', Buffer.from('two'), REPLACE);
    expect(await collectText(await cache.get('published.txt'))).toBe('two');
    await remote.delete('published.txt');
    expect(await cache.get('published.txt')).toBeUndefined();
    outage.code = 'STORE_UNAVAILABLE';
    await expect(cache.get('published.txt')).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
  });

  it('serves the last copy, marked, only while the store does not answer', async () => {
    const cache = open();
    await remote.put('published.txt', Buffer.from('one'), REPLACE);
    await collectText(await cache.get('published.txt'));
    outage.code = 'STORE_UNAVAILABLE';
    const found = await cache.read('published.txt');
    expect([found?.stale, await collectText(found?.stream)]).toEqual([true, 'one']);
    expect(await cache.head('published.txt')).toMatchObject({ bytes: 3, stale: true });
    expect(cache.stats()).toMatchObject({ staleHits: 1 });
    for (const code of ['STORE_DENIED', 'STORE_CORRUPT'] as const) {
      outage.code = code;
      await expect(cache.get('published.txt')).rejects.toMatchObject({ code });
      await expect(cache.head('published.txt')).rejects.toMatchObject({ code });
    }
    outage.code = undefined;
    expect(await cache.read('published.txt')).toMatchObject({ stale: false });
    expect(await cache.head('published.txt')).not.toHaveProperty('stale');
  });

  it('drives out the least recently used when it is full', async () => {
    const cache = open(10 * MIB);
    const refs = await inParallel(12, 4, (n) => artefact(`${n} `.padEnd(MIB, 'x')));
    for (const ref of refs.slice(0, 6)) await cache.openLocal(ref);
    // The clock of the files decides: what was used lies in the past, the first least far.
    for (const [at, ref] of refs.slice(0, 6).entries()) {
      const seconds = Date.now() / 1_000 - 100 + (at === 0 ? 50 : at);
      const file = (await cache.openLocal(ref))!;
      for (const one of [file, `${file}.used~`])
        await utimes(one, seconds, seconds).catch(() => undefined);
    }
    for (const ref of refs.slice(6)) await cache.openLocal(ref);
    const kept = await contents();
    const has = (at: number): boolean => kept.some((name) => name.includes(refs[at]!.sha256));
    expect(has(0)).toBe(true);
    expect([has(1), has(2)]).toEqual([false, false]);
    expect([6, 7, 8, 9, 10, 11].every(has)).toBe(true);
    const { evictions, evictedBytes } = cache.stats();
    expect(evictions).toBe(12 - kept.length);
    expect(evictedBytes).toBeGreaterThan(2 * MIB - 20);
    expect(await readFile((await cache.openLocal(refs[1]!))!)).toHaveLength(MIB);
  });

  it('leaves files alone that are held, also by another process, and evicts them when they are let go', async () => {
    const [cache, peer] = [open(4 * MIB), open(4 * MIB)];
    const refs = await inParallel(8, 4, (n) => artefact(`${n} `.padEnd(MIB, 'x')));
    const held = [new AbortController(), new AbortController()] as const;
    const paths = [
      await cache.openLocal(refs[0]!, { until: held[0].signal }),
      await peer.openLocal(refs[1]!, { until: held[1].signal }),
    ];
    for (const ref of refs.slice(2)) await cache.openLocal(ref);
    for (const file of paths) expect(await readFile(file!)).toHaveLength(MIB);
    for (const one of held) one.abort();
    for (const ref of refs.slice(2)) await cache.openLocal(ref);
    for (const file of paths)
      await expect(readFile(file!)).rejects.toMatchObject({ code: 'ENOENT' });
    expect(
      (await readdir(folder.path, { recursive: true })).filter((name) => name.includes('.held-')),
    ).toEqual([]);
  });

  it('takes a mark of a dead process for nothing', async () => {
    const cache = open(2 * MIB);
    const refs = await inParallel(4, 4, (n) => artefact(`${n} `.padEnd(MIB, 'x')));
    const file = (await cache.openLocal(refs[0]!))!;
    const { pid } = spawnSync('true');
    await writeFile(`${file}.held-${hostname()}~${pid}~`, '');
    for (const ref of refs.slice(1)) await cache.openLocal(ref);
    await expect(readFile(file)).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('passes objects by that are too large for it', async () => {
    const cache = open(MIB);
    const ref = await artefact('x'.repeat(600_000));
    expect(await collectText(await cache.get(ref.key))).toHaveLength(600_000);
    expect(await readFile((await cache.openLocal(ref))!)).toHaveLength(600_000);
    expect(await collectText(await cache.get(ref.key, { start: 0, end: 10 }))).toHaveLength(10);
    expect(await contents()).toEqual([]);
  });

  it('lets one of many readers fetch, in one process and in two', async () => {
    const [cache, peer] = [open(), open()];
    const ref = await artefact('rows'.repeat(100_000));
    const paths = await inParallel(32, 32, (n) => (n % 2 === 0 ? cache : peer).openLocal(ref));
    expect(new Set(paths).size).toBe(1);
    expect(calls).toEqual([`get ${ref.key}`]);
    await remote.put('published.txt', Buffer.from('one'), REPLACE);
    calls = [];
    await inParallel(16, 16, (n) => (n % 2 === 0 ? cache : peer).get('published.txt'));
    expect(calls.filter((call) => call.startsWith('get'))).toHaveLength(1);
  });

  it('does not wait for a reader that was killed while it fetched', async () => {
    const ref = await artefact('rows');
    const doomed = startChild('hang-in-cache.ts', [
      folder.path,
      ref.key,
      ref.sha256,
      String(ref.bytes),
    ]);
    await doomed.until((line) => line === 'fetching');
    const cache = open();
    const waiting = cache.openLocal(ref);
    await doomed.kill();
    expect(await readFile((await waiting)!, 'utf8')).toBe('rows');
  });

  it('can lose its folder at any time', async () => {
    const cache = open();
    const ref = await artefact('rows');
    await cache.openLocal(ref);
    await rm(folder.path, { recursive: true });
    expect(await readFile((await cache.openLocal(ref))!, 'utf8')).toBe('rows');
    expect((await stat(folder.path)).isDirectory()).toBe(true);
  });
});
