import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newestManifests } from '../../src/activities/ledger-reader.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { eco2mix } from '../../src/datasets/eco2mix/index.ts';
import { startPortal } from '../../src/dev/portal/portal.ts';
import type { Portal } from '../../src/dev/portal/portal.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { initStorage } from '../../src/storage/storage-init.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import { runDays } from '../fixtures/run-day.ts';
import { startDynamoDbLocal } from '../fixtures/servers/dynamodb-local.ts';
import { startMongoJavaServer } from '../fixtures/servers/mongo-java-server.ts';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { VERSITY_GATEWAY, startVersityGateway } from '../fixtures/servers/versity-gateway.ts';

const WEEK = datesBetween('2026-05-04', '2026-05-10');
const NOW = new Date('2026-05-20T10:00:00Z');

let home: string;
let portal: Portal;

beforeAll(async () => {
  home = await mkdtemp(path.join(os.tmpdir(), 'quotidien-environments-'));
  portal = await startPortal({ now: () => NOW });
});
afterAll(async () => {
  await portal.close();
  await rm(home, { recursive: true, force: true });
});

/** What a week is made of: for each day the verdict, the facts, and every output's hash. */
async function weekIn(name: string, env: Record<string, string>): Promise<unknown> {
  const settings = { ...env, QUOTIDIEN_ODRE_URL: portal.url, QUOTIDIEN_ODRE_REQUESTS_PER_SECOND: '100' };
  const config = loadConfig({ env: settings, cwd: home, home: path.join(home, name), hosts: ['odre'] });
  const opened = await openEngine(config, { eco2mix });
  const engine = { ...opened, now: () => NOW };
  try {
    await runDays(engine, 'eco2mix', WEEK);
    const manifests = await newestManifests(engine.documents, 'eco2mix', WEEK);
    return [...manifests.values()].map(({ scope, version, verdict, facts, steps }) => ({
      scope,
      version,
      verdict,
      facts,
      steps,
    }));
  } finally {
    await opened.close();
  }
}

await describeWithServer(VERSITY_GATEWAY, startVersityGateway, (s3) => {
  it('makes the same week, byte for byte, on embedded stores, on files with MongoDB and on S3 with DynamoDB', async () => {
    const [gateway, dynamo, mongo] = await Promise.all([s3(), startDynamoDbLocal(), startMongoJavaServer()]);
    try {
      const bucket = { bucket: 'quotidien-days', region: gateway.region, endpoint: gateway.endpoint };
      const access = { region: dynamo.region, endpoint: dynamo.endpoint, credentials: gateway.credentials };
      await initStorage({
        s3: { ...bucket, credentials: gateway.credentials, forcePathStyle: true },
        dynamodb: { ...access, tablePrefix: 'quotidien-' },
      });
      const embedded = await weekIn('embedded', {});
      expect(embedded).toHaveLength(WEEK.length);
      expect(await weekIn('mongodb', { MONGODB_URL: mongo.url, MONGODB_DATABASE: 'quotidien' })).toEqual(embedded);
      const aws = {
        USE_S3: 'true',
        USE_DYNAMODB: 'true',
        QUOTIDIEN_S3_BUCKET: bucket.bucket,
        QUOTIDIEN_S3_ENDPOINT: gateway.endpoint,
        QUOTIDIEN_DYNAMODB_ENDPOINT: dynamo.endpoint,
        AWS_REGION: gateway.region,
        AWS_ACCESS_KEY_ID: gateway.credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: gateway.credentials.secretAccessKey,
      };
      expect(await weekIn('aws', aws)).toEqual(embedded);
    } finally {
      await Promise.all([dynamo.stop(), mongo.stop()]);
    }
  });
});
