import {
  ActivityFailure,
  ApplicationFailure,
  CancelledFailure,
  TimeoutFailure,
} from '@temporalio/common';
import { msToNumber } from './durations.ts';
import type { Duration } from './durations.ts';
import type { Process, Scheduler } from '../scheduler.ts';
import { activityContext, payload } from './contexts.ts';

/** One try of an activity in a worker process. */
export interface Attempt {
  readonly process: Process;
  readonly workflowId: string;
  readonly runId: string;
  readonly number: number;
  readonly abort: AbortController;
  readonly heartbeatTimeoutMs: number | undefined;
}

export interface ActivityCall {
  readonly workflowId: string;
  readonly runId: string;
  readonly name: string;
  readonly args: readonly unknown[];
  readonly options: CallOptions;
}

export interface CallOptions {
  readonly taskQueue?: string | undefined;
  readonly startToCloseTimeout?: Duration | undefined;
  readonly scheduleToStartTimeout?: Duration | undefined;
  readonly heartbeatTimeout?: Duration | undefined;
  readonly retry?:
    | {
        readonly initialInterval?: Duration;
        readonly maximumInterval?: Duration;
        readonly backoffCoefficient?: number;
        readonly maximumAttempts?: number;
        readonly nonRetryableErrorTypes?: readonly string[];
      }
    | undefined;
}

export type Activity = (...args: unknown[]) => Promise<unknown>;

/**
 * The workers that poll: which process takes a task of the queue, and what it runs for the
 * activity.
 */
export interface Workers {
  processFor(queue: string | undefined): Process | undefined;
  activity(process: Process, name: string): Activity | undefined;
}

/**
 * After this long a server gives the task of a silent worker to another one, where the call has no
 * heartbeat of its own.
 */
const TASK_TIMEOUT_MS = 10_000;

type End = { readonly result: unknown } | { readonly failure: Error };

/**
 * Calls an activity until it succeeds, may not be tried again, or is cancelled. What a lost try did
 * stays done.
 */
export async function callActivity(
  scheduler: Scheduler,
  workers: Workers,
  call: ActivityCall,
  cancelled: AbortSignal,
): Promise<unknown> {
  for (let number = 1; ; number += 1) {
    const end = await attempt(scheduler, workers, call, number, cancelled);
    if ('result' in end) return end.result;
    const pause = pauseBefore(call, number, end.failure);
    if (pause === undefined || cancelled.aborted) {
      throw new ActivityFailure(
        'Activity task failed',
        call.name,
        undefined,
        'MAXIMUM_ATTEMPTS_REACHED',
        undefined,
        end.failure,
      );
    }
    await scheduler.turn(undefined, undefined, pause);
  }
}

/** How long the server waits before the next try; undefined: there is none. */
function pauseBefore(
  { options }: ActivityCall,
  number: number,
  failure: Error,
): number | undefined {
  const { retry = {} } = options;
  if (failure instanceof CancelledFailure) return undefined;
  if (failure instanceof ApplicationFailure) {
    if (failure.nonRetryable === true) return undefined;
    if (retry.nonRetryableErrorTypes?.includes(failure.type ?? '') === true) return undefined;
  }
  if (retry.maximumAttempts !== undefined && number >= retry.maximumAttempts) return undefined;
  const wished =
    failure instanceof ApplicationFailure ? (failure.nextRetryDelay as Duration | null) : undefined;
  if (wished !== undefined && wished !== null) return msToNumber(wished);
  const initial = msToNumber(retry.initialInterval ?? 1_000);
  const most =
    retry.maximumInterval === undefined ? initial * 100 : msToNumber(retry.maximumInterval);
  return Math.min(most, initial * (retry.backoffCoefficient ?? 2) ** (number - 1));
}

async function attempt(
  scheduler: Scheduler,
  workers: Workers,
  call: ActivityCall,
  number: number,
  cancelled: AbortSignal,
): Promise<End> {
  const process = await pollingProcess(scheduler, workers, call, cancelled);
  const heartbeatMs = timeoutOf(call.options.heartbeatTimeout);
  const own: Attempt = {
    process,
    number,
    workflowId: call.workflowId,
    runId: call.runId,
    abort: new AbortController(),
    heartbeatTimeoutMs: heartbeatMs,
  };
  return new Promise((resolve) => {
    const takeBack: (() => void)[] = [];
    const end = (result: End): void => {
      for (const drop of takeBack.splice(0)) drop();
      process.onSilence.delete(silent);
      cancelled.removeEventListener('abort', abort);
      resolve(result);
    };
    const timeout = (kind: 'HEARTBEAT' | 'START_TO_CLOSE', why: string): void => {
      scheduler.tell(`server: ${call.name} #${number} of ${call.workflowId} timed out (${why})`);
      // A worker that goes on hears of it with its next heartbeat, and until then it writes.
      const lateBy =
        Math.max(0, process.stoppedUntil - scheduler.now) +
        scheduler.random.whole(0, heartbeatMs ?? TASK_TIMEOUT_MS);
      scheduler.timer(lateBy, () => {
        own.abort.abort(new CancelledFailure('NOT_FOUND'));
      });
      end({ failure: new TimeoutFailure(`activity ${kind} timeout`, undefined, kind) });
    };
    const silent = (): void => {
      takeBack.push(
        scheduler.timer(heartbeatMs ?? TASK_TIMEOUT_MS, () => {
          if (process.dead || process.stoppedUntil > scheduler.now)
            timeout('HEARTBEAT', `${process.name} is silent`);
        }),
      );
    };
    const abort = (): void => {
      own.abort.abort(new CancelledFailure('CANCELLED'));
    };
    process.onSilence.add(silent);
    if (cancelled.aborted) abort();
    else cancelled.addEventListener('abort', abort);
    const longest = timeoutOf(call.options.startToCloseTimeout);
    if (longest !== undefined) {
      takeBack.push(
        scheduler.timer(longest, () => {
          timeout('START_TO_CLOSE', `after ${longest} ms`);
        }),
      );
    }
    void activityContext.run(own, () => perform(scheduler, workers, call, own)).then(end);
  });
}

async function perform(
  scheduler: Scheduler,
  workers: Workers,
  call: ActivityCall,
  own: Attempt,
): Promise<End> {
  const label = `${call.name} #${own.number} of ${call.workflowId}`;
  await scheduler.turn(`${label} starts`, own.process);
  const activity = workers.activity(own.process, call.name);
  try {
    if (activity === undefined)
      throw ApplicationFailure.nonRetryable(`there is no activity ${call.name}`);
    const result = payload(await activity(...payload(call.args)));
    await scheduler.turn(`${label} has ended`, own.process);
    return { result };
  } catch (error) {
    const failure = error instanceof Error ? error : new Error(String(error));
    const type = failure instanceof ApplicationFailure ? failure.type : failure.name;
    await scheduler.turn(
      `${label} fails: ${type ?? ''} ${failure.message.slice(0, 160)}`,
      own.process,
    );
    return { failure };
  }
}

/** The process that takes the task; waits while no worker of the queue polls. */
async function pollingProcess(
  scheduler: Scheduler,
  workers: Workers,
  { options }: ActivityCall,
  cancelled: AbortSignal,
): Promise<Process> {
  for (;;) {
    const process = workers.processFor(options.taskQueue);
    if (process !== undefined) return process;
    await scheduler.turn(undefined, undefined, 1_000);
    if (cancelled.aborted) throw new CancelledFailure('CANCELLED');
  }
}

function timeoutOf(duration: Duration | undefined): number | undefined {
  return duration === undefined ? undefined : msToNumber(duration);
}
