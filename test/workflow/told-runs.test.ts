import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { awaitDay } from '../../src/cli/temporal/day-waits.ts';
import { dayResult, startBackfill, startDay } from '../../src/cli/temporal/runs.ts';
import { tellTries } from '../../src/cli/temporal/tries.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { recordTerminal } from '../fixtures/cli-context.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

/**
 * What a run says of itself to somebody who has a terminal, or Temporal's UI and command line
 * alone.
 */

const HELD = '2024-01-20';
let publisher: TinyPublisher;
let installation: Installation;

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-01-31'));
  publisher.publish(HELD, { hours: { 3: 5_000 } });
  installation = await openInstallation({
    datasets: { tiny: tinyDataset({ baseUrl: publisher.url, holdAbove: 1_000 }) },
    settings: {
      QUOTIDIEN_RETRY_ATTEMPTS: '10000',
      QUOTIDIEN_RETRY_INITIAL_MS: '4000',
      QUOTIDIEN_RETRY_MAXIMUM_MS: '4000',
    },
  });
});

afterAll(async () => {
  await installation.close();
  await publisher.close();
});

function start(date: string) {
  return startDay(installation.target, { pipeline: 'tiny', date });
}

/** What the tab "User Metadata" shows. */
async function details(handle: WorkflowHandle): Promise<string> {
  return (
    (await handle.query<{ currentDetails?: string }>('__temporal_workflow_metadata'))
      .currentDetails ?? ''
  );
}

/**
 * Until the step that the publisher holds is all that the run waits for. A pause between a workflow
 * task and its start leaves a history that workers cannot go on from (docs/reference/runs.md).
 */
async function untilNothingElse(handle: WorkflowHandle): Promise<void> {
  await vi.waitFor(async () => {
    const { pendingActivities, pendingWorkflowTask } = (await handle.describe()).raw;
    expect([pendingActivities?.length, pendingWorkflowTask ?? null]).toEqual([1, null]);
  }, 20_000);
}

describe('a step that fails and is tried again', () => {
  it('says which try it was, of how many, when the next comes and why, and shows as running in the UI', async () => {
    publisher.refuse('readings', 500);
    const terminal = recordTerminal();
    const handle = await start('2024-01-05');
    const telling = tellTries(terminal, installation.client, handle.workflowId);
    await vi.waitFor(
      () => {
        expect(terminal.notes).not.toEqual([]);
      },
      { timeout: 50_000 },
    );
    telling.stop();
    expect(terminal.notes[0]).toMatch(
      /^day\/tiny\/2024-01-05: download, try \d+ of 10000, (next in [1-4] s|the next runs): .*500/,
    );
    const shown = (await details(handle))
      .split('\n')
      .find((line) => line.startsWith('| download/readings'));
    expect(shown).toMatch(/\| running \|.*never fetched.*Pending Activities/);
    publisher.refuse('readings', undefined);
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok' });
  });
});

describe('a day that somebody has paused', () => {
  it('says so, by whom and why, and is left by --detach', async () => {
    const hold = publisher.holdNext('readings');
    const handle = await start('2024-01-06');
    await hold.arrived;
    await untilNothingElse(handle);
    const { workflowService } = installation.client;
    await workflowService.pauseWorkflowExecution({
      namespace: 'default',
      workflowId: handle.workflowId,
      identity: 'ada',
      reason: 'look first',
      requestId: 'one',
    });
    const terminal = recordTerminal();
    const day = { handle, definition: { name: 'tiny', zone: 'Europe/Paris' }, date: '2024-01-06' };
    const left = await awaitDay(terminal, installation.client, day, true);
    const told =
      'day/tiny/2024-01-06 is paused by ada: look first; it goes on by: ' +
      `temporal workflow unpause --address ${installation.address} --workflow-id day/tiny/2024-01-06`;
    expect(left).toEqual({ why: told, until: null, held: false });
    expect(terminal.notes).toContain(told);
    await workflowService.unpauseWorkflowExecution({
      namespace: 'default',
      workflowId: handle.workflowId,
      identity: 'ada',
      reason: 'looked',
      requestId: 'two',
    });
    hold.release();
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok' });
  });
});

describe('what a run asks', () => {
  it('of a held day is in code spans, which can be pasted', async () => {
    const handle = await start(HELD);
    await vi.waitFor(async () => {
      expect(await details(handle)).toContain(
        'Send the update `decide` with `{"decision":"accept","reason":"…"}`',
      );
    }, 20_000);
    await handle.executeUpdate('decide', {
      args: [{ decision: 'accept', reason: 'test' }] as [unknown],
    });
    expect(await dayResult(handle)).toMatchObject({ verdict: 'ok' });
  });

  it('of a backfill with a canary is shown while it waits, and no longer afterwards', async () => {
    await dayResult(await start('2024-01-10'));
    publisher.publish('2024-01-10', { add: 7 });
    const range = { pipeline: 'tiny', from: '2024-01-10', to: '2024-01-10' };
    const handle = await startBackfill(installation.target, { ...range, select: 'all', canary: 1 });
    await vi.waitFor(async () => {
      const shown = await details(handle);
      expect(shown).toContain('waits for a decision');
      expect(shown).toMatch(
        /1 of 1 canary days differ[^\n]*Send the update `decide` with `\{"decision":"accept"/,
      );
    }, 20_000);
    await handle.executeUpdate('decide', {
      args: [{ decision: 'accept', reason: 'test' }] as [unknown],
    });
    await handle.result();
    expect(await details(handle)).not.toContain('decide');
  });
});

describe('a run that is given something wrong', () => {
  const failure = (run: Promise<unknown>): Promise<string> =>
    run.then(
      () => 'no failure',
      (error: unknown) => (error as { cause: { message: string } }).cause.message,
    );

  it('fails with the code first, since Temporal’s command line shows no type', async () => {
    const { client, taskQueue } = installation.target;
    const begin = (workflowId: string, args: unknown[]) =>
      client.workflow.execute('day', { workflowId, taskQueue, args });
    expect(await failure(begin('day/tiny/2024-01-07', []))).toMatch(
      /^INPUT_INVALID: the input of the workflow day: /,
    );
    const other = { pipeline: 'tiny', date: '2024-01-08' };
    expect(await failure(begin('day/tiny/2024-01-07', [other]))).toBe(
      'INPUT_INVALID: the workflow id day/tiny/2024-01-07 is that of another day than the input, which is day/tiny/2024-01-08',
    );
  });

  it('refuses an update without input by naming what it needs', async () => {
    const hold = publisher.holdNext('readings');
    const handle = await start('2024-01-09');
    await hold.arrived;
    for (const name of ['decide', 'decideUnit', 'retryStep', 'skipPart', 'unskipPart']) {
      const told = await failure(handle.executeUpdate(name, { args: [] as unknown as [unknown] }));
      expect(told, name).toMatch(
        new RegExp(`^INPUT_INVALID: the input of ${name}: an object with .* is needed`),
      );
    }
    hold.release();
    await dayResult(handle);
  });
});
