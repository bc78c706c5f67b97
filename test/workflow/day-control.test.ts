import { WithStartWorkflowOperation } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { newestManifests } from '../../src/engine/records/ledger-reader.ts';
import { readActions } from '../../src/engine/records/operator-actions.ts';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import type { DayState } from '../../src/pipelines/execution.ts';
import type { DayPlan } from '../../src/pipelines/planned-step.ts';
import type { day } from '../../src/workflows/day.ts';
import type { DayInput } from '../../src/workflows/day-contract.ts';
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
    // A publisher that is down is asked again and again: the steps run until somebody does
    // something.
    settings: { QUOTIDIEN_RETRY_ATTEMPTS: '10000' },
  });
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

function start(date: string, input: Partial<DayInput> = {}) {
  return startDay(installation.target, { pipeline: 'tiny', date, ...input });
}

type Handle = Awaited<ReturnType<typeof start>>;

function untilState(handle: Handle, step: string, state: string): Promise<void> {
  return vi.waitFor(
    async () => {
      expect((await handle.query<DayState>('progress'))[step as keyof DayState]?.state).toBe(state);
    },
    { timeout: 50_000 },
  );
}

function order(handle: Handle, name: string, step: string, reason: string): Promise<unknown> {
  return handle.executeUpdate(name, { args: [{ step, reason }] as [unknown] });
}

function newest(date: string) {
  return newestManifests(installation.engine.documents, 'tiny', [date]).then((found) =>
    found.get(date),
  );
}

function actions(date: string) {
  return readActions(installation.engine.documents, 'tiny', date);
}

describe('an operator', () => {
  it('skips a part that is being tried: the day is degraded, says why, and the next run asks for the part again', async () => {
    publisher.refuse('forecast', 500);
    const handle = await start('2024-01-05');
    await untilState(handle, 'download/readings', 'done');
    await expect(order(handle, 'skipPart', 'download/forecast', ' ')).rejects.toThrow();
    await expect(order(handle, 'skipPart', 'download/nothing', 'why not')).rejects.toThrow();
    await expect(order(handle, 'skipPart', 'transform/readings', 'why not')).rejects.toThrow();
    await expect(order(handle, 'skipPart', 'download/readings', 'why not')).rejects.toThrow();
    await order(handle, 'skipPart', 'download/forecast', 'down for the weekend');
    expect(await dayResult(handle)).toMatchObject({ verdict: 'degraded' });
    expect((await newest('2024-01-05'))?.steps['download/forecast']).toEqual({
      state: 'skipped',
      reason: 'skipped by an operator: down for the weekend',
    });
    expect(await actions('2024-01-05')).toMatchObject([
      { action: 'skipPart', reason: 'down for the weekend' },
    ]);
    const { events } = await handle.fetchHistory();
    expect(
      events?.filter((event) => event.workflowExecutionUpdateAcceptedEventAttributes),
    ).toHaveLength(1);
    publisher.refuse('forecast', undefined);
    expect(await dayResult(await start('2024-01-05'))).toMatchObject({ verdict: 'ok', version: 2 });
  });

  it('goes on with what a skipped part delivered before, and with what a part delivered that fails', async () => {
    const date = '2024-01-07';
    await dayResult(await start(date));
    const before = await newest(date);
    publisher.refuse('readings', 403);
    publisher.refuse('forecast', 500);
    const handle = await start(date, { recheck: true });
    await untilState(handle, 'download/readings', 'done');
    await order(handle, 'skipPart', 'download/forecast', 'down for the weekend');
    expect(await dayResult(handle)).toMatchObject({ verdict: 'degraded', version: 2, ran: [] });
    const after = await newest(date);
    for (const [step, code] of [
      ['download/readings', 'SRC_AUTH'],
      ['download/forecast', 'SKIPPED'],
    ] as const) {
      expect(after?.steps[step]).toEqual({
        ...before?.steps[step],
        kept: expect.objectContaining({ code }) as object,
      });
    }
    publisher.refuse('readings', undefined);
    publisher.refuse('forecast', undefined);
    expect(await dayResult(await start(date))).toMatchObject({ verdict: 'ok', version: 3 });
  });

  it('skips a part whose slice was lost: it is cut again from its raw file, and nobody is asked', async () => {
    const date = '2024-01-11';
    await dayResult(await start(date));
    const before = (await newest(date))?.steps['download/forecast'];
    publisher.refuse('readings', 403);
    publisher.refuse('forecast', 500);
    const handle = await start(date, { recheck: true });
    await untilState(handle, 'download/readings', 'done');
    await order(handle, 'retryStep', 'download/readings', 'the key was renewed');
    // The next attempt leaves the part out from the start, and has newer readings to be made with
    // its slice.
    const slice = before?.state === 'done' ? before.outputs['slice']?.key : undefined;
    await installation.engine.objects.delete(slice ?? '');
    publisher.publish(date, { add: 1 });
    publisher.refuse('readings', undefined);
    await order(handle, 'skipPart', 'download/forecast', 'down for the weekend');
    expect(await dayResult(handle)).toMatchObject({ verdict: 'degraded', version: 2 });
    expect((await newest(date))?.steps['download/forecast']).toEqual({
      ...before,
      kept: expect.objectContaining({ code: 'SKIPPED' }) as object,
    });
    publisher.refuse('forecast', undefined);
  });

  it('has a failed step tried again while other parts still run', async () => {
    publisher.refuse('forecast', 403);
    publisher.refuse('readings', 500);
    const handle = await start('2024-01-06');
    await untilState(handle, 'download/forecast', 'failed');
    await expect(order(handle, 'retryStep', 'download/readings', 'it runs')).rejects.toThrow();
    await order(handle, 'retryStep', 'download/forecast', 'the key was renewed');
    publisher.refuse('forecast', undefined);
    publisher.refuse('readings', undefined);
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok', version: 1 });
    expect(await actions('2024-01-06')).toMatchObject([
      { action: 'retryStep', step: 'download/forecast' },
    ]);
  });

  it('wakes a day that waits for the publisher', async () => {
    const date = new Date(Date.now() - 86_400_000 - 3 * 3_600_000).toISOString().slice(0, 10);
    const handle = await start(date);
    await vi.waitFor(
      async () => {
        const { events } = await handle.fetchHistory();
        expect(events?.some((event) => event.timerStartedEventAttributes)).toBe(true);
      },
      { timeout: 50_000 },
    );
    publisher.publish(date);
    await order(handle, 'retryStep', 'download/readings', 'they say it is there');
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok' });
  });

  it('starts a day or joins it by Update-with-Start, and gets its plan', async () => {
    const withStart = () =>
      new WithStartWorkflowOperation<typeof day>('day', {
        workflowId: 'day/tiny/2024-01-08',
        taskQueue: installation.target.taskQueue,
        args: [{ pipeline: 'tiny', date: '2024-01-08' }],
        workflowIdConflictPolicy: 'USE_EXISTING',
      });
    publisher.refuse('readings', 500);
    const ask = async () => {
      const startWorkflowOperation = withStart();
      const plan = await installation.client.workflow.executeUpdateWithStart<
        typeof day,
        DayPlan,
        []
      >('awaitPlan', {
        startWorkflowOperation,
      });
      return { plan, runId: (await startWorkflowOperation.workflowHandle()).workflowId };
    };
    const [first, second] = [await ask(), await ask()];
    expect(first.plan.steps[0]).toMatchObject({ step: 'download/readings', action: 'run' });
    expect(second.plan).toEqual(first.plan);
    publisher.refuse('readings', undefined);
    await installation.client.workflow.getHandle('day/tiny/2024-01-08').result();
  });

  it('forces a day from a stage on, with the reason kept although no byte changes', async () => {
    await dayResult(await start('2024-01-09'));
    const again = await dayResult(
      await start('2024-01-09', { fromStep: 'metrics', why: 'after the engine was updated' }),
    );
    expect(again).toMatchObject({
      version: 1,
      ran: ['metrics/day', 'metrics/comparison', 'report/day', 'report/page'],
    });
    expect(await actions('2024-01-09')).toMatchObject([
      { action: 'force', step: 'metrics', reason: 'after the engine was updated' },
    ]);
  });

  it('continues a failed day by Reset at exactly the failed step', async () => {
    publisher.refuse('readings', 403);
    const handle = await start('2024-01-10');
    await expect(dayResult(handle)).rejects.toMatchObject({ code: 'SRC_AUTH' });
    publisher.refuse('readings', undefined);
    const { events } = await handle.fetchHistory();
    const first = events?.find((event) => event.workflowTaskCompletedEventAttributes);
    await installation.client.workflowService.resetWorkflowExecution({
      namespace: 'default',
      workflowExecution: { workflowId: handle.workflowId },
      reason: 'the key was renewed',
      workflowTaskFinishEventId: first?.eventId ?? null,
      requestId: 'reset-1',
    });
    const result = await dayResult(installation.client.workflow.getHandle(handle.workflowId));
    expect(result).toMatchObject({ verdict: 'ok', version: 1 });
    expect(result.ran).not.toContain('download/forecast');
  });
});
