import fc from 'fast-check';
import Database from 'libsql';
import { createHash } from 'node:crypto';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32, deflateSync } from 'node:zlib';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { LedgerEntry } from '../../../src/pipelines/ledger.ts';
import { whyRun } from '../../../src/pipelines/plan-reasons.ts';
import { stepKey } from '../../../src/pipelines/step-key.ts';
import { openSqliteDocumentStore } from '../../../src/storage/sqlite/sqlite-documents.ts';
import { createSharedHashes } from '../../../src/storage/sqlite/shared-hashes.ts';
import { toArray } from '../../conformance/byte-streams.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(path.join(tmpdir(), 'quotidien-packed-'));
  file = path.join(folder, 'documents.db');
});
afterEach(async () => {
  await rm(folder, { recursive: true, force: true });
});

const MARKS = { hash: '*', again: '+' };
const hash = (text: string): string => createHash('sha256').update(text).digest('hex');
const key = (n: number) => ({ table: 'ledger', partition: 'p', sort: String(n).padStart(4, '0') });

/** As a ledger record: much that all of them say, and hashes of its own. */
const record = (n: number): object => ({
  pipeline: 'tiny',
  key: hash(`key ${n}`),
  params: Object.fromEntries(
    Array.from({ length: 30 }, (_, at) => [hash(`param ${at}`).slice(0, 24), at]),
  ),
  outputs: { core: { key: `core/tiny/${hash(`core ${n}`)}.parquet`, bytes: 1_700 + n } },
});
const records = (from: number, to: number): { key: ReturnType<typeof key>; body: object }[] =>
  Array.from({ length: to - from }, (_, at) => ({ key: key(from + at), body: record(from + at) }));

function withDatabase<T>(work: (database: Database.Database) => T): T {
  const database = new Database(file);
  try {
    return work(database);
  } finally {
    database.close();
  }
}

function hashCount(): number {
  const [found] = withDatabase((database) =>
    database.prepare('SELECT count(*) AS count FROM hashes').all(),
  );
  return (found as { count: number }).count;
}

async function bodies(): Promise<object[]> {
  const store = await openSqliteDocumentStore({ file });
  try {
    return (await toArray(store.query({ table: 'ledger', partition: 'p' }))).map(
      ({ body }) => body,
    );
  } finally {
    await store.close();
  }
}

async function write(from: number, to: number): Promise<void> {
  const store = await openSqliteDocumentStore({ file });
  await store.createMany(records(from, to));
  await store.close();
}

describe('documents in an SQLite file', () => {
  it('take a fifth of their text when they say much the same', async () => {
    await write(0, 1_000);
    const text = records(0, 1_000).reduce((sum, { body }) => sum + JSON.stringify(body).length, 0);
    expect((await stat(file)).size).toBeLessThan(text / 5);
    expect(await bodies()).toEqual(records(0, 1_000).map(({ body }) => body));
  });

  it('lie in pages that long records fit into; a file with others is used as it is', async () => {
    const pageSize = (): unknown =>
      withDatabase((database) => database.prepare('PRAGMA page_size').all());
    await write(0, 1);
    expect(pageSize()).toEqual([{ page_size: 8_192 }]);
    await rm(file);
    withDatabase((database) => database.exec('PRAGMA page_size = 4096; CREATE TABLE other (a)'));
    await write(0, 3);
    expect(pageSize()).toEqual([{ page_size: 4_096 }]);
    expect(await bodies()).toEqual(records(0, 3).map(({ body }) => body));
  });

  it('take little also when each was written by a process of its own', async () => {
    for (let n = 0; n < 20; n += 1) await write(n, n + 1);
    const sizes = withDatabase((database) =>
      database.prepare('SELECT length(body) AS bytes FROM documents').all(),
    );
    const bytes = (sizes as { bytes: number }[]).map((row) => row.bytes);
    expect(Math.max(...bytes.slice(1))).toBeLessThan(JSON.stringify(record(0)).length / 4);
    expect(await bodies()).toEqual(records(0, 20).map(({ body }) => body));
  });

  it('are never taken for what a body was before another process made it anew', async () => {
    const stores = await Promise.all([1, 2].map(async () => openSqliteDocumentStore({ file })));
    const [own, other] = [stores[0]!, stores[1]!];
    await own.createMany(records(0, 2));
    expect((await own.get(key(0)))?.body).toEqual(record(0));
    await other.delete(key(0));
    await other.put(key(0), record(7), { expectedVersion: 0 });
    expect(await own.get(key(0))).toMatchObject({ version: 1, body: record(7) });
    await other.put(key(0), record(0));
    expect((await own.get(key(0)))?.body).toEqual(record(0));
    for (const store of stores) await store.close();
  });

  it('are read with the dictionaries of processes that write at the same time', async () => {
    const stores = await Promise.all([1, 2].map(async () => openSqliteDocumentStore({ file })));
    for (let n = 0; n < 40; n += 1) {
      const store = stores[n % 2]!;
      // A third kind of document every now and then, so that both make the dictionary grow.
      const body =
        n % 7 === 0
          ? { n, text: Array.from({ length: 20 }, (_, at) => hash(`${n} ${at}`)) }
          : record(n);
      await store.put(key(n), body);
      for (const each of stores) expect((await each.get(key(n)))?.body).toEqual(body);
    }
    await Promise.all(stores.map(async (store) => store.close()));
  });

  it('make dictionaries of at most 32 KiB a table, however different they are', async () => {
    const store = await openSqliteDocumentStore({ file });
    const noise = (n: number): object => ({
      text: Array.from({ length: 200 }, (_, at) => hash(`${n} ${at}`).slice(1)),
    });
    for (let n = 0; n < 10; n += 1) await store.put(key(n), noise(n));
    const [found] = withDatabase((database) =>
      database
        .prepare('SELECT sum(length(sample)) AS bytes, count(*) AS count FROM dictionary_samples')
        .all(),
    ) as { bytes: number; count: number }[];
    expect(found).toEqual({ bytes: 32_768, count: 4 });
    for (let n = 0; n < 10; n += 1) expect((await store.get(key(n)))?.body).toEqual(noise(n));
    await store.close();
  });

  it('come back as they were, whatever their text', async () => {
    const store = await openSqliteDocumentStore({ file });
    const text = fc.string({ unit: 'binary', minLength: 0, maxLength: 2_000, size: 'max' });
    await fc.assert(
      fc.asyncProperty(
        fc.record({ text, list: fc.array(fc.double({ noNaN: true, noDefaultInfinity: true })) }),
        async (body) => {
          const stored = JSON.parse(JSON.stringify(body)) as object;
          await store.put(key(1), body);
          expect((await store.get(key(1)))?.body).toEqual(stored);
        },
      ),
      { numRuns: 60, endOnFailure: true },
    );
    await store.close();
  });

  it('of the layout that had them as text are read, and packed when they are replaced', async () => {
    withDatabase((database) => {
      database.exec(`CREATE TABLE documents (
        tbl TEXT NOT NULL, partition TEXT NOT NULL, sort TEXT NOT NULL,
        version INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (tbl, partition, sort)
      ) WITHOUT ROWID; PRAGMA user_version = 1`);
      const insert = database.prepare('INSERT INTO documents VALUES (?, ?, ?, 3, ?)');
      for (const { key: name, body } of records(0, 3)) {
        insert.run(name.table, name.partition, name.sort, JSON.stringify(body));
      }
    });
    expect(await bodies()).toEqual(records(0, 3).map(({ body }) => body));
    const store = await openSqliteDocumentStore({ file });
    expect(await store.put(key(1), record(1), { expectedVersion: 3 })).toEqual({ version: 4 });
    await store.close();
    const types = withDatabase((database) =>
      database.prepare('SELECT typeof(body) AS type FROM documents ORDER BY sort').all(),
    );
    expect(types).toEqual([{ type: 'text' }, { type: 'blob' }, { type: 'text' }]);
    expect(await bodies()).toEqual(records(0, 3).map(({ body }) => body));
  });

  it('of the layout that had all hashes within them are read, and name them when they are replaced', async () => {
    withDatabase((database) => {
      database.exec(`CREATE TABLE documents (
        tbl TEXT NOT NULL, partition TEXT NOT NULL, sort TEXT NOT NULL,
        version INTEGER NOT NULL, body TEXT NOT NULL,
        PRIMARY KEY (tbl, partition, sort)
      ) WITHOUT ROWID; PRAGMA user_version = 2`);
      const insert = database.prepare('INSERT INTO documents VALUES (?, ?, ?, 1, ?)');
      for (const { key: name, body } of records(0, 3))
        insert.run(name.table, name.partition, name.sort, deflateSync(JSON.stringify(body)));
    });
    expect(await bodies()).toEqual(records(0, 3).map(({ body }) => body));
    const store = await openSqliteDocumentStore({ file });
    await store.put(key(1), record(1));
    await store.close();
    expect(hashCount()).toBe(2);
    expect(await bodies()).toEqual(records(0, 3).map(({ body }) => body));
  });

  it('of the layout that named every hash by its number are read', async () => {
    const [first, second] = [hash('first'), hash('second')];
    const text = JSON.stringify({
      key: `core/${first}.json`,
      sha256: first,
      of: second,
      pad: 'x'.repeat(600),
    });
    const numbers = [first, first, second].map((name) => Number.parseInt(name.slice(0, 8), 16));
    const head = Buffer.alloc(7 + 4 * numbers.length);
    head[0] = 1;
    head.writeUInt32BE(crc32(text), 1);
    head.writeUInt16BE(numbers.length, 5);
    for (const [at, number] of numbers.entries()) head.writeUInt32BE(number, 7 + 4 * at);
    const short = text.replaceAll(first, '\u{1}').replaceAll(second, '\u{1}');
    await (await openSqliteDocumentStore({ file })).close();
    withDatabase((database) => {
      database.exec('PRAGMA user_version = 3');
      const keep = database.prepare('INSERT INTO hashes VALUES (?, ?)');
      for (const name of [first, second])
        keep.run(Number.parseInt(name.slice(0, 8), 16), Buffer.from(name.slice(8), 'hex'));
      const insert = database.prepare('INSERT INTO documents VALUES (?, ?, ?, 1, ?)');
      insert.run('ledger', 'p', '0001', Buffer.concat([head, deflateSync(short)]));
    });
    expect(await bodies()).toEqual([JSON.parse(text)]);
  });

  it.each([
    [
      'a flipped byte',
      "UPDATE documents SET body = CAST(substr(body, 1, 40) || x'00' || substr(body, 42) AS BLOB) WHERE sort = '0005'",
    ],
    ['bytes that are no zlib stream', "UPDATE documents SET body = x'0102' WHERE sort = '0005'"],
    ['a lost dictionary', 'DELETE FROM dictionary_samples'],
    ['a lost hash', 'DELETE FROM hashes'],
    ['a changed hash', "UPDATE hashes SET rest = CAST(x'00' || substr(rest, 2) AS BLOB)"],
    [
      'the number of another hash',
      'UPDATE documents SET body = CAST(substr(body, 1, 7) || substr(body, 12, 4) || substr(body, 12) AS BLOB)',
    ],
    ['a body that was cut off', 'UPDATE documents SET body = CAST(substr(body, 1, 12) AS BLOB)'],
    [
      'a changed dictionary',
      "UPDATE dictionary_samples SET sample = CAST(x'00' || substr(sample, 2) AS BLOB)",
    ],
  ])('are corrupt, and name themselves, after %s', async (_, damage) => {
    await write(0, 6);
    withDatabase((database) => database.exec(damage));
    const store = await openSqliteDocumentStore({ file });
    const reading = store.get(key(5));
    await expect(reading).rejects.toMatchObject({ name: 'PipelineError', code: 'STORE_CORRUPT' });
    await expect(reading).rejects.toThrow('0005');
    await store.close();
  });
});

describe('hashes that documents of an SQLite file share', () => {
  /** As the record of a step that reads so many previous days. */
  const reader = (day: number, days: number): object => ({
    inputs: Object.fromEntries(
      Array.from({ length: days }, (_, at) => [
        `figures_${at + 1}_days_before`,
        [hash(`figures ${day - at}`)],
      ]),
    ),
    key: hash(`reader ${day}`),
  });

  it('cost those that read sixty days a tenth of their text, and are kept once', async () => {
    const store = await openSqliteDocumentStore({ file });
    const texts = Array.from({ length: 200 }, (_, day) => reader(day, 60));
    for (const [day, body] of texts.entries()) await store.put(key(day), body);
    await store.close();
    expect(hashCount()).toBe(200 + 59 + 200);
    const text = texts.reduce((sum, body) => sum + JSON.stringify(body).length, 0);
    const [sizes] = withDatabase((database) =>
      database.prepare('SELECT sum(length(body)) AS bytes FROM documents').all(),
    ) as { bytes: number }[];
    expect(sizes!.bytes).toBeLessThan(text / 10);
    expect(await bodies()).toEqual(texts);
  });

  it('still tell a plan which of sixty previous days changed, and give the step key again', async () => {
    const inputsOf = (changed: string): LedgerEntry['inputs'] => ({
      ...(reader(100, 60) as Pick<LedgerEntry, 'inputs'>).inputs,
      figures_17_days_before: [changed],
    });
    const parts = { step: 'metrics/links', version: 1, params: {} } as const;
    const now = { ...parts, inputs: inputsOf(hash('now')) };
    const entry = {
      ...parts,
      inputs: inputsOf(hash('before')),
      key: stepKey({ ...parts, inputs: inputsOf(hash('before')) }),
    };
    const store = await openSqliteDocumentStore({ file });
    await store.put(key(0), entry);
    await store.close();
    const again = await openSqliteDocumentStore({ file });
    const kept = (await again.get<LedgerEntry>(key(0)))!.body;
    await again.close();
    expect(stepKey(kept)).toBe(kept.key);
    const [before, after] = ['before', 'now'].map((name) => hash(name).slice(0, 8));
    expect(whyRun(kept, now)).toBe(`input figures_17_days_before changed (${before} → ${after})`);
  });

  it('stay within a body where another hash has the number', async () => {
    const [first, second] = ['a'.repeat(8) + 'b'.repeat(56), 'a'.repeat(8) + 'c'.repeat(56)];
    const both = { ...reader(0, 20), first, second };
    const store = await openSqliteDocumentStore({ file });
    await store.put(key(0), { ...reader(0, 20), first });
    await store.put(key(1), { ...reader(0, 20), second });
    await store.put(key(2), both);
    await store.close();
    expect(await bodies()).toEqual([
      { ...reader(0, 20), first },
      { ...reader(0, 20), second },
      both,
    ]);
  });

  it('are named rightly by two stores that give one number to two hashes', async () => {
    const stores = await Promise.all([1, 2].map(async () => openSqliteDocumentStore({ file })));
    const number = (n: number): string => String(n).padStart(8, '0');
    for (let n = 0; n < 30; n += 1) {
      const written = stores.map(async (store, which) => {
        const rival = number(n) + hash(`${which}`).slice(8);
        const body = { ...reader(n, 10), rival };
        await store.createMany([{ key: key(n * 2 + which), body }]);
        return body;
      });
      const expected = await Promise.all(written);
      for (const store of stores)
        for (const which of [0, 1])
          expect((await store.get(key(n * 2 + which)))?.body).toEqual(expected[which]);
    }
    await Promise.all(stores.map(async (store) => store.close()));
  });

  it('are not written without a body that names them', async () => {
    const store = await openSqliteDocumentStore({ file });
    await store.put(key(0), record(0));
    const lost = store.put(key(0), reader(0, 20), { expectedVersion: 0 });
    await expect(lost).rejects.toMatchObject({ code: 'STORE_CONFLICT' });
    expect(hashCount()).toBe(2);
    await store.put(key(1), reader(0, 20));
    expect((await store.get(key(1)))?.body).toEqual(reader(0, 20));
    await store.close();
  });

  it('are packed again when another process gave one of their numbers away in between', () => {
    const rows = new Map<number, Uint8Array>();
    const shared = createSharedHashes({
      of: (number) => rows.get(number),
      add: (number, rest) => {
        if (!rows.has(number)) rows.set(number, rest);
      },
    });
    const [ours, theirs] = ['a'.repeat(8) + 'b'.repeat(56), 'a'.repeat(8) + 'c'.repeat(56)];
    const number = 0xaa_aa_aa_aa;
    expect(shared.take(`"${ours}"`, MARKS)).toEqual({ text: '"*"', numbers: [number] });
    // A name that ends in the hash of its bytes.
    expect(shared.take(`a/${ours}.json ${ours}`, MARKS)).toEqual({
      text: 'a/*.json +',
      numbers: [number],
    });
    rows.set(number, Buffer.from(theirs.slice(8), 'hex'));
    expect(shared.write()).toBe(false);
    shared.settle(false);
    expect(shared.take(`"${ours}"`, MARKS)).toEqual({ text: `"${ours}"`, numbers: [] });
    expect(shared.hasNew()).toBe(false);
    expect(shared.hashOf(number)).toBe(theirs);
  });
});
