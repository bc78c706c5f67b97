import { cancellationSignal } from '@temporalio/activity';
import type { getClient } from '@temporalio/activity';
import { CancelledFailure, TerminatedFailure } from '@temporalio/common';
import { errorCodeOf, messageWithoutCode } from '../errors.ts';
import { isCivilDate } from '../pipelines/civil-date.ts';
import type { CivilDate, StepId } from '../pipelines/vocabulary.ts';
import type { FollowedRun } from '../engine/contract.ts';

/** Runs that somebody else started: which there are, and how they end. */

type Client = ReturnType<typeof getClient>;

/** The days of a pipeline that have a run of their own under way. */
export async function runningDays(client: Client, pipeline: string): Promise<Set<CivilDate>> {
  const prefix = `day/${pipeline}/`;
  const query = `ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "${prefix}"`;
  const dates = new Set<CivilDate>();
  for await (const { workflowId } of client.workflow.list({ query })) {
    const date = workflowId.slice(prefix.length);
    if (isCivilDate(date)) dates.add(date);
  }
  return dates;
}

/** Waits for a run to end, and tells how; its failure is an answer, not a failure of ours. */
export async function followRun(client: Client, workflowId: string): Promise<FollowedRun> {
  const signal = cancellationSignal();
  const stopped = new Promise<never>((_resolve, reject) => {
    signal.addEventListener('abort', () => {
      reject(signal.reason instanceof Error ? signal.reason : new Error('cancelled'));
    });
  });
  try {
    const result: unknown = await Promise.race([
      client.workflow.getHandle(workflowId).result(),
      stopped,
    ]);
    return { state: 'completed', result };
  } catch (error) {
    signal.throwIfAborted();
    if ((error as Error).name !== 'WorkflowFailedError') throw error;
    return failedRun((error as Error).cause);
  }
}

function failedRun(cause: unknown): FollowedRun {
  if (cause instanceof CancelledFailure || cause instanceof TerminatedFailure) {
    const what = cause instanceof CancelledFailure ? 'cancelled' : 'terminated';
    return { state: 'failed', code: 'CANCELLED', message: `the run was ${what}`, step: null };
  }
  const failure = cause as
    | { type?: string; message?: string; details?: { step?: StepId }[] }
    | undefined;
  return {
    state: 'failed',
    code: errorCodeOf({ code: failure?.type }) ?? 'INTERNAL',
    message: messageWithoutCode(failure?.type, failure?.message ?? 'no reason was given'),
    step: failure?.details?.[0]?.step ?? null,
  };
}
