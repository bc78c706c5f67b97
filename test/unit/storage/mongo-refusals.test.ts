import { describe, expect, it } from 'vitest';
import { createMemoryObjectStore } from '../../../src/storage/memory/memory.ts';
import { openMongoDocumentStore } from '../../../src/storage/mongo/mongo-documents.ts';
import type { DocumentStore } from '../../../src/ports/documents.ts';
import { startFaultyProxy } from '../../fixtures/servers/faulty-proxy.ts';
import { startRefusingMongo } from '../../fixtures/servers/refusing-mongo.ts';
import { toArray } from '../../conformance/byte-streams.ts';

const KEY = { table: 'ledger', partition: 'p', sort: 's' };

async function refusalsOf(
  refusal: object,
): Promise<{ errors: unknown[]; commands: readonly string[] }> {
  const server = await startRefusingMongo(refusal);
  const store = openMongoDocumentStore({
    url: server.url,
    database: 'own',
    overflow: createMemoryObjectStore(),
  });
  const errors: unknown[] = [];
  for (const use of USES) errors.push(await use(store).catch((thrown: unknown) => thrown));
  await store.close();
  await server.close();
  return { errors, commands: [...server.refused] };
}

const USES: readonly ((store: DocumentStore) => Promise<unknown>)[] = [
  (store) => store.get(KEY),
  (store) => store.put(KEY, {}),
  (store) => store.put(KEY, {}, { expectedVersion: 0 }),
  (store) => store.put(KEY, {}, { expectedVersion: 3 }),
  (store) => store.createMany([{ key: KEY, body: {} }]),
  (store) => toArray(store.query(KEY)),
  (store) => toArray(store.partitions('ledger')),
  (store) => store.delete(KEY),
];

describe('a MongoDB document store', () => {
  it.each<[string, object, object]>([
    [
      'it is asked to slow down',
      { code: 16_500 },
      { code: 'STORE_UNAVAILABLE', retryAfterMs: 2_000 },
    ],
    [
      'the server sheds load',
      { code: 462, errorLabels: ['SystemOverloadedError'] },
      { code: 'STORE_UNAVAILABLE', retryAfterMs: 2_000 },
    ],
    [
      'an operation takes too long',
      { code: 50 },
      { code: 'STORE_UNAVAILABLE', retryAfterMs: undefined },
    ],
    ['the login is wrong', { code: 18 }, { code: 'STORE_DENIED' }],
    ['a permission is missing', { code: 13 }, { code: 'STORE_DENIED' }],
    ['the disk is full', { code: 14_031 }, { code: 'STORE_DENIED' }],
    ['the database does not exist', { code: 26 }, { code: 'STORE_DENIED' }],
    ['the answer is not known', { code: 424_242 }, { code: 'INTERNAL' }],
  ])('has the same error in every operation when %s', async (_, refusal, expected) => {
    const { errors, commands } = await refusalsOf(refusal);
    for (const error of errors) expect(error).toMatchObject({ name: 'PipelineError', ...expected });
    expect(new Set(commands)).toEqual(
      new Set(['find', 'findAndModify', 'insert', 'update', 'aggregate', 'delete']),
    );
  });

  it.each(['page', 'noise'] as const)(
    'takes a server that answers otherwise, here by a %s, for one that is away',
    async (fault) => {
      const proxy = await startFaultyProxy(1);
      proxy.set(fault);
      const url = proxy.endpoint.replace('http:', 'mongodb:');
      const store = openMongoDocumentStore({
        url: `${url}/?serverSelectionTimeoutMS=300&directConnection=true`,
        database: 'own',
        overflow: createMemoryObjectStore(),
      });
      for (const use of USES)
        await expect(use(store)).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await store.close();
      await proxy.close();
    },
  );
});
