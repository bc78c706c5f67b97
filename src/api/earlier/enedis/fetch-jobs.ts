import { WorkflowFailedError, WorkflowNotFoundError } from '@temporalio/client';
import type { Client, WorkflowExecutionInfo } from '@temporalio/client';
import { ApplicationFailure } from '@temporalio/common';
import { messageWithoutCode } from '../../../errors.ts';
import { redactText } from '../../../redaction.ts';
import type { FetchResult } from '../../../workflows/fetch.ts';

/**
 * Fetches of the distributor's files as the earlier system told of them: each job is a run, and
 * Temporal alone knows them.
 */

/** A job; instants are ISO. */
export interface FetchJob {
  readonly id: string;
  /** As it was asked for. */
  readonly mode: string;
  readonly status: 'running' | 'completed' | 'failed';
  readonly started_at: string;
  readonly finished_at: string | null;
  readonly error: string | null;
  /** What `quotidien fetch` prints; null while it runs. */
  readonly output: string | null;
}

const WORKFLOW_ID = 'fetch/enedis';
type Run = Pick<WorkflowExecutionInfo, 'runId' | 'status' | 'startTime' | 'closeTime' | 'memo'>;

const RUN_ID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** Undefined where Temporal knows no such job, or no longer. */
export async function fetchJob(client: Client, id: string): Promise<FetchJob | undefined> {
  if (!RUN_ID.test(id)) return undefined;
  const run = await described(client, id);
  return run && jobOf(client, run);
}

/**
 * The newest first. The newest one is asked for by itself: a list learns of it, and of its end, a
 * moment later.
 */
export async function fetchJobs(client: Client, limit: number): Promise<FetchJob[]> {
  const newest = await described(client);
  if (newest === undefined) return [];
  const runs: Run[] = [newest];
  for await (const run of client.workflow.list({
    query: `WorkflowId = "${WORKFLOW_ID}"`,
    pageSize: limit + 1,
  })) {
    if (runs.length === limit) break;
    if (run.runId !== newest.runId) runs.push(run);
  }
  runs.sort((one, other) => other.startTime.getTime() - one.startTime.getTime());
  return Promise.all(runs.map((run) => jobOf(client, run)));
}

async function described(client: Client, runId?: string): Promise<Run | undefined> {
  try {
    return await client.workflow.getHandle(WORKFLOW_ID, runId).describe();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) return undefined;
    throw error;
  }
}

async function jobOf(client: Client, run: Run): Promise<FetchJob> {
  const { runId: id, status, startTime, closeTime, memo } = run;
  const { called } = memo ?? {};
  // A run that somebody started by the means of Temporal was not called anything.
  const mode = typeof called === 'string' ? called : 'inconnu';
  const begun = { id, mode, started_at: startTime.toISOString() };
  if (closeTime === undefined)
    return { ...begun, status: 'running', finished_at: null, error: null, output: null };
  const end = await endOf(client, id);
  const finished = { finished_at: closeTime.toISOString(), error: null, output: null, ...end };
  return { ...begun, status: status.name === 'COMPLETED' ? 'completed' : 'failed', ...finished };
}

async function endOf(
  client: Client,
  runId: string,
): Promise<Partial<Pick<FetchJob, 'error' | 'output'>>> {
  const handle = client.workflow.getHandle(WORKFLOW_ID, runId, { followRuns: false });
  try {
    return { output: redactText(((await handle.result()) as FetchResult).output) };
  } catch (error) {
    if (!(error instanceof WorkflowFailedError)) throw error;
    const { cause } = error;
    if (!(cause instanceof ApplicationFailure))
      return { error: redactText(cause?.message ?? error.message) };
    const [told] = (cause.details ?? []) as readonly (FetchResult | undefined)[];
    const output = told === undefined ? null : redactText(told.output);
    return { error: redactText(messageWithoutCode(cause.type, cause.message)), output };
  }
}
