import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startBackfill, startDay } from '../../src/cli/temporal/runs.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

let publisher: TinyPublisher;
let installation: Installation;

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-01-31'));
  installation = await openInstallation({
    datasets: { tiny: tinyDataset({ baseUrl: publisher.url }) },
    // A publisher that is down is asked again and again: days run until somebody does something.
    settings: { QUOTIDIEN_RETRY_ATTEMPTS: '10000' },
  });
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

function untilRunning(workflowId: string): Promise<void> {
  return vi.waitFor(
    async () => {
      const { raw } = await installation.client.workflow.getHandle(workflowId).describe();
      expect(raw.pendingActivities?.[0]?.attempt ?? 0).toBeGreaterThan(1);
    },
    { timeout: 50_000 },
  );
}

describe('a day under a backfill', () => {
  it.each([
    ['cancelled', (id: string) => installation.client.workflow.getHandle(id).cancel()],
    ['terminated', (id: string) => installation.client.workflow.getHandle(id).terminate()],
  ])('that is %s is one failed day of it', async (what, stop) => {
    const [from, to] =
      what === 'cancelled' ? ['2024-01-05', '2024-01-06'] : ['2024-01-07', '2024-01-08'];
    publisher.refuse('readings', 500);
    const handle = await startBackfill(installation.target, {
      pipeline: 'tiny',
      from,
      to,
      canary: 1,
    });
    await untilRunning(`day/tiny/${to}`);
    await stop(`day/tiny/${to}`);
    await vi.waitFor(
      async () => {
        expect(await handle.query<{ failedDays: number }>('progress')).toMatchObject({
          failedDays: 1,
        });
      },
      { timeout: 50_000 },
    );
    publisher.refuse('readings', undefined);
    const result = await handle.result();
    expect(result).toMatchObject({
      selected: 2,
      done: 1,
      failedDays: 1,
      failureCodes: { CANCELLED: 1 },
    });
    expect(result.failed).toEqual([
      { date: to, code: 'CANCELLED', message: `the run was ${what}` },
    ]);
  });

  it('that was cancelled by somebody else who had started it is one failed day too', async () => {
    publisher.refuse('forecast', 500);
    const day = await startDay(installation.target, { pipeline: 'tiny', date: '2024-01-10' });
    await untilRunning(day.workflowId);
    const range = { pipeline: 'tiny', from: '2024-01-10', to: '2024-01-10' };
    const handle = await startBackfill(installation.target, range);
    await untilFollowed(handle.workflowId);
    await day.cancel();
    expect(await handle.result()).toMatchObject({ done: 0, failureCodes: { CANCELLED: 1 } });
    publisher.refuse('forecast', undefined);
  });

  it('that runs already is joined, not doubled', async () => {
    publisher.refuse('forecast', 500);
    const day = await startDay(installation.target, { pipeline: 'tiny', date: '2024-01-11' });
    await untilRunning(day.workflowId);
    const range = { pipeline: 'tiny', from: '2024-01-11', to: '2024-01-11' };
    const handle = await startBackfill(installation.target, range);
    await untilFollowed(handle.workflowId);
    publisher.refuse('forecast', undefined);
    expect(await handle.result()).toMatchObject({ selected: 1, done: 1, days: 1, windows: 0 });
    expect((await day.describe()).historyLength).toBeGreaterThan(10);
  });

  it('of a window that is cancelled fails with it, and the others are made', async () => {
    publisher.refuse('readings', 500);
    const range = { pipeline: 'tiny', from: '2024-01-15', to: '2024-01-16' };
    const handle = await startBackfill(installation.target, range);
    await untilRunning('window/tiny/2024-01-15_2024-01-16');
    await installation.client.workflow.getHandle('window/tiny/2024-01-15_2024-01-16').cancel();
    expect(await handle.result()).toMatchObject({
      done: 0,
      failedDays: 2,
      failureCodes: { CANCELLED: 2 },
    });
    publisher.refuse('readings', undefined);
  });
});

describe('a day that runs', () => {
  it('is joined by who asks for the same, and refused to who asks for more', async () => {
    publisher.refuse('forecast', 500);
    const forced = {
      pipeline: 'tiny',
      date: '2024-01-20',
      fromStep: 'metrics',
      why: 'a test',
    } as const;
    const first = await startDay(installation.target, forced);
    await untilRunning(first.workflowId);
    await startDay(installation.target, { pipeline: 'tiny', date: '2024-01-20' });
    await startDay(installation.target, { ...forced, why: 'another reason' });
    await startDay(installation.target, { pipeline: 'tiny', date: '2024-01-20', only: 'report' });
    await expect(
      startDay(installation.target, { ...forced, fromStep: 'download' }),
    ).rejects.toMatchObject({
      code: 'PLAN_INVALID',
      message: expect.stringMatching(
        /^day\/tiny\/2024-01-20 runs already, .* without fromStep "download": wait/,
      ) as string,
    });
    await expect(startDay(installation.target, { ...forced, recheck: true })).rejects.toThrow(
      'without recheck true',
    );
    publisher.refuse('forecast', undefined);
    expect(await first.result()).toMatchObject({ verdict: 'ok', version: 1 });
  });
});

function untilFollowed(workflowId: string): Promise<void> {
  return vi.waitFor(
    async () => {
      const { raw } = await installation.client.workflow.getHandle(workflowId).describe();
      expect(raw.pendingActivities?.map(({ activityType }) => activityType?.name)).toEqual([
        'followRun',
      ]);
    },
    { timeout: 50_000 },
  );
}
