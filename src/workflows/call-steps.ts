import { isCancellation, patched, proxyActivities } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { RetrySettings } from '../engine/contract.ts';
import { isForced } from '../pipelines/execution.ts';
import type { ExecutionStep } from '../pipelines/execution.ts';
import { LEFT_OUT } from '../pipelines/kept-delivery.ts';
import type { StepDone, StepFailed, StepWork, StepsRun } from '../pipelines/run-steps.ts';
import type { Stage, StepId } from '../pipelines/vocabulary.ts';
import { codedFailure, failureOf } from './plain-failures.ts';
import { firstOf, lastOf } from '../given.ts';

/** An operator's word on single steps of a day. */
export interface StepsControl {
  /** Why the step is to be left out; undefined when it is not. */
  skipReason(step: StepId): string | undefined;
  /** Runs the step so that it is cancelled when it is to be left out: undefined then. */
  abandonable<T>(step: StepId, work: () => Promise<T>): Promise<T | undefined>;
}

/** What all calls of a run share; `queues` is by the name that a step declares. */
export interface StepActivities {
  readonly pipeline: string;
  readonly queues: Readonly<Record<string, string>>;
  readonly retry: RetrySettings;
  /** Of a run that forces a step; undefined: nothing is forced. */
  readonly fromStep?: StepId | Stage | undefined;
  readonly control?: StepsControl;
}

/**
 * Days that were under way when this came go on with a lost slice, and fail at the step that reads
 * it.
 */
const SKIPS_CUT_AGAIN = 'skips-cut-lost-slices-again';

/**
 * Calls of steps as activities, one for all days of a step; an operator may do without a download
 * meanwhile.
 */
export function callSteps(
  activities: StepActivities,
): Pick<StepsRun, 'call' | 'leftOut' | 'cutAgain'> {
  const { control } = activities;
  if (control === undefined) return { call: (step, work) => callStep(activities, step, work) };
  return {
    leftOut: (step) => control.skipReason(step),
    cutAgain: (step, work) =>
      patched(SKIPS_CUT_AGAIN) ? callStep(activities, step, work) : undefined,
    call: (step, work) =>
      step.stage === 'download'
        ? callSkippable(activities, step, work, control)
        : callStep(activities, step, work),
  };
}

async function callSkippable(
  activities: StepActivities,
  step: ExecutionStep,
  work: StepWork,
  control: StepsControl,
): Promise<readonly (StepDone | StepFailed)[] | string> {
  const results = await control.abandonable(step.id, () => callStep(activities, step, work));
  // Without a reason the skip has been taken back meanwhile, and the day is planned again.
  return results ?? control.skipReason(step.id) ?? `${LEFT_OUT}, who took that back`;
}

/**
 * The results of the days; the failure of the activity as a whole is the failure of each of them.
 */
async function callStep(
  activities: StepActivities,
  step: ExecutionStep,
  work: StepWork,
): Promise<readonly (StepDone | StepFailed)[]> {
  const { pipeline, fromStep } = activities;
  try {
    const { days } = await proxyActivities<Activities>(stepOptions(activities, step, work))[
      step.stage
    ]({
      pipeline,
      step: step.id,
      ...work,
      force: isForced(step, fromStep),
    });
    return days;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failure = failureOf(error);
    return work.days.map(({ date }) => ({ date, failure }));
  }
}

function stepOptions(
  activities: StepActivities,
  step: ExecutionStep,
  { days }: StepWork,
): ActivityOptions {
  const [first, last] = [firstOf(days).date, lastOf(days).date];
  return {
    taskQueue: queueOf(activities, step),
    startToCloseTimeout: step.timeoutSeconds * 1000,
    heartbeatTimeout: activities.retry.heartbeatMs,
    summary: `${step.id} · ${days.length === 1 ? first : `${first} … ${last}, ${days.length} days`}`,
    retry: retryPolicy(activities.retry),
  };
}

function queueOf({ queues }: StepActivities, { id }: ExecutionStep): string {
  const queue = queues[id];
  if (queue === undefined) throw codedFailure('INTERNAL', `${id} has no task queue`);
  return queue;
}

/** For steps; attempts count the first try. */
export function retryPolicy({ initialMs, maximumMs, attempts }: RetrySettings) {
  return {
    initialInterval: initialMs,
    maximumInterval: maximumMs,
    backoffCoefficient: 2,
    maximumAttempts: attempts,
  };
}
