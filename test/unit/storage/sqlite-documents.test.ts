import Database from 'libsql';
import { randomBytes } from 'node:crypto';
import { mkdir, mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openSqliteDocumentStore } from '../../../src/storage/sqlite/sqlite-documents.ts';
import { sqliteError } from '../../../src/storage/sqlite/sqlite-errors.ts';
import { toArray } from '../../conformance/byte-streams.ts';
import { startChild } from './children/start.ts';
import { mountTinyDisk } from './tiny-disk.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-sqlite-'));
  file = path.join(folder, 'deep', 'documents.db');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const key = (sort: string): { table: string; partition: string; sort: string } => ({
  table: 'ledger',
  partition: 'p',
  sort,
});
const blank = (characters: number): string => 'x'.repeat(characters);
/** Text that compression makes hardly smaller. */
const noise = (characters: number): string => randomBytes(characters).toString('base64');
const many = (
  count: number,
  characters: number,
  text = blank,
): { key: ReturnType<typeof key>; body: object }[] =>
  Array.from({ length: count }, (_, n) => ({
    key: key(String(n).padStart(6, '0')),
    body: { text: text(characters) },
  }));

describe('an SQLite file among processes', { timeout: 60_000 }, () => {
  it('counts every increment of 5 processes that all open it as the first', async () => {
    const startAtMs = Date.now() + 2_000;
    const children = Array.from({ length: 5 }, () =>
      startChild('count-up.ts', [file, '40', String(startAtMs)]),
    );
    const won = (await Promise.all(children.map((child) => child.end()))).map(([line]) =>
      Number(line),
    );
    expect(won.reduce((sum, own) => sum + own, 0)).toBe(500);
    const store = await openSqliteDocumentStore({ file });
    const counter = await store.get({ table: 'counters', partition: 'shared', sort: 'one' });
    expect(counter).toMatchObject({ version: 200, body: { count: 200 } });
    await store.close();
  });

  it('keeps every acknowledged document of a writer that was killed', async () => {
    const child = startChild('append-documents.ts', [file]);
    await child.until((line) => line === '300');
    await child.kill();
    const acknowledged = await child.until((line) => line === '300');
    const store = await openSqliteDocumentStore({ file });
    const sorts = (await toArray(store.query({ table: 'ledger', partition: 'p' }))).map(
      ({ sort }) => Number(sort),
    );
    expect(sorts.length).toBeGreaterThanOrEqual(acknowledged.length);
    expect(sorts).toEqual(sorts.map((_, n) => n));
    await store.put(key('later'), {}, { expectedVersion: 0 });
    await store.close();
    expect(new Database(file).prepare('PRAGMA integrity_check').all()).toEqual([
      { integrity_check: 'ok' },
    ]);
  });

  it('is unavailable, and names the file, when another writer holds it for too long', async () => {
    const store = await openSqliteDocumentStore({ file, busyTimeoutMs: 30 });
    await store.put(key('a'), { n: 1 });
    const other = new Database(file);
    other.exec('BEGIN IMMEDIATE');
    const code = 'STORE_UNAVAILABLE';
    await expect(store.put(key('a'), { n: 2 })).rejects.toMatchObject({ code });
    await expect(store.put(key('b'), {}, { expectedVersion: 0 })).rejects.toThrow(file);
    await expect(store.createMany([{ key: key('b'), body: {} }])).rejects.toMatchObject({ code });
    expect((await store.get(key('a')))?.body).toEqual({ n: 1 });
    other.exec('COMMIT');
    other.close();
    expect(await store.put(key('a'), { n: 2 })).toMatchObject({ version: 2 });
    expect(await store.createMany([{ key: key('b'), body: {} }])).toEqual([true]);
    await store.close();
  });

  it('is never left locked by a call that has ended', async () => {
    const store = await openSqliteDocumentStore({ file });
    const peer = await openSqliteDocumentStore({ file, busyTimeoutMs: 0 });
    const calls: (() => Promise<unknown>)[] = [
      () => store.put(key('a'), {}),
      () => store.put(key('a'), {}, { expectedVersion: 1 }),
      () => store.put(key('a'), {}, { expectedVersion: 0 }).catch(() => undefined),
      () => store.put(key('a'), {}, { expectedVersion: 9 }).catch(() => undefined),
      () => store.get(key('a')),
      () =>
        store.createMany([
          { key: key('a'), body: {} },
          { key: key('b'), body: {} },
        ]),
      () => store.delete(key('b')),
      () => store.query({ table: 'ledger', partition: 'p' })[Symbol.asyncIterator]().next(),
    ];
    for (const call of calls) {
      await call();
      await peer.put(key('peer'), {});
    }
    const [checkpoint] = new Database(file).prepare('PRAGMA wal_checkpoint(TRUNCATE)').all() as {
      busy: number;
    }[];
    expect(checkpoint?.busy).toBe(0);
    await store.close();
    await peer.close();
  });
});

describe('an SQLite file', () => {
  it('leaves no log behind when it is closed, and waits for nobody who still reads', async () => {
    const store = await openSqliteDocumentStore({ file });
    await store.createMany(many(500, 2_000, noise));
    expect((await stat(`${file}-wal`)).size).toBeGreaterThan(1_000_000);
    await store.close();
    const { size } = await stat(`${file}-wal`).catch(() => ({ size: 0 }));
    expect(size).toBe(0);
    const again = await openSqliteDocumentStore({ file, busyTimeoutMs: 60_000 });
    await again.createMany(many(1, 10));
    const reader = new Database(file);
    reader.exec('BEGIN');
    reader.prepare('SELECT count(*) FROM documents').all();
    await again.put(key('last'), {});
    await again.close();
    reader.exec('ROLLBACK');
    reader.close();
  });

  it('is in WAL mode, so that readers do not wait for writers', async () => {
    const store = await openSqliteDocumentStore({ file });
    await store.put(key('a'), { n: 1 });
    const other = new Database(file);
    expect(other.prepare('PRAGMA journal_mode').all()).toEqual([{ journal_mode: 'wal' }]);
    other.exec('BEGIN IMMEDIATE; DELETE FROM documents');
    expect((await store.get(key('a')))?.body).toEqual({ n: 1 });
    other.exec('ROLLBACK');
    other.close();
    await store.close();
  });

  it('keeps its documents when it is closed and opened again', async () => {
    const first = await openSqliteDocumentStore({ file });
    await first.createMany(many(2_500, 100));
    await first.close();
    await first.close();
    const store = await openSqliteDocumentStore({ file });
    expect(await toArray(store.query({ table: 'ledger', partition: 'p' }))).toHaveLength(2_500);
    await store.close();
  });

  it('has every document in the main file after close, for those who copy it', async () => {
    const store = await openSqliteDocumentStore({ file });
    await store.createMany(many(100, 1_000, noise));
    await store.close();
    expect((await stat(file)).size).toBeGreaterThan(100_000);
  });

  it('lets other work of the process go on during a long query', async () => {
    const store = await openSqliteDocumentStore({ file });
    await store.createMany(many(2_000, 10));
    let turns = 0;
    const count = (): void => {
      turns += 1;
    };
    for await (const { sort } of store.query({ table: 'ledger', partition: 'p' })) {
      if (Number(sort) % 500 === 0) setImmediate(count);
    }
    expect(turns).toBeGreaterThanOrEqual(3);
    await store.close();
  });

  it('leaves no half-empty pages after much was written, whoever else has the file open', async () => {
    const store = await openSqliteDocumentStore({ file });
    const other = await openSqliteDocumentStore({ file });
    // As steps write: each all days, and the days of a step between those of another.
    const days = many(2_000, 300).map((document, at) => ({
      ...document,
      order: (at % 7) * 2_000 + at,
    }));
    const bySteps = days.sort((a, b) => a.order - b.order);
    for (let at = 0; at < bySteps.length; at += 100)
      await store.createMany(bySteps.slice(at, at + 100));
    await store.close();
    const { size } = await stat(file);
    expect(await toArray(other.query({ table: 'ledger', partition: 'p' }))).toHaveLength(2_000);
    await other.compact?.();
    await other.close();
    expect(size).toBeLessThan((await stat(file)).size * 1.02);
  });

  it('refuses to be used after it was closed', async () => {
    const store = await openSqliteDocumentStore({ file });
    await store.close();
    await expect(store.get(key('a'))).rejects.toMatchObject({ code: 'INTERNAL' });
  });

  it('is denied where no file can be', async () => {
    const inTheWay = path.join(folder, 'file');
    await writeFile(inTheWay, 'x');
    await mkdir(path.join(folder, 'folder'));
    for (const bad of [
      path.join(inTheWay, 'documents.db'),
      path.join(inTheWay, 'a', 'b.db'),
      path.join(folder, 'folder'),
    ]) {
      const opening = openSqliteDocumentStore({ file: bad });
      await expect(opening).rejects.toMatchObject({ name: 'PipelineError', code: 'STORE_DENIED' });
    }
    expect((await readdir(folder)).sort()).toEqual(['file', 'folder']);
  });

  it('is denied when a newer version wrote it', async () => {
    const store = await openSqliteDocumentStore({ file });
    await store.close();
    const raw = new Database(file);
    raw.exec('PRAGMA user_version = 99');
    raw.close();
    const opening = openSqliteDocumentStore({ file });
    await expect(opening).rejects.toMatchObject({ code: 'STORE_DENIED' });
    await expect(opening).rejects.toThrow(/layout 99/);
  });

  it('is corrupt when it is no database', async () => {
    await mkdir(path.dirname(file));
    await writeFile(file, 'date;consommation\n'.repeat(1_000));
    const opening = openSqliteDocumentStore({ file });
    await expect(opening).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    await expect(opening).rejects.toThrow(file);
  });

  it('is corrupt when its pages are damaged', async () => {
    const first = await openSqliteDocumentStore({ file });
    await first.createMany(many(2_000, 500));
    await first.close();
    const raw = await open(file, 'r+');
    await raw.write(Buffer.alloc(200_000, 0xa5), 0, 200_000, 40_960);
    await raw.close();
    const reading = async (): Promise<unknown> => {
      const store = await openSqliteDocumentStore({ file });
      return toArray(store.query({ table: 'ledger', partition: 'p' }));
    };
    await expect(reading()).rejects.toMatchObject({ name: 'PipelineError', code: 'STORE_CORRUPT' });
  });

  it('is denied on a full disk and keeps what it had acknowledged', async ({ skip }) => {
    const disk = await mountTinyDisk(2_048);
    if (disk === undefined) return skip('this process may not mount a file system');
    try {
      const store = await openSqliteDocumentStore({ file: path.join(disk.folder, 'documents.db') });
      await store.createMany(many(10, 1_000));
      await expect(store.put(key('large'), { text: noise(4 << 20) })).rejects.toMatchObject({
        code: 'STORE_DENIED',
      });
      await expect(
        store.createMany([{ key: key('large'), body: { text: noise(4 << 20) } }]),
      ).rejects.toMatchObject({
        code: 'STORE_DENIED',
      });
      expect(await toArray(store.query({ table: 'ledger', partition: 'p' }))).toHaveLength(10);
      expect(await store.put(key('small'), {})).toMatchObject({ version: 1 });
      await store.close();
    } finally {
      await disk.unmount();
    }
  });
});

describe('sqliteError', () => {
  it.each([
    [{ rawCode: 5, message: 'database is locked' }, 'STORE_UNAVAILABLE'],
    [{ rawCode: 5 | (2 << 8), message: 'busy snapshot' }, 'STORE_UNAVAILABLE'],
    [{ rawCode: 10 | (3 << 8), message: 'disk I/O error' }, 'STORE_UNAVAILABLE'],
    [{ rawCode: 13, message: 'database or disk is full' }, 'STORE_DENIED'],
    [{ rawCode: 8, message: 'attempt to write a readonly database' }, 'STORE_DENIED'],
    [{ rawCode: 11, message: 'database disk image is malformed' }, 'STORE_CORRUPT'],
    [{ rawCode: 26, message: 'file is not a database' }, 'STORE_CORRUPT'],
    [{ rawCode: 1, message: 'no such table: documents' }, 'INTERNAL'],
    [
      { message: 'ConnectionFailed("Unable to open connection to local database /x: 14")' },
      'STORE_DENIED',
    ],
    [{ message: 'something new' }, 'INTERNAL'],
  ])('classifies %o', ({ message, ...fields }, code) => {
    const error = sqliteError(
      Object.assign(new Error(message), fields),
      'write to',
      '/data/documents.db',
    );
    expect(error.code).toBe(code);
    expect(error.message).toContain('/data/documents.db');
    expect(error.message).toContain(message);
  });
});
