import { CreateTableCommand, DynamoDBClient } from '@aws-sdk/client-dynamodb';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { loadConfig } from '../../src/config/load-config.ts';
import { errorCodeOf } from '../../src/errors.ts';
import type { DocumentKey } from '../../src/ports/documents.ts';
import { reconcile } from '../../src/storage/outage/reconcile.ts';
import { initStorage } from '../../src/storage/setup/storage-init.ts';
import { openStores, storageTargets } from '../../src/workers/open-stores.ts';
import type { OpenStores } from '../../src/workers/open-stores.ts';
import { collectText, toArray } from './byte-streams.ts';
import { DYNAMODB_LOCAL, startDynamoDbLocal } from '../fixtures/servers/dynamodb-local.ts';
import type { DynamoDbTestServer } from '../fixtures/servers/dynamodb-local.ts';
import { startFaultyProxy } from '../fixtures/servers/faulty-proxy.ts';
import type { FaultyProxy, NetworkFault } from '../fixtures/servers/faulty-proxy.ts';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { VERSITY_GATEWAY, startVersityGateway } from '../fixtures/servers/versity-gateway.ts';
import type { S3TestServer } from '../fixtures/servers/versity-gateway.ts';

const ROUNDS_BEFORE = 2;
const ROUNDS_IN_FAULT = 4;
const ROUNDS = ROUNDS_BEFORE + ROUNDS_IN_FAULT + 2;

/** As often as Temporal would, with a pause that the breakers' probes can see. */
const MAX_TRIES = 8;
const PAUSE_MS = 50;

let home: string;
let dynamo: DynamoDbTestServer;

beforeAll(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-faults-'));
  dynamo = await startDynamoDbLocal();
});
afterAll(async () => {
  await dynamo.stop();
  await rm(home, { recursive: true, force: true });
});

interface Ways {
  readonly s3: string;
  readonly dynamodb: string;
}

/** Stores as a worker opens them, over the given addresses. */
async function opened(
  name: string,
  s3: S3TestServer,
  ways: Ways,
  settings: Record<string, string> = {},
) {
  const config = loadConfig({
    env: {
      USE_S3: 'true',
      USE_DYNAMODB: 'true',
      QUOTIDIEN_S3_BUCKET: name,
      QUOTIDIEN_S3_ENDPOINT: ways.s3,
      QUOTIDIEN_DYNAMODB_ENDPOINT: ways.dynamodb,
      QUOTIDIEN_DYNAMODB_PREFIX: `${name}-`,
      QUOTIDIEN_STORE_ANSWER_MS: '250',
      AWS_REGION: s3.region,
      AWS_ACCESS_KEY_ID: s3.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: s3.credentials.secretAccessKey,
      ...settings,
    },
    cwd: home,
    home: path.join(home, name),
    hosts: [],
  });
  return { config, stores: await openStores(config) };
}

/**
 * What an activity does whose call went unanswered: it is tried again, and finds out whether it had
 * got through.
 */
async function tried(work: () => Promise<void>): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      await work();
      return;
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_UNAVAILABLE' || tries === MAX_TRIES) throw error;
      await setTimeout(PAUSE_MS);
    }
  }
}

const COUNTER: DocumentKey = { table: 'ledger', partition: 'counter', sort: 'one' };

async function round({ objects, documents }: OpenStores, n: number): Promise<void> {
  const own = (error: unknown): void => {
    if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
  };
  const text = Buffer.from(`round ${n}`.repeat(50));
  await tried(async () => {
    await objects
      .put(`days/${n}.txt`, text, { mode: 'create', mediaType: 'text/plain' })
      .catch(own);
  });
  await tried(async () => {
    await objects.put('published/day.txt', text, { mode: 'replace', mediaType: 'text/plain' });
  });
  await tried(async () => {
    await documents
      .put({ ...COUNTER, partition: 'rounds', sort: `${n}` }, { n }, { expectedVersion: 0 })
      .catch(own);
  });
  await tried(async () => {
    const found = await documents.get<{ rounds: number[] }>(COUNTER);
    const rounds = found?.body.rounds ?? [];
    if (rounds.includes(n)) return;
    await documents
      .put(COUNTER, { rounds: [...rounds, n] }, { expectedVersion: found?.version ?? 0 })
      .catch(own);
    if ((await documents.get<{ rounds: number[] }>(COUNTER))?.body.rounds.includes(n) !== true) {
      throw Object.assign(new Error('the counter lost a round'), { code: 'STORE_CORRUPT' });
    }
  });
}

/** What an undisturbed run leaves, in the stores themselves. */
async function expectAll({ primary: { objects, documents } }: OpenStores): Promise<void> {
  const numbers = Array.from({ length: ROUNDS }, (_, n) => n);
  expect((await toArray(objects.list(''))).map(({ key }) => key)).toEqual([
    ...numbers.map((n) => `days/${n}.txt`),
    'published/day.txt',
  ]);
  for (const n of numbers) {
    expect(await collectText(await objects.get(`days/${n}.txt`))).toBe(`round ${n}`.repeat(50));
    const one = await documents.get({ ...COUNTER, partition: 'rounds', sort: `${n}` });
    expect(one).toMatchObject({ version: 1, body: { n } });
  }
  expect(await collectText(await objects.get('published/day.txt'))).toBe(
    `round ${ROUNDS - 1}`.repeat(50),
  );
  const counter = await documents.get(COUNTER);
  expect(counter).toMatchObject({ version: ROUNDS, body: { rounds: numbers } });
}

await describeWithServer(
  VERSITY_GATEWAY,
  startVersityGateway,
  (server) => {
    const faults: NetworkFault[] = ['reset', 'black hole', 'late', 'cut', 'half', 'page', 'noise'];

    describe('a host behind a network that fails', () => {
      it.concurrent.each(faults)(
        'loses and doubles nothing when it does this: %s',
        async (fault) => {
          const s3 = await server();
          const name = `fault-${fault.replace(' ', '-')}`;
          const [toS3, toDynamo]: FaultyProxy[] = await Promise.all(
            [s3, dynamo].map(({ port }) => startFaultyProxy(port)),
          );
          const { config, stores } = await opened(name, s3, {
            s3: toS3!.endpoint,
            dynamodb: toDynamo!.endpoint,
          });
          try {
            for (const target of storageTargets(config.storage, [])) await initStorage(target);
            for (let n = 0; n < ROUNDS_BEFORE; n += 1) await round(stores, n);
            for (const proxy of [toS3!, toDynamo!]) proxy.set(fault);
            for (let n = ROUNDS_BEFORE; n < ROUNDS_BEFORE + ROUNDS_IN_FAULT; n += 1)
              await round(stores, n);
            expect([toS3!.met() > 0, toDynamo!.met() > 0]).toEqual([true, true]);
            for (const proxy of [toS3!, toDynamo!]) proxy.set(undefined);
            for (let n = ROUNDS_BEFORE + ROUNDS_IN_FAULT; n < ROUNDS; n += 1)
              await round(stores, n);
            const report = await reconcile(stores.fallback!.parts, {
              entriesPerSecond: Number.POSITIVE_INFINITY,
            });
            expect(report).toMatchObject({ conflicts: [], pending: 0, converged: true });
            await expectAll(stores);
          } finally {
            await stores.close();
            await Promise.all([toS3!.close(), toDynamo!.close()]);
          }
        },
      );
    });

    describe('what is no absence', () => {
      const refused = [
        ['a wrong secret', { AWS_SECRET_ACCESS_KEY: 'wrong' }, /secret|signature|credential|key/i],
        ['a missing bucket', { QUOTIDIEN_S3_BUCKET: 'nobody-made-it' }, /nobody-made-it/],
      ] as const;

      it.each(refused)(
        'is %s: it fails with its own code, and nothing is journaled',
        async (_, settings, words) => {
          const s3 = await server();
          const name = `refused-${Object.keys(settings)[0]!.toLowerCase().replaceAll('_', '-')}`;
          const right = await opened(name, s3, { s3: s3.endpoint, dynamodb: dynamo.endpoint });
          for (const target of storageTargets(right.config.storage, [])) await initStorage(target);
          await right.stores.close();
          const { stores } = await opened(
            name,
            s3,
            { s3: s3.endpoint, dynamodb: dynamo.endpoint },
            settings,
          );
          for (let times = 0; times < 4; times += 1) {
            const put = stores.objects.put('days/1.txt', Buffer.from('1'), {
              mode: 'create',
              mediaType: 'text/plain',
            });
            await expect(put).rejects.toMatchObject({
              code: 'STORE_DENIED',
              message: expect.stringMatching(words) as string,
            });
          }
          expect(await stores.fallback!.stores.state()).toMatchObject({
            pending: 0,
            objects: { state: 'closed' },
          });
          await stores.close();
        },
      );

      it('is a table that is missing, or has another key', async () => {
        const s3 = await server();
        const { stores } = await opened('tableless', s3, {
          s3: s3.endpoint,
          dynamodb: dynamo.endpoint,
        });
        const put = stores.documents.put(COUNTER, { rounds: [] }, { expectedVersion: 0 });
        await expect(put).rejects.toMatchObject({ code: 'STORE_DENIED' });
        await makeTable(dynamo, s3, 'tableless-operations');
        for (let times = 0; times < 4; times += 1) {
          const other = stores.documents.put(COUNTER, { rounds: [] }, { expectedVersion: 0 });
          await expect(other).rejects.toMatchObject({ code: 'STORE_DENIED' });
        }
        expect(await stores.fallback!.stores.state()).toMatchObject({
          pending: 0,
          documents: { state: 'closed' },
        });
        await stores.close();
      });
    });
  },
  [DYNAMODB_LOCAL],
);

async function makeTable(
  { endpoint, region }: DynamoDbTestServer,
  { credentials }: S3TestServer,
  TableName: string,
) {
  const client = new DynamoDBClient({ endpoint, region, credentials });
  await client.send(
    new CreateTableCommand({
      TableName,
      KeySchema: [{ AttributeName: 'name', KeyType: 'HASH' }],
      AttributeDefinitions: [{ AttributeName: 'name', AttributeType: 'S' }],
      BillingMode: 'PAY_PER_REQUEST',
    }),
  );
  client.destroy();
}
