import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ActivityFailure,
  CancellationScope,
  CancelledFailure,
  ChildWorkflowFailure,
  ParentClosePolicy,
  TerminatedFailure,
  condition,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  proxyActivities,
  setHandler,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { ChildWorkflowHandle, ChildWorkflowOptions } from '@temporalio/workflow';
import type { FollowedRun } from '../engine/contract.ts';
import type { Activities } from '../activities/create-activities.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { day } from './day.ts';
import type { DayInput, DayResult } from './day-contract.ts';
import { dayWaitsSignal, followDaySignal } from './day-followers.ts';
import { failureOf } from './plain-failures.ts';

/** How a day ended for whoever waits for it; `waits`: it goes on by itself. */
export type DayEnd =
  | { readonly how: 'done'; readonly result: DayResult }
  | { readonly how: 'failed'; readonly code: string; readonly message: string }
  | { readonly how: 'waits'; readonly why: string };

/** Runs that were under way when this came wait for a joined day until it ends. */
const JOINED_DAYS_TELL = 'joined-days-tell-that-they-wait';

const { followRun } = proxyActivities<Activities>({
  startToCloseTimeout: '30 days',
  heartbeatTimeout: '30 seconds',
});

/**
 * Days that a workflow starts or joins and waits for. A day that waits itself, for a decision or
 * for the publisher, says so and is waited for no longer; a day that somebody cancels is that day's
 * failure, and nobody else's.
 */
export class AwaitedDays {
  readonly #waiting = new Map<CivilDate, string>();

  constructor() {
    setHandler(dayWaitsSignal, (date, why) => {
      if (typeof date === 'string') this.#waiting.set(date, why);
    });
  }

  /**
   * Starts the day, or joins it when it runs. It outlives whoever waits for it: a decision may come
   * after a week.
   */
  async run(
    input: DayInput,
    options: Pick<ChildWorkflowOptions, 'priority'> = {},
  ): Promise<DayEnd> {
    const workflowId = `day/${input.pipeline}/${input.date}`;
    let handle: ChildWorkflowHandle<typeof day>;
    try {
      handle = await startChild(day, {
        workflowId,
        args: [input],
        parentClosePolicy: ParentClosePolicy.ABANDON,
        ...options,
        staticSummary: `${input.pipeline} ${input.date}`,
      });
    } catch (error) {
      if (error instanceof WorkflowExecutionAlreadyStartedError)
        return this.#join(workflowId, input.date);
      throw error;
    }
    try {
      const result = await Promise.race([handle.result(), this.#waits(input.date)]);
      return result === undefined ? this.#waitingDay(input.date) : { how: 'done', result };
    } catch (error) {
      if (!(error instanceof ChildWorkflowFailure) || isOwnCancellation(error)) throw error;
      return { how: 'failed', ...runFailure(error.cause) };
    }
  }

  async #join(workflowId: string, date: CivilDate): Promise<DayEnd> {
    if (!patched(JOINED_DAYS_TELL)) return followedEnd(await followRun(workflowId));
    await askToBeTold(workflowId);
    const scope = new CancellationScope();
    const followed = scope.run(() => followRun(workflowId));
    try {
      const end = await Promise.race([followed, this.#waits(date)]);
      if (end !== undefined) return followedEnd(end);
      scope.cancel();
      await followed.catch(() => undefined);
      return this.#waitingDay(date);
    } catch (error) {
      if (!(error instanceof ActivityFailure) || isOwnCancellation(error)) throw error;
      return { how: 'failed', ...failureOf(error) };
    }
  }

  async #waits(date: CivilDate): Promise<undefined> {
    await condition(() => this.#waiting.has(date));
  }

  #waitingDay(date: CivilDate): DayEnd {
    return { how: 'waits', why: this.#waiting.get(date) ?? '' };
  }
}

function followedEnd(followed: FollowedRun): DayEnd {
  if (followed.state === 'completed') return { how: 'done', result: followed.result as DayResult };
  return { how: 'failed', code: followed.code, message: followed.message };
}

/** A day that has ended meanwhile tells its result instead. */
async function askToBeTold(workflowId: string): Promise<void> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(followDaySignal, workflowInfo().workflowId);
  } catch (error) {
    if (isCancellation(error)) throw error;
  }
}

/**
 * Whether this workflow was cancelled; a child that somebody cancelled alone fails with a
 * cancellation too.
 */
export function isOwnCancellation(error: unknown): boolean {
  return isCancellation(error) && CancellationScope.current().consideredCancelled;
}

/** Why a run failed that this workflow waited for. */
export function runFailure(cause: unknown): { code: string; message: string } {
  if (cause instanceof CancelledFailure)
    return { code: 'CANCELLED', message: 'the run was cancelled' };
  if (cause instanceof TerminatedFailure)
    return { code: 'CANCELLED', message: 'the run was terminated' };
  return failureOf(cause);
}
