import { once } from 'node:events';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import type { Client } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { startDevServer } from '@quotidien/temporal-program/dev-server';
import type { DevServer } from '@quotidien/temporal-program/dev-server';
import { SEARCH_ATTRIBUTES } from '../../src/cli/temporal/search-attributes.ts';
import { reconcileWorkflowId } from '../../src/schedules/apply-reconcile.ts';
import { hostQueue } from '../../src/workers/engine-fallback.ts';
import { connectClient } from '../../src/workers/temporal-target.ts';
import type { reconcile } from '../../src/workflows/reconcile.ts';
import { DYNAMODB_LOCAL, startDynamoDbLocal } from '../fixtures/servers/dynamodb-local.ts';
import type { DynamoDbTestServer } from '../fixtures/servers/dynamodb-local.ts';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { VERSITY_GATEWAY, startVersityGateway } from '../fixtures/servers/versity-gateway.ts';
import type { S3TestServer } from '../fixtures/servers/versity-gateway.ts';
import { testCli } from '../fixtures/temporal-server.ts';
import { contentsOf, killWorkers, makersOf, startWorker, stopWorker } from './day-worker.ts';
import type { DayWorker } from './day-worker.ts';
import { awsSettings } from './remote-stores.ts';

const NOW = new Date('2026-06-20T10:00:00Z');
/** None is compared with another, so that none changes when another comes to the stores. */
const [FIRST, SECOND, THIRD] = ['2026-03-29', '2026-03-24', '2026-03-19'] as const;

let folder: string;
let temporal: DevServer;
let client: Client;
let portal: Portal;
let dynamo: DynamoDbTestServer;

beforeAll(async () => {
  folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-hosts-'));
  portal = await startPortal({ now: () => NOW });
  dynamo = await startDynamoDbLocal({ durable: true });
  temporal = await startDevServer({
    cli: await testCli(),
    dbFile: path.join(folder, 'temporal.db'),
    logFile: path.join(folder, 'server.log'),
    searchAttributes: SEARCH_ATTRIBUTES,
    port: undefined,
  });
  client = await connectClient({ connection: { address: temporal.address }, namespace: 'default' });
});
afterAll(async () => {
  await killWorkers();
  await client.connection.close();
  await temporal.stop();
  await dynamo.stop();
  await portal.close();
  await rm(folder, { recursive: true, force: true });
});

/** A host of an installation: its own disk, its own name, and the stores and task queues of all. */
async function hostOf(s3: S3TestServer, installation: string, host: string): Promise<DayWorker> {
  const home = path.join(folder, installation, host);
  await mkdir(path.join(home, 'fallback'), { recursive: true });
  await writeFile(path.join(home, 'fallback', 'host'), host);
  return {
    home,
    address: temporal.address,
    queue: installation,
    settings: {
      QUOTIDIEN_ODRE_URL: portal.url,
      QUOTIDIEN_ODRE_REQUESTS_PER_SECOND: '100',
      QUOTIDIEN_TASK_QUEUE: installation,
      QUOTIDIEN_HEARTBEAT_MS: '1500',
      QUOTIDIEN_RETRY_INITIAL_MS: '20',
      QUOTIDIEN_RETRY_MAXIMUM_MS: '200',
      QUOTIDIEN_RETRY_ATTEMPTS: '12',
      QUOTIDIEN_ROLLUP_QUIET_MS: '600000',
      ...(await awsSettings(s3, dynamo, installation)),
    },
  };
}

function startRun({ queue }: DayWorker, date: string) {
  return startDay({ client, taskQueue: queue }, { pipeline: 'eco2mix', date });
}

function startReconcile({ queue }: DayWorker, host: string) {
  return client.workflow.start<typeof reconcile>('reconcile', {
    workflowId: reconcileWorkflowId(host),
    taskQueue: queue,
    args: [{ host, queue: hostQueue(queue, host) }],
  });
}

/** The host on which the day ended. */
async function expectDegraded(
  run: Awaited<ReturnType<typeof startRun>>,
  host: string,
): Promise<string> {
  expect(await dayResult(run)).toMatchObject({ verdict: 'degraded', version: 1 });
  const { currentDetails } = await run.query<{ currentDetails: string }>(
    '__temporal_workflow_metadata',
  );
  const found = new RegExp(`goes on at the host ${host}\\.`).exec(currentDetails);
  expect(found, currentDetails).not.toBeNull();
  return /at the host (\w+)\./.exec(currentDetails)?.[1] ?? '';
}

await describeWithServer(
  VERSITY_GATEWAY,
  startVersityGateway,
  (server) => {
    const undisturbed = new Map<string, Awaited<ReturnType<typeof contentsOf>>>();

    beforeAll(async () => {
      const calm = await hostOf(await server(), 'calm', 'calm');
      const child = await startWorker(calm);
      for (const date of [FIRST, SECOND, THIRD]) {
        expect(await dayResult(await startRun(calm, date))).toMatchObject({
          verdict: 'ok',
          version: 1,
        });
        undisturbed.set(date, await contentsOf(calm.home, [date], calm.settings));
      }
      await stopWorker(child);
    });

    describe('two hosts in one outage', () => {
      it('keep each day on the host that began it, and both bring theirs to the stores', async () => {
        const s3 = await server();
        const [alpha, beta] = [await hostOf(s3, 'pair', 'alpha'), await hostOf(s3, 'pair', 'beta')];
        const first = await startWorker(alpha);
        // The stores go while the first day waits for its publisher.
        const hold = portal.hold({ endpoint: 'export' });
        const day = await startRun(alpha, FIRST);
        await hold.arrived;
        await Promise.all([s3.kill(), dynamo.kill()]);
        hold.release();
        await expectDegraded(day, 'alpha');
        await stopWorker(first);
        const workers = [await startWorker(beta)];
        await expectDegraded(await startRun(beta, SECOND), 'beta');
        // Now either host may begin a day.
        workers.push(await startWorker(alpha));
        const either = await expectDegraded(await startRun(beta, THIRD), '(alpha|beta)');

        await Promise.all([s3.restart(), dynamo.restart()]);
        for (const host of ['alpha', 'beta']) {
          const result = await (await startReconcile(alpha, host)).result();
          expect(result).toMatchObject({ host, converged: true, pending: 0, conflicts: 0 });
          expect(result.applied).toBeGreaterThan(0);
        }
        await Promise.all(workers.map(stopWorker));
        for (const date of [FIRST, SECOND, THIRD]) {
          expect(await contentsOf(alpha.home, [date], alpha.settings)).toEqual(
            undisturbed.get(date),
          );
        }
        const makers = (date: string) => makersOf(alpha.home, date, alpha.settings);
        expect([await makers(FIRST), await makers(SECOND)]).toEqual([['alpha'], ['beta']]);
        // What both began at the same moment, both may have made, to the same bytes.
        expect(await makers(THIRD)).toContain(either);
      });
    });

    describe('a host whose worker is killed', () => {
      it('in an outage, in the middle of its replay and right behind it, loses and doubles nothing', async () => {
        const s3 = await server();
        const host = await hostOf(s3, 'killed', 'gamma');
        const doomed = await startWorker(host, ['inside', 'transform/national']);
        const hold = portal.hold({ endpoint: 'export' });
        const day = await startRun(host, FIRST);
        await hold.arrived;
        await Promise.all([s3.kill(), dynamo.kill()]);
        hold.release();
        await once(doomed, 'exit');
        expect(doomed.signalCode).toBe('SIGKILL');
        const heir = await startWorker(host);
        expect(await dayResult(day)).toMatchObject({ verdict: 'degraded', version: 1 });
        await stopWorker(heir);
        await Promise.all([s3.restart(), dynamo.restart()]);

        const replaying = await startWorker(host, ['inside', 'reconcileHost']);
        const replay = await startReconcile(host, 'gamma');
        await once(replaying, 'exit');
        expect(replaying.signalCode).toBe('SIGKILL');
        const replayed = await startWorker(host, ['after', 'reconcileHost']);
        await once(replayed, 'exit');
        expect(replayed.signalCode).toBe('SIGKILL');
        const last = await startWorker(host);
        expect(await replay.result()).toMatchObject({ converged: true, pending: 0, conflicts: 0 });
        await stopWorker(last);
        expect(await contentsOf(host.home, [FIRST], host.settings)).toEqual(undisturbed.get(FIRST));
      });
    });
  },
  [DYNAMODB_LOCAL],
);
