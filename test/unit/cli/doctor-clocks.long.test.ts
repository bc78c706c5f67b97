import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { hostname, tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { examineStoreClocks } from '../../../src/cli/doctor/store-clocks.ts';
import { examineTemporal } from '../../../src/cli/doctor/temporal.ts';
import { startEphemeralServer } from '@quotidien/temporal-program/ephemeral-server';
import { SEARCH_ATTRIBUTES } from '../../../src/cli/temporal/search-attributes.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import type { StorageChoice } from '../../../src/config/storage-choice.ts';
import { DYNAMODB_LOCAL, startDynamoDbLocal } from '../../fixtures/servers/dynamodb-local.ts';
import {
  MONGO_JAVA_SERVER,
  startMongoJavaServer,
} from '../../fixtures/servers/mongo-java-server.ts';
import { describeWithServer } from '../../fixtures/servers/server-suite.ts';
import { VERSITY_GATEWAY, startVersityGateway } from '../../fixtures/servers/versity-gateway.ts';
import { openConnection } from '../../../src/workers/client-connection.ts';
import { testCli } from '../../fixtures/temporal-server.ts';

/**
 * The servers are real ones, whose clock is this machine's; the machine that looks is the one whose
 * clock is moved.
 */

const MINUTE = 60_000;
const offBy = (ms: number) => () => new Date(Date.now() + ms);
const LOCAL: StorageChoice = {
  objects: { kind: 'local-files', reason: 'test' },
  documents: { kind: 'sqlite', reason: 'test' },
};

/**
 * What is said of a store to a machine with the right clock, and to one that is ten minutes ahead
 * or behind.
 */
async function told(storage: StorageChoice): Promise<string[]> {
  const findings = [];
  for (const ms of [0, 10 * MINUTE, -10 * MINUTE])
    findings.push(...(await examineStoreClocks(storage, offBy(ms))));
  return findings.map(
    ({ subject, status, detail }) =>
      `${subject}: ${status}, ${detail.replace(/\d+ s/, (s) => near(s))}`,
  );
}

/** Asking takes time, and some servers tell whole seconds. */
function near(seconds: string): string {
  return Math.abs(Number.parseInt(seconds, 10) - 600) <= 5 ? '600 s' : seconds;
}

function expected(store: string): string[] {
  return [
    `${store}, clock: ok, agrees with this machine`,
    `${store}, clock: warn, this machine is 600 s ahead`,
    `${store}, clock: warn, this machine is 600 s behind`,
  ];
}

describe('the clocks of the stores', () => {
  it('are not asked for where nothing is remote', async () => {
    expect(await told(LOCAL)).toEqual([]);
  });
});

await describeWithServer(VERSITY_GATEWAY, startVersityGateway, (server) => {
  it('compares the clock of S3', async () => {
    const { endpoint, region, credentials } = await server();
    const objects = {
      kind: 's3',
      reason: 'test',
      bucket: 'none',
      cacheCheckTtlMs: 0,
      placed: [],
    } as const;
    expect(
      await told({ ...LOCAL, objects: { ...objects, endpoint, region, credentials } }),
    ).toEqual(expected('objects (s3)'));
  });
});

await describeWithServer(DYNAMODB_LOCAL, startDynamoDbLocal, (server) => {
  it('compares the clock of DynamoDB', async () => {
    const { endpoint, region, credentials } = await server();
    const tables = {
      tablePrefix: 'none-',
      recordTables: {
        DYNAMODB_METRICS_TABLE: 'none-metrics',
        DYNAMODB_REPORTS_TABLE: 'none-reports',
      },
    };
    const documents = {
      kind: 'dynamodb',
      reason: 'test',
      ...tables,
      endpoint,
      region,
      credentials,
    } as const;
    expect(await told({ ...LOCAL, documents })).toEqual(expected('documents (dynamodb)'));
  });
});

await describeWithServer(MONGO_JAVA_SERVER, startMongoJavaServer, (server) => {
  it('compares the clock of MongoDB', async () => {
    const { url } = await server();
    const documents = { kind: 'mongodb', reason: 'test', url, database: 'clocks' } as const;
    expect(await told({ ...LOCAL, documents })).toEqual(expected('documents (mongodb)'));
  });
});

describe('the clock of the Temporal server', () => {
  let folder: string;
  let server: Awaited<ReturnType<typeof startEphemeralServer>>;
  beforeEach(async () => {
    folder = await mkdtemp(path.join(tmpdir(), 'quotidien-clocks-'));
    server = await startEphemeralServer({
      cli: await testCli(),
      logFile: path.join(folder, 'server.log'),
      searchAttributes: SEARCH_ATTRIBUTES,
    });
  });
  afterEach(async () => {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  });

  async function workersTold(): Promise<string[]> {
    const env = { TEMPORAL_CONFIG_FILE: `${folder}/none.toml`, TEMPORAL_ADDRESS: server.address };
    const config = loadConfig({ env, cwd: folder, home: folder, hosts: [] });
    const findings = await examineTemporal(config, () => new Date());
    return findings.flatMap(({ subject, detail }) => (subject === 'workers' ? [detail] : []));
  }

  it('counts the workers that live: those that the server remembers may have ended', async () => {
    const connection = await openConnection({ address: server.address });
    const poll = (identity: string) =>
      connection.withDeadline(Date.now() + 4_000, () =>
        connection.workflowService.pollWorkflowTaskQueue({
          namespace: 'default',
          taskQueue: { name: 'quotidien' },
          identity,
        }),
      );
    const child = spawn('true');
    await once(child, 'exit');
    await poll(`${child.pid ?? 0}@${hostname()}`);
    expect(await workersTold()).toEqual(['nobody polls the task queue quotidien: runs would wait']);
    await Promise.all([poll(`${process.pid}@${hostname()}`), poll('4711@another-host')]);
    expect(await workersTold()).toEqual(['2 poll the task queue quotidien']);
    await connection.close();
  });

  async function clockTold(ms: number): Promise<string[]> {
    const env = { TEMPORAL_CONFIG_FILE: `${folder}/none.toml`, TEMPORAL_ADDRESS: server.address };
    const config = loadConfig({ env, cwd: folder, home: folder, hosts: [] });
    const findings = await examineTemporal(config, offBy(ms));
    return findings.flatMap(({ subject, status, detail }) =>
      subject === 'clock' ? [`${status}: ${detail}`] : [],
    );
  }

  it('is compared by the last poll of a worker, and not at all without workers', async () => {
    expect(await clockTold(10 * MINUTE)).toEqual([]);
    const connection = await openConnection({ address: server.address });
    // The poll of a worker, which ends without a task; the server remembers it for minutes.
    const poll = { namespace: 'default', taskQueue: { name: 'quotidien' }, identity: 'a worker' };
    await connection.withDeadline(Date.now() + 4_000, () =>
      connection.workflowService.pollWorkflowTaskQueue(poll),
    );
    expect(await clockTold(0)).toEqual([
      'ok: agrees with this machine, within a minute and a half',
    ]);
    expect(await clockTold(10 * MINUTE)).toEqual([
      expect.stringMatching(/^warn: the server is at least 5[34]\d s behind/),
    ]);
    expect(await clockTold(-10 * MINUTE)).toEqual([
      expect.stringMatching(/^warn: the server is at least (59|60)\d s ahead of/),
    ]);
    await connection.close();
  });
});
