import fc from 'fast-check';
import {
  appendFile,
  mkdir,
  mkdtemp,
  open,
  readFile,
  readdir,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { inflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ObjectStore, PutOptions } from '../../../src/ports/objects.ts';
import { createLocalObjectStore } from '../../../src/storage/local/local-files.ts';
import {
  MIB,
  collect,
  collectText,
  patternBytes,
  toArray,
} from '../../conformance/byte-streams.ts';
import { startChild } from './children/start.ts';
import { dayKey, dayText, hashOf } from './day-texts.ts';

const CREATE: PutOptions = { mode: 'create', mediaType: 'application/json' };
const REPLACE: PutOptions = { mode: 'replace', mediaType: 'application/json' };

let root: string;
let store: ObjectStore;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'quotidien-packed-objects-'));
  store = createLocalObjectStore({ root });
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const put = (n: number, text = dayText(n), to = store) =>
  to.put(dayKey(n, text), Buffer.from(text), CREATE);
const incoming = async (): Promise<string[]> => readdir(path.join(root, '.incoming'));
/** Of copies, emptied ones aside: those have no bytes and no ending. */
const copies = async (): Promise<string[]> =>
  (await incoming()).filter((name) => name.endsWith('.json'));

async function bytesOnDisk(): Promise<number> {
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map((entry) => path.join(entry.parentPath, entry.name));
  return (await Promise.all(files.map(async (file) => (await stat(file)).size))).reduce(
    (a, b) => a + b,
    0,
  );
}

describe('texts under their hash, in a folder of local files', () => {
  it('take less than a fifth of their bytes when they say much the same, dictionaries included', async () => {
    const days = Array.from({ length: 300 }, (_, n) => n);
    for (const n of days) await put(n);
    const plain = days.reduce((sum, n) => sum + Buffer.byteLength(dayText(n)), 0);
    expect(await bytesOnDisk()).toBeLessThan(plain / 5);
    expect((await toArray(store.list('metrics/'))).reduce((sum, { bytes }) => sum + bytes, 0)).toBe(
      plain,
    );
    for (const n of days) expect(await collectText(await store.get(dayKey(n)))).toBe(dayText(n));
  });

  it('are those of their text in every respect', async () => {
    const text = dayText(1);
    const ref = await put(1);
    expect(ref).toEqual({
      key: dayKey(1),
      sha256: hashOf(text),
      bytes: text.length,
      mediaType: CREATE.mediaType,
    });
    const head = await store.head(ref.key);
    expect(head).toMatchObject({ key: ref.key, bytes: text.length });
    expect(await toArray(store.list(''))).toEqual([head]);
    expect(await collectText(await store.get(ref.key, { start: 10, end: 1_000 }))).toBe(
      text.slice(10, 1_000),
    );
    expect(await collectText(await store.get(ref.key, { start: text.length - 3 }))).toBe(
      text.slice(-3),
    );
    for (const any of [store, createLocalObjectStore({ root })]) {
      expect(await any.inspect(ref)).toEqual({ state: 'intact' });
      expect(await any.inspect({ ...ref, bytes: 1 })).toEqual({ state: 'damaged' });
      expect(await readFile((await any.openLocal(ref))!, 'utf8')).toBe(text);
    }
    expect((await stat(path.join(root, ref.key))).size).toBeLessThan(text.length / 2);
  });

  it.each([
    'processed/metrics/roads_2024-01-01.json',
    'raw/batch/counts.csv',
    `core/tiny/${hashOf('x')}.parquet`,
  ])('are alone in that: %s is a plain file', async (key) => {
    await store.put(key, Buffer.from(dayText(1)), CREATE);
    expect(await readFile(path.join(root, key), 'utf8')).toBe(dayText(1));
  });

  it('come back whatever they are, also when they begin as a packed file does', async () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary', maxLength: 600 }),
      fc.string({ unit: fc.constantFrom('a', 'b', '\n'), maxLength: 3_000 }),
      fc
        .tuple(fc.nat(), fc.string({ maxLength: 60 }))
        .map(([bytes, rest]) => `packed ${bytes}\n${rest}`),
    );
    await fc.assert(
      fc.asyncProperty(text, async (any) => {
        const key = dayKey(1, any);
        const ref = await store.put(key, Buffer.from(any), REPLACE);
        expect(await collectText(await store.get(key))).toBe(any);
        expect((await store.head(key))?.bytes).toBe(Buffer.byteLength(any));
        expect(await createLocalObjectStore({ root }).inspect(ref)).toEqual({ state: 'intact' });
      }),
      { numRuns: 200, endOnFailure: true },
    );
  });

  it.each([
    ['of 1 MiB, which is packed', MIB, true],
    ['of 4 MiB and a byte, which is not', 4 * MIB + 1, false],
  ])('come from a stream or a file: one %s', async (_, bytes, isPacked) => {
    const body = patternBytes(MIB, 0, bytes);
    const key = `reports/tiny/date=1/${hashOf(body)}.html`;
    async function* inPieces(): AsyncGenerator<Uint8Array> {
      for (let at = 0; at < bytes; at += 100_000)
        yield Promise.resolve(body.subarray(at, at + 100_000));
    }
    const file = path.join(root, 'elsewhere');
    await writeFile(file, body);
    for (const from of [inPieces(), { path: file }, body]) {
      const ref = await store.put(key, from, REPLACE);
      expect(ref).toMatchObject({ sha256: hashOf(body), bytes });
      expect((await stat(path.join(root, key))).size < bytes).toBe(isPacked);
      expect(hashOf(await collect(await store.get(key)))).toBe(ref.sha256);
      expect(hashOf(await readFile((await store.openLocal(ref))!))).toBe(ref.sha256);
    }
  });

  it('that an earlier version has stored as they are stay so, are read, and are replaced packed', async () => {
    const [key, text] = [dayKey(1), dayText(1)];
    await mkdir(path.dirname(path.join(root, key)), { recursive: true });
    await writeFile(path.join(root, key), text);
    const ref = { key, sha256: hashOf(text), bytes: text.length };
    expect(await collectText(await store.get(key))).toBe(text);
    expect(await store.head(key)).toMatchObject({ bytes: text.length });
    expect(await store.inspect(ref)).toEqual({ state: 'intact' });
    expect(await store.openLocal(ref)).toBe(path.join(root, key));
    await expect(put(1)).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
    await store.put(key, Buffer.from(text), REPLACE);
    expect((await stat(path.join(root, key))).size).toBeLessThan(text.length);
    expect(await store.inspect(ref)).toEqual({ state: 'intact' });
  });
});

describe('the plain copy of a packed text', () => {
  it('is there until its reader has ended, and then nothing of it', async () => {
    const ref = await put(1);
    const [first, second] = [new AbortController(), new AbortController()];
    const opened = await Promise.all(
      [first, second, first].map(({ signal }) => store.openLocal(ref, { until: signal })),
    );
    expect(new Set(opened).size).toBe(1);
    first.abort();
    expect(await readFile(opened[0]!, 'utf8')).toBe(dayText(1));
    expect(opened[0]).toMatch(/\.json$/);
    second.abort();
    expect(await copies()).toEqual([]);
    for (const name of await incoming())
      expect((await stat(path.join(root, '.incoming', name))).size).toBe(0);
  });

  it('takes the file of one before it, whose name is gone, so that no file is made for each', async () => {
    const refs = await Promise.all(Array.from({ length: 40 }, (_, n) => put(n)));
    const inodes = new Set<number>();
    for (const [n, ref] of refs.entries()) {
      const until = new AbortController();
      const file = (await store.openLocal(ref, { until: until.signal }))!;
      expect(await readFile(file, 'utf8')).toBe(dayText(n));
      inodes.add((await stat(file)).ino);
      until.abort();
      await expect(stat(file)).rejects.toMatchObject({ code: 'ENOENT' });
    }
    expect(inodes.size).toBe(1);
    // Also when somebody has swept the folder.
    for (const name of await incoming()) await rm(path.join(root, '.incoming', name));
    const last = new AbortController();
    expect(await readFile((await store.openLocal(refs[0]!, { until: last.signal }))!, 'utf8')).toBe(
      dayText(0),
    );
    last.abort();
  });

  it('stays whole for who opened it and said not until when', async () => {
    const ref = await put(0);
    const held = new AbortController();
    await store.openLocal(ref, { until: held.signal });
    const file = await open((await store.openLocal(ref))!);
    held.abort();
    for (let n = 1; n <= 300; n += 1) {
      const until = new AbortController();
      await store.openLocal(await put(n), { until: until.signal });
      until.abort();
    }
    expect(await file.readFile('utf8')).toBe(dayText(0));
    await file.close();
  });

  it('is made again when somebody has removed it', async () => {
    const ref = await put(1);
    const until = new AbortController();
    await rm((await store.openLocal(ref, { until: until.signal }))!);
    expect(await readFile((await store.openLocal(ref, { until: until.signal }))!, 'utf8')).toBe(
      dayText(1),
    );
    until.abort();
    expect(await copies()).toEqual([]);
  });

  it('is one of few where nobody says how long it is read', async () => {
    const refs = await Promise.all(Array.from({ length: 300 }, (_, n) => put(n)));
    for (const ref of refs) await store.openLocal(ref);
    expect((await copies()).length).toBeLessThanOrEqual(256);
  });
});

describe('the dictionaries of packed texts', () => {
  it('are those of all who write at the same time', async () => {
    const stores = [store, createLocalObjectStore({ root }), createLocalObjectStore({ root })];
    const refs = await Promise.all(
      Array.from({ length: 60 }, (_, n) => put(n, dayText(n), stores[n % 3])),
    );
    for (const each of [...stores, createLocalObjectStore({ root })]) {
      for (const ref of refs) expect(await each.inspect(ref)).toEqual({ state: 'intact' });
    }
  });

  it('are not named as objects', async () => {
    await put(1);
    await put(2);
    expect(await readdir(path.join(root, '.dictionaries/metrics/tiny/roads'))).toContain('json-1');
    expect((await toArray(store.list(''))).map(({ key }) => key)).toEqual(
      [dayKey(1), dayKey(2)].sort(),
    );
  });

  it('have no figure, time or id of any text', async () => {
    for (let n = 0; n < 20; n += 1) await put(n);
    const folder = path.join(root, '.dictionaries/metrics/tiny/roads');
    const samples = await Promise.all(
      (await readdir(folder)).map((name) => readFile(path.join(folder, name))),
    );
    expect(samples.length).toBeGreaterThan(0);
    for (const sample of samples) expect(inflateSync(sample).toString()).not.toMatch(/[1-9]/);
  });

  it('are only of what is made of days', async () => {
    const text = dayText(7);
    const key = `raw/tiny/meters/2024-01-01_2024-01-31/${hashOf(text)}.csv`;
    const ref = await store.put(key, Buffer.from(text), CREATE);
    expect((await stat(path.join(root, key))).size).toBeLessThan(text.length / 2);
    expect(await readdir(root)).toEqual(['.incoming', 'raw']);
    expect(await createLocalObjectStore({ root }).inspect(ref)).toEqual({ state: 'intact' });
  });

  it('are begun anew by a process that has lost them, so that every other one can read what it writes', async () => {
    for (let n = 0; n < 10; n += 1) await put(n);
    await rm(path.join(root, '.dictionaries'), { recursive: true });
    const ref = await put(10);
    expect(await createLocalObjectStore({ root }).inspect(ref)).toEqual({ state: 'intact' });
  });

  it(
    'keep all that two processes had stored when both were killed',
    { timeout: 60_000 },
    async () => {
      const children = [0, 100_000].map((first) =>
        startChild('put-texts.ts', [root, String(first)]),
      );
      const said = await Promise.all(
        children.map(async (child) => {
          let lines = 0;
          const durable = await child.until(() => (lines += 1) > 150);
          await child.kill();
          return durable;
        }),
      );
      const fresh = createLocalObjectStore({ root });
      for (const key of said.flat()) {
        const text = await collectText(await fresh.get(key));
        expect(key).toContain(hashOf(text));
      }
      for (const { key, bytes } of await toArray(fresh.list('metrics/'))) {
        const sha256 = path.basename(key, '.json');
        expect(await fresh.inspect({ key, sha256, bytes })).toEqual({ state: 'intact' });
      }
    },
  );
});

describe('a damaged packed file', () => {
  it('is never read as anything else, whichever byte was flipped', async () => {
    for (let n = 0; n < 3; n += 1) await put(n);
    const ref = await put(3);
    const file = path.join(root, ref.key);
    const whole = await readFile(file);
    const harmless: number[] = [];
    for (let at = 0; at < whole.length; at += 1) {
      const bytes = Buffer.from(whole);
      bytes.writeUInt8(bytes.readUInt8(at) ^ (1 << (at % 8)), at);
      await writeFile(file, bytes);
      // Some bits of a stream mean nothing.
      const { state } = await store.inspect(ref);
      if (state === 'intact') harmless.push(at);
      const opened = store.openLocal(ref).then((copy) => readFile(copy!, 'utf8'));
      if (state === 'intact') expect(await opened).toBe(dayText(3));
      else await expect(opened).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    }
    expect(harmless.length).toBeLessThan(3);
  });

  it.each([
    [
      'a cut file',
      (file: string) => readFile(file).then((all) => writeFile(file, all.subarray(0, -9))),
    ],
    ['something was added to it', (file: string) => appendFile(file, 'tampered\n')],
    ['a lost dictionary', () => rm(path.join(root, '.dictionaries'), { recursive: true })],
    [
      'a damaged dictionary',
      () => writeFile(path.join(root, '.dictionaries/metrics/tiny/roads/json-1'), 'x'),
    ],
  ])(
    'is corrupt with its name after %s, and whole again once it is replaced',
    async (_, damage) => {
      for (let n = 0; n < 3; n += 1) await put(n);
      const ref = await put(3);
      await damage(path.join(root, ref.key));
      const fresh = createLocalObjectStore({ root });
      const reading = fresh.get(ref.key);
      await expect(reading).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
      await expect(reading).rejects.toThrow(ref.key);
      expect(await fresh.inspect(ref)).toEqual({ state: 'damaged' });
      expect(await fresh.head(ref.key)).toMatchObject({ bytes: ref.bytes });
      await fresh.put(ref.key, Buffer.from(dayText(3)), REPLACE);
      expect(await createLocalObjectStore({ root }).inspect(ref)).toEqual({ state: 'intact' });
    },
  );
});
