import { getClient } from '@temporalio/activity';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { openAnnouncements } from '../engine/publish/announcements.ts';
import type { Engine } from '../engine/engine.ts';

/** Runs that activities start, or wake when they are under way. */

/** Has the rollup hear what is announced. */
export async function wakeRollup(engine: Engine, pipeline: string): Promise<void> {
  await signalRollup(engine, pipeline, 'announced');
}

/** The same at once, for somebody who waits for its end. */
export async function flushRollup(engine: Engine, pipeline: string): Promise<void> {
  await signalRollup(engine, pipeline, 'flush');
}

async function signalRollup(
  engine: Engine,
  pipeline: string,
  signal: 'announced' | 'flush',
): Promise<void> {
  await getClient().workflow.signalWithStart('rollup', {
    workflowId: `rollup/${pipeline}`,
    taskQueue: engine.queues.compute,
    args: [{ pipeline, debounceMs: engine.rollupDebounceMs }],
    signal,
    signalArgs: [],
  });
}

/** Wakes the rollup of a pipeline only where an announcement waits for it. */
export async function wakeWhenOpen(engine: Engine, pipeline: string): Promise<void> {
  if ((await openAnnouncements(engine.documents, pipeline)).length > 0)
    await wakeRollup(engine, pipeline);
}

/** Runs days again; one that runs already is left to itself. */
export async function runAgain(
  engine: Engine,
  pipeline: string,
  dates: readonly CivilDate[],
): Promise<void> {
  for (const date of dates) {
    await getClient().workflow.start('day', {
      workflowId: `day/${pipeline}/${date}`,
      taskQueue: engine.queues.compute,
      args: [{ pipeline, date, reason: 'revision' }],
      workflowIdConflictPolicy: 'USE_EXISTING',
      staticSummary: `${pipeline} ${date}`,
    });
  }
}
