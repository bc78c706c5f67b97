import { condition, defineQuery, defineUpdate, setHandler } from '@temporalio/workflow';
import type { BackfillTally, BackfillTotals } from './backfill-tally.ts';
import { checkUpdate, oneOf, optional, refuse, text, wholeNumber } from './input-shape.ts';
import type { Shape } from './input-shape.ts';

/**
 * What an operator can do to a running backfill. A refused update leaves no trace in its history.
 */

/** Both are shown in the details of the run; the reason may not be blank. */
export interface ReasonInput {
  readonly reason: string;
  /** Who asks for it; told with the reason. */
  readonly by?: string;
}

const REASON_INPUT: Shape<ReasonInput> = { reason: text, by: optional(text) };

/** Takes effect when the next window or day could start; from 1 to `MAX_PARALLEL`. */
export interface ResizeInput {
  readonly parallel: number;
}

/** `reject` ends the backfill after its canary. */
export interface CanaryDecision extends ReasonInput {
  readonly decision: 'accept' | 'reject';
}

const CANARY_DECISION: Shape<CanaryDecision> = {
  decision: oneOf(['accept', 'reject']),
  reason: text,
  by: optional(text),
};

/** The totals, with what an operator has done to the run; null where nobody did. */
export interface BackfillProgress extends BackfillTotals {
  readonly parallel: number;
  readonly paused: string | null;
  readonly stopped: string | null;
  /** What the backfill asks: send the update `decide`. */
  readonly question: string | null;
}

/** What runs is let end. Refused while the backfill is paused. */
export const pauseUpdate = defineUpdate<string, [ReasonInput]>('pause');

/** Refused unless the backfill is paused. */
export const resumeUpdate = defineUpdate<string>('resume');

/**
 * Starts nothing more and ends with a result, unlike Temporal's own cancel, which gives up what
 * runs.
 */
export const cancelUpdate = defineUpdate<string, [ReasonInput]>('cancel');

/** Changes how many windows, and after them days, run at the same time. */
export const resizeUpdate = defineUpdate<string, [ResizeInput]>('resize');

/** Refused unless the canary asks. */
export const decideCanaryUpdate = defineUpdate<string, [CanaryDecision]>('decide');

/** Works on closed runs too, as long as Temporal keeps their history. */
export const backfillProgressQuery = defineQuery<BackfillProgress>('progress');

/**
 * More at the same time than this would not be quicker: the publishers' rate and the SQL engine are
 * the limits.
 */
export const MAX_PARALLEL = 32;

const RESIZE_INPUT: Shape<ResizeInput> = { parallel: wholeNumber(1, MAX_PARALLEL) };

/** The handlers of these updates and what they have set; one per run. */
export class BackfillControl {
  parallel: number;
  paused: string | undefined;
  /** Why nothing more is started; what runs is let end. */
  stopped: string | undefined;
  question: string | undefined;
  readonly #tally: BackfillTally;

  /**
   * Updates that came before the first task are handled here already, so all that they change is
   * set before.
   */
  constructor(
    { parallel, paused }: Pick<BackfillControl, 'parallel' | 'paused'>,
    tally: BackfillTally,
  ) {
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
          if (this.paused !== undefined)
            refuse(`the backfill is paused already: ${this.paused}`, 'PLAN_INVALID');
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
          if (this.stopped !== undefined)
            refuse('the backfill is stopping already', 'PLAN_INVALID');
        },
        description: 'End after what runs now, with a result',
      },
    );
  }

  /** True as well once it is stopped: whoever waits then sees that. */
  mayStart(active: number): boolean {
    return this.stopped !== undefined || (this.paused === undefined && active < this.parallel);
  }

  /** A call, because the compiler would keep what it knew of a member across an await. */
  isStopped(): boolean {
    return this.stopped !== undefined;
  }

  /** Resolves when somebody decided or stopped the backfill. */
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
