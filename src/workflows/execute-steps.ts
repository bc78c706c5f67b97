import { ActivityFailure, ApplicationFailure, isCancellation, proxyActivities } from '@temporalio/workflow';
import type { ActivityOptions } from '@temporalio/workflow';
import type { Whereabouts } from './whereabouts.ts';
import type { Activities } from '../activities/create-activities.ts';
import type { HeldCheck, RetrySettings, StepDone, StepFailed, StepResult } from '../activities/contract.ts';
import { blockedBy, inputKeys, notesFor } from '../pipelines/execution.ts';
import type { DayState, ExecutionStep } from '../pipelines/execution.ts';
import { SKIPPED, keptState } from '../pipelines/kept-delivery.ts';
import type { DeliveriesBefore } from '../pipelines/kept-delivery.ts';
import type { StepKey } from '../pipelines/step-key.ts';
import type { CivilDate, StepId } from '../pipelines/vocabulary.ts';

/**
 * Executes planned steps for a set of days: every step starts as soon as the steps that it reads have ended, one activity per step for all
 * days that can run it. The day is the set of one.
 *
 * Promises are used sparingly here: the SDK keeps the source-mapped stack of each for its stack trace query, 60 µs apiece, which made a
 * third of what the workflow code of a day cost.
 */

export interface ExecutionDay {
  readonly date: CivilDate;
  /** What is known before; filled as steps end. */
  readonly state: DayState;
  /** What stays of downloads that are asked for again, if that fails or an operator does without them. */
  readonly delivered?: DeliveriesBefore;
}

export interface StepsControl {
  /** Why the step is to be left out; undefined when it is not. */
  skipReason(step: StepId): string | undefined;
  /** Runs the step so that it is cancelled when it is to be left out: undefined then. */
  abandonable<T>(step: StepId, work: () => Promise<T>): Promise<T | undefined>;
}

export interface StepExecution {
  readonly pipeline: string;
  readonly steps: readonly ExecutionStep[];
  readonly days: readonly ExecutionDay[];
  readonly queues: Readonly<Record<string, string>>;
  readonly retry: RetrySettings;
  readonly force: boolean;
  readonly whereabouts: Whereabouts;
  /** Steps that read other days wait for this as well: the other days may be in the making. */
  readonly neighbours?: Promise<unknown>;
  /** An operator's word on single steps of a day. */
  readonly control?: StepsControl;
  /** Called when a check holds a day after a step; the step's readers wait for the answer. */
  held?(date: CivilDate, step: StepId, key: StepKey, checks: readonly HeldCheck[]): Promise<void>;
  changed?(): void;
}

/** Resolves when every step of every day has a state; throws only on cancellation. */
export async function executeSteps(execution: StepExecution): Promise<void> {
  const ended = new Map<StepId, Promise<void>>();
  for (const step of execution.steps) {
    const parts = step.withNotes === true ? execution.steps.filter(({ part }) => part !== undefined) : [];
    const reads = [
      ...new Set([...step.inputs.map((input) => input.step), ...step.siblings, ...parts.map(({ id }) => id)]),
    ];
    const neighbours = step.siblings.length > 0 ? [execution.neighbours] : [];
    const ready = Promise.all([...reads.map((id) => ended.get(id)), ...neighbours]);
    ended.set(
      step.id,
      ready.then(() => executeStep(execution, step)),
    );
  }
  await Promise.all(ended.values());
}

async function executeStep(execution: StepExecution, step: ExecutionStep): Promise<void> {
  const open = execution.days.filter((day) => day.state[step.id] === undefined);
  const runnable: ExecutionDay[] = [];
  for (const day of open) {
    const skipped = execution.control?.skipReason(step.id);
    const reason = skipped ?? blockedBy(step, day.state);
    if (reason === undefined) runnable.push(day);
    else if (skipped !== undefined) doWithout(day, step, skipped);
    else day.state[step.id] = { state: 'skipped', reason };
  }
  if (runnable.length === 0) return;
  const answers = await callUnlessSkipped(execution, step, runnable);
  if (typeof answers === 'string') {
    for (const day of runnable) doWithout(day, step, answers);
    execution.changed?.();
    return;
  }
  for (const day of runnable) {
    const answer = answers.find(({ date }) => date === day.date);
    if (answer === undefined) continue;
    if ('failure' in answer) {
      const before = day.delivered?.[step.id];
      day.state[step.id] =
        before === undefined ? { state: 'failed', ...answer.failure } : keptState(before, answer.failure);
      continue;
    }
    const { key, how, empty, held } = answer;
    if (held.length > 0) await execution.held?.(day.date, step.id, key, held);
    // A held day that was rejected has been given its state already.
    day.state[step.id] ??= { state: 'done', key, how, empty };
  }
  execution.changed?.();
}

/** An operator does without a part: what it delivered before stays. */
function doWithout(day: ExecutionDay, step: ExecutionStep, reason: string): void {
  const before = day.delivered?.[step.id];
  day.state[step.id] =
    before === undefined ? { state: 'skipped', reason } : keptState(before, { code: SKIPPED, message: reason });
}

/** The answers of the days, or why the step was given up meanwhile: an operator may do without a download. */
function callUnlessSkipped(
  execution: StepExecution,
  step: ExecutionStep,
  days: readonly ExecutionDay[],
): Promise<readonly (StepDone | StepFailed)[] | string> {
  const { control } = execution;
  if (control === undefined || step.stage !== 'download') return callStep(execution, step, days);
  return callSkippable(execution, step, days, control);
}

async function callSkippable(
  execution: StepExecution,
  step: ExecutionStep,
  days: readonly ExecutionDay[],
  control: StepsControl,
): Promise<readonly (StepDone | StepFailed)[] | string> {
  const answers = await control.abandonable(step.id, () => callStep(execution, step, days));
  // Without a reason the skip has been taken back meanwhile, and the day is planned again.
  return answers ?? control.skipReason(step.id) ?? 'skipped by an operator, who took that back';
}

/** The answers of the days; the failure of the activity as a whole is the failure of each of them. */
async function callStep(
  execution: StepExecution,
  step: ExecutionStep,
  days: readonly ExecutionDay[],
): Promise<readonly (StepDone | StepFailed)[]> {
  const { whereabouts } = execution;
  const call = (): Promise<StepResult> =>
    proxyActivities<Activities>(stepOptions(execution, step, days))[step.stage]({
      pipeline: execution.pipeline,
      step: step.id,
      days: days.map(({ date, state, delivered }) => {
        const notes = notesFor(step, execution.steps, state);
        const recut = delivered?.[step.id]?.recut;
        return {
          date,
          inputs: inputKeys(step, state),
          ...(notes.length === 0 ? {} : { notes }),
          ...(recut === undefined ? {} : { recut }),
        };
      }),
      siblings: Object.fromEntries(step.siblings.map((id) => [id, keysOf(execution.days, id)])),
      force: execution.force,
    });
  try {
    const result = whereabouts.note(await call());
    // Steps that ran side by side on two hosts while a store was away: the day goes on at one of them.
    return (whereabouts.isElsewhere(result) ? await call() : result).days;
  } catch (error) {
    if (isCancellation(error)) throw error;
    const failure = failureOf(error);
    return days.map(({ date }) => ({ date, failure }));
  }
}

function stepOptions(execution: StepExecution, step: ExecutionStep, days: readonly ExecutionDay[]): ActivityOptions {
  const [first, last] = [days[0]?.date ?? '', days.at(-1)?.date ?? ''];
  return {
    taskQueue: execution.whereabouts.queueFor(queueOf(execution, step)),
    startToCloseTimeout: step.timeoutSeconds * 1000,
    heartbeatTimeout: execution.retry.heartbeatMs,
    summary: `${step.id} · ${days.length === 1 ? first : `${first} … ${last}, ${days.length} days`}`,
    retry: retryPolicy(execution.retry),
  };
}

function queueOf({ queues }: StepExecution, { id }: ExecutionStep): string {
  const queue = queues[id];
  if (queue === undefined) throw ApplicationFailure.nonRetryable(`${id} has no task queue`, 'INTERNAL');
  return queue;
}

export function retryPolicy({ initialMs, maximumMs, attempts }: RetrySettings) {
  return { initialInterval: initialMs, maximumInterval: maximumMs, backoffCoefficient: 2, maximumAttempts: attempts };
}

function keysOf(days: readonly ExecutionDay[], step: StepId): Record<CivilDate, StepKey> {
  const keys: Record<CivilDate, StepKey> = {};
  for (const { date, state } of days) {
    const known = state[step];
    if (known?.state === 'done') keys[date] = known.key;
  }
  return keys;
}

/** The code and message of a failed activity. Timeouts and lost workers have no code of ours: they count as `INTERNAL`. */
export function failureOf(error: unknown): { code: string; message: string } {
  const cause = error instanceof ActivityFailure ? (error.cause ?? error) : error;
  if (cause instanceof ApplicationFailure) return { code: cause.type ?? 'INTERNAL', message: cause.message };
  return { code: 'INTERNAL', message: cause instanceof Error ? cause.message : String(cause) };
}

/**
 * Runs a workflow so that a failed activity that nothing handled fails it with the activity's own code and message, which is what
 * a person reads first; the chain of causes stays below it.
 */
export async function withPlainFailures<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    const { code, message } = failureOf(error);
    throw ApplicationFailure.create({ type: code, message, nonRetryable: true, cause: error });
  }
}
