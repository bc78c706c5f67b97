import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calendarOfDays } from '../../src/engine/look/day-calendar.ts';
import {
  dayResult,
  finishRollup,
  resultOf,
  startBackfill,
  startDay,
} from '../../src/cli/temporal/runs.ts';
import { unusedPort } from '@quotidien/temporal-program/ports';
import type { Portal } from '@quotidien/sample-portal/portal';
import { applyReconcile } from '../../src/schedules/apply-reconcile.ts';
import type { DayResult } from '../../src/workflows/day-contract.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import type { Installation } from '../fixtures/installation.ts';
import { DYNAMODB_LOCAL, startDynamoDbLocal } from '../fixtures/servers/dynamodb-local.ts';
import type { DynamoDbTestServer } from '../fixtures/servers/dynamodb-local.ts';
import { describeWithServer } from '../fixtures/servers/server-suite.ts';
import { VERSITY_GATEWAY, startVersityGateway } from '../fixtures/servers/versity-gateway.ts';
import type { S3TestServer } from '../fixtures/servers/versity-gateway.ts';
import { awsSettings, installOn, portalOfThen, reconciled, stateOf } from './remote-stores.ts';

const DATE = '2026-03-29';
const MONTH = datesBetween('2026-03-01', '2026-03-31');

let portal: Portal;
let dynamo: DynamoDbTestServer;
/** One for the process: the first installation opens it. */
let metricsPort: number | undefined;

beforeAll(async () => {
  portal = await portalOfThen();
  dynamo = await startDynamoDbLocal({ durable: true });
});
afterAll(async () => {
  await dynamo.stop();
  await portal.close();
});

/** An installation on a bucket and tables of its own. */
async function installed(
  s3: S3TestServer,
  name: string,
  before?: () => Promise<unknown>,
): Promise<Installation> {
  metricsPort ??= await unusedPort();
  const address = `127.0.0.1:${metricsPort}`;
  const stores = await awsSettings(s3, dynamo, name);
  return installOn(portal, { QUOTIDIEN_METRICS_ADDRESS: address, ...stores }, before);
}

async function runDay({ target }: Installation): Promise<{ result: DayResult; details: string }> {
  const handle = await startDay(target, { pipeline: 'eco2mix', date: DATE });
  const result = await dayResult(handle);
  const { currentDetails } = await handle.query<{ currentDetails: string }>(
    '__temporal_workflow_metadata',
  );
  return { result, details: currentDetails };
}

/** The value of a figure that Prometheus would read. */
async function figure(name: string): Promise<number> {
  const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
  const lines = text
    .split('\n')
    .filter((line) => line.startsWith(`${name}{`) || line.startsWith(`${name} `));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

/** What `quotidien status` says. */
async function standing({ engine }: Installation): Promise<string | undefined> {
  const [day] = await calendarOfDays(engine, 'eco2mix', [DATE], new Map());
  return day?.standing;
}

/** A host's schedule is made once, whoever applies it again, and starts what the command starts. */
async function expectSchedule({ client, engine, target }: Installation): Promise<void> {
  const { host, queue } = engine.fallback!;
  for (let times = 0; times < 2; times += 1)
    await applyReconcile(client, { host, queue }, target.taskQueue);
  const handle = client.schedule.getHandle(`reconcile/${host}`);
  await handle.trigger();
  const { action, info } = await handle.describe();
  expect(action).toMatchObject({ workflowType: 'reconcile', args: [{ host, queue }] });
  const [started] = [...info.runningActions, ...info.recentActions.map((recent) => recent.action)];
  const result: unknown = await client.workflow.getHandle(started!.workflow.workflowId).result();
  expect(result).toMatchObject({ host, converged: true });
  await handle.delete();
}

/** A month at once, as a backfill runs it. */
async function runMonth({ target }: Installation): Promise<unknown> {
  return resultOf(
    await startBackfill(target, { pipeline: 'eco2mix', from: MONTH[0]!, to: MONTH.at(-1)! }),
  );
}

await describeWithServer(
  VERSITY_GATEWAY,
  startVersityGateway,
  (server) => {
    describe('a day whose stores are killed in the middle', () => {
      it('ends degraded, and after the stores are back and reconciled is the day that was not disturbed', async () => {
        const s3 = await server();
        const calm = await installed(s3, 'calm');
        const before = await runDay(calm);
        expect(before.result.verdict).toBe('ok');
        expect(before.details).not.toContain('Degraded');
        await finishRollup(calm.target, 'eco2mix');
        const undisturbed = await stateOf(calm.engine.stores.primary);
        expect(Object.keys(undisturbed).length).toBeGreaterThan(40);
        await calm.close();

        const installation = await installed(s3, 'stormy', async () => {
          await Promise.all([s3.kill(), dynamo.kill()]);
        });
        try {
          const { result, details } = await runDay(installation);
          expect(result).toMatchObject({ verdict: 'degraded', version: 1 });
          expect(details).toMatch(/Degraded: the (object|document) store \(\w+\) is away since/);
          expect(details).toContain(`goes on at the host ${installation.engine.host}`);
          expect(await standing(installation)).toBe('degraded');
          expect(await figure('quotidien_store_away')).toBeGreaterThan(0);
          expect(await figure('quotidien_cache_hits_total')).toBeGreaterThan(0);
          expect(await reconciled(installation)).toMatchObject({
            converged: false,
            applied: 0,
            lifted: {},
          });

          await Promise.all([s3.restart(), dynamo.restart()]);
          expect(await reconciled(installation)).toMatchObject({
            converged: true,
            pending: 0,
            conflicts: 0,
            lifted: { eco2mix: [DATE] },
          });
          await finishRollup(installation.target, 'eco2mix');
          expect(await stateOf(installation.engine.stores.primary)).toEqual(undisturbed);
          await expectSchedule(installation);
          // Nothing is left to do, and the day is as good as any.
          expect(await reconciled(installation)).toMatchObject({
            converged: true,
            applied: 0,
            same: 0,
            lifted: {},
          });
          expect(await standing(installation)).toBe('ok');
          expect((await runDay(installation)).result).toMatchObject({
            verdict: 'ok',
            version: 1,
            ran: [],
          });
        } finally {
          await installation.close();
        }
      });
    });

    describe('a month at once whose stores are killed in the middle', () => {
      it('ends degraded, and after the replay is the month that was not disturbed', async () => {
        const s3 = await server();
        const calm = await installed(s3, 'calm-month');
        expect(await runMonth(calm)).toMatchObject({ done: MONTH.length, days: 0 });
        await finishRollup(calm.target, 'eco2mix');
        const undisturbed = await stateOf(calm.engine.stores.primary);
        await calm.close();

        const installation = await installed(s3, 'stormy-month', () =>
          Promise.all([s3.kill(), dynamo.kill()]),
        );
        try {
          expect(await runMonth(installation)).toMatchObject({ done: MONTH.length, days: 0 });
          const away = await calendarOfDays(installation.engine, 'eco2mix', MONTH, new Map());
          expect(away.map(({ standing }) => standing)).toEqual(MONTH.map(() => 'degraded'));
          await Promise.all([s3.restart(), dynamo.restart()]);
          const replayed = await reconciled(installation);
          expect(replayed).toMatchObject({
            converged: true,
            pending: 0,
            conflicts: 0,
            lifted: { eco2mix: MONTH },
          });
          await finishRollup(installation.target, 'eco2mix');
          expect(await stateOf(installation.engine.stores.primary)).toEqual(undisturbed);
        } finally {
          await installation.close();
        }
      });
    });
  },
  [DYNAMODB_LOCAL],
);
