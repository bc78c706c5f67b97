import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { dayResult, resultOf, startBackfill, startDay } from '../../src/cli/temporal/runs.ts';
import { unusedPort } from '@quotidien/temporal-program/ports';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { applySchedules } from '../../src/schedules/apply-schedules.ts';
import { startHealthServer } from '../../src/workers/health.ts';
import { QUEUE_KINDS, runWorkers } from '../../src/workers/run-workers.ts';
import type { RunningWorkers } from '../../src/workers/run-workers.ts';
import { DEFAULT_TUNING } from '../../src/workers/worker-tuning.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';
import { testBundle } from '../fixtures/workflow-bundle.ts';

let publisher: TinyPublisher;
let installation: Installation;
let metricsPort: number;

beforeAll(async () => {
  metricsPort = await unusedPort();
  publisher = await startTinyPublisher(datesBetween('2023-11-01', '2024-01-31'));
  installation = await openInstallation({
    datasets: { tiny: tinyDataset({ baseUrl: publisher.url, holdAbove: 9_000 }) },
    settings: { QUOTIDIEN_METRICS_ADDRESS: `127.0.0.1:${metricsPort}` },
  });
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

describe('a worker', () => {
  it('tells Prometheus of days by verdict, of steps and of failed tries, beside the SDK’s own figures', async () => {
    await dayResult(await startDay(installation.target, { pipeline: 'tiny', date: '2024-01-05' }));
    publisher.refuse('readings', 403);
    const failed = await startDay(installation.target, { pipeline: 'tiny', date: '2024-01-06' });
    await expect(dayResult(failed)).rejects.toThrow();
    publisher.refuse('readings', undefined);
    const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
    const has = (name: string, ...labels: string[]) =>
      text
        .split('\n')
        .some(
          (line) => line.startsWith(`${name}{`) && labels.every((label) => line.includes(label)),
        );
    expect(has('quotidien_days_total', 'verdict="ok"', 'pipeline="tiny"')).toBe(true);
    expect(has('quotidien_days_failed_total', 'code="SRC_AUTH"')).toBe(true);
    expect(has('quotidien_step_days_total', 'step="transform/readings"', 'how="ran"')).toBe(true);
    expect(has('quotidien_step_tries_failed_total', 'step="download/readings"')).toBe(true);
    expect(has('quotidien_step_seconds_bucket', 'step="metrics/day"')).toBe(true);
    expect(has('temporal_worker_task_slots_available')).toBe(true);
  });

  it('tells Prometheus of the ticks that a schedule missed or skipped, with each tick', async () => {
    const { client, engine, target } = installation;
    await applySchedules(client, engine.datasets, target.taskQueue);
    await client.schedule.getHandle('tiny/daily').trigger();
    await vi.waitFor(
      async () => {
        const text = await (await fetch(`http://127.0.0.1:${metricsPort}/metrics`)).text();
        for (const name of ['quotidien_schedule_missed_ticks', 'quotidien_schedule_skipped_ticks'])
          expect(text).toMatch(new RegExp(`^${name}\\{[^}]*schedule="daily"[^}]*\\} 0$`, 'm'));
      },
      { timeout: 50_000 },
    );
    for await (const { workflowId } of client.workflow.list({
      query: 'ExecutionStatus = "Running"',
    }))
      if (workflowId.startsWith('day/tiny/'))
        await client.workflow.getHandle(workflowId).terminate();
  });

  it('is alive while it drains, and ready only while it polls', async () => {
    const state = { ready: true };
    const health = await startHealthServer(0, () => state.ready);
    const status = async (path: string) =>
      (await fetch(`http://127.0.0.1:${health.port}${path}`)).status;
    try {
      expect([await status('/live'), await status('/ready'), await status('/')]).toEqual([
        200, 200, 404,
      ]);
      state.ready = false;
      expect([await status('/live'), await status('/ready')]).toEqual([200, 503]);
    } finally {
      await health.close();
    }
  });
});

describe('versioned workers', () => {
  const queue = 'versioned';
  const workers: RunningWorkers[] = [];

  async function startBuild(buildId: string): Promise<void> {
    const { engine, client } = installation;
    const running = await runWorkers({
      engine: {
        ...engine,
        queues: { fetch: `${queue}-fetch`, compute: queue, report: `${queue}-report` },
      },
      target: { connection: { address: installation.address }, namespace: 'default' },
      kinds: QUEUE_KINDS,
      workflowBundle: await testBundle(),
      tuning: { ...DEFAULT_TUNING, buildId },
    });
    workers.push(running);
    await vi.waitFor(
      () =>
        client.workflowService.setWorkerDeploymentCurrentVersion({
          namespace: 'default',
          deploymentName: 'quotidien',
          buildId,
          identity: 'test',
        }),
      { timeout: 50_000, interval: 200 },
    );
  }

  async function buildOf(workflowId: string): Promise<string | null | undefined> {
    const { workflowExecutionInfo } =
      await installation.client.workflowService.describeWorkflowExecution({
        namespace: 'default',
        execution: { workflowId },
      });
    return workflowExecutionInfo?.versioningInfo?.deploymentVersion?.buildId;
  }

  afterAll(async () => {
    await Promise.all(workers.map((running) => running.shutdown()));
  });

  it('let a day end on the build that it started on, while new days start on the new one', async () => {
    const target = { ...installation.target, taskQueue: queue };
    publisher.publish('2024-01-10', { add: 10_000 });
    await startBuild('one');
    const old = await startDay(target, { pipeline: 'tiny', date: '2024-01-10' });
    await vi.waitFor(
      async () => {
        const { typedSearchAttributes } = await old.describe();
        expect(typedSearchAttributes.getAll().map(({ value }) => value)).toContain('quarantined');
      },
      { timeout: 50_000 },
    );
    await startBuild('two');
    await dayResult(await startDay(target, { pipeline: 'tiny', date: '2024-01-12' }));
    await old.executeUpdate('decide', { args: [{ decision: 'accept', reason: 'confirmed' }] });
    expect(await dayResult(old)).toMatchObject({ verdict: 'ok' });
    expect([await buildOf('day/tiny/2024-01-10'), await buildOf('day/tiny/2024-01-12')]).toEqual([
      'one',
      'two',
    ]);
  });

  it('let a backfill end on the build that it started on with all its windows, while the next begins on the new one', async () => {
    const target = { ...installation.target, taskQueue: queue };
    await startBuild('three');
    const range = { pipeline: 'tiny', from: '2023-11-01', to: '2024-01-05', parallel: 1 };
    const old = await startBackfill(target, range);
    await old.executeUpdate('pause', { args: [{ reason: 'a new build comes' }] });
    await startBuild('four');
    const next = await startBackfill(target, {
      pipeline: 'tiny',
      from: '2024-01-14',
      to: '2024-01-20',
    });
    expect(await resultOf(next)).toMatchObject({ done: 7, failedDays: 0 });
    await old.executeUpdate('resume');
    expect(await resultOf(old)).toMatchObject({ done: 66, windows: 3, failedDays: 0 });
    const builds = await Promise.all(
      [
        old.workflowId,
        'window/tiny/2023-11-01_2023-11-30',
        'window/tiny/2024-01-01_2024-01-05',
        next.workflowId,
        'window/tiny/2024-01-14_2024-01-20',
      ].map(buildOf),
    );
    expect(builds).toEqual(['three', 'three', 'three', 'four', 'four']);
  });
});
