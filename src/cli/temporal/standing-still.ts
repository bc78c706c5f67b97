import { Connection } from '@temporalio/client';
import type { Client, WorkflowExecutionDescription } from '@temporalio/client';
import { defineSearchAttributeKey } from '@temporalio/common';
import proto from '@temporalio/proto';

/**
 * Runs that stand still although workers are there: no worker can take the next decision of the
 * run, because its code, its keys or its history do not fit, and the server has it tried again
 * without end. Nothing of that fails, so nothing else tells of it.
 */

/** Once is a restart, twice a slow machine. */
const TRIES_TOLD = 3;

/** Which failure it was stands among the last events: later tries leave none. */
const EVENTS_LOOKED_AT = 10;

const { WorkflowTaskFailedCause } = proto.temporal.api.enums.v1;

/**
 * The search attribute in which the server itself tells of a run whose tries have failed for about
 * a minute.
 */
export const REPORTED_PROBLEMS = defineSearchAttributeKey(
  'TemporalReportedProblems',
  'KEYWORD_LIST',
);

const REPORTED = `${REPORTED_PROBLEMS.name} IN ("category=WorkflowTaskFailed", "category=WorkflowTaskTimedOut")`;

/** Lets a run go on that stands still: a new run in its place, which reuses every finished step. */
export function resetCommand(client: Client, workflowId: string): string {
  const where = `${serverOptions(client)} --workflow-id ${workflowId}`;
  return `temporal workflow reset${where} --type FirstWorkflowTask --reason "stands still"`;
}

/**
 * Temporal's own command line looks elsewhere for a server that listens at another port than the
 * usual one, or for another namespace.
 */
export function serverOptions({ connection, options: { namespace } }: Client): string {
  const address =
    connection instanceof Connection ? ` --address ${connection.options.address}` : '';
  return namespace === 'default' ? address : `${address} --namespace ${namespace}`;
}

/** Why a run stands still and what to do, in words; undefined when it does not. */
export async function whyItStands(
  client: Client,
  run: WorkflowExecutionDescription,
): Promise<string | undefined> {
  const { workflowId, raw } = run;
  const tries = raw.pendingWorkflowTask?.attempt ?? 1;
  if (tries < TRIES_TOLD) return undefined;
  const failure = await lastFailure(client, run).catch(() => undefined);
  const why = failure === undefined ? '' : ` (${failure})`;
  return (
    `${workflowId} stands still: workers have begun its workflow task ${tries} times and not ended it${why}; where no worker is to get code or ` +
    `keys that it lacks, a new run goes on in its place by: ${resetCommand(client, workflowId)}`
  );
}

/** `NON_DETERMINISTIC_ERROR: …` */
async function lastFailure(client: Client, { workflowId, runId }: WorkflowExecutionDescription) {
  const { history } = await client.workflowService.getWorkflowExecutionHistoryReverse({
    namespace: client.options.namespace,
    execution: { workflowId, runId },
    maximumPageSize: EVENTS_LOOKED_AT,
  });
  const failed = history?.events?.find(({ workflowTaskFailedEventAttributes: failure }) => failure);
  const { cause, failure } = failed?.workflowTaskFailedEventAttributes ?? {};
  if (cause === undefined || cause === null) return undefined;
  const name = WorkflowTaskFailedCause[cause].replace('WORKFLOW_TASK_FAILED_CAUSE_', '');
  // Sealed together with its stack.
  const message = failure?.encodedAttributes ? undefined : failure?.message;
  const [line = ''] = message?.split('\n') ?? [];
  return line === '' ? name : `${name}: ${line}`;
}

/**
 * The ids of all runs of which the server says that they stand still; none where a server is too
 * old to say so.
 */
export async function runsStandingStill(client: Client): Promise<string[]> {
  const found: string[] = [];
  try {
    for await (const run of client.workflow.list({
      query: `ExecutionStatus = "Running" AND ${REPORTED}`,
    }))
      found.push(run.workflowId);
  } catch {
    return found;
  }
  return found;
}
