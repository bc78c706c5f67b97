import { execFile } from 'node:child_process';
import {
  appendFile,
  mkdtemp,
  readFile,
  readdir,
  rm,
  stat,
  truncate,
  utimes,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync, gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
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
import { hashOf } from './day-texts.ts';

const REST: PutOptions = { mode: 'replace', mediaType: 'text/csv', rests: true };
const REPLACE: PutOptions = { mode: 'replace', mediaType: 'text/csv' };
const CREATE: PutOptions = { mode: 'create', mediaType: 'text/csv' };
const KEY = 'raw/batch/counts.csv';
const COUNTS = `arc;hour;flow\n${Array.from({ length: 5_000 }, (_, n) => `1000;${n};${n % 97}\n`).join('')}`;

let root: string;
let store: ObjectStore;

beforeEach(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'quotidien-resting-'));
  store = createLocalObjectStore({ root });
});
afterEach(async () => {
  await rm(root, { recursive: true, force: true });
});

const files = async (): Promise<string[]> =>
  (await readdir(path.join(root, 'raw', 'batch'))).sort();
const onDisk = (name: string): string => path.join(root, 'raw', 'batch', name);
const rest = (text: string, to = store) => to.put(KEY, Buffer.from(text), REST);

describe('objects that rest, in a folder of local files', () => {
  it('are gzip under their name, which other programs read', async () => {
    await rest(COUNTS);
    expect(await files()).toEqual(['counts.csv.gz']);
    const packed = await readFile(onDisk('counts.csv.gz'));
    expect(packed.byteLength).toBeLessThan(COUNTS.length / 3);
    expect(gunzipSync(packed).toString()).toBe(COUNTS);
    const { stdout } = await promisify(execFile)('gzip', ['-dc', onDisk('counts.csv.gz')], {
      maxBuffer: MIB,
    });
    expect(stdout).toBe(COUNTS);
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const counted = await connection.runAndReadAll(
      `SELECT count(*)::INT FROM read_csv('${onDisk('counts.csv.gz')}')`,
    );
    expect(counted.getRows()).toEqual([[5_000]]);
    connection.closeSync();
    instance.closeSync();
  });

  it('are those of what is in them in every respect', async () => {
    const ref = await rest(COUNTS);
    expect(ref).toEqual({
      key: KEY,
      sha256: hashOf(COUNTS),
      bytes: COUNTS.length,
      mediaType: 'text/csv',
    });
    for (const any of [store, createLocalObjectStore({ root })]) {
      const head = await any.head(KEY);
      expect(head).toMatchObject({ key: KEY, bytes: COUNTS.length });
      expect(await toArray(any.list('raw/'))).toEqual([head]);
      expect(await collectText(await any.get(KEY))).toBe(COUNTS);
      expect(await collectText(await any.get(KEY, { start: 10, end: 20_000 }))).toBe(
        COUNTS.slice(10, 20_000),
      );
      expect(await collectText(await any.get(KEY, { start: COUNTS.length - 3 }))).toBe(
        COUNTS.slice(-3),
      );
      expect(await any.inspect(ref)).toEqual({ state: 'intact' });
      expect(await any.inspect({ ...ref, bytes: 1 })).toEqual({ state: 'damaged' });
      const opened = (await any.openLocal(ref))!;
      expect(opened.endsWith('.csv')).toBe(true);
      expect(await readFile(opened, 'utf8')).toBe(COUNTS);
    }
  });

  it('come from a file of any length, and a copy for a reader goes with that reader', async () => {
    const body = patternBytes(MIB, 0, 5 * MIB + 17);
    const given = path.join(root, 'given');
    await writeFile(given, body);
    const ref = await store.put(KEY, { path: given }, REST);
    expect(ref).toMatchObject({ sha256: hashOf(body), bytes: body.byteLength });
    expect(hashOf(await collect(await store.get(KEY)))).toBe(ref.sha256);
    const reading = new AbortController();
    const both = await Promise.all(
      [1, 2].map(async () => store.openLocal(ref, { until: reading.signal })),
    );
    expect(new Set(both).size).toBe(1);
    expect(hashOf(await readFile(both[0]!))).toBe(ref.sha256);
    reading.abort();
    await expect(readFile(both[0]!)).rejects.toThrow('ENOENT');
    const left = await readdir(path.join(root, '.incoming'));
    const sizes = await Promise.all(
      left.map(async (name) => (await stat(path.join(root, '.incoming', name))).size),
    );
    expect(sizes.filter((size) => size > 0)).toEqual([]);
  });

  it('are listed in the order of their names, between others and once', async () => {
    for (const key of [
      'raw/batch/counts.csv-1',
      'raw/batch/counts.csv.d/x',
      'raw/batch/a.csv',
      'raw/batch/counts.csx',
    ])
      await store.put(key, Buffer.from(key), CREATE);
    await rest(COUNTS);
    const keys = (await toArray(store.list('raw/batch/'))).map(({ key }) => key);
    expect(keys).toEqual([
      'raw/batch/a.csv',
      'raw/batch/counts.csv',
      'raw/batch/counts.csv-1',
      'raw/batch/counts.csv.d/x',
      'raw/batch/counts.csx',
    ]);
    expect((await toArray(store.list('raw/batch/counts.csv'))).map(({ key }) => key)).toEqual(
      keys.slice(1, 4),
    );
  });

  it('give way to what is put there later, in either form, and are no name to create', async () => {
    await rest(COUNTS);
    await expect(store.put(KEY, Buffer.from('x'), CREATE)).rejects.toMatchObject({
      code: 'STORE_CONFLICT',
    });
    await store.put(KEY, Buffer.from('plain'), REPLACE);
    expect(await files()).toEqual(['counts.csv']);
    expect(await collectText(await store.get(KEY))).toBe('plain');
    await rest(COUNTS);
    expect(await files()).toEqual(['counts.csv.gz']);
    expect(await collectText(await store.get(KEY))).toBe(COUNTS);
    await store.delete(KEY);
    expect(await store.get(KEY)).toBeUndefined();
    expect(await readdir(root)).not.toContain('raw');
    await store.delete(KEY);
  });

  it('give way to a file that another program lays beside them, however old its bytes are', async () => {
    await rest(COUNTS);
    await writeFile(onDisk('counts.csv'), 'theirs');
    await utimes(onDisk('counts.csv'), 1, 1);
    expect(await collectText(await store.get(KEY))).toBe('theirs');
    expect(await toArray(store.list('raw/'))).toMatchObject([{ key: KEY, bytes: 6 }]);
    await rest('mine now');
    expect(await files()).toEqual(['counts.csv.gz']);
    expect(await collectText(await store.get(KEY))).toBe('mine now');
  });

  it('are told from gzip of others, which is an object of its own name', async () => {
    await rest('');
    const theirs = gzipSync('theirs');
    await writeFile(onDisk('other.csv.gz'), theirs);
    expect((await toArray(store.list('raw/'))).map(({ key }) => key)).toEqual([
      KEY,
      'raw/batch/other.csv.gz',
    ]);
    expect(await store.head('raw/batch/other.csv')).toBeUndefined();
    expect(Buffer.from(await collect(await store.get('raw/batch/other.csv.gz')))).toEqual(theirs);
    expect(await collectText(await store.get(KEY))).toBe('');
  });

  it.each([
    ['a flipped byte', async (file: string) => writeFile(file, flip(await readFile(file)))],
    [
      'a lost beginning',
      async (file: string) => writeFile(file, (await readFile(file)).subarray(100)),
    ],
  ])('are damaged after %s, and are never handed out wrong', async (_, damage) => {
    const ref = await rest(COUNTS);
    await damage(onDisk('counts.csv.gz'));
    const fresh = createLocalObjectStore({ root });
    expect(await fresh.inspect(ref)).toEqual({ state: 'damaged' });
    await expect(fresh.openLocal(ref)).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    const reading = async (): Promise<string> => collectText(await fresh.get(KEY));
    await expect(reading()).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
  });

  it('are plain where their name has no room for the ending', async () => {
    const key = `raw/batch/${'x'.repeat(253)}`;
    await store.put(key, Buffer.from(COUNTS), REST);
    expect(await files()).toEqual(['x'.repeat(253)]);
    expect(await collectText(await store.get(key))).toBe(COUNTS);
  });

  it('are no object of ours once their end is lost', async () => {
    await rest(COUNTS);
    await truncate(onDisk('counts.csv.gz'), 500);
    expect(await store.head(KEY)).toBeUndefined();
    await appendFile(onDisk('counts.csv.gz'), 'x');
    expect((await toArray(store.list('raw/'))).map(({ key }) => key)).toEqual([
      'raw/batch/counts.csv.gz',
    ]);
  });
});

function flip(bytes: Buffer): Buffer {
  const at = Math.floor(bytes.byteLength / 2);
  bytes[at] = (bytes[at] ?? 0) ^ 0xff;
  return bytes;
}
