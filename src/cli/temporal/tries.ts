import type { Client, WorkflowExecutionDescription, WorkflowHandle } from '@temporalio/client';
import proto from '@temporalio/proto';
import { messageWithoutCode } from '../../errors.ts';
import { askEvery } from '../shared/ask-every.ts';
import type { Terminal } from '../shared/terminal.ts';
import { serverOptions, whyItStands } from './standing-still.ts';

/**
 * Tells why a run waits that seems to do nothing: steps that fail and are tried again, what
 * somebody has paused, and what no worker can go on with.
 */

/** A step whose tries fail is silent for minutes otherwise: the next try waits longer each time. */
const ASKED_EVERY_MS = 2_000;

/** Of the runs that a run has started; many more say the same. */
const RUNS_LOOKED_AT = 8;

const { PENDING_ACTIVITY_STATE_STARTED } = proto.temporal.api.enums.v1.PendingActivityState;

type PendingActivity = NonNullable<
  WorkflowExecutionDescription['raw']['pendingActivities']
>[number];

/** Something that a person should know, under a name by which it is told once. */
interface Remark {
  readonly name: string;
  readonly text: string;
  /** Nothing goes on before somebody does something. */
  readonly isLeft?: true;
}

/** Tells failed tries of a run on the terminal while somebody waits for it. */
export interface TellingTries {
  /** Resolves when the run is paused or stands still, with the reason in words. */
  readonly isLeft: Promise<string>;
  /** Call it when nobody listens any more. */
  stop(): void;
}

/**
 * Tells of each failed try of the run and of the runs that it started, once, with the time of the
 * next one; of pauses; and of runs that stand still.
 */
export function tellTries(terminal: Terminal, client: Client, workflowId: string): TellingTries {
  const told = new Set<string>();
  let stop: () => void = () => undefined;
  const isLeft = new Promise<string>((resolve) => {
    stop = askEvery(
      ASKED_EVERY_MS,
      () => remarksOf(client, workflowId),
      (remarks) => {
        for (const { name, text, isLeft: leaves } of remarks) {
          if (told.has(name)) continue;
          told.add(name);
          terminal.note(text);
          if (leaves === true) resolve(text);
        }
      },
    );
  });
  return {
    isLeft,
    stop: () => {
      stop();
    },
  };
}

/** The ids of the runs that a run has started and that have not ended. */
export async function startedRuns(handle: WorkflowHandle): Promise<string[]> {
  return childrenOf(await handle.describe());
}

function childrenOf({ raw }: WorkflowExecutionDescription): string[] {
  return (raw.pendingChildren ?? []).flatMap(({ workflowId }) => workflowId ?? []);
}

async function remarksOf(client: Client, workflowId: string): Promise<Remark[]> {
  const run = await client.workflow.getHandle(workflowId).describe();
  const started = await Promise.all(
    childrenOf(run)
      .slice(0, RUNS_LOOKED_AT)
      // One that has ended meanwhile waits for nothing.
      .map((id) =>
        client.workflow
          .getHandle(id)
          .describe()
          .catch(() => undefined),
      ),
  );
  const now = Date.now();
  const at = serverOptions(client);
  const runs = [run, ...started].filter((one) => one !== undefined);
  const stands = await Promise.all(runs.map((one) => standsStill(client, one)));
  return [...runs.flatMap((one) => remarksOfRun(one, now, at)), ...stands.flat()];
}

async function standsStill(client: Client, run: WorkflowExecutionDescription): Promise<Remark[]> {
  const text = await whyItStands(client, run);
  return text === undefined ? [] : [{ name: `${run.runId}/stands`, text, isLeft: true }];
}

function remarksOfRun(run: WorkflowExecutionDescription, now: number, at: string): Remark[] {
  const { raw, workflowId, runId } = run;
  const steps = (raw.pendingActivities ?? []).flatMap((activity): Remark[] => {
    const text =
      activity.paused === true ? pausedStep(run, activity, at) : failedTry(activity, now);
    const name = `${runId}/${activity.activityId ?? ''}/${activity.paused === true ? 'paused' : (activity.attempt ?? 1)}`;
    return text === undefined ? [] : [{ name, text: `${workflowId}: ${text}` }];
  });
  if (run.status.name !== 'PAUSED') return steps;
  const { reason, identity, pausedTime } = raw.workflowExtendedInfo?.pauseInfo ?? {};
  const why = `${identity ? ` by ${identity}` : ''}${reason ? `: ${reason}` : ''}`;
  const text = `${workflowId} is paused${why}; it goes on by: temporal workflow unpause${at} --workflow-id ${workflowId}`;
  return [{ name: `${runId}/paused/${msOf(pausedTime)}`, text, isLeft: true }, ...steps];
}

/** `download, try 4 of 8, next in 16 s: …`; undefined while nothing has failed. */
function failedTry(activity: PendingActivity, now: number): string | undefined {
  const { activityType, attempt, maximumAttempts, lastFailure, state, nextAttemptScheduleTime } =
    activity;
  const failed = (attempt ?? 1) - 1;
  const message = lastFailure?.message;
  if (failed < 1 || message === undefined || message === null || message === '') return undefined;
  const ofMax = maximumAttempts ? ` of ${maximumAttempts}` : '';
  const waitMs = msOf(nextAttemptScheduleTime) - now;
  const isRunning = state === PENDING_ACTIVITY_STATE_STARTED || waitMs <= 0;
  const next = isRunning ? 'the next runs' : `next in ${Math.ceil(waitMs / 1_000)} s`;
  const why = messageWithoutCode(lastFailure?.applicationFailureInfo?.type, message);
  return `${activityType?.name ?? 'a step'}, try ${failed}${ofMax}, ${next}: ${why}`;
}

function pausedStep(
  { workflowId }: WorkflowExecutionDescription,
  { activityType, activityId }: PendingActivity,
  at: string,
): string {
  const how = `temporal activity unpause${at} --workflow-id ${workflowId} --activity-id ${activityId ?? ''}`;
  return `${activityType?.name ?? 'a step'} is paused; it goes on by: ${how}`;
}

/** 0 where the server does not say. */
function msOf(time: { seconds?: unknown; nanos?: number | null } | null | undefined): number {
  return Number(time?.seconds ?? 0) * 1_000 + (time?.nanos ?? 0) / 1e6;
}
