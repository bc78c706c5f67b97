import { execFile } from 'node:child_process';
import { readFile, readdir } from 'node:fs/promises';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { damageOf } from '../../src/engine/content-store.ts';
import { dayResult, resultOf, startBackfill, startDay } from '../../src/cli/temporal/runs.ts';
import { eco2mix } from '../../src/datasets/eco2mix/index.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import type { CivilDate } from '../../src/pipelines/vocabulary.ts';
import type { BackfillProgress } from '../../src/workflows/backfill-control.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { testCli } from '../fixtures/temporal-server.ts';

/**
 * What Temporal's own command does to days and backfills in the middle of a download;
 * `docs/reference/runs.md` tells the results.
 */

let portal: Portal;
let installation: Installation;
let cli: string;

beforeAll(async () => {
  portal = await startPortal({ now: () => new Date('2026-06-20T10:00:00Z') });
  cli = (await testCli()).path;
  installation = await openInstallation({
    datasets: { eco2mix },
    settings: {
      QUOTIDIEN_ODRE_URL: portal.url,
      QUOTIDIEN_ODRE_REQUESTS_PER_SECOND: '1000',
      QUOTIDIEN_HEARTBEAT_MS: '4000',
      QUOTIDIEN_HTTP_IDLE_MS: '60000',
      QUOTIDIEN_ROLLUP_QUIET_MS: '600000',
    },
  });
});

afterAll(async () => {
  await installation.close();
  await portal.close();
});

async function temporal(...args: string[]): Promise<string> {
  const { stdout } = await promisify(execFile)(cli, [...args, '--address', installation.address], {
    env: {},
  });
  return stdout;
}

function handleOf(workflowId: string) {
  return installation.client.workflow.getHandle(workflowId);
}

async function statusOf(workflowId: string): Promise<string> {
  return (await handleOf(workflowId).describe()).status.name;
}

async function untilStatus(workflowId: string, status: string): Promise<void> {
  await vi.waitFor(
    async () => {
      expect(await statusOf(workflowId)).toBe(status);
    },
    { timeout: 50_000, interval: 100 },
  );
}

/** Runs of days, windows and backfills that are open. */
async function openRuns(): Promise<string[]> {
  const ids: string[] = [];
  const query = 'ExecutionStatus = "Running" OR ExecutionStatus = "Paused"';
  for await (const { workflowId } of installation.client.workflow.list({ query }))
    ids.push(workflowId);
  return ids.filter((id) => !id.startsWith('rollup/'));
}

async function untilNothingRuns(): Promise<void> {
  await vi.waitFor(
    async () => {
      expect(await openRuns()).toEqual([]);
    },
    { timeout: 50_000, interval: 200 },
  );
}

/** Every day that can be seen is whole: all its artefacts are there and right. Answers the days. */
async function wholeDays(dates: readonly CivilDate[]): Promise<CivilDate[]> {
  const { documents, objects } = installation.engine;
  const manifests = await newestManifests(documents, 'eco2mix', dates);
  for (const { steps } of manifests.values()) {
    for (const state of Object.values(steps)) {
      if (state.state !== 'done') continue;
      for (const ref of Object.values(state.outputs))
        expect(await damageOf(objects, ref)).toBeUndefined();
    }
  }
  return [...manifests.keys()];
}

/** Starts a day, and resolves when its download waits for the portal. */
async function startHeldDay(date: CivilDate) {
  const hold = portal.hold({ endpoint: 'export' });
  const day = await startDay(installation.target, { pipeline: 'eco2mix', date });
  await hold.arrived;
  return { day, hold };
}

async function expectRunnable(date: CivilDate): Promise<void> {
  expect(
    await dayResult(await startDay(installation.target, { pipeline: 'eco2mix', date })),
  ).toMatchObject({
    date,
    verdict: 'ok',
  });
}

describe('the documents', () => {
  it('give commands of Temporal that the shipped program has, with their flags', async () => {
    const howTo = (await readdir('docs/how-to')).map((name) => `docs/how-to/${name}`);
    const files = [...howTo, 'docs/reference/runs.md', 'docs/security.md', 'README.md'];
    const texts = await Promise.all(files.map((file) => readFile(file, 'utf8')));
    const commands = texts.flatMap((text) =>
      [...text.matchAll(/`temporal ([^`]+)`/g)].map(([, one = '']) => one),
    );
    expect(commands.length).toBeGreaterThan(8);
    for (const command of new Set(commands.filter((one) => !one.includes('<')))) {
      const [name = ''] = /^[a-z][a-z -]*?(?= -|$)/.exec(command) ?? [];
      const { stdout } = await promisify(execFile)(cli, [...name.split(' '), '--help'], {
        env: {},
      });
      // What does not exist gets the help of the command above it.
      expect(stdout, command).toContain(`temporal ${name} [`);
      for (const flag of command.match(/--[a-z-]+/g) ?? []) expect(stdout, command).toContain(flag);
    }
  });
});

describe('a day in the middle of its download', () => {
  it('is paused and goes on where it was', async () => {
    const { day, hold } = await startHeldDay('2026-04-01');
    await temporal('workflow', 'pause', '--workflow-id', day.workflowId, '--reason', 'maintenance');
    await untilStatus(day.workflowId, 'PAUSED');
    hold.release();
    expect(await wholeDays(['2026-04-01'])).toEqual([]);
    await temporal('workflow', 'unpause', '--workflow-id', day.workflowId, '--reason', 'done');
    expect(await dayResult(day)).toMatchObject({ verdict: 'ok', version: 1 });
  });

  it('is cancelled, leaves nothing that can be seen, and runs again', async () => {
    const { day, hold } = await startHeldDay('2026-04-02');
    await temporal('workflow', 'cancel', '--workflow-id', day.workflowId);
    await untilStatus(day.workflowId, 'CANCELLED');
    hold.release();
    await untilNothingRuns();
    expect(await wholeDays(['2026-04-02'])).toEqual([]);
    await expectRunnable('2026-04-02');
  });

  it('is terminated, leaves nothing that can be seen, and runs again at once', async () => {
    const { day, hold } = await startHeldDay('2026-04-03');
    await temporal('workflow', 'terminate', '--workflow-id', day.workflowId, '--reason', 'stuck');
    expect(await statusOf(day.workflowId)).toBe('TERMINATED');
    expect(await wholeDays(['2026-04-03'])).toEqual([]);
    hold.release();
    await expectRunnable('2026-04-03');
  });

  it('is reset, and the new run in its place makes it', async () => {
    const { day, hold } = await startHeldDay('2026-04-04');
    await temporal(
      'workflow',
      'reset',
      '--workflow-id',
      day.workflowId,
      '--type',
      'FirstWorkflowTask',
      '--reason',
      'a test',
    );
    hold.release();
    expect(await handleOf(day.workflowId).result()).toMatchObject({ verdict: 'ok', version: 1 });
    await expectRunnable('2026-04-04');
  });
});

describe('a backfill in the middle of its first download', () => {
  const ranges = [
    ['2025-12-11', '2026-01-10'],
    ['2026-02-11', '2026-03-10'],
    ['2025-11-11', '2025-12-10'],
    ['2025-06-16', '2025-07-15'],
  ] as const;

  async function startHeldBackfill(index: number) {
    const [from, to] = ranges[index] ?? ['', ''];
    const input = { pipeline: 'eco2mix', from, to, until: 'metrics' } as const;
    const hold = portal.hold({ endpoint: 'export' });
    const backfill = await startBackfill(installation.target, input);
    await hold.arrived;
    const again = async (): Promise<void> => {
      const result = await resultOf(await startBackfill(installation.target, input));
      expect(result).toMatchObject({ failedDays: 0, waitingDays: 0, stopped: null });
      expect(result.done + result.complete).toBe(datesBetween(from, to).length);
      expect(await wholeDays(datesBetween(from, to))).toEqual(datesBetween(from, to));
      await untilNothingRuns();
    };
    return { backfill, hold, again, id: backfill.workflowId };
  }

  it('is paused, the window under way ends, and it goes on where it was', async () => {
    const { backfill, hold, again, id } = await startHeldBackfill(0);
    await temporal('workflow', 'pause', '--workflow-id', id, '--reason', 'maintenance');
    await untilStatus(id, 'PAUSED');
    hold.release();
    await untilStatus('window/eco2mix/2025-12-11_2025-12-31', 'COMPLETED');
    await temporal('workflow', 'unpause', '--workflow-id', id, '--reason', 'done');
    expect(await resultOf(backfill)).toMatchObject({ done: 31, failedDays: 0 });
    await again();
  });

  it('is cancelled together with its windows, and what is left is made by the next one', async () => {
    const { hold, again, id } = await startHeldBackfill(1);
    await temporal('workflow', 'cancel', '--workflow-id', id);
    await untilStatus(id, 'CANCELLED');
    hold.release();
    await untilNothingRuns();
    await again();
  });

  it('is terminated, the server cancels its windows, and what is left is made by the next one', async () => {
    const { hold, again, id } = await startHeldBackfill(2);
    await temporal('workflow', 'terminate', '--workflow-id', id, '--reason', 'stuck');
    await untilNothingRuns();
    hold.release();
    await again();
  });

  it('is reset, and the new run joins the windows that are under way', async () => {
    const { hold, again, id } = await startHeldBackfill(3);
    await temporal(
      'workflow',
      'reset',
      '--workflow-id',
      id,
      '--type',
      'FirstWorkflowTask',
      '--reason',
      'a test',
    );
    await vi.waitFor(
      async () => {
        expect(await handleOf(id).query<BackfillProgress>('progress')).toMatchObject({
          selected: 30,
        });
      },
      {
        timeout: 50_000,
        interval: 100,
      },
    );
    hold.release();
    expect(await handleOf(id).result()).toMatchObject({ done: 30, failedDays: 0 });
    await again();
  });
});
