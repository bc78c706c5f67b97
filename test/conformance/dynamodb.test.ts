import {
  CreateTableCommand,
  DescribeTableCommand,
  DescribeTimeToLiveCommand,
  DynamoDBClient,
} from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand, PutCommand } from '@aws-sdk/lib-dynamodb';
import { randomBytes } from 'node:crypto';
import type { IncomingMessage } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { cityFlowTables } from '../fixtures/city-tables.ts';
import { openDynamoDocumentStore } from '../../src/storage/aws/dynamodb-documents.ts';
import type { DynamoDocumentOptions } from '../../src/storage/aws/dynamodb-documents.ts';
import { createMemoryObjectStore } from '../../src/storage/memory/memory.ts';
import type { DocumentKey, DocumentStore } from '../../src/ports/documents.ts';
import { initStorage } from '../../src/storage/setup/storage-init.ts';
import { printStorage } from '../../src/storage/setup/storage-print.ts';
import { DYNAMODB_LOCAL, startDynamoDbLocal } from '../fixtures/servers/dynamodb-local.ts';
import { startLossyProxy } from '../fixtures/servers/lossy-proxy.ts';
import type { Refusal } from '../fixtures/servers/lossy-proxy.ts';
import { unusedPort } from '@quotidien/temporal-program/ports';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { inParallel, toArray } from './byte-streams.ts';
import { documentStoreConformance, openedTwice } from './document-store.suite.ts';

/** The names are CityFlow's own defaults. */
const CITYFLOW = cityFlowTables({ metrics: 'cityflow-metrics', reports: 'cityflow-daily-reports' });
const DAYS_365_S = 365 * 86_400;

await describeWithServer(DYNAMODB_LOCAL, startDynamoDbLocal, (shared) => {
  documentStoreConformance('DynamoDB (DynamoDB Local)', async () => {
    const { endpoint, region, credentials } = await shared();
    const overflow = createMemoryObjectStore();
    const options = { endpoint, region, credentials, tablePrefix: 'conformance-', overflow };
    await initStorage({ dynamodb: options });
    return openedTwice(openDynamoDocumentStore(options), openDynamoDocumentStore(options), () =>
      overflow.dispose(),
    );
  });

  describe('a DynamoDB document store (DynamoDB Local)', () => {
    const overflow = createMemoryObjectStore();
    const opened: { close(): Promise<void> }[] = [];
    let options: DynamoDocumentOptions;
    let port: number;
    let store: DocumentStore;
    let raw: DynamoDBDocumentClient;
    const open = (changes: Partial<DynamoDocumentOptions> = {}): DocumentStore => {
      const other = openDynamoDocumentStore({ ...options, ...changes });
      opened.push(other);
      return other;
    };
    const key = (partition: string, sort = 'one'): DocumentKey => ({
      table: 'ledger',
      partition,
      sort,
    });
    const item = async (found: DocumentKey): Promise<Record<string, unknown>> => {
      const Key = { pk: `${found.table}#${found.partition}`, sk: found.sort };
      return (await raw.send(new GetCommand({ TableName: 'own-operations', Key }))).Item ?? {};
    };

    beforeAll(async () => {
      const server = await shared();
      const { endpoint, region, credentials } = server;
      port = server.port;
      options = {
        endpoint,
        region,
        credentials,
        tablePrefix: 'own-',
        overflow,
        nativeTables: CITYFLOW,
      };
      await initStorage({ dynamodb: options });
      raw = DynamoDBDocumentClient.from(new DynamoDBClient({ endpoint, region, credentials }));
      store = open();
    });
    afterAll(async () => {
      for (const other of opened) await other.close();
      raw.destroy();
      await overflow.dispose();
    });

    it('keeps a body as JSON text, larger ones compressed, the largest in the object store', async () => {
      const plain = { text: 'é'.repeat(45_000) };
      await store.put(key('plain'), plain);
      expect(await item(key('plain'))).toMatchObject({ version: 1, body: JSON.stringify(plain) });
      const large = { text: 'é'.repeat(2_000_000) };
      await store.put(key('large'), large);
      expect(Object.keys(await item(key('large'))).sort()).toEqual([
        'body_gzip',
        'pk',
        'sk',
        'version',
        'writer',
      ]);
      const largest = { noise: randomBytes(600_000).toString('base64') };
      await store.put(key('largest'), largest, { expectedVersion: 0 });
      const { body_object: ref } = (await item(key('largest'))) as {
        body_object: { key: string; bytes: number };
      };
      expect(ref).toMatchObject({
        bytes: 800_012,
        key: expect.stringMatching(/^overflow\/..\/[0-9a-f]{64}\.json$/) as string,
      });
      for (const [name, body] of Object.entries({ plain, large, largest })) {
        expect((await store.get(key(name)))?.body).toEqual(body);
        expect(await toArray(store.query(key(name)))).toEqual([{ ...key(name), version: 1, body }]);
      }
    });

    it('calls a body corrupt whose object is gone or was changed', async () => {
      const body = { noise: randomBytes(400_000).toString('base64') };
      await store.put(key('damaged'), body);
      const { body_object: ref } = (await item(key('damaged'))) as { body_object: { key: string } };
      await overflow.put(ref.key, Buffer.from('{}'), {
        mode: 'replace',
        mediaType: 'application/json',
      });
      await expect(store.get(key('damaged'))).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
      await store.put(key('damaged'), body);
      expect((await store.get(key('damaged')))?.body).toEqual(body);
      await overflow.delete(ref.key);
      await expect(store.get(key('damaged'))).rejects.toMatchObject({ code: 'STORE_CORRUPT' });
    });

    it.each([undefined, 0, 1])(
      'knows its own put (expected version %s) when its answer was lost',
      async (expectedVersion) => {
        const proxy = await startLossyProxy(port);
        const unlucky = open({ endpoint: proxy.endpoint });
        const own = key(`lost ${String(expectedVersion)}`);
        if (expectedVersion === 1) await store.put(own, { before: true });
        proxy.loseAnswerTo(isPut);
        const put = unlucky.put(
          own,
          { mine: true },
          expectedVersion === undefined ? {} : { expectedVersion },
        );
        expect(await put).toMatchObject({ version: (expectedVersion ?? 0) + 1 });
        expect(proxy.requests.length).toBeGreaterThan(1);
        expect(await store.get(own)).toMatchObject({
          version: (expectedVersion ?? 0) + 1,
          body: { mine: true },
        });
        await expect(unlucky.put(own, {}, { expectedVersion: 0 })).rejects.toMatchObject({
          code: 'STORE_CONFLICT',
        });
        await proxy.close();
      },
    );

    it('counts every one of 30 puts at the same time that expect no version', async () => {
      const puts = await inParallel(30, 30, (n) => store.put(key('replaced'), { n }));
      expect(puts.map(({ version }) => version).sort((a, b) => a - b)).toEqual(
        puts.map((_, n) => n + 1),
      );
      expect(await store.get(key('replaced'))).toMatchObject({ version: 30 });
    });

    it('fetches a partition of 6 MB page by page, only as far as it is read', async () => {
      await store.createMany(
        Array.from({ length: 100 }, (_, n) => ({
          key: key('pages', String(n).padStart(3, '0')),
          body: { text: `${n}`.padEnd(60_000, 'x') },
        })),
      );
      const proxy = await startLossyProxy(port);
      const watched = open({ endpoint: proxy.endpoint });
      const query = { table: 'ledger', partition: 'pages' };
      for await (const { sort } of watched.query(query)) if (sort === '003') break;
      expect(proxy.requests).toHaveLength(1);
      expect(await toArray(watched.query(query))).toHaveLength(100);
      expect(proxy.requests.length).toBeGreaterThanOrEqual(6);
      expect(
        await toArray(
          watched.query({ ...query, from: '010', to: '020', order: 'descending', limit: 3 }),
        ),
      ).toMatchObject(['019', '018', '017'].map((sort) => ({ sort })));
      await proxy.close();
    });

    it('takes any text as the end of a range', async () => {
      await store.put(key('ends', 'b'), {});
      const found = async (range: { from?: string; to?: string }): Promise<number> =>
        (await toArray(store.query({ table: 'ledger', partition: 'ends', ...range }))).length;
      expect(await found({ from: '' })).toBe(1);
      expect(await found({ from: '', to: '' })).toBe(0);
      expect(await found({ from: 'a'.repeat(2_000) })).toBe(1);
      expect(await found({ from: 'b'.repeat(2_000) })).toBe(0);
      expect(await found({ to: 'b'.repeat(2_000) })).toBe(1);
      expect(await found({ from: 'a'.repeat(2_000), to: 'c'.repeat(2_000) })).toBe(1);
    });

    describe('the tables of CityFlow', () => {
      const day = (date: string): DocumentKey => ({
        table: 'cityflow-metrics',
        partition: 'bikes',
        sort: date,
      });
      const rawItem = async (date: string): Promise<unknown> =>
        (
          await raw.send(
            new GetCommand({ TableName: 'cityflow-metrics', Key: { metric_type: 'bikes', date } }),
          )
        ).Item;

      it('have the members of the body as attributes, and give the same body back', async () => {
        const body = {
          total: 1_234.5,
          zones: [{ name: 'é', none: null, ok: true }],
          empty: '',
          list: [],
        };
        const writtenAt = Math.floor(Date.now() / 1_000);
        expect(await store.put(day('2025-11-03'), body, { expectedVersion: 0 })).toEqual({
          version: 1,
        });
        const { ttl, ...item } = (await rawItem('2025-11-03')) as { ttl: number };
        expect(ttl).toBeGreaterThanOrEqual(writtenAt + DAYS_365_S);
        expect(ttl).toBeLessThanOrEqual(Date.now() / 1_000 + DAYS_365_S);
        expect(item).toEqual({
          metric_type: 'bikes',
          date: '2025-11-03',
          ...body,
          record_version: 1,
          record_writer: expect.any(String) as string,
        });
        expect(await store.get(day('2025-11-03'))).toEqual({
          ...day('2025-11-03'),
          version: 1,
          body,
        });
      });

      it('have the reports by their id and date', async () => {
        const key = {
          table: 'cityflow-daily-reports',
          partition: 'daily_report_2025-11-04',
          sort: '2025-11-04',
        };
        await store.put(key, { summary: { total_velos_paris: 9 } });
        const Key = { report_id: key.partition, date: key.sort };
        const { Item } = await raw.send(
          new GetCommand({ TableName: 'cityflow-daily-reports', Key }),
        );
        expect(Item).toMatchObject({
          ...Key,
          summary: { total_velos_paris: 9 },
          ttl: expect.any(Number) as number,
        });
        expect(await toArray(store.partitions(key.table))).toEqual([key.partition]);
      });

      it('are replaced as a whole, compared and set, created once and queried', async () => {
        await store.put(day('2025-11-04'), { old: true, kept: 1 });
        expect(
          await store.put(day('2025-11-04'), { kept: 2 }, { expectedVersion: 1 }),
        ).toMatchObject({ version: 2 });
        await expect(
          store.put(day('2025-11-04'), {}, { expectedVersion: 1 }),
        ).rejects.toMatchObject({
          code: 'STORE_CONFLICT',
        });
        expect(
          await store.createMany(
            ['04', '05'].map((n) => ({ key: day(`2025-11-${n}`), body: { n } })),
          ),
        ).toEqual([false, true]);
        const query = { table: 'cityflow-metrics', partition: 'bikes', from: '2025-11-04' };
        expect(await toArray(store.query(query))).toMatchObject([
          { sort: '2025-11-04', version: 2, body: { kept: 2 } },
          { sort: '2025-11-05', version: 1, body: { n: '05' } },
        ]);
        await store.delete(day('2025-11-05'));
        expect(await rawItem('2025-11-05')).toBeUndefined();
      });

      it('count what another program wrote as version 1', async () => {
        const Item = { metric_type: 'bikes', date: '2020-01-01', total: 7 };
        await raw.send(new PutCommand({ TableName: 'cityflow-metrics', Item }));
        expect(await store.get(day('2020-01-01'))).toMatchObject({
          version: 1,
          body: { total: 7 },
        });
        await expect(
          store.put(day('2020-01-01'), {}, { expectedVersion: 0 }),
        ).rejects.toMatchObject({
          code: 'STORE_CONFLICT',
        });
        expect(await store.put(day('2020-01-01'), { total: 8 })).toMatchObject({ version: 2 });
        await raw.send(new PutCommand({ TableName: 'cityflow-metrics', Item }));
        expect(
          await store.put(day('2020-01-01'), { total: 9 }, { expectedVersion: 1 }),
        ).toMatchObject({ version: 2 });
      });

      it('keep key, hash, size and time to live of a body that is too large', async () => {
        const body = { noise: randomBytes(300_000).toString('base64') };
        await store.put(day('2025-11-06'), body);
        expect(await rawItem('2025-11-06')).toMatchObject({
          body_bytes: Buffer.byteLength(JSON.stringify(body)),
          body_sha256: expect.stringMatching(/^[0-9a-f]{64}$/) as string,
          body_key: expect.stringMatching(/^overflow\//) as string,
          ttl: expect.any(Number) as number,
        });
        expect((await store.get(day('2025-11-06')))?.body).toEqual(body);
      });

      it('hold the largest body that is not too large, whatever it is made of', async () => {
        const body = { list: Array.from({ length: 117_000 }, () => 1) };
        await store.put(day('2025-11-07'), body);
        expect(await rawItem('2025-11-07')).not.toHaveProperty('body_key');
        expect((await store.get(day('2025-11-07')))?.body).toEqual(body);
      });

      it.each<[string, object]>([
        ['a key of the table', { date: '2025-11-03' }],
        ['the version', { record_version: 3 }],
        ['the time to live', { ttl: 1_800_000_000 }],
        ['a name that MongoDB lacks', { 'a.b': 1 }],
        ['a number beyond 2^53', { deep: [1e21] }],
        ['a number that is too small', { tiny: 5e-324 }],
        ['an empty name', { deep: { '': 1 } }],
        ['half a surrogate pair', { text: '\uD83D' }],
        ['deep nesting', JSON.parse('{"a":'.repeat(40) + '1' + '}'.repeat(40)) as object],
      ])('refuse %s in a body', async (_, body) => {
        await expect(store.put(day('2025-12-01'), body)).rejects.toMatchObject({
          code: 'INPUT_INVALID',
        });
        expect(await store.get(day('2025-12-01'))).toBeUndefined();
      });
    });

    it.each<[string, (missing: DocumentStore) => Promise<unknown>]>([
      ['get', (missing) => missing.get(key('a'))],
      ['put', (missing) => missing.put(key('a'), {})],
      ['query', (missing) => toArray(missing.query(key('a')))],
      ['delete', (missing) => missing.delete(key('a'))],
      ['createMany', (missing) => missing.createMany([{ key: key('a'), body: {} }])],
    ])('denies %s without its table, with the way to make it', async (_, use) => {
      const error = await use(open({ tablePrefix: 'nobody-' })).catch((thrown: unknown) => thrown);
      expect(error).toMatchObject({ name: 'PipelineError', code: 'STORE_DENIED' });
      expect(String(error)).toMatch(/nobody-operations.*quotidien storage init/);
    });

    it('is unavailable where nobody listens, after bounded tries', async () => {
      const gone = open({ endpoint: `http://127.0.0.1:${await unusedPort()}`, attempts: 2 });
      await expect(gone.get(key('a'))).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        retryable: true,
      });
      await expect(gone.createMany([{ key: key('a'), body: {} }])).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
      });
    });

    it('is unavailable when no answer comes in time', async () => {
      const proxy = await startLossyProxy(port);
      proxy.holdAnswers();
      const slow = open({ endpoint: proxy.endpoint, attempts: 1, answerTimeoutMs: 200 });
      await expect(slow.get(key('a'))).rejects.toMatchObject({ code: 'STORE_UNAVAILABLE' });
      await proxy.close();
    });

    it('tries again by itself when the table throttles, and then says so', async () => {
      const proxy = await startLossyProxy(port);
      const refusal = refusalOf('ProvisionedThroughputExceededException');
      const throttled = open({ endpoint: proxy.endpoint, attempts: 2 });
      proxy.refuse(refusal, 1);
      await throttled.put(key('throttled'), {}, { expectedVersion: 0 });
      expect(proxy.requests).toHaveLength(2);
      proxy.refuse(refusal, 2);
      await expect(throttled.get(key('throttled'))).rejects.toMatchObject({
        code: 'STORE_UNAVAILABLE',
        retryAfterMs: 2_000,
      });
      await proxy.close();
    });

    // DynamoDB Local takes any credentials, so it is the proxy that answers as the service does.
    it.each([
      'AccessDeniedException',
      'ExpiredTokenException',
      'InvalidSignatureException',
      'UnrecognizedClientException',
    ])('is denied where the answer is %s, at once', async (name) => {
      const proxy = await startLossyProxy(port);
      proxy.refuse(refusalOf(name), 1);
      const refused = open({ endpoint: proxy.endpoint });
      await expect(refused.get(key('a'))).rejects.toMatchObject({
        code: 'STORE_DENIED',
        retryable: false,
      });
      expect(proxy.requests).toHaveLength(1);
      await proxy.close();
    });

    it('is denied a table without a sort key, before it takes two documents for one', async () => {
      await raw.send(
        new CreateTableCommand({
          TableName: 'halved-operations',
          KeySchema: [{ AttributeName: 'pk', KeyType: 'HASH' }],
          AttributeDefinitions: [{ AttributeName: 'pk', AttributeType: 'S' }],
          BillingMode: 'PAY_PER_REQUEST',
        }),
      );
      const halved = open({ tablePrefix: 'halved-' });
      await halved.put(key('p', 'first'), { kept: true });
      const Key = { pk: 'ledger#p' };
      const puts = [{}, { expectedVersion: 0 }, { expectedVersion: 1 }];
      for (const options of puts) {
        await expect(halved.put(key('p', 'second'), {}, options)).rejects.toMatchObject({
          code: 'STORE_DENIED',
        });
      }
      const { Item } = await raw.send(new GetCommand({ TableName: 'halved-operations', Key }));
      expect(Item).toMatchObject({ sk: 'first', body: '{"kept":true}' });
    });

    describe('initStorage', () => {
      it('creates tables and time to live once', async () => {
        const nativeTables = cityFlowTables({ metrics: 'twice-metrics', reports: 'twice-reports' });
        const dynamodb = { ...options, tablePrefix: 'twice-', nativeTables };
        const made = await initStorage({ dynamodb });
        expect(made.map(({ outcome }) => outcome)).toEqual(
          Array.from({ length: 5 }, () => 'created'),
        );
        const again = await initStorage({ dynamodb });
        expect(again.map(({ outcome }) => outcome)).toEqual(
          Array.from({ length: 5 }, () => 'already there'),
        );
        const { TimeToLiveDescription: found } = await raw.send(
          new DescribeTimeToLiveCommand({ TableName: 'twice-reports' }),
        );
        expect(found).toMatchObject({ AttributeName: 'ttl', TimeToLiveStatus: 'ENABLED' });
      });

      it('makes the same table twice at the same time', async () => {
        const dynamodb = { ...options, tablePrefix: 'raced-', nativeTables: {} };
        await Promise.all([1, 2, 3].map(() => initStorage({ dynamodb })));
        await open(dynamodb).put(key('a'), {});
      });

      it('prints what it makes', async () => {
        const { cloudFormation = '' } = printStorage({ dynamodb: options });
        expect(cloudFormation).not.toContain(options.credentials?.secretAccessKey);
        const { Resources } = JSON.parse(cloudFormation) as PrintedTables;
        const printed = Object.values(Resources).map(({ Properties }) => Properties);
        expect(printed.map(({ TableName }) => TableName)).toEqual([
          'own-operations',
          'cityflow-metrics',
          'cityflow-daily-reports',
        ]);
        for (const {
          TableName,
          KeySchema,
          AttributeDefinitions,
          TimeToLiveSpecification,
        } of printed) {
          const { Table } = await raw.send(new DescribeTableCommand({ TableName }));
          expect(Table).toMatchObject({ KeySchema, AttributeDefinitions });
          const { TimeToLiveDescription } = await raw.send(
            new DescribeTimeToLiveCommand({ TableName }),
          );
          expect(TimeToLiveDescription?.AttributeName).toBe(TimeToLiveSpecification?.AttributeName);
        }
      });

      it('refuses to print names that a template cannot tell apart', () => {
        const nativeTables = cityFlowTables({ metrics: 'a-b', reports: 'a.b' });
        expect(() => printStorage({ dynamodb: { ...options, nativeTables } })).toThrow(/a-b, a\.b/);
      });

      it('refuses a table of another shape, as its use does', async () => {
        await raw.send(
          new CreateTableCommand({
            TableName: 'other-operations',
            KeySchema: [{ AttributeName: 'id', KeyType: 'HASH' }],
            AttributeDefinitions: [{ AttributeName: 'id', AttributeType: 'S' }],
            BillingMode: 'PAY_PER_REQUEST',
          }),
        );
        const other = { ...options, tablePrefix: 'other-', nativeTables: {} };
        await expect(initStorage({ dynamodb: other })).rejects.toThrow(
          /has the keys id \(HASH, S\) instead of the keys pk \(HASH, S\) and sk \(RANGE, S\)/,
        );
        const store = open(other);
        const uses = [
          () => store.put(key('a'), {}),
          () => store.get(key('a')),
          () => store.delete(key('a')),
          () => toArray(store.query(key('a'))),
          () => store.createMany([{ key: key('a'), body: {} }]),
        ];
        for (const use of uses) await expect(use()).rejects.toMatchObject({ code: 'STORE_DENIED' });
      });
    });
  });
});

function isPut({ headers }: IncomingMessage): boolean {
  return headers['x-amz-target'] === 'DynamoDB_20120810.PutItem';
}

function refusalOf(name: string): Refusal {
  const headers = { 'content-type': 'application/x-amz-json-1.0' };
  return {
    status: 400,
    headers,
    body: JSON.stringify({ __type: `com.amazonaws.dynamodb.v20120810#${name}`, message: 'no' }),
  };
}

interface PrintedTables {
  readonly Resources: Readonly<
    Record<
      string,
      {
        readonly Properties: {
          readonly TableName: string;
          readonly KeySchema: readonly object[];
          readonly AttributeDefinitions: readonly object[];
          readonly TimeToLiveSpecification?: { readonly AttributeName: string };
        };
      }
    >
  >;
}
