import { condition, defineQuery, defineUpdate, setHandler } from '@temporalio/workflow';
import type { BackfillTally, BackfillTotals } from './backfill-tally.ts';
import { checkUpdate, oneOf, optional, refuse, text, wholeNumber } from './input-shape.ts';
import type { Shape } from './input-shape.ts';

/** What an operator can do to a running backfill. A refused update leaves no trace in its history. */

export interface ReasonInput {
  readonly reason: string;
  /** Who asks for it; told with the reason. */
  readonly by?: string;
}

const REASON_INPUT: Shape<ReasonInput> = { reason: text, by: optional(text) };

export interface ResizeInput {
  readonly parallel: number;
}

export interface CanaryDecision extends ReasonInput {
  readonly decision: 'accept' | 'reject';
}

const CANARY_DECISION: Shape<CanaryDecision> = {
  decision: oneOf(['accept', 'reject']),
  reason: text,
  by: optional(text),
};

export interface BackfillProgress extends BackfillTotals {
  readonly parallel: number;
  readonly paused: string | null;
  readonly stopped: string | null;
  /** What the backfill asks: send the update `decide`. */
  readonly question: string | null;
}

export const pauseUpdate = defineUpdate<string, [ReasonInput]>('pause');
export const resumeUpdate = defineUpdate<string>('resume');
export const cancelUpdate = defineUpdate<string, [ReasonInput]>('cancel');
export const resizeUpdate = defineUpdate<string, [ResizeInput]>('resize');
export const decideCanaryUpdate = defineUpdate<string, [CanaryDecision]>('decide');
export const backfillProgressQuery = defineQuery<BackfillProgress>('progress');

/** More at the same time than this would not be quicker: the publishers' rate and the SQL engine are the limits. */
export const MAX_PARALLEL = 32;

const RESIZE_INPUT: Shape<ResizeInput> = { parallel: wholeNumber(1, MAX_PARALLEL) };

export class BackfillControl {
  parallel: number;
  paused: string | undefined;
  /** Why nothing more is started; what runs is let end. */
  stopped: string | undefined;
  question: string | undefined;
  readonly #tally: BackfillTally;

  /** Updates that came before the first task are handled here already, so all that they change is set before. */
  constructor({ parallel, paused }: Pick<BackfillControl, 'parallel' | 'paused'>, tally: BackfillTally) {
    this.parallel = Math.min(MAX_PARALLEL, Math.max(1, parallel));
    this.paused = paused;
    this.#tally = tally;
    setHandler(backfillProgressQuery, () => ({
      ...tally.totals(),
      parallel: this.parallel,
      paused: this.paused ?? null,
      stopped: this.stopped ?? null,
      question: this.question ?? null,
    }));
    this.#handlePause(tally);
    this.#handleSize(tally);
    setHandler(
      decideCanaryUpdate,
      ({ decision, ...why }: CanaryDecision) => {
        this.question = undefined;
        if (decision === 'reject') this.stopped = `the canary was rejected: ${told(why)}`;
        tally.tell(this);
        return decision;
      },
      {
        validator: (answer: CanaryDecision) => {
          checkUpdate('decide', CANARY_DECISION, answer);
          if (this.question === undefined) refuse('the backfill asks nothing', 'PLAN_INVALID');
        },
        description: 'Accept or reject what the canary days showed, with the reason',
      },
    );
  }

  #handlePause(tally: BackfillTally): void {
    setHandler(
      pauseUpdate,
      (why) => {
        this.paused = told(why);
        tally.tell(this);
        return 'paused: what runs is let end, nothing more is started';
      },
      {
        validator: (why) => {
          checkUpdate('pause', REASON_INPUT, why);
          if (this.paused !== undefined) refuse(`the backfill is paused already: ${this.paused}`, 'PLAN_INVALID');
        },
        description: 'Start nothing more until it is resumed',
      },
    );
    setHandler(
      resumeUpdate,
      () => {
        this.paused = undefined;
        tally.tell(this);
        return 'resumed';
      },
      {
        validator: () => {
          if (this.paused === undefined) refuse('the backfill is not paused', 'PLAN_INVALID');
        },
        description: 'Go on after a pause',
      },
    );
  }

  #handleSize(tally: BackfillTally): void {
    setHandler(
      resizeUpdate,
      ({ parallel }) => {
        this.parallel = parallel;
        tally.tell(this);
        return `${parallel} at a time`;
      },
      {
        validator: (size) => {
          checkUpdate('resize', RESIZE_INPUT, size);
        },
        description: 'How many windows or days run at the same time',
      },
    );
    setHandler(
      cancelUpdate,
      (why) => {
        this.stopped = `stopped: ${told(why)}`;
        tally.tell(this);
        return 'stopping: what runs is let end, the result tells what was done';
      },
      {
        validator: (why) => {
          checkUpdate('cancel', REASON_INPUT, why);
          if (this.stopped !== undefined) refuse('the backfill is stopping already', 'PLAN_INVALID');
        },
        description: 'End after what runs now, with a result',
      },
    );
  }

  /** True as well once it is stopped: whoever waits then sees that. */
  mayStart(active: number): boolean {
    return this.stopped !== undefined || (this.paused === undefined && active < this.parallel);
  }

  isStopped(): boolean {
    return this.stopped !== undefined;
  }

  async askAboutCanary(question: string): Promise<void> {
    this.question = question;
    this.#tally.tell(this);
    await condition(() => this.question === undefined || this.stopped !== undefined);
  }
}

/** A reason with the name of whoever gave it, where that is known. */
function told({ reason, by }: ReasonInput): string {
  return by === undefined ? reason : `${reason} (${by})`;
}
