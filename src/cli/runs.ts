import { WorkflowFailedError } from '@temporalio/client';
import { CancelledFailure, TerminatedFailure } from '@temporalio/common';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { canonicalJson, sha256Hex } from '../pipelines/canonical-json.ts';
import { SEARCH_KEYS } from '../workflows/search-keys.ts';
import type { backfill, BackfillInput } from '../workflows/backfill.ts';
import type { day, DayInput, DayResult } from '../workflows/day.ts';
import type { rollup } from '../workflows/rollup.ts';
import type { watch } from '../workflows/watch.ts';
import { PipelineError, errorCodeOf } from '../errors.ts';

/** Starts runs and waits for them, in the words of the product. */

/** Quiet time for changes that come in while somebody waits. */
const QUIET_MS = 1_000;

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

/** Starts a backfill, or joins it when the same one runs: its name ends in the hash of its plan, or else of what is asked for. */
export async function startBackfill(
  { client, taskQueue }: RunTarget,
  input: BackfillInput,
): Promise<WorkflowHandle<typeof backfill>> {
  const { pipeline, from, to, plan } = input;
  const name = plan ?? sha256Hex(canonicalJson(input)).slice(0, 12);
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

/** The result of a run; a failed one is thrown with the code that its workflow gave. */
export async function resultOf<T>(handle: { result(): Promise<T>; workflowId: string }): Promise<T> {
  try {
    return await handle.result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    if (error.cause instanceof CancelledFailure || error.cause instanceof TerminatedFailure) {
      const what = error.cause instanceof CancelledFailure ? 'cancelled' : 'terminated';
      throw new PipelineError('CANCELLED', `the run ${handle.workflowId} was ${what}`, { cause: error });
    }
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

/**
 * Waits until nothing that is made from changed days is left to rebuild, without waiting for further changes: also what an earlier run left
 * when it was killed. Throws the failure when something cannot be made; it stays announced.
 */
export async function finishRollup({ client, taskQueue }: RunTarget, pipeline: string): Promise<void> {
  const handle = await client.workflow.signalWithStart<typeof rollup>('rollup', {
    workflowId: `rollup/${pipeline}`,
    taskQueue,
    args: [{ pipeline, debounceMs: QUIET_MS }],
    signal: 'flush',
    signalArgs: [],
  });
  await resultOf(handle);
}
