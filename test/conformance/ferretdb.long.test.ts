import { describe, expect, it } from 'vitest';
import { errorCodeOf } from '../../src/errors.ts';
import { cityFlowTables } from '../fixtures/city-tables.ts';
import { createMemoryObjectStore } from '../../src/storage/memory/memory.ts';
import { openMongoDocumentStore } from '../../src/storage/mongo/mongo-documents.ts';
import type { MongoDocumentStore } from '../../src/storage/mongo/mongo-documents.ts';
import type { DocumentKey } from '../../src/ports/documents.ts';
import { initStorage } from '../../src/storage/setup/storage-init.ts';
import { FERRETDB, startFerretDb } from '../fixtures/servers/ferretdb.ts';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { inParallel, toArray } from './byte-streams.ts';
import { documentStoreConformance, openedTwice } from './document-store.suite.ts';

const key = (sort: string): DocumentKey => ({ table: 'ledger', partition: 'p', sort });

/**
 * Durable and not atomic in its updates: this file proves durability and create-only,
 * `mongodb.test.ts` atomicity.
 */
await describeWithServer(FERRETDB, startFerretDb, (shared) => {
  documentStoreConformance(
    'MongoDB’s protocol, create-only and durability (FerretDB)',
    async () => {
      const { url } = await shared();
      const overflow = createMemoryObjectStore();
      const options = { url, database: 'conformance', overflow };
      return openedTwice(openMongoDocumentStore(options), openMongoDocumentStore(options), () =>
        overflow.dispose(),
      );
    },
    { noCompareAndSet: true },
  );

  describe('a MongoDB document store on FerretDB', () => {
    it('says so, and refuses compare-and-set, which several writers would win', async () => {
      const { url } = await shared();
      const overflow = createMemoryObjectStore();
      const store = openMongoDocumentStore({ url, database: 'own', overflow });
      expect(await store.server()).toEqual({
        product: 'FerretDB',
        version: 'v1.24.2',
        atomicUpdates: false,
      });
      await store.put(key('pointer'), { at: 1 }, { expectedVersion: 0 });
      const update = store.put(key('pointer'), { at: 2 }, { expectedVersion: 1 });
      await expect(update).rejects.toMatchObject({ name: 'PipelineError', code: 'STORE_DENIED' });
      await expect(update).rejects.toThrow(/FerretDB v1\.24\.2.*several writers/);
      expect(await store.get(key('pointer'))).toMatchObject({ version: 1, body: { at: 1 } });
      expect(await store.put(key('pointer'), { at: 3 })).toMatchObject({ version: 2 });
      await store.close();
    });

    it(
      'keeps every acknowledged document through a kill -9 and serves the same client again',
      { timeout: 120_000 },
      async () => {
        const server = await startFerretDb();
        const overflow = createMemoryObjectStore();
        const store = openMongoDocumentStore({
          url: server.url,
          database: 'own',
          overflow,
          selectTimeoutMs: 10_000,
        });
        const acknowledged = new Map<string, number>();
        let dead = false;
        await inParallel(600, 6, async (n) => {
          if (n === 300) void server.kill();
          if (dead) return;
          try {
            await store.put(key(String(n)), { n }, n % 3 === 0 ? {} : { expectedVersion: 0 });
            acknowledged.set(String(n), n);
          } catch (error) {
            expect(errorCodeOf(error)).toBe('STORE_UNAVAILABLE');
            dead = true;
          }
        });
        expect(acknowledged.size).toBeLessThan(600);
        await expect(store.get(key('1'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
        await server.restart();
        const found = await toArray(
          store.query<{ n: number }>({ table: 'ledger', partition: 'p' }),
        );
        const kept = new Map(found.map(({ sort, body }) => [sort, body.n]));
        expect([...acknowledged].filter(([sort, n]) => kept.get(sort) !== n)).toEqual([]);
        await expect(store.put(key('1'), {}, { expectedVersion: 0 })).rejects.toMatchObject({
          code: 'STORE_CONFLICT',
        });
        await store.put(key('again'), {}, { expectedVersion: 0 });
        await store.close();
        await server.stop();
      },
    );
  });

  describe('a FerretDB with logins', () => {
    it('is denied to a wrong password, to a stranger and to nobody, and tells no password', async () => {
      const server = await startFerretDb({ user: 'quotidien', password: 'right-one' });
      const overflow = createMemoryObjectStore();
      const open = (login: string): MongoDocumentStore =>
        openMongoDocumentStore({
          url: server.url.replace('//', `//${login}`),
          database: 'own',
          overflow,
        });
      const known = open('quotidien:right-one@');
      expect(await known.put(key('a'), {}, { expectedVersion: 0 })).toMatchObject({ version: 1 });
      await known.close();
      for (const login of ['quotidien:wrong-one@', 'stranger:wrong-one@', '']) {
        const denied = open(login);
        for (const use of [() => denied.get(key('a')), () => denied.put(key('b'), {})]) {
          const error = await use().catch((thrown: unknown) => thrown);
          expect(error).toMatchObject({
            name: 'PipelineError',
            code: 'STORE_DENIED',
            retryable: false,
          });
          expect(String(error)).not.toContain('wrong-one');
        }
        await denied.close();
      }
      await server.stop();
    });
  });

  describe('the collections of CityFlow on FerretDB', () => {
    it('are created once, replaced and unique, and never expire there', async () => {
      const { url } = await shared();
      const nativeTables = cityFlowTables({ metrics: 'metrics', reports: 'reports' });
      const mongodb = { url, database: 'cityflow', operationalTables: ['ledger'], nativeTables };
      const outcomes = async (): Promise<string[]> =>
        (await initStorage({ mongodb })).map(({ outcome }) => outcome);
      // Of the collections the index of keys, by which they are unique, and that by date; of the
      // others no end of life.
      const first = ['created', 'created', 'created', 'left out', 'created', 'created', 'left out'];
      expect(await outcomes()).toEqual(first);
      expect(await outcomes()).toEqual(
        first.map((outcome) => (outcome === 'created' ? 'already there' : outcome)),
      );
      const store = openMongoDocumentStore({ ...mongodb, overflow: createMemoryObjectStore() });
      const report = {
        table: 'cityflow-daily-reports',
        partition: 'daily_report_2025-11-04',
        sort: '2025-11-04',
      };
      await store.put(report, { n: 1 }, { expectedVersion: 0 });
      await expect(store.put(report, {}, { expectedVersion: 0 })).rejects.toMatchObject({
        code: 'STORE_CONFLICT',
      });
      await expect(store.put({ ...report, partition: 'other' }, {})).rejects.toMatchObject({
        code: 'STORE_CONFLICT',
      });
      expect(await store.put(report, { n: 2 })).toMatchObject({ version: 2 });
      expect(await store.get(report)).toEqual({ ...report, version: 2, body: { n: 2 } });
      await store.close();
    });
  });
});
