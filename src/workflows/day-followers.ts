import {
  defineSignal,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { CivilDate, RunReason } from '../pipelines/vocabulary.ts';

/**
 * Sent to those who wait for a day when the day waits itself: for a decision, or for the publisher.
 */
export const dayWaitsSignal = defineSignal<[date: CivilDate, why: string]>('dayWaits');
/** Sent to a day by a workflow that joined it and wants to be told when it waits. */
export const followDaySignal = defineSignal<[workflowId: string]>('followDay');

/** Watches that were under way when this came wait for each of their days to end. */
const WATCH_IS_TOLD = 'a-watch-is-told-too';

/**
 * The workflows that wait for a day: the backfill or the watch that started it, and those that
 * joined it. They do not wait for a day that waits: a decision may take a week.
 */
export class DayFollowers {
  readonly #date: CivilDate;
  readonly #starter: string | undefined;
  readonly #joined = new Set<string>();

  /** `why` says for what the day waits now; undefined while it runs. */
  constructor(
    { date, reason }: { date: CivilDate; reason?: RunReason },
    why: () => string | undefined,
  ) {
    this.#date = date;
    const { parent } = workflowInfo();
    this.#starter = reason === 'backfill' || reason === 'revision' ? parent?.workflowId : undefined;
    this.#isWatched = reason === 'revision';
    setHandler(followDaySignal, async (workflowId) => {
      if (typeof workflowId !== 'string' || workflowId === '') return;
      this.#joined.add(workflowId);
      const waits = why();
      if (waits !== undefined) await this.#send(workflowId, waits);
    });
  }

  readonly #isWatched: boolean;

  /** Whoever has ended meanwhile need not be told. */
  async tell(why: string): Promise<void> {
    if (this.#starter !== undefined && (!this.#isWatched || patched(WATCH_IS_TOLD))) {
      await this.#send(this.#starter, why);
    }
    for (const workflowId of this.#joined) await this.#send(workflowId, why);
  }

  async #send(workflowId: string, why: string): Promise<void> {
    try {
      await getExternalWorkflowHandle(workflowId).signal(dayWaitsSignal, this.#date, why);
    } catch (error) {
      if (isCancellation(error)) throw error;
    }
  }
}
