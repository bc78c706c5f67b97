import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { historyToJSON } from '@temporalio/common/lib/proto-utils.js';
import { NativeConnection, Worker } from '@temporalio/worker';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { publicationsOf } from '../../src/engine/publish/published.ts';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import type { ReconcileResult } from '../../src/engine/contract.ts';
import {
  finishRollup,
  startBackfill,
  startDay,
  startFetch,
  startWatch,
} from '../../src/cli/temporal/runs.ts';
import { addDays, datesBetween } from '../../src/pipelines/civil-date.ts';
import type { DayState } from '../../src/pipelines/execution.ts';
import { applySchedules } from '../../src/schedules/apply-schedules.ts';
import type { DayInput } from '../../src/workflows/day-contract.ts';
import { hostsApart, withHost } from '../fixtures/hosts-apart.ts';
import { octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import { enedis } from '../../src/datasets/enedis/index.ts';
import { enedisSettings, startDistributor } from '../fixtures/enedis-server.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { noopDataset } from '../fixtures/noop-dataset.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

/**
 * Records the histories that `histories.test.ts` replays; run it when a workflow has changed on
 * purpose, and say so in the change:
 *
 *     RECORD_HISTORIES=1 npx vitest run --project workflow test/replay/record.test.ts
 */
const FOLDER = path.resolve(import.meta.dirname, 'histories');
const RECENT = addDays(new Date().toISOString().slice(0, 10), -30);
/** Days whose parts come to two hosts. */
const APART = { day: '2024-01-19', window: ['2024-01-20', '2024-01-21'] };
const apart = hostsApart('quotidien', [APART.day, ...APART.window]);
const REVISED = [RECENT, addDays(RECENT, 1)];

let publisher: TinyPublisher;
let installation: Installation;

async function record(
  name: string,
  workflowId: string,
  runId?: string,
  of = installation,
): Promise<void> {
  const history = await of.client.workflow.getHandle(workflowId, runId).fetchHistory();
  expect(history.events?.length).toBeGreaterThan(3);
  // Stack traces name the folder of whoever recorded.
  const compact = JSON.stringify(
    JSON.parse(historyToJSON(history).replaceAll(process.cwd(), '/app')),
  );
  await writeFile(path.join(FOLDER, `${name}.json`), `${compact}\n`);
}

function start(date: string, input: Partial<DayInput> = {}) {
  return startDay(installation.target, { pipeline: 'tiny', date, ...input });
}

async function untilOrdered(date: string, name: string, input: object): Promise<void> {
  const handle = installation.client.workflow.getHandle(`day/tiny/${date}`);
  await vi.waitFor(() => handle.executeUpdate(name, { args: [input] as [unknown] }), {
    timeout: 20_000,
  });
}

describe.runIf(process.env['RECORD_HISTORIES'] === '1')('histories are recorded', () => {
  beforeAll(async () => {
    await mkdir(FOLDER, { recursive: true });
    publisher = await startTinyPublisher([...datesBetween('2024-01-01', '2024-02-20'), ...REVISED]);
    const options = { baseUrl: publisher.url, holdAbove: 9_000, freshForMinutes: 0 };
    // What is recorded of a watch is the days that changed under it, so it has a pipeline of its
    // own.
    const [tiny, watched] = [tinyDataset(options), tinyDataset({ ...options, name: 'watched' })];
    installation = await openInstallation({
      datasets: { tiny, watched, noop: noopDataset },
      interceptors: { activity: [apart] },
    });
  });

  afterAll(async () => {
    await installation.close();
    await publisher.close();
  });

  it('of a day whose parts stay as they were delivered', async () => {
    await (await start('2024-01-04')).result();
    publisher.refuse('forecast', 403);
    const kept = await start('2024-01-04', { recheck: true });
    await kept.result();
    await record('day-kept', kept.workflowId);
    publisher.refuse('forecast', undefined);
  });

  it('of days that succeed, fail, are reset, and have nothing to do', async () => {
    await (await start('2024-01-05')).result();
    await record('day-success', 'day/tiny/2024-01-05');
    await (await startDay(installation.target, { pipeline: 'noop', date: '2024-01-05' })).result();
    await (await startDay(installation.target, { pipeline: 'noop', date: '2024-01-05' })).result();
    await record('day-complete', 'day/noop/2024-01-05');
    publisher.refuse('readings', 403);
    const failed = await start('2024-01-06');
    await expect(failed.result()).rejects.toThrow();
    await record('day-failed', failed.workflowId);
    publisher.refuse('readings', undefined);
    const { events } = await failed.fetchHistory();
    const first = events?.find((event) => event.workflowTaskCompletedEventAttributes);
    const { runId } = await installation.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: failed.workflowId },
      workflowTaskFinishEventId: first?.eventId ?? null,
      requestId: 'reset',
    });
    await installation.client.workflow.getHandle(failed.workflowId, runId).result();
    await record('day-reset', failed.workflowId, runId);
    await (await start('2024-01-05', { fromStep: 'metrics', why: 'a test' })).result();
    await record('day-forced', 'day/tiny/2024-01-05');
  });

  it('of days that are held, degraded, skipped, retried and cancelled', async () => {
    for (const [date, decision] of [
      ['2024-01-07', 'accept'],
      ['2024-01-08', 'reject'],
    ] as const) {
      publisher.publish(date, { add: 10_000 });
      const handle = await start(date);
      await untilOrdered(date, 'decide', { decision, reason: 'a test' });
      await handle.result().catch(() => undefined);
      await record(`day-held-${decision}`, handle.workflowId);
    }
    publisher.refuse('forecast', 403);
    await (await start('2024-01-09')).result();
    await record('day-degraded', 'day/tiny/2024-01-09');
    publisher.refuse('forecast', undefined);
    const future = addDays(new Date().toISOString().slice(0, 10), 2);
    const waiting = await start(future);
    await untilOrdered(future, 'retryStep', { step: 'download/readings', reason: 'a test' });
    await waiting.cancel();
    await expect(waiting.result()).rejects.toThrow();
    await record('day-retried-cancelled', waiting.workflowId);
  });

  it('of windows, backfills, rollups, ticks, watches and audits', async () => {
    const range = { pipeline: 'tiny', from: '2024-01-28', to: '2024-02-20' };
    const short = await startBackfill(installation.target, range);
    await short.result();
    await record('backfill', short.workflowId);
    await record('window', 'window/tiny/2024-01-28_2024-01-31');
    await record('window-after-another', 'window/tiny/2024-02-01_2024-02-20');
    const years = { pipeline: 'noop', from: '2020-01-01', to: '2022-12-31' };
    const long = await startBackfill(installation.target, years);
    const firstRun = (await long.describe()).runId;
    await long.result();
    await record('backfill-continued-as-new', long.workflowId, firstRun);
    const across = { pipeline: 'noop', from: '2018-11-20', to: '2019-02-10' };
    const winter = await startBackfill(installation.target, across);
    await winter.result();
    await record('backfill-across-years', winter.workflowId);
    await finishRollup(installation.target, 'tiny');
    await record('rollup', 'rollup/tiny');
    await (await start(RECENT)).result();
    publisher.publish(RECENT, { add: 1 });
    await (await startWatch(installation.target, 'tiny')).result();
    await record('watch', 'watch/tiny');
    const audit = { workflowId: 'verify/tiny', taskQueue: installation.target.taskQueue };
    await installation.client.workflow.execute('verify', {
      ...audit,
      args: [{ pipeline: 'tiny', sample: 2 }],
    });
    await record('verify', 'verify/tiny');
    await applySchedules(
      installation.client,
      installation.engine.datasets,
      installation.target.taskQueue,
    );
    const schedule = installation.client.schedule.getHandle('tiny/daily');
    await schedule.trigger();
    const tickId = await vi.waitFor(
      async () => {
        const [action] = (await schedule.describe()).info.recentActions;
        if (action === undefined) throw new Error('no tick yet');
        return action.action.workflow.workflowId;
      },
      { timeout: 20_000 },
    );
    await installation.client.workflow.getHandle(tickId).result();
    await record('tick', tickId);
  }, 180_000);

  it('of a day that another run commits while it runs', async () => {
    const held = publisher.holdNext('forecast');
    const handle = await start('2024-01-10');
    await held.arrived;
    publisher.publish('2024-01-10', { add: 1 });
    await installation.client.workflow.execute('window', {
      workflowId: 'window/tiny/2024-01-10',
      taskQueue: installation.target.taskQueue,
      args: [{ pipeline: 'tiny', dates: ['2024-01-10'], recheck: true }],
    });
    held.release();
    await handle.result();
    await record('day-conflicting', handle.workflowId);
  });

  it('of a day that does without a part whose slice was lost', async () => {
    const date = '2024-01-18';
    await (await start(date)).result();
    const manifest = (await newestManifests(installation.engine.documents, 'tiny', [date])).get(
      date,
    );
    const download = manifest?.steps['download/forecast'];
    publisher.refuse('readings', 403);
    const held = publisher.holdNext('forecast');
    const handle = await start(date, { recheck: true });
    await held.arrived;
    await untilOrdered(date, 'retryStep', { step: 'download/readings', reason: 'a test' });
    publisher.refuse('readings', undefined);
    const slice = download?.state === 'done' ? download.outputs['slice']?.key : undefined;
    await installation.engine.objects.delete(slice ?? '');
    await untilOrdered(date, 'skipPart', { step: 'download/forecast', reason: 'a test' });
    await handle.result();
    held.release();
    await record('day-skipped-cut-again', handle.workflowId);
  });

  it('of a held day whose decision is kept before it counts', async () => {
    publisher.publish('2024-01-11', { add: 10_000 });
    const handle = await start('2024-01-11');
    await untilOrdered('2024-01-11', 'decide', {
      decision: 'accept',
      reason: 'a test',
      by: 'a tester',
    });
    await handle.result();
    await record('day-decision-kept', handle.workflowId);
  });

  it('of a window that publishes finished days again', async () => {
    const workflowId = 'window/tiny/published';
    const { client, target, engine } = installation;
    const input = { pipeline: 'tiny', dates: datesBetween('2024-01-15', '2024-01-17') };
    await client.workflow.execute('window', {
      workflowId,
      taskQueue: target.taskQueue,
      args: [input],
    });
    const newest = (await newestManifests(engine.documents, 'tiny', ['2024-01-16'])).get(
      '2024-01-16',
    );
    for (const { key } of publicationsOf(tinyDataset().definition, newest!))
      await engine.objects.delete(key);
    const args = [{ ...input, offline: true }];
    await client.workflow.execute('window', { workflowId, taskQueue: target.taskQueue, args });
    await record('window-published', workflowId);
  });

  it('of a watch that runs several days at the same time', async () => {
    for (const date of REVISED)
      await (await startDay(installation.target, { pipeline: 'watched', date })).result();
    for (const date of REVISED) publisher.publish(date, { add: 2 });
    const result = await (await startWatch(installation.target, 'watched')).result();
    expect(result.changed).toHaveLength(REVISED.length);
    await record('watch-days-at-once', 'watch/watched');
  });

  it('of rollups that hear announcements', async () => {
    await (
      await startBackfill(installation.target, {
        pipeline: 'tiny',
        from: '2024-01-12',
        to: '2024-01-14',
      })
    ).result();
    await finishRollup(installation.target, 'tiny');
    await record('rollup-announced', 'rollup/tiny');
  });

  it('of a day and a window that go on at one host, because a store is away', async () => {
    const { client, target } = installation;
    const forecast = publisher.holdNext('forecast');
    const handle = await start(APART.day);
    await forecast.arrived;
    const readingsAreThere = async () => {
      expect(await handle.query<DayState>('progress')).toHaveProperty(['download/readings']);
    };
    await vi.waitFor(readingsAreThere, { timeout: 20_000 });
    forecast.release();
    await withHost(installation, 'alpha', apart, () => handle.result());
    await record('day-at-one-host', handle.workflowId);
    const workflowId = 'window/tiny/apart';
    const args = [{ pipeline: 'tiny', dates: APART.window }];
    // Either of the two hosts may be the first.
    await withHost(installation, 'alpha', apart, () =>
      withHost(installation, 'beta', apart, () =>
        client.workflow.execute('window', { workflowId, taskQueue: target.taskQueue, args }),
      ),
    );
    await record('window-at-one-host', workflowId);
  });

  it('of the retention of a pipeline', async () => {
    const { client, target } = installation;
    const options = { taskQueue: target.taskQueue, workflowId: 'retain/tiny' };
    await client.workflow.execute('retain', { ...options, args: [{ pipeline: 'tiny' }] });
    await record('retain', options.workflowId);
  });

  it('of a fetch of folders, and of making again what was fetched', async () => {
    const server = await startDistributor(octoberArchives());
    const settings = enedisSettings(server);
    const folders = await openInstallation({ datasets: { enedis }, settings });
    try {
      for (const mode of ['all', 'rebuild'] as const) {
        const { workflowId, runId } = await startFetch(
          folders.target,
          { pipeline: 'enedis', mode },
          mode,
        );
        await folders.client.workflow.getHandle(workflowId, runId).result();
        await record(`fetch-${mode}`, workflowId, runId, folders);
      }
      const failed = await startFetch(
        folders.target,
        { pipeline: 'enedis', mode: 'all', parts: ['none'] },
        'none',
      );
      await expect(
        folders.client.workflow.getHandle(failed.workflowId, failed.runId).result(),
      ).rejects.toThrow();
      await record('fetch-failed', failed.workflowId, failed.runId, folders);
    } finally {
      await folders.close();
      await server.close();
    }
  });

  it('of reconciliations that end and that are refused', async () => {
    const { client, address, target } = installation;
    const options = { taskQueue: target.taskQueue, workflowId: 'reconcile/here' };
    const refused = client.workflow.execute('reconcile', {
      ...options,
      args: [{ host: 'here', queue: target.taskQueue }],
    });
    await expect(refused).rejects.toThrow();
    await record('reconcile-failed', options.workflowId);
    // Of a journal the workflow sees what the host answers, and nothing else.
    const answer: ReconcileResult = {
      host: 'there',
      applied: 12,
      same: 1,
      pending: 0,
      converged: true,
      conflicts: 0,
      listed: [],
      lifted: {},
    };
    const connection = await NativeConnection.connect({ address });
    const host = await Worker.create({
      connection,
      taskQueue: 'there',
      activities: { reconcileHost: () => Promise.resolve(answer) },
    });
    await host.runUntil(
      client.workflow.execute('reconcile', {
        ...options,
        args: [{ host: 'there', queue: 'there' }],
      }),
    );
    await connection.close();
    await record('reconcile', options.workflowId);
  });
});
