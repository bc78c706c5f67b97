import {
  QueryNotRegisteredError,
  WithStartWorkflowOperation,
  WorkflowExecutionAlreadyStartedError,
  WorkflowFailedError,
} from '@temporalio/client';
import { CancelledFailure, TerminatedFailure } from '@temporalio/common';
import type { Client, WorkflowHandle } from '@temporalio/client';
import { canonicalJson, sha256Hex } from '../../canonical-json.ts';
import type { FolderRequest } from '../../engine/contract.ts';
import { definedMembers } from '../../given.ts';
import { SEARCH_KEYS } from '../../workflows/search-keys.ts';
import type { backfill, BackfillInput } from '../../workflows/backfill.ts';
import type { day } from '../../workflows/day.ts';
import type { DayInput, DayResult } from '../../workflows/day-contract.ts';
import type { DecidePeriodUnitInput, rollup } from '../../workflows/rollup.ts';
import type { DecideUnitInput } from '../../workflows/unit-decisions.ts';
import type { fetch, FetchInput } from '../../workflows/fetch.ts';
import type { watch } from '../../workflows/watch.ts';
import { PipelineError, errorCodeOf, messageWithoutCode } from '../../errors.ts';

/** Starts runs and waits for them, in the words of the product. */

/** Quiet time for changes that come in while somebody waits. */
const QUIET_MS = 1_000;

/** Where runs are started: a client of the namespace, and the queue of the workflows. */
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

/** What changes what a run of a day does; the others tell of it. */
const DAY_OPTIONS = ['recheck', 'offline', 'only', 'fromStep', 'until'] as const;

/**
 * Starts a day, or joins it when it runs. A run that was started without an option that is asked
 * for now is not joined, because it would drop the option without a word: `PLAN_INVALID` names it.
 */
export async function startDay(
  target: RunTarget,
  input: DayInput,
): Promise<WorkflowHandle<typeof day>> {
  const { client } = target;
  if (DAY_OPTIONS.every((option) => input[option] === undefined))
    return startOrJoinDay(target, input, 'USE_EXISTING');
  const workflowId = `day/${input.pipeline}/${input.date}`;
  try {
    return await startOrJoinDay(target, input, 'FAIL');
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    const handle = client.workflow.getHandle<typeof day>(workflowId);
    const dropped = await droppedOptions(handle, input);
    if (dropped.length === 0) return handle;
    throw new PipelineError(
      'PLAN_INVALID',
      `${workflowId} runs already, and was started without ${dropped.join(', ')}: wait for its end or cancel it, and run the command again`,
      { cause: error },
    );
  }
}

/**
 * The options that the running day does not have. A run of an earlier release does not tell what it
 * has.
 */
async function droppedOptions(
  handle: WorkflowHandle<typeof day>,
  input: DayInput,
): Promise<string[]> {
  const running = await handle.query<DayInput>('input').catch((error: unknown) => {
    if (error instanceof QueryNotRegisteredError) return undefined;
    throw error;
  });
  // The whole day has its report; one that leaves it out is asked to go on with it.
  const asked =
    running !== undefined && input.only === 'report' ? { ...input, only: running.only } : input;
  if (asked !== input && running?.only === 'processing') await handle.signal('reportToo');
  return DAY_OPTIONS.filter(
    (option) => asked[option] !== undefined && asked[option] !== running?.[option],
  ).map((option) => `${option} ${JSON.stringify(asked[option])}`);
}

function startOrJoinDay(
  { client, taskQueue }: RunTarget,
  input: DayInput,
  workflowIdConflictPolicy: 'USE_EXISTING' | 'FAIL',
): Promise<WorkflowHandle<typeof day>> {
  return client.workflow.start<typeof day>('day', {
    workflowId: `day/${input.pipeline}/${input.date}`,
    taskQueue,
    args: [input],
    workflowIdConflictPolicy,
    typedSearchAttributes: describe(input.pipeline, input.date, input.reason ?? 'manual'),
    staticSummary: `${input.pipeline} ${input.date}`,
    staticDetails:
      'One data day, from plan to publication. Starting it again continues at the step that failed.',
  });
}

/**
 * Decides on one held unit of a day: starts the day, without asking its publisher, or joins its
 * run. `told` is what the run says of it.
 */
export async function decideUnit(
  { client, taskQueue }: RunTarget,
  { pipeline, date }: Pick<DayInput, 'pipeline' | 'date'>,
  decision: DecideUnitInput,
): Promise<{ readonly told: string; readonly handle: WorkflowHandle<typeof day> }> {
  const workflowId = `day/${pipeline}/${date}`;
  const startWorkflowOperation = new WithStartWorkflowOperation<typeof day>('day', {
    workflowId,
    taskQueue,
    args: [{ pipeline, date, offline: true, reason: 'manual' }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    typedSearchAttributes: describe(pipeline, date, 'manual'),
    staticSummary: `${pipeline} ${date}`,
  });
  const told = await client.workflow.executeUpdateWithStart<typeof day, string, [DecideUnitInput]>(
    'decideUnit',
    {
      args: [decision],
      startWorkflowOperation,
    },
  );
  return { told, handle: client.workflow.getHandle<typeof day>(workflowId) };
}

/**
 * Decides on one held unit of a period: starts the rollup or joins its run. `told` is what the run
 * says of it.
 */
export async function decidePeriodUnit(
  { client, taskQueue }: RunTarget,
  pipeline: string,
  decision: DecidePeriodUnitInput,
): Promise<{ readonly told: string; readonly handle: WorkflowHandle<typeof rollup> }> {
  const workflowId = `rollup/${pipeline}`;
  const startWorkflowOperation = new WithStartWorkflowOperation<typeof rollup>('rollup', {
    workflowId,
    taskQueue,
    args: [{ pipeline, debounceMs: QUIET_MS }],
    workflowIdConflictPolicy: 'USE_EXISTING',
  });
  const told = await client.workflow.executeUpdateWithStart<
    typeof rollup,
    string,
    [DecidePeriodUnitInput]
  >('decidePeriodUnit', { args: [decision], startWorkflowOperation });
  return { told, handle: client.workflow.getHandle<typeof rollup>(workflowId) };
}

/**
 * Starts a backfill, or joins it when the same one runs: its name ends in the hash of its plan, or
 * else of what is asked for.
 */
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

/**
 * Starts the watch of a pipeline, or joins it when it runs. One of folders alone has a name of its
 * own, which ends in the hash of what is asked for.
 */
export async function startWatch(
  { client, taskQueue }: RunTarget,
  pipeline: string,
  folder?: FolderRequest,
): Promise<WorkflowHandle<typeof watch>> {
  const own =
    folder === undefined ? '' : `/folder-${sha256Hex(canonicalJson(folder)).slice(0, 12)}`;
  return client.workflow.start<typeof watch>('watch', {
    workflowId: `watch/${pipeline}${own}`,
    taskQueue,
    args: [{ pipeline, ...definedMembers({ folder }) }],
    workflowIdConflictPolicy: 'USE_EXISTING',
    staticSummary: `What the publisher of ${pipeline} revised`,
  });
}

/**
 * Starts a fetch of the folders of a pipeline; `called` is kept with the run, in the words of who
 * ordered it. Returns the id of this one run: all of a pipeline have the same workflow id, so that
 * there is one at a time. `PLAN_INVALID` while one runs.
 */
export async function startFetch(
  { client, taskQueue }: RunTarget,
  input: FetchInput,
  called: string,
): Promise<{ readonly workflowId: string; readonly runId: string }> {
  const workflowId = `fetch/${input.pipeline}`;
  try {
    const { firstExecutionRunId } = await client.workflow.start<typeof fetch>('fetch', {
      workflowId,
      taskQueue,
      args: [input],
      workflowIdConflictPolicy: 'FAIL',
      memo: { called },
      staticSummary: `The folders of ${input.pipeline}: ${called}`,
    });
    return { workflowId, runId: firstExecutionRunId };
  } catch (error) {
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    throw new PipelineError('PLAN_INVALID', `${workflowId} runs already: wait for its end`, {
      cause: error,
    });
  }
}

/** The result of a run; a failed one is thrown with the code that its workflow gave. */
export async function resultOf<T>(handle: {
  result(): Promise<T>;
  workflowId: string;
}): Promise<T> {
  try {
    return await handle.result();
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    if (error.cause instanceof CancelledFailure || error.cause instanceof TerminatedFailure) {
      const what = error.cause instanceof CancelledFailure ? 'cancelled' : 'terminated';
      throw new PipelineError('CANCELLED', `the run ${handle.workflowId} was ${what}`, {
        cause: error,
      });
    }
    const cause = error.cause as { type?: string; message?: string } | undefined;
    const code = errorCodeOf({ code: cause?.type }) ?? 'INTERNAL';
    const message = messageWithoutCode(cause?.type, cause?.message ?? 'no reason was given');
    throw new PipelineError(code, `${message} (run ${handle.workflowId})`, { cause: error });
  }
}

/** Rejects with the code of the failed step, or `CANCELLED`. */
export async function dayResult(handle: WorkflowHandle<typeof day>): Promise<DayResult> {
  return resultOf(handle);
}

/**
 * Waits until nothing that is made from changed days is left to rebuild, without waiting for
 * further changes: also what an earlier run left when it was killed. Throws the failure when
 * something cannot be made; it stays announced.
 */
export async function finishRollup(
  { client, taskQueue }: RunTarget,
  pipeline: string,
): Promise<void> {
  const handle = await client.workflow.signalWithStart<typeof rollup>('rollup', {
    workflowId: `rollup/${pipeline}`,
    taskQueue,
    args: [{ pipeline, debounceMs: QUIET_MS }],
    signal: 'flush',
    signalArgs: [],
  });
  await resultOf(handle);
}
