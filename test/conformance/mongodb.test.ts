import { randomBytes } from 'node:crypto';
import { MongoClient } from 'mongodb';
import type { Document } from 'mongodb';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { cityFlowTables } from '../fixtures/city-tables.ts';
import { createMemoryObjectStore } from '../../src/storage/memory/memory.ts';
import { openMongoDocumentStore } from '../../src/storage/mongo/mongo-documents.ts';
import type {
  MongoDocumentOptions,
  MongoDocumentStore,
} from '../../src/storage/mongo/mongo-documents.ts';
import type { DocumentKey } from '../../src/ports/documents.ts';
import { initStorage } from '../../src/storage/setup/storage-init.ts';
import { printStorage } from '../../src/storage/setup/storage-print.ts';
import { MONGO_JAVA_SERVER, startMongoJavaServer } from '../fixtures/servers/mongo-java-server.ts';
import { unusedPort } from '@quotidien/temporal-program/ports';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { inParallel, toArray } from './byte-streams.ts';
import { documentStoreConformance, openedTwice } from './document-store.suite.ts';

/** The names are CityFlow's own defaults. */
const CITYFLOW = cityFlowTables({ metrics: 'metrics', reports: 'reports' });

/**
 * Atomic in every single operation, and in memory: this file proves atomicity,
 * `ferretdb.long.test.ts` durability.
 */
await describeWithServer(MONGO_JAVA_SERVER, startMongoJavaServer, (shared) => {
  documentStoreConformance(
    'MongoDB’s protocol, atomicity (mongo-java-server)',
    async () => {
      const { url } = await shared();
      const overflow = createMemoryObjectStore();
      const options = { url, database: 'conformance', overflow };
      return openedTwice(openMongoDocumentStore(options), openMongoDocumentStore(options), () =>
        overflow.dispose(),
      );
    },
    { utf16Order: true },
  );

  describe('a MongoDB document store (mongo-java-server)', () => {
    const overflow = createMemoryObjectStore();
    let options: MongoDocumentOptions;
    let store: MongoDocumentStore;
    let raw: MongoClient;
    const key = (partition: string, sort = 'one'): DocumentKey => ({
      table: 'ledger',
      partition,
      sort,
    });
    const row = async (_id: string): Promise<Document | null> =>
      raw.db('own').collection<{ _id: string }>('ledger').findOne({ _id });

    beforeAll(async () => {
      const { url } = await shared();
      options = { url, database: 'own', overflow };
      store = openMongoDocumentStore(options);
      raw = new MongoClient(url);
    });
    afterAll(async () => {
      await store.close();
      await raw.close();
      await overflow.dispose();
    });

    it('is asked once what it is', async () => {
      expect(await store.server()).toEqual({
        product: 'MongoDB',
        version: '5.0.0',
        atomicUpdates: true,
      });
      expect(store.server()).toBe(store.server());
    });

    it('keeps a body as a document that can be read and queried', async () => {
      const body = {
        verdict: 'ok',
        rows: 96,
        mean: 0.1,
        large: 1e21,
        deep: { list: [1, null, { a: 'é' }] },
      };
      await store.put(key('eco2mix', '2024-01-15'), body);
      expect(await row('eco2mix|2024-01-15')).toEqual({
        _id: 'eco2mix|2024-01-15',
        partition: 'eco2mix',
        sort: '2024-01-15',
        version: 1,
        body,
      });
      expect(
        await raw.db('own').collection('ledger').countDocuments({ 'body.deep.list.a': 'é' }),
      ).toBe(1);
    });

    it.each<[string, object]>([
      ['a name with a dollar', { deep: { $ref: 'a', $id: 1 } }],
      ['a name with a dot', { 'a.b': 1 }],
      ['an empty name', { deep: [{ '': 1 }] }],
      ['a name with NUL', { 'a\0b': 1 }],
      ['a name of the driver', { deep: { _bsontype: 'ObjectId', id: 'x' } }],
      ['half a surrogate pair', { text: 'a\uD83D' }],
      ['half a surrogate pair in a name', { 'a\uD83D': 1 }],
      ['the prototype', JSON.parse('{"deep": {"__proto__": {"polluted": 1}}}') as object],
      ['deep nesting', JSON.parse('[{"a":'.repeat(120) + '1' + '}]'.repeat(120)) as object],
      ['more than a megabyte', { text: 'x'.repeat(1_100_000) }],
    ])('keeps a body with %s as JSON text, exactly', async (what, body) => {
      await store.put(key('texts', what), { before: true });
      await store.put(key('texts', what), body);
      expect(JSON.stringify((await store.get(key('texts', what)))?.body)).toBe(
        JSON.stringify(body),
      );
      expect(Object.keys((await row(`texts|${what}`)) ?? {}).sort()).toEqual([
        '_id',
        'body_json',
        'partition',
        'sort',
        'version',
      ]);
    });

    it('keeps a body over 12 MB in the object store, under every kind of put', async () => {
      const large = (): object => ({ noise: randomBytes(9_200_000).toString('base64') });
      const [first, second, third] = [large(), large(), large()];
      await store.put(key('large'), first, { expectedVersion: 0 });
      await store.put(key('large'), second, { expectedVersion: 1 });
      expect(await toArray(store.query(key('large')))).toEqual([
        { ...key('large'), version: 2, body: second },
      ]);
      expect(await store.createMany([{ key: key('large', 'two'), body: third }])).toEqual([true]);
      expect((await store.get(key('large', 'two')))?.body).toEqual(third);
      const { body_object: ref } = (await row('large|two')) as { body_object?: { key: string } };
      await overflow.delete(ref?.key ?? '');
      await expect(store.get(key('large', 'two'))).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
      await store.put(key('large', 'two'), { small: true });
      expect(await row('large|two')).not.toHaveProperty('body_object');
    });

    it('keeps the largest body of each form within the limits of the server', async () => {
      const lists = { list: Array.from({ length: 499_900 }, () => 1) };
      const text = { text: '\u0001'.repeat(1_990_000) };
      for (const [name, body] of Object.entries({ lists, text })) {
        await store.put(key('limits', name), body);
        expect((await store.get(key('limits', name)))?.body).toEqual(body);
      }
    });

    it('never takes two keys for one', async () => {
      const keys = [
        key('a|b', 'c'),
        key('a', 'b|c'),
        key('a%7Cb', 'c'),
        key('a%257Cb', 'c'),
        key('a', '%7Cb|c'),
      ];
      expect(await store.createMany(keys.map((own, n) => ({ key: own, body: { n } })))).toEqual(
        keys.map(() => true),
      );
      for (const [n, own] of keys.entries()) expect((await store.get(own))?.body).toEqual({ n });
    });

    it('counts every one of 30 puts at the same time that expect no version', async () => {
      const puts = await inParallel(30, 30, (n) => store.put(key('replaced'), { n }));
      expect(puts.map(({ version }) => version).sort((a, b) => a - b)).toEqual(
        puts.map((_, n) => n + 1),
      );
    });

    it('creates documents of several tables at once', async () => {
      const documents = ['first', 'second', 'first', 'third'].map((table, n) => ({
        key: { table, partition: 'p', sort: String(n) },
        body: { n },
      }));
      expect(await store.createMany(documents)).toEqual([true, true, true, true]);
      expect(await store.createMany(documents)).toEqual([false, false, false, false]);
      for (const { key: own, body } of documents)
        expect((await store.get(own))?.body).toEqual(body);
    });

    it('makes its index with the first write, and none by reading', async () => {
      const before = { table: 'unread', partition: 'p', sort: 's' };
      await store.get(before);
      await toArray(store.query(before));
      const collections = await raw.db('own').listCollections().toArray();
      expect(collections.map(({ name }) => name)).not.toContain('unread');
      await store.put(before, {});
      const names = (await raw.db('own').collection('unread').indexes()).map(({ name }) => name);
      expect(names).toEqual(['_id_', 'partition_sort']);
    });

    it('is unavailable where nobody listens, and does not tell its password', async () => {
      const url = `mongodb://quotidien:top-secret@127.0.0.1:${await unusedPort()}/?directConnection=true`;
      const gone = openMongoDocumentStore({ ...options, url, selectTimeoutMs: 200 });
      for (const use of [
        () => gone.get(key('a')),
        () => gone.put(key('a'), {}),
        () => gone.server(),
      ]) {
        const error = await use().catch((thrown: unknown) => thrown);
        expect(error).toMatchObject({ code: 'STORE_UNAVAILABLE', retryable: true });
        expect(String(error)).not.toContain('top-secret');
      }
      await gone.close();
    });

    it('can be opened before its server', async () => {
      const server = await startMongoJavaServer();
      await server.kill();
      const early = openMongoDocumentStore({ ...options, url: server.url, selectTimeoutMs: 300 });
      await expect(early.put(key('early'), {})).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      });
      await expect(early.get(key('early'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await server.restart();
      // A try waits for the server as short as above, which a busy machine may need longer for.
      const put = () => early.put(key('early'), {});
      expect(await vi.waitFor(put, { timeout: 50_000 })).toMatchObject({ version: 1 });
      await early.close();
      await expect(early.get(key('early'))).rejects.toMatchObject({ code: 'INTERNAL' });
      await server.stop();
    });

    it('refuses a URL that cannot be read', () => {
      const open = (): unknown =>
        openMongoDocumentStore({ ...options, url: 'mongodb://u:top-secret@host/?nonsense=1' });
      expect(open).toThrow(/mongodb:\/\/host.*nonsense/);
      expect(open).not.toThrow(/top-secret/);
    });

    it('lets the URL say how long to wait', async () => {
      const url = `mongodb://127.0.0.1:${await unusedPort()}/?directConnection=true&serverSelectionTimeoutMS=100`;
      const gone = openMongoDocumentStore({ ...options, url });
      const startedAt = performance.now();
      await expect(gone.get(key('a'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      expect(performance.now() - startedAt).toBeLessThan(4_000);
      await gone.close();
    });
  });

  describe('the collections of CityFlow', () => {
    const overflow = createMemoryObjectStore();
    let store: MongoDocumentStore;
    let raw: MongoClient;
    const day = (date: string): DocumentKey => ({
      table: 'cityflow-metrics',
      partition: 'bikes',
      sort: date,
    });
    const metrics = () => raw.db('cityflow').collection('metrics');

    beforeAll(async () => {
      const { url } = await shared();
      store = openMongoDocumentStore({
        url,
        database: 'cityflow',
        overflow,
        nativeTables: CITYFLOW,
      });
      raw = new MongoClient(url);
    });
    afterAll(async () => {
      await store.close();
      await raw.close();
      await overflow.dispose();
    });

    it('have the members of the body as fields, expire after 365 days, and give the same body back', async () => {
      const body = { total: 1_234.5, zones: [{ name: 'é', none: null }], empty: '', list: [] };
      const writtenAt = Date.now();
      expect(await store.put(day('2025-11-03'), body, { expectedVersion: 0 })).toEqual({
        version: 1,
      });
      const { ttl, ...row } = (await metrics().findOne({ date: '2025-11-03' })) as unknown as {
        ttl: Date;
      };
      expect(Math.abs(ttl.getTime() - writtenAt - 365 * 86_400_000)).toBeLessThan(60_000);
      const keys = { _id: 'bikes|2025-11-03', metric_type: 'bikes', date: '2025-11-03' };
      expect(row).toEqual({ ...keys, ...body, record_version: 1 });
      expect(await store.get(day('2025-11-03'))).toEqual({
        ...day('2025-11-03'),
        version: 1,
        body,
      });
    });

    it('are replaced as a whole, compared and set, created once, queried and deleted', async () => {
      await store.put(day('2025-11-04'), { old: true, kept: 1 });
      expect(await store.put(day('2025-11-04'), { kept: 2 })).toMatchObject({ version: 2 });
      expect(await store.put(day('2025-11-04'), { kept: 3 }, { expectedVersion: 2 })).toMatchObject(
        { version: 3 },
      );
      for (const expectedVersion of [0, 1, 2]) {
        await expect(store.put(day('2025-11-04'), {}, { expectedVersion })).rejects.toMatchObject({
          code: 'STORE_CONFLICT',
        });
      }
      const documents = ['04', '05'].map((n) => ({ key: day(`2025-11-${n}`), body: { n } }));
      expect(await store.createMany(documents)).toEqual([false, true]);
      expect(await toArray(store.query({ ...day('x'), from: '2025-11-04' }))).toMatchObject([
        { sort: '2025-11-04', version: 3, body: { kept: 3 } },
        { sort: '2025-11-05', version: 1, body: { n: '05' } },
      ]);
      expect(await toArray(store.partitions('cityflow-metrics'))).toEqual(['bikes']);
      await store.delete(day('2025-11-05'));
      expect(await metrics().findOne({ date: '2025-11-05' })).toBeNull();
    });

    it('count every one of 30 puts at the same time that expect no version', async () => {
      const puts = await inParallel(30, 30, (n) => store.put(day('2025-12-01'), { n }));
      expect(puts.map(({ version }) => version).sort((a, b) => a - b)).toEqual(
        puts.map((_, n) => n + 1),
      );
    });

    it('find and replace what another program wrote, whose ids they do not know', async () => {
      const written = { metric_type: 'bikes', date: '2020-01-01', total: 7, at: new Date(0) };
      await metrics().insertOne({ ...written });
      expect(await store.get(day('2020-01-01'))).toMatchObject({
        version: 1,
        body: { total: 7, at: '1970-01-01T00:00:00.000Z' },
      });
      await expect(store.put(day('2020-01-01'), {}, { expectedVersion: 0 })).rejects.toMatchObject({
        code: 'STORE_CONFLICT',
      });
      expect(
        await store.put(day('2020-01-01'), { total: 8 }, { expectedVersion: 1 }),
      ).toMatchObject({ version: 2 });
      expect(await metrics().countDocuments({ date: '2020-01-01' })).toBe(1);
      expect(await store.get(day('2020-01-01'))).toMatchObject({ version: 2, body: { total: 8 } });
    });

    it('keep key, hash, size and time to live of a body that is too large', async () => {
      const body = { noise: randomBytes(2_000_000).toString('base64') };
      await store.put(day('2025-11-06'), body);
      expect(await metrics().findOne({ date: '2025-11-06' })).toMatchObject({
        body_bytes: Buffer.byteLength(JSON.stringify(body)),
        body_key: expect.stringMatching(/^overflow\//) as string,
        ttl: expect.any(Date) as Date,
      });
      expect((await store.get(day('2025-11-06')))?.body).toEqual(body);
    });

    it('refuse a second report of one date', async () => {
      const report = (id: string): DocumentKey => ({
        table: 'cityflow-daily-reports',
        partition: id,
        sort: '2025-11-04',
      });
      await store.put(report('daily_report_2025-11-04'), {}, { expectedVersion: 0 });
      for (const options of [{}, { expectedVersion: 0 }]) {
        await expect(store.put(report('another'), {}, options)).rejects.toMatchObject({
          code: 'STORE_CONFLICT',
        });
      }
    });

    it.each<[string, object]>([
      ['a key of the table', { date: '2025-11-03' }],
      ['the id', { _id: 1 }],
      ['the time to live', { ttl: 1_800_000_000 }],
      ['a number that DynamoDB lacks', { deep: [1e21] }],
      ['a name with a dollar', { deep: { $set: 1 } }],
    ])('refuse %s in a body', async (_, body) => {
      await expect(store.put(day('2025-12-02'), body)).rejects.toMatchObject({
        code: 'INPUT_INVALID',
      });
    });

    it('refuse a collection with two records of one key, and an index of another form', async () => {
      const { url } = await shared();
      const doubled = openMongoDocumentStore({
        url,
        database: 'doubled',
        overflow,
        nativeTables: CITYFLOW,
      });
      const own = raw.db('doubled').collection('metrics');
      await own.insertMany(
        [1, 2].map((total) => ({ metric_type: 'bikes', date: '2025-11-03', total })),
      );
      await expect(doubled.put(day('2025-11-04'), {})).rejects.toThrow(
        /several records of one metric_type and date/,
      );
      await own.deleteMany({});
      await own.createIndex({ metric_type: 1, date: 1 }, {}, {});
      const error = await doubled.put(day('2025-11-04'), {}).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ code: 'STORE_DENIED' });
      expect(String(error)).toMatch(/index metric_type_1_date_1 .* remove it/);
      await own.dropIndex('metric_type_1_date_1');
      expect(await doubled.put(day('2025-11-04'), {})).toMatchObject({ version: 1 });
      await doubled.close();
    });
  });

  describe('initStorage', () => {
    const target = (url: string, database: string) => ({
      mongodb: {
        url,
        database,
        operationalTables: ['ledger', 'manifests'],
        nativeTables: CITYFLOW,
      },
    });
    const indexesIn = async (
      client: MongoClient,
      database: string,
    ): Promise<Record<string, unknown>> => {
      const indexes: Record<string, unknown> = {};
      for (const name of ['ledger', 'manifests', 'metrics', 'reports']) {
        const found = await client.db(database).collection(name).indexes();
        indexes[name] = found.map(({ key, unique, expireAfterSeconds }) => ({
          key,
          unique,
          expireAfterSeconds,
        }));
      }
      return indexes;
    };

    it('creates collections and indexes once', async () => {
      const { url } = await shared();
      const made = await initStorage(target(url, 'made'));
      expect(made.map(({ outcome }) => outcome)).toEqual(
        Array.from({ length: 8 }, () => 'created'),
      );
      const again = await initStorage(target(url, 'made'));
      expect(again.map(({ outcome }) => outcome)).toEqual(
        Array.from({ length: 8 }, () => 'already there'),
      );
      expect(again.map(({ what }) => what)).toContain(
        `the index ttl of the collection reports of ${url.split('/?')[0]!}/made`,
      );
    });

    it('prints a script that makes the same', async () => {
      const { url } = await shared();
      await initStorage(target(url, 'by-init'));
      const { mongosh = '', cloudFormation } = printStorage(target(url, 'by-script'));
      expect(cloudFormation).toBeUndefined();
      const client = new MongoClient(url);
      await runMongoshScript(client, mongosh);
      await runMongoshScript(client, mongosh);
      expect(await indexesIn(client, 'by-script')).toEqual(await indexesIn(client, 'by-init'));
      await client.close();
    });

    it('is unavailable where nobody listens', async () => {
      const url = `mongodb://127.0.0.1:${await unusedPort()}/?directConnection=true&serverSelectionTimeoutMS=100`;
      await expect(initStorage(target(url, 'made'))).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      });
    });
  });
});

/** As `mongosh` does, which waits for each statement by itself. */
async function runMongoshScript(client: MongoClient, script: string): Promise<void> {
  let db = client.db('test');
  for (const line of script.trimEnd().split('\n')) {
    const [, database] = /^db = db\.getSiblingDB\((".*")\);$/.exec(line) ?? [];
    const [, collection, index] =
      /^db\.getCollection\((".*?")\)\.createIndex\((.*)\);$/.exec(line) ?? [];
    if (database !== undefined) db = client.db(JSON.parse(database) as string);
    else {
      const [key, options] = JSON.parse(`[${index!}]`) as [
        Record<string, 1>,
        Record<string, unknown>,
      ];
      await db.collection(JSON.parse(collection!) as string).createIndex(key, options, {});
    }
  }
}
