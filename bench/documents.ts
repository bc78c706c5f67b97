import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import Database from 'libsql';
import { openDynamoDocumentStore } from '../src/storage/aws/dynamodb-documents.ts';
import { createMemoryObjectStore } from '../src/storage/memory/memory.ts';
import { createMongoClient } from '../src/storage/mongo/mongo-client.ts';
import { openMongoDocumentStore } from '../src/storage/mongo/mongo-documents.ts';
import type { DocumentStore } from '../src/ports/documents.ts';
import { openSqliteDocumentStore } from '../src/storage/sqlite/sqlite-documents.ts';
import { initStorage } from '../src/storage/setup/storage-init.ts';
import { DYNAMODB_LOCAL, startDynamoDbLocal } from '../test/fixtures/servers/dynamodb-local.ts';
import {
  MONGO_JAVA_SERVER,
  startMongoJavaServer,
} from '../test/fixtures/servers/mongo-java-server.ts';
import { compare } from './compare.ts';
import { withServer } from './servers.ts';

/**
 * Creates and reads of documents of 1.6 KB by each adapter, and by its bare driver with the same
 * settings, condition and stored bytes: what anybody pays who wants a durable create-only write on
 * that server.
 */

const COUNT = 5_000;
const AT_ONCE = 16;

const BODY = {
  step: 'transform/national',
  verdict: 'ok',
  outputs: Array.from({ length: 12 }, (_, n) => ({
    key: `core/eco2mix/${n}`,
    bytes: 18_000 + n,
    sha256: 'f'.repeat(64),
  })),
};

interface DocumentCalls {
  create(sort: string): Promise<unknown>;
  get(sort: string): Promise<unknown>;
}

/** Both with a write-ahead log and a full sync at every write. */
export async function benchSqliteDocuments(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  const store = await openSqliteDocumentStore({ file: path.join(folder, 'own.db') });
  const database = new Database(path.join(folder, 'bare.db'));
  database.exec('PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL');
  database.exec(
    'CREATE TABLE documents (tbl TEXT, partition TEXT, sort TEXT, body TEXT, PRIMARY KEY (tbl, partition, sort)) WITHOUT ROWID',
  );
  const insert = database.prepare(
    'INSERT INTO documents VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING',
  );
  const select = database.prepare(
    'SELECT body FROM documents WHERE tbl = ? AND partition = ? AND sort = ?',
  );
  const bare: DocumentCalls = {
    create: (sort) => Promise.resolve(insert.run('documents', 'own', sort, JSON.stringify(BODY))),
    get(sort) {
      const [row] = select.all('documents', 'own', sort) as { body: string }[];
      return Promise.resolve(JSON.parse(row!.body));
    },
  };
  await benchDocuments('SQLite', store, bare, true);
  database.close();
  await store.close();
}

/** Against mongo-java-server, whose speed is not MongoDB's: only the ratio says something. */
export async function benchMongoDocuments(): Promise<void> {
  await withServer(MONGO_JAVA_SERVER, startMongoJavaServer, async ({ url }) => {
    const store = openMongoDocumentStore({
      url,
      database: 'own',
      overflow: createMemoryObjectStore(),
    });
    const client = createMongoClient({ url, database: 'bare' });
    const rows = client.db('bare').collection<{ _id: string }>('documents');
    await rows.createIndex({ partition: 1, sort: 1 }, {}, {});
    const bare: DocumentCalls = {
      create(sort) {
        const row = { _id: `own|${sort}`, partition: 'own', sort, version: 1, body: BODY };
        return rows.insertOne(row);
      },
      get: (sort) => rows.findOne({ _id: `own|${sort}` }),
    };
    await benchDocuments('MongoDB’s protocol (mongo-java-server)', store, bare);
    await client.close();
    await store.close();
  });
}

/** Against DynamoDB Local, whose speed is not DynamoDB's: only the ratio says something. */
export async function benchDynamoDocuments(): Promise<void> {
  await withServer(
    DYNAMODB_LOCAL,
    startDynamoDbLocal,
    async ({ endpoint, region, credentials }) => {
      const dynamodb = { endpoint, region, credentials, tablePrefix: 'bench-' };
      await initStorage({ dynamodb });
      const store = openDynamoDocumentStore({ ...dynamodb, overflow: createMemoryObjectStore() });
      const client = DynamoDBDocumentClient.from(
        new DynamoDBClient({ endpoint, region, credentials }),
      );
      const TableName = 'bench-operations';
      const bare: DocumentCalls = {
        create(sk) {
          const Item = { pk: 'bare', sk, version: 1, body: JSON.stringify(BODY) };
          return client.send(
            new PutCommand({ TableName, Item, ConditionExpression: 'attribute_not_exists(pk)' }),
          );
        },
        async get(sk) {
          const { Item } = await client.send(
            new GetCommand({ TableName, Key: { pk: 'bare', sk }, ConsistentRead: true }),
          );
          return JSON.parse(Item?.['body'] as string) as unknown;
        },
      };
      await benchDocuments('DynamoDB (DynamoDB Local)', store, bare);
      client.destroy();
      await store.close();
    },
  );
}

async function benchDocuments(
  name: string,
  store: DocumentStore,
  bare: DocumentCalls,
  packs = false,
): Promise<void> {
  const key = (sort: string) => ({ table: 'documents', partition: 'own', sort });
  const own: DocumentCalls = {
    create: (sort) => store.put(key(sort), BODY, { expectedVersion: 0 }),
    get: (sort) => store.get(key(sort)),
  };
  const sort = (at: number): string => String(at).padStart(5, '0');
  for (const kind of ['create', 'get'] as const) {
    const what = {
      name: `${name}: 5,000 documents of 1.6 KB, ${kind}`,
      count: COUNT,
      atOnce: AT_ONCE,
    };
    await compare(
      packs && kind === 'get'
        ? { ...what, target: null, note: 'unpacks each body; the bare driver keeps text' }
        : what,
      (at) => own[kind](sort(at)),
      (at) => bare[kind](sort(at)),
    );
  }
}
