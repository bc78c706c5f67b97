import { PutBucketPolicyCommand } from '@aws-sdk/client-s3';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { collectGarbage } from '../../src/engine/upkeep/collect-garbage.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { verifyDays } from '../../src/engine/verify/verify-day.ts';
import { resolveDay } from '../../src/engine/plan/resolve-plan.ts';
import type { ObjectStore } from '../../src/ports/objects.ts';
import { createS3Client, openS3ObjectStore } from '../../src/storage/aws/s3-objects.ts';
import type { S3ObjectStore, S3StoreOptions } from '../../src/storage/aws/s3-objects.ts';
import { initStorage } from '../../src/storage/setup/storage-init.ts';
import { toArray } from './byte-streams.ts';
import { runDay } from '../fixtures/run-day.ts';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { VERSITY_GATEWAY, startVersityGateway } from '../fixtures/servers/versity-gateway.ts';
import type { S3TestServer } from '../fixtures/servers/versity-gateway.ts';
import { openTestEngine, testControl } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

/**
 * The S3 half of the policies in infra/policies, enforced by a server. Those for DynamoDB and
 * MongoDB have no server here that enforces any.
 */

const POLICIES = path.resolve(import.meta.dirname, '../../infra/policies');
/** The one that the policies name. */
const BUCKET = 'quotidien';
const ROLES = ['reader', 'writer', 'gc'] as const;
const DATE = '2024-03-05';
const LARGE = Buffer.alloc(20 << 20, 7);
const DENIED = { code: 'STORE_DENIED' };

interface Statement {
  readonly Sid: string;
  readonly Effect: string;
  readonly Action: readonly string[];
  readonly Resource: string | readonly string[];
}

/** The statements of a policy that are about S3, for one user of the bucket. */
async function statementsFor(role: string): Promise<object[]> {
  const text = await readFile(path.join(POLICIES, `aws-${role}.json`), 'utf8');
  const { Statement } = JSON.parse(text) as { Statement: readonly Statement[] };
  return Statement.filter(({ Action }) => Action.every((action) => action.startsWith('s3:'))).map(
    (statement) => ({
      ...statement,
      Sid: `${role}${statement.Sid}`,
      Principal: { AWS: [role] },
    }),
  );
}

await describeWithServer(VERSITY_GATEWAY, startVersityGateway, (shared) => {
  describe('the policies for S3, enforced by the Versity gateway', () => {
    let publisher: TinyPublisher;
    let folder: string;
    let own: TestEngine;
    let now = new Date('2024-03-10T12:00:00Z');
    const stores = new Map<string, S3ObjectStore>();

    const as = (role: (typeof ROLES)[number]): Engine & { readonly objects: ObjectStore } => ({
      ...own,
      objects: stores.get(role)!,
    });

    async function openStores(server: S3TestServer): Promise<void> {
      const { endpoint, region, credentials } = server;
      const root: S3StoreOptions = {
        bucket: BUCKET,
        endpoint,
        region,
        credentials,
        forcePathStyle: true,
      };
      await initStorage({ s3: root });
      for (const role of ROLES) {
        const user = { ...root, credentials: await server.addUser(role) };
        stores.set(role, openS3ObjectStore({ ...user, cacheFolder: path.join(folder, role) }));
      }
      const Statement = (await Promise.all(ROLES.map(statementsFor))).flat();
      const client = createS3Client(root);
      const Policy = JSON.stringify({ Version: '2012-10-17', Statement });
      await client.send(new PutBucketPolicyCommand({ Bucket: BUCKET, Policy }));
      client.destroy();
    }

    beforeAll(async () => {
      folder = await mkdtemp(path.join(tmpdir(), 'quotidien-policies-'));
      publisher = await startTinyPublisher([DATE]);
      own = await openTestEngine([tinyDataset({ baseUrl: publisher.url })], { now: () => now });
      await openStores(await shared());
    });

    afterAll(async () => {
      for (const store of stores.values()) await store.close();
      await own.close();
      await publisher.close();
      await rm(folder, { recursive: true, force: true });
    });

    const put = (objects: ObjectStore, key: string, body: Uint8Array = Buffer.from('1')) =>
      objects.put(key, body, { mediaType: 'text/plain', mode: 'replace' });

    it('let a writer make a day, a revision of it, and objects of many parts', async () => {
      expect(await runDay(as('writer'), 'tiny', DATE)).toMatchObject({ version: 1 });
      publisher.publish(DATE, { add: 7 });
      expect(await runDay(as('writer'), 'tiny', DATE, { recheck: true })).toMatchObject({
        version: 2,
      });
      await put(as('writer').objects, 'raw/tiny/large.csv', LARGE);
      await as('writer').objects.delete('raw/tiny/large.csv');
    });

    it('let a reader plan and verify, and neither write nor delete', async () => {
      const reader = as('reader');
      const { plan } = await resolveDay(reader, { pipeline: 'tiny', dates: [DATE], options: {} });
      expect(plan.upToDate).toBe(true);
      const { days } = await verifyDays(reader, testControl(), { pipeline: 'tiny', dates: [DATE] });
      expect(days).toMatchObject([{ result: 'identical' }]);
      await expect(put(reader.objects, 'raw/tiny/a.csv')).rejects.toMatchObject(DENIED);
      await expect(put(reader.objects, 'raw/tiny/large.csv', LARGE)).rejects.toMatchObject(DENIED);
      const [found] = await toArray(reader.objects.list('core/'));
      await expect(reader.objects.delete(found!.key)).rejects.toMatchObject(DENIED);
      expect(await reader.objects.head(found!.key)).toEqual(found);
    });

    it('let gc remove what nothing refers to, and write nothing', async () => {
      const gc = as('gc');
      const [found] = await toArray(gc.objects.list('core/'));
      const orphan = `${path.posix.dirname(found!.key)}/${'0'.repeat(64)}.parquet`;
      await expect(put(gc.objects, orphan)).rejects.toMatchObject(DENIED);
      await put(as('writer').objects, orphan);
      await collectGarbage(gc, { graceDays: 7, dryRun: false });
      now = new Date(now.getTime() + 8 * 86_400_000);
      expect(await collectGarbage(gc, { graceDays: 7, dryRun: false })).toMatchObject({
        removed: 1,
      });
      expect(await gc.objects.head(orphan)).toBeUndefined();
    });

    it('let nobody near the bucket whom they do not name', async () => {
      const server = await shared();
      const { endpoint, region } = server;
      const credentials = await server.addUser('stranger');
      const options = { bucket: BUCKET, endpoint, region, credentials, forcePathStyle: true };
      const store = openS3ObjectStore({ ...options, cacheFolder: path.join(folder, 'stranger') });
      await expect(store.head('core/a')).rejects.toMatchObject(DENIED);
      await expect(toArray(store.list(''))).rejects.toMatchObject(DENIED);
      await expect(put(store, 'raw/a.csv')).rejects.toMatchObject(DENIED);
      await store.close();
    });
  });
});
