import { WorkflowExecutionAlreadyStartedError, WorkflowFailedError } from '@temporalio/client';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { SEARCH_KEYS } from '../workflows/search-keys.ts';
import type { backfill, BackfillInput } from '../workflows/backfill.ts';
import type { day, DayInput, DayResult } from '../workflows/day.ts';
import type { watch } from '../workflows/watch.ts';
import type { window, WindowInput, WindowResult } from '../workflows/window.ts';
import { mapConcurrent } from '../activities/map-concurrent.ts';
import { PipelineError, errorCodeOf } from '../errors.ts';

/** Starts runs and waits for them, in the words of the product. */

export interface RunTarget {
  readonly client: Client;
  readonly taskQueue: string;
}

function describe(pipeline: string, date: string, reason: string) {
  return [
    { key: SEARCH_KEYS.Pipeline, value: pipeline },
    { key: SEARCH_KEYS.DataDate, value: date },
    { key: SEARCH_KEYS.RunReason, value: reason },
  ];
}

/** Starts a day, or joins it when it runs. */
export async function startDay({ client, taskQueue }: RunTarget, input: DayInput): Promise<WorkflowHandle<typeof day>> {
  return client.workflow.start<typeof day>('day', {
    workflowId: `day/${input.pipeline}/${input.date}`,
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    typedSearchAttributes: describe(input.pipeline, input.date, input.reason ?? 'manual'),
    staticSummary: `${input.pipeline} ${input.date}`,
    staticDetails: 'One data day, from plan to publication. Starting it again continues at the step that failed.',
  });
}

/** Starts a window of days; joins it when exactly this window runs. */
async function startWindow(
  { client, taskQueue }: RunTarget,
  input: WindowInput,
): Promise<WorkflowHandle<typeof window>> {
  const [first, last] = [input.dates[0] ?? '', input.dates.at(-1) ?? ''];
  return client.workflow.start<typeof window>('window', {
    workflowId: `window/${input.pipeline}/${first}_${last}`,
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    typedSearchAttributes: describe(input.pipeline, first, input.reason ?? 'backfill'),
    staticSummary: `${input.pipeline} ${first} … ${last}, ${input.dates.length} days`,
  });
}

/** Starts a backfill; joins it when the backfill of this name runs. `name` is the hash of its plan. */
export async function startBackfill(
  { client, taskQueue }: RunTarget,
  input: BackfillInput,
  name: string,
): Promise<WorkflowHandle<typeof backfill>> {
  const { pipeline, from, to } = input;
  return client.workflow.start<typeof backfill>('backfill', {
    workflowId: `backfill/${pipeline}/${from}_${to}/${name}`,
    taskQueue,
    args: [input],
    workflowIdConflictPolicy: 'USE_EXISTING',
    typedSearchAttributes: describe(pipeline, from, 'backfill'),
    staticSummary: `${pipeline} ${from} … ${to}`,
    staticDetails:
      'Many days: bulk windows first, then the days that need care. Updates: pause, resume, resize, cancel.',
    priority: { priorityKey: 4 },
  });
}

/** Starts the watch of a pipeline, or joins it when it runs. */
export async function startWatch(
  { client, taskQueue }: RunTarget,
  pipeline: string,
): Promise<WorkflowHandle<typeof watch>> {
  return client.workflow.start<typeof watch>('watch', {
    workflowId: `watch/${pipeline}`,
    taskQueue,
    args: [{ pipeline }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `What the publisher of ${pipeline} revised`,
  });
}

const WINDOWS_AT_ONCE = 3;

/**
 * Runs windows that follow each other, a few at a time. What a window compares with earlier days waits until the window before it has ended,
 * so that no day is made twice.
 */
export async function runWindows(
  target: RunTarget,
  inputs: readonly WindowInput[],
  ended: (input: WindowInput) => void,
): Promise<WindowResult[]> {
  const handles = new Map<number, WorkflowHandle<typeof window>>();
  const done = new Set<number>();
  const release = async (index: number): Promise<void> => {
    const handle = handles.get(index);
    if (handle === undefined || !done.has(index - 1)) return;
    await handle.signal('earlierDaysDone').catch((error: unknown) => {
      if (!isNotRunning(error)) throw error;
    });
  };
  return mapConcurrent(inputs, WINDOWS_AT_ONCE, async (input, index) => {
    const waitForEarlierDays = index > 0 && !done.has(index - 1);
    const handle = await startWindow(target, { ...input, ...(waitForEarlierDays ? { waitForEarlierDays } : {}) });
    if (waitForEarlierDays) handles.set(index, handle);
    await release(index);
    try {
      return await resultOf(handle);
    } finally {
      done.add(index);
      ended(input);
      await release(index + 1);
    }
  });
}

/** The result of a run; a failed one is thrown with the code that its workflow gave. */
export async function resultOf<T>(handle: { result(): Promise<T>; workflowId: string }): Promise<T> {
  try {
    return await handle.result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const cause = error.cause as { type?: string; message?: string } | undefined;
    const code = errorCodeOf({ code: cause?.type }) ?? 'INTERNAL';
    throw new PipelineError(code, `${cause?.message ?? 'no reason was given'} (run ${handle.workflowId})`, {
      cause: error,
    });
  }
}

export async function dayResult(handle: WorkflowHandle<typeof day>): Promise<DayResult> {
  return resultOf(handle);
}

/** Waits until nothing derived from changed days is left to rebuild, without waiting for further changes. */
export async function finishRollup({ client }: RunTarget, pipeline: string): Promise<void> {
  const handle = client.workflow.getHandle(`rollup/${pipeline}`);
  try {
    await handle.signal('flush');
  } catch (error) {
    if (isNotRunning(error)) return;
    throw error;
  }
  await resultOf(handle);
}

function isNotRunning(error: unknown): boolean {
  return (
    (error as { name?: string }).name === 'WorkflowNotFoundError' ||
    error instanceof WorkflowExecutionAlreadyStartedError
  );
}
