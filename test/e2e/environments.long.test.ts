import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { DynamoDBClient } from '@aws-sdk/client-dynamodb';
import type { DynamoDBClientConfig } from '@aws-sdk/client-dynamodb';
import { DynamoDBDocumentClient, GetCommand } from '@aws-sdk/lib-dynamodb';
import { MongoClient } from 'mongodb';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import type { Engine } from '../../src/engine/engine.ts';
import { hostVariable } from '../../src/config/settings.ts';
import { cityflow } from '../../src/datasets/cityflow/index.ts';
import { eco2mix } from '../../src/datasets/eco2mix/index.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import type { CivilDate } from '../../src/pipelines/vocabulary.ts';
import { cityFlowTables } from '../fixtures/city-tables.ts';
import { publisherHosts } from '../../src/workers/configured-datasets.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { initStorage } from '../../src/storage/setup/storage-init.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import { runDays } from '../fixtures/run-day.ts';
import { DYNAMODB_LOCAL, startDynamoDbLocal } from '../fixtures/servers/dynamodb-local.ts';
import { MONGO_JAVA_SERVER, startMongoJavaServer } from '../fixtures/servers/mongo-java-server.ts';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { VERSITY_GATEWAY, startVersityGateway } from '../fixtures/servers/versity-gateway.ts';

const WEEK = datesBetween('2026-05-04', '2026-05-10');
const NATIVE_NAMES = { metrics: 'cityflow-metrics', reports: 'cityflow-daily-reports' };
/** What two weeks later is known of these days: the list of roadworks says nothing of them. */
const SECTIONS = {
  bikes: 'ok',
  // Disruptions tell of the moment: of days that are long past nobody is asked.
  traffic: 'no_data',
  weather: 'ok',
  comptages: 'ok',
  chantiers: 'no_data',
  referentiel: 'ok',
};
const CITY_DAYS = WEEK.slice(0, 2);
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

/** What days are made of: for each of them the verdict, the facts, and every output's hash. */
async function daysOf(
  engine: Engine,
  pipeline: string,
  dates: readonly CivilDate[],
): Promise<object[]> {
  await runDays(engine, pipeline, dates);
  const manifests = await newestManifests(engine.documents, pipeline, dates);
  return [...manifests.values()].map(({ scope, version, verdict, facts, steps }) => ({
    scope,
    version,
    verdict,
    facts,
    steps,
  }));
}

/** The records that CityFlow's other programs read. */
async function recordsOf({ documents }: Engine, date: CivilDate): Promise<object[]> {
  const metrics = ['bikes', 'traffic', 'weather', 'comptages', 'chantiers', 'referentiel'].map(
    (partition) => ({
      table: 'cityflow-metrics',
      partition,
      sort: date,
    }),
  );
  const report = { table: 'cityflow-daily-reports', partition: `daily_report_${date}`, sort: date };
  const found = await Promise.all([...metrics, report].map((key) => documents.get(key)));
  return found.map((record) => record?.body ?? {});
}

/** A week of the grid, two days of the city and their records, in one environment. */
async function everythingIn(name: string, env: Record<string, string>): Promise<unknown> {
  const hosts = publisherHosts(DATASETS);
  // The publishers of these two alone: that of archives has a folder and not a server of pages.
  const asked = publisherHosts({ eco2mix, cityflow });
  const portals = asked.flatMap((host) => [
    [hostVariable(host, 'URL'), portal.url],
    [hostVariable(host, 'REQUESTS_PER_SECOND'), '100'],
    [hostVariable(host, 'KEY'), 'sample'],
  ]);
  const settings = { ...env, ...(Object.fromEntries(portals) as Record<string, string>) };
  const config = loadConfig({ env: settings, cwd: home, home: path.join(home, name), hosts });
  const opened = await openEngine(config, DATASETS);
  const engine = { ...opened, now: () => NOW };
  try {
    return {
      grid: await daysOf(engine, 'eco2mix', WEEK),
      city: await daysOf(engine, 'cityflow', CITY_DAYS),
      records: await recordsOf(engine, CITY_DAYS[1]!),
    };
  } finally {
    await opened.close();
  }
}

const [FROM, TO] = CITY_DAYS as [string, string];

/** What the earlier system's API asks its MongoDB for, with a driver of its own. */
async function expectEarlierQueries(url: string, database: string): Promise<void> {
  const client = new MongoClient(url);
  try {
    const db = client.db(database);
    const one = await db.collection('metrics').findOne({ metric_type: 'bikes', date: TO });
    expect(one).toMatchObject({ metric_type: 'bikes', date: TO, timestamp: NOW.toISOString() });
    expect((one!['metrics'] as { top_counters: unknown[] }).top_counters.length).toBeGreaterThan(0);
    const range = db
      .collection('metrics')
      .find({ metric_type: 'weather', date: { $gte: FROM, $lte: TO } });
    // Days are published side by side, and MongoDB gives what it found in no order of its own.
    expect(await range.sort({ date: 1 }).toArray()).toMatchObject(
      [FROM, TO].map((date) => ({ date, metrics: { metric_type: 'weather' } })),
    );
    const report = await db.collection('reports').findOne({ date: TO });
    expect(report).toMatchObject({ report_id: `daily_report_${TO}`, timestamp: NOW.toISOString() });
    expect(report!['report']).toMatchObject({
      date: TO,
      summary: {},
      generated_at: NOW.toISOString(),
    });
    const indexes = await db.collection('metrics').indexes();
    expect(indexes.map(({ key }) => key)).toContainEqual({ date: 1 });
  } finally {
    await client.close();
  }
}

/** The same in DynamoDB, where one item is asked for by both of its keys. */
async function expectEarlierItems(options: DynamoDBClientConfig): Promise<void> {
  const client = new DynamoDBClient(options);
  const documents = DynamoDBDocumentClient.from(client);
  try {
    const item = async (TableName: string, Key: Record<string, string>) =>
      (await documents.send(new GetCommand({ TableName, Key }))).Item ?? {};
    const weather = await item(NATIVE_NAMES.metrics, { metric_type: 'weather', date: TO });
    expect(weather).toMatchObject({
      timestamp: NOW.toISOString(),
      metrics: { metrics: { date: TO } },
    });
    const report = await item(NATIVE_NAMES.reports, { report_id: `daily_report_${TO}`, date: TO });
    expect(report).toMatchObject({
      timestamp: NOW.toISOString(),
      report: { date: TO, summary: {} },
    });
  } finally {
    client.destroy();
  }
}

await describeWithServer(
  VERSITY_GATEWAY,
  startVersityGateway,
  (s3) => {
    it('makes the same days and records, byte for byte, on embedded stores, on files with MongoDB and on S3 with DynamoDB', async () => {
      const [gateway, dynamo, mongo] = await Promise.all([
        s3(),
        startDynamoDbLocal(),
        startMongoJavaServer(),
      ]);
      try {
        const bucket = {
          bucket: 'quotidien-days',
          region: gateway.region,
          endpoint: gateway.endpoint,
        };
        const access = {
          region: dynamo.region,
          endpoint: dynamo.endpoint,
          credentials: gateway.credentials,
        };
        await initStorage({
          s3: { ...bucket, credentials: gateway.credentials, forcePathStyle: true },
          dynamodb: {
            ...access,
            tablePrefix: 'quotidien-',
            nativeTables: cityFlowTables(NATIVE_NAMES),
          },
        });
        const embedded = await everythingIn('embedded', {});
        expect(embedded).toMatchObject({
          grid: { length: WEEK.length },
          city: { length: CITY_DAYS.length },
        });
        expect(embedded).toMatchObject({
          city: CITY_DAYS.map(() => ({ verdict: 'ok', facts: { sections: SECTIONS } })),
        });
        expect(
          await everythingIn('mongodb', { MONGODB_URL: mongo.url, MONGODB_DATABASE: 'quotidien' }),
        ).toEqual(embedded);
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
        expect(await everythingIn('aws', aws)).toEqual(embedded);
        await expectEarlierQueries(mongo.url, 'quotidien');
        await expectEarlierItems({ ...access, region: dynamo.region });
      } finally {
        await Promise.all([dynamo.stop(), mongo.stop()]);
      }
    }, 180_000);
  },
  [DYNAMODB_LOCAL, MONGO_JAVA_SERVER],
);
