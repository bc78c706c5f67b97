import type { WorkerInterceptors } from '@temporalio/worker';
import { eco2mix } from '../../src/datasets/eco2mix/index.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { hashOfObject } from '../../src/storage/outage/fallback-objects.ts';
import { initStorage } from '../../src/storage/setup/storage-init.ts';
import { reconcileWorkflowId } from '../../src/schedules/apply-reconcile.ts';
import type { PrimaryStores } from '../../src/workers/open-stores.ts';
import type { reconcile } from '../../src/workflows/reconcile.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import type { DynamoDbTestServer } from '../fixtures/servers/dynamodb-local.ts';
import type { S3TestServer } from '../fixtures/servers/versity-gateway.ts';

const TABLES = ['ledger', 'manifests', 'receipts', 'failures', 'degraded'];

/** Makes a bucket and tables of this name, and says what leads to them. */
export async function awsSettings(
  s3: S3TestServer,
  dynamo: DynamoDbTestServer,
  name: string,
): Promise<Record<string, string>> {
  const { region, credentials } = s3;
  const tablePrefix = `${name}-`;
  await initStorage({
    s3: { bucket: name, region, endpoint: s3.endpoint, credentials, forcePathStyle: true },
    dynamodb: { region, endpoint: dynamo.endpoint, credentials, tablePrefix },
  });
  return {
    USE_S3: 'true',
    USE_DYNAMODB: 'true',
    QUOTIDIEN_S3_BUCKET: name,
    QUOTIDIEN_S3_ENDPOINT: s3.endpoint,
    QUOTIDIEN_DYNAMODB_ENDPOINT: dynamo.endpoint,
    QUOTIDIEN_DYNAMODB_PREFIX: tablePrefix,
    AWS_REGION: region,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}

const NOW = new Date('2026-06-20T10:00:00Z');

/**
 * eco2mix on a sample portal and the stores of the settings; `before` happens once, before the
 * first metrics.
 */
export function installOn(
  portal: Portal,
  settings: Readonly<Record<string, string>>,
  before?: () => Promise<unknown>,
): Promise<Installation> {
  return openInstallation({
    datasets: { eco2mix },
    settings: {
      QUOTIDIEN_ODRE_URL: portal.url,
      QUOTIDIEN_ODRE_REQUESTS_PER_SECOND: '100',
      QUOTIDIEN_RETRY_ATTEMPTS: '8',
      ...settings,
    },
    change: () => ({ now: () => NOW }),
    ...(before === undefined ? {} : { interceptors: beforeMetrics(before) }),
  });
}

/** The sample portal of that day. */
export function portalOfThen(): Promise<Portal> {
  return startPortal({ now: () => NOW });
}

/** Something that happens once, when the first step behind the transforms begins. */
function beforeMetrics(happen: () => Promise<unknown>): WorkerInterceptors {
  let happened: Promise<unknown> | undefined;
  return {
    activity: [
      ({ info }) => ({
        inbound: {
          async execute(input, next) {
            if (info.activityType === 'metrics') await (happened ??= happen());
            return next(input);
          },
        },
      }),
    ],
  };
}

/** Everything that the stores themselves hold, without who wrote it and when. */
export async function stateOf({
  objects,
  documents,
}: PrimaryStores): Promise<Record<string, unknown>> {
  const state: Record<string, unknown> = {};
  for await (const { key } of objects.list('')) state[key] = await hashOfObject(objects, key);
  for (const table of TABLES) {
    for await (const partition of documents.partitions(table)) {
      for await (const { sort, version, body } of documents.query({ table, partition })) {
        const said = { ...body, execution: undefined, run: undefined };
        state[`${table} ${partition} ${sort}`] = { version, said };
      }
    }
  }
  return state;
}

/** What `quotidien reconcile` does for the host of the installation. */
export async function reconciled({ client, engine, target }: Installation) {
  const { host, queue } = engine.fallback!;
  return client.workflow.execute<typeof reconcile>('reconcile', {
    workflowId: reconcileWorkflowId(host),
    taskQueue: target.taskQueue,
    args: [{ host, queue }],
  });
}
