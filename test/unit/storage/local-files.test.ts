import fc from 'fast-check';
import {
  mkdir,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  symlink,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createLocalObjectStore } from '../../../src/storage/local/local-files.ts';
import type { PutOptions } from '../../../src/ports/objects.ts';
import {
  collect,
  collectText,
  failingStream,
  inParallel,
  toArray,
} from '../../conformance/byte-streams.ts';
import { startChild } from './children/start.ts';
import { mountTinyDisk } from './tiny-disk.ts';

const CREATE: PutOptions = { mode: 'create', mediaType: 'text/plain' };
const REPLACE: PutOptions = { mode: 'replace', mediaType: 'text/plain' };
const DAY_MS = 24 * 3_600_000;

let folder: string;
let root: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-local-'));
  root = path.join(folder, 'deep', 'root');
});
afterEach(async () => {
  vi.useRealTimers();
  await rm(folder, { recursive: true, force: true });
});

const staged = async (): Promise<string[]> => readdir(path.join(root, '.incoming'));

// The numbers are those of the invariants at the head of local-files.ts.
describe('local files among processes (1)', { timeout: 60_000 }, () => {
  it('give each of 200 objects to exactly one of 4 processes, whole', async () => {
    const children = [1, 2, 3, 4].map((writer) =>
      startChild('create-objects.ts', [root, '200', String(writer)]),
    );
    const won = await Promise.all(children.map((child) => child.end()));
    expect(won.flat().toSorted()).toEqual(
      Array.from({ length: 200 }, (_, n) => String(n)).toSorted(),
    );
    const store = createLocalObjectStore({ root });
    for (const [writer, numbers] of won.entries()) {
      for (const n of numbers) {
        const text = await collectText(await store.get(`race/${Number(n) % 10}/${n}`));
        expect(text).toBe(`writer ${writer + 1} `.repeat(2_000));
      }
    }
    expect(await staged()).toEqual([]);
  });

  it('give a reader one whole content while two processes replace it', async () => {
    const store = createLocalObjectStore({ root });
    await store.put('published', Buffer.alloc(1 << 20, 'a'), REPLACE);
    const writers = ['b', 'c'].map((letter) =>
      startChild('replace-object.ts', [root, 'published', letter, '40']),
    );
    const writing = new AbortController();
    const ended = Promise.all(writers.map((writer) => writer.end())).finally(() => {
      writing.abort();
    });
    const seen = new Set<number>();
    while (!writing.signal.aborted) {
      const bytes = await collect(await store.get('published'));
      expect([bytes.length, new Set(bytes).size]).toEqual([1 << 20, 1]);
      seen.add(bytes[0]!);
    }
    await ended;
    expect(seen.size).toBeGreaterThan(1);
  });

  it.each(['create', 'replace'] as const)(
    'show nothing of a %s whose writer was killed',
    async (mode) => {
      const store = createLocalObjectStore({ root });
      if (mode === 'replace') await store.put('days/one', Buffer.from('before'), CREATE);
      const child = startChild('hang-in-put.ts', [root, 'days/one', mode]);
      await child.until((line) => line === 'staged');
      await child.kill();

      const before = mode === 'replace' ? ['days/one'] : [];
      expect((await toArray(store.list(''))).map(({ key }) => key)).toEqual(before);
      expect(await staged()).toHaveLength(1);
      await store.put('days/one', Buffer.from('after'), mode === 'create' ? CREATE : REPLACE);
      expect(await collectText(await store.get('days/one'))).toBe('after');
    },
  );

  it('refuse a body beyond the file size limit of the process and leave nothing', async () => {
    const child = startChild('put-object.ts', [root, 'large', String(4 << 20)], {
      fileLimitKib: 1_024,
    });
    const [line] = await child.end();
    expect(line).toMatch(/^STORE_DENIED cannot write .*raise it \(`ulimit -f`\) \(EFBIG\)$/);
    expect(await staged()).toEqual([]);
    expect(await createLocalObjectStore({ root }).head('large')).toBeUndefined();
  });
});

describe('the staging folder of local files (2)', () => {
  it('is swept by the first put of a store, of files older than a day only', async () => {
    await createLocalObjectStore({ root }).put('a', Buffer.from('x'), CREATE);
    for (const [name, age] of [
      ['old', DAY_MS + 60_000],
      ['young', DAY_MS - 60_000],
    ] as const) {
      const file = path.join(root, '.incoming', name);
      await writeFile(file, 'left by a crash');
      const time = new Date(Date.now() - age);
      await utimes(file, time, time);
    }
    const store = createLocalObjectStore({ root });
    await store.head('a');
    expect((await staged()).sort()).toEqual(['old', 'young']);
    await store.put('b', Buffer.from('x'), CREATE);
    expect(await staged()).toEqual(['young']);
    expect((await toArray(store.list(''))).map(({ key }) => key)).toEqual(['a', 'b']);
  });

  it('is empty after conflicts, failed bodies and replacements', async () => {
    const store = createLocalObjectStore({ root });
    await store.put('a', Buffer.from('x'), CREATE);
    await expect(store.put('a', Buffer.from('y'), CREATE)).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
    });
    await expect(
      store.put('b', failingStream([Buffer.from('y')], new Error('boom')), REPLACE),
    ).rejects.toMatchObject({
      code: 'INTERNAL',
      message: 'boom',
    });
    await expect(store.put('b', { path: folder }, CREATE)).rejects.toMatchObject({
      name: 'PipelineError',
    });
    await store.put('a', Buffer.from('z'), REPLACE);
    expect(await staged()).toEqual([]);
  });

  it('comes back when somebody removes the whole store', async () => {
    const store = createLocalObjectStore({ root });
    await store.put('days/one', Buffer.from('x'), CREATE);
    await rm(root, { recursive: true });
    expect(await toArray(store.list(''))).toEqual([]);
    await expect(store.put('days/one', Buffer.from('x'), CREATE)).rejects.toMatchObject({
      code: 'STORE_UNAVAILABLE',
    });
    await store.put('days/one', Buffer.from('again'), CREATE);
    expect(await collectText(await store.get('days/one'))).toBe('again');
  });
});

describe('local files on disk', () => {
  it('are found under their key and leave no empty folders behind', async () => {
    const store = createLocalObjectStore({ root });
    await store.put('02_clean/2024/a.csv', Buffer.from('x;y'), CREATE);
    await store.put('02_clean/b.csv', Buffer.from('x'), CREATE);
    expect(await readFile(path.join(root, '02_clean/2024/a.csv'), 'utf8')).toBe('x;y');
    await store.delete('02_clean/2024/a.csv');
    expect(await readdir(path.join(root, '02_clean'))).toEqual(['b.csv']);
    await store.delete('02_clean/b.csv');
    expect(await readdir(root)).toEqual(['.incoming']);
    await store.put('02_clean', Buffer.from('now an object'), CREATE);
    expect(await collectText(await store.get('02_clean'))).toBe('now an object');
  });

  it('refuse a key that is the folder of another, or lies below one', async () => {
    const store = createLocalObjectStore({ root });
    await store.put('a/b/c', Buffer.from('x'), CREATE);
    for (const options of [CREATE, REPLACE]) {
      await expect(store.put('a/b', Buffer.from('x'), options)).rejects.toMatchObject({
        code: 'INPUT_INVALID',
      });
      await expect(store.put('a/b/c/d', Buffer.from('x'), options)).rejects.toMatchObject({
        code: 'INPUT_INVALID',
      });
    }
    expect(await store.get('a/b/c/d')).toBeUndefined();
    await store.delete('a/b/c/d');
    expect(await staged()).toEqual([]);
  });

  it('are listed without what is not theirs', async () => {
    const store = createLocalObjectStore({ root });
    await store.put('a', Buffer.from('x'), CREATE);
    await mkdir(path.join(root, 'empty'));
    await writeFile(path.join(root, 'back\\slash'), 'x');
    await symlink(path.join(root, 'a'), path.join(root, 'link'));
    expect((await toArray(store.list(''))).map(({ key }) => key)).toEqual(['a']);
  });

  it('are listed in byte order, whatever their names', async () => {
    const part = fc.constantFrom('a', 'a-', 'a.', 'a0', 'b', '-', '~', 'é', '\uFFFD', '\u{1F600}');
    const key = fc.array(part, { minLength: 1, maxLength: 3 }).map((parts) => parts.join('/'));
    await fc.assert(
      fc.asyncProperty(fc.uniqueArray(key, { maxLength: 12 }), part, async (keys, beginning) => {
        await rm(root, { recursive: true, force: true });
        const store = createLocalObjectStore({ root });
        const kept = keys.filter((one) => !keys.some((other) => other.startsWith(`${one}/`)));
        await inParallel(kept.length, 4, (n) => store.put(kept[n]!, Buffer.from('x'), CREATE));
        const sorted = kept
          .map((one) => Buffer.from(one))
          .sort((a, b) => Buffer.compare(a, b))
          .map(String);
        expect((await toArray(store.list(''))).map((head) => head.key)).toEqual(sorted);
        const chosen = sorted.filter((one) => one.startsWith(beginning));
        expect((await toArray(store.list(beginning))).map((head) => head.key)).toEqual(chosen);
      }),
      { numRuns: 40 },
    );
  });
});

describe('openLocal of local files (3)', () => {
  it('finds bytes that were changed on disk, also after it had found them right', async () => {
    const store = createLocalObjectStore({ root });
    const ref = await store.put('day.parquet', Buffer.from('right'), CREATE);
    const file = path.join(root, 'day.parquet');
    expect(await store.openLocal(ref)).toBe(file);
    await writeFile(file, 'wrong');
    await expect(store.openLocal(ref)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await expect(store.openLocal(ref)).rejects.toThrow(file);
    await writeFile(file, 'right');
    expect(await store.openLocal(ref)).toBe(file);
  });

  it('finds a change that keeps the size and puts the old times back', async () => {
    const store = createLocalObjectStore({ root });
    const ref = await store.put('day.parquet', Buffer.from('right'), CREATE);
    const file = path.join(root, 'day.parquet');
    const old = new Date(Date.now() - DAY_MS);
    await utimes(file, old, old);
    // Seen an hour later the file is old enough for its hash to be remembered.
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 3_600_000 });
    await store.openLocal(ref);
    await writeFile(file, 'wrong');
    await utimes(file, old, old);
    await expect(store.openLocal(ref)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('finds a truncated object', async () => {
    const store = createLocalObjectStore({ root });
    const ref = await store.put('day.parquet', Buffer.from('right'), CREATE);
    await writeFile(path.join(root, 'day.parquet'), 'ri');
    await expect(store.openLocal(ref)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });
});

describe('local files that cannot be written', () => {
  it('are denied below a regular file, with the path', async () => {
    const file = path.join(folder, 'file');
    await writeFile(file, 'in the way');
    for (const bad of [file, path.join(file, 'root')]) {
      const store = createLocalObjectStore({ root: bad });
      const put = store.put('a', Buffer.from('x'), CREATE);
      await expect(put).rejects.toMatchObject({ code: 'STORE_DENIED' });
      await expect(put).rejects.toThrow(bad);
    }
  });

  it('are denied on a full disk, with nothing left behind', async ({ skip }) => {
    const disk = await mountTinyDisk(1_024);
    if (disk === undefined) return skip('this process may not mount a file system');
    try {
      root = path.join(disk.folder, 'root');
      const store = createLocalObjectStore({ root });
      await store.put('small', Buffer.alloc(1_000), CREATE);
      const put = store.put('large', Buffer.alloc(2 << 20), CREATE);
      await expect(put).rejects.toMatchObject({ code: 'STORE_DENIED' });
      await expect(put).rejects.toThrow(/the disk is full.*ENOSPC/);
      expect(await staged()).toEqual([]);
      expect((await toArray(store.list(''))).map(({ key }) => key)).toEqual(['small']);
      await store.put('other', Buffer.alloc(1_000), CREATE);
      expect((await stat(path.join(root, 'other'))).size).toBe(1_000);
    } finally {
      await disk.unmount();
    }
  });

  it('are denied on a read-only disk', async ({ skip }) => {
    const disk = await mountTinyDisk(1_024);
    if (disk === undefined) return skip('this process may not mount a file system');
    try {
      root = path.join(disk.folder, 'root');
      const store = createLocalObjectStore({ root });
      await store.put('a', Buffer.from('x'), CREATE);
      await disk.makeReadOnly();
      await expect(store.put('b', Buffer.from('x'), CREATE)).rejects.toMatchObject({
        code: 'STORE_DENIED',
      });
      await expect(store.delete('a')).rejects.toMatchObject({ code: 'STORE_DENIED' });
      expect(await collectText(await store.get('a'))).toBe('x');
    } finally {
      await disk.unmount();
    }
  });
});
