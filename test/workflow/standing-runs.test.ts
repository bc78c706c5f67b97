import { execFile } from 'node:child_process';
import path from 'node:path';
import { promisify } from 'node:util';
import type { WorkflowHandle } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { awaitDay } from '../../src/cli/temporal/day-waits.ts';
import { findRunningDays } from '../../src/cli/temporal/running-days.ts';
import { findTicks } from '../../src/cli/temporal/ticks.ts';

import { tellTries } from '../../src/cli/temporal/tries.ts';
import { runWorkers } from '../../src/workers/run-workers.ts';
import { developmentTarget } from '../../src/workers/temporal-target.ts';
import type { day } from '../../src/workflows/day.ts';
import { recordTerminal } from '../fixtures/cli-context.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { noopDataset } from '../fixtures/noop-dataset.ts';
import { testCli } from '../fixtures/temporal-server.ts';
import { testBundle } from '../fixtures/workflow-bundle.ts';

const run = promisify(execFile);
const DATE = '2024-01-15';
/** A queue that nobody listens to at first. */
const APART = 'apart';
const DAY = { pipeline: 'noop', date: DATE };

let installation: Installation;
beforeAll(async () => {
  installation = await openInstallation({ datasets: { noop: noopDataset } });
});
afterAll(() => installation.close());

/** The first line that tells of a run that stands still. */
async function toldOf(workflowId: string): Promise<string> {
  const terminal = recordTerminal();
  const telling = tellTries(terminal, installation.client, workflowId);
  try {
    return await telling.isLeft;
  } finally {
    telling.stop();
    expect(terminal.notes).toHaveLength(1);
  }
}

function resetOf(workflowId: string): string {
  return `temporal workflow reset --address ${installation.address} --workflow-id ${workflowId} --type FirstWorkflowTask --reason "stands still"`;
}

/** As a person does who pastes the command. */
async function paste(command: string): Promise<void> {
  const PATH = `${path.dirname((await testCli()).path)}:${process.env['PATH'] ?? ''}`;
  await run('sh', ['-c', command], { env: { ...process.env, PATH } });
}

/**
 * A day that was paused between two steps: the server writes that a workflow task failed which no
 * worker had begun.
 */
async function pausedBetween(): Promise<WorkflowHandle<typeof day>> {
  const { client } = installation;
  const handle = await client.workflow.start<typeof day>('day', {
    workflowId: `day/noop/${DATE}`,
    taskQueue: APART,
    args: [DAY],
    workflowTaskTimeout: '1 second',
  });
  const of = {
    namespace: 'default',
    workflowId: handle.workflowId,
    identity: 'ada',
    reason: 'look first',
  };
  await client.workflowService.pauseWorkflowExecution({ ...of, requestId: 'one' });
  await client.workflowService.unpauseWorkflowExecution({ ...of, requestId: 'two' });
  return handle;
}

describe('a run that no worker can go on with', () => {
  it('is told of once, with the reason and a command that lets it go on', async () => {
    const handle = await pausedBetween();
    const workers = await runWorkers({
      engine: { ...installation.engine, queues: { ...installation.engine.queues, compute: APART } },
      target: developmentTarget(installation.address, {}),
      kinds: ['compute'],
      workflowBundle: await testBundle(),
    });
    try {
      const told = await toldOf(handle.workflowId);
      expect(told).toMatch(
        /^day\/noop\/2024-01-15 stands still: workers have begun its workflow task [3-9] times and not/,
      );
      expect(told).toContain(
        'WorkflowTaskMachine in state Scheduled says the transition is invalid',
      );
      expect(told.endsWith(`by: ${resetOf(handle.workflowId)}`)).toBe(true);
      await paste(resetOf(handle.workflowId));
      const again = installation.client.workflow.getHandle<typeof day>(handle.workflowId);
      expect(await again.result()).toMatchObject({ verdict: 'ok', version: 1 });
    } finally {
      await workers.shutdown();
    }
  });

  it('is left by --detach, and asks for its reset in the overview', async () => {
    const { client, target } = installation;
    // Of a type that the workers do not have any more.
    const handle = await client.workflow.start('lost', {
      workflowId: 'day/noop/2024-01-16',
      taskQueue: target.taskQueue,
      workflowTaskTimeout: '1 second',
    });
    const waiting = {
      handle: handle as never,
      definition: noopDataset.definition,
      date: '2024-01-16',
    };
    const left = await awaitDay(recordTerminal(), client, waiting, true);
    const why = expect.stringMatching(
      /^day\/noop\/2024-01-16 stands still: .*UNHANDLED_FAILURE: .*'lost'/,
    ) as string;
    expect(left).toEqual({ why, until: null, held: false });
    const { home, address } = installation;
    await vi.waitFor(
      async () => {
        const { asks } = await findTicks(
          { home, env: { TEMPORAL_ADDRESS: address } },
          { noop: noopDataset },
          target.taskQueue,
        );
        const what = 'day/noop/2024-01-16 stands still: workers fail at its workflow task';
        expect(asks).toEqual([{ pipeline: 'noop', what, command: resetOf(handle.workflowId) }]);
      },
      { timeout: 50_000, interval: 1_000 },
    );
    const { days } = await findRunningDays({ home, env: { TEMPORAL_ADDRESS: address } }, 'noop');
    expect(days.get('2024-01-16')).toMatchObject({ standsStill: true });
    await handle.terminate();
  });
});
