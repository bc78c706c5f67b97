import { condition, defineUpdate, patched, setHandler } from '@temporalio/workflow';
import type { Decision } from '../pipelines/decision.ts';
import type { StepId, StepKey } from '../pipelines/vocabulary.ts';
import { withPlainFailures } from './plain-failures.ts';
import { checkUpdate, oneOf, optional, refuse, text } from './input-shape.ts';
import type { Shape } from './input-shape.ts';

/** An operator's answer to a held day. */
export interface DecideInput {
  readonly decision: 'accept' | 'reject' | 'retry';
  readonly reason: string;
  /** Which of the held steps is meant; may be left out while only one is held. */
  readonly step?: StepId;
  /** Who decides; kept with the decision. */
  readonly by?: string;
}

const DECIDE_INPUT: Shape<DecideInput> = {
  decision: oneOf(['accept', 'reject', 'retry']),
  reason: text,
  step: optional(text),
  by: optional(text),
};

/** Resolves when the decision is kept; `retry` executes the held step again. */
export const decideUpdate = defineUpdate<string, [DecideInput]>('decide');

/** An accepted answer. */
export interface Answer extends Pick<Decision, 'step' | 'key' | 'reason' | 'decidedAt'> {
  readonly decision: DecideInput['decision'];
  readonly by: string;
}

/** A step whose data wait for a decision. */
export interface Hold {
  readonly step: StepId;
  readonly key: StepKey;
  /** The checks that failed, in words. */
  readonly rules: string;
  /** An accepted answer is being kept; nobody else may answer meanwhile. */
  keeping: boolean;
  answer: Answer | undefined;
}

/** What somebody is called who did not say who they are. */
export const NOBODY_NAMED = 'unknown';

/**
 * Runs that were under way when this came forget a decision that they accepted and never committed.
 */
const DURABLE = 'decisions-are-kept';

/**
 * The held steps of a day. Each is decided by itself: two may wait at the same time. A decision
 * counts when it has been kept, and the update returns then, so that whoever decided knows that no
 * crash takes the decision back.
 */
export class DayHolds {
  readonly #open = new Map<StepId, Hold>();

  constructor(title: string, keep: (answer: Answer) => Promise<void>) {
    setHandler(
      decideUpdate,
      async (input: DecideInput) => {
        const hold = this.#named(input.step);
        const { decision, reason, by = NOBODY_NAMED } = input;
        const { step, key } = hold;
        const answer = {
          step,
          key,
          decision,
          reason,
          by,
          decidedAt: new Date(Date.now()).toISOString(),
        };
        if (patched(DURABLE)) {
          hold.keeping = true;
          try {
            await withPlainFailures(() => keep(answer));
          } finally {
            hold.keeping = false;
          }
        }
        hold.answer = answer;
        return `${title}, ${step}: ${decision}`;
      },
      {
        validator: (input: DecideInput) => {
          checkUpdate('decide', DECIDE_INPUT, input);
          const { step, keeping, answer } = this.#named(input.step);
          if (keeping || answer !== undefined)
            refuse(`${step} has just been decided`, 'PLAN_INVALID');
        },
        description:
          'Answer a held step: accept, reject or retry, with the reason; name it when several are held',
      },
    );
  }

  /** What waits for a decision, in words; undefined: nothing does. */
  get story(): string | undefined {
    if (this.#open.size === 0) return undefined;
    return [...this.#open.values()]
      .map(({ step, rules }) => `held at ${step}: ${rules}`)
      .join('; ');
  }

  /** From here on the step can be decided. */
  open(step: StepId, key: StepKey, rules: string): Hold {
    const hold: Hold = { step, key, rules, keeping: false, answer: undefined };
    this.#open.set(step, hold);
    return hold;
  }

  /** The answer; undefined when nobody gives one in time. */
  async answerTo(hold: Hold, ms: number): Promise<Answer | undefined> {
    await condition(() => hold.answer !== undefined, ms);
    // One that came in time counts, however long the store takes.
    if (hold.keeping) await condition(() => !hold.keeping);
    this.#open.delete(hold.step);
    return hold.answer;
  }

  #named(step: StepId | undefined): Hold {
    const open = [...this.#open.values()];
    const names = open.map((hold) => hold.step).join(', ');
    const [first] = open;
    if (first === undefined)
      return refuse('the day is not held, there is nothing to decide', 'PLAN_INVALID');
    if (step === undefined) {
      if (open.length > 1) refuse(`several steps are held, name one as "step": ${names}`);
      return first;
    }
    const hold = this.#open.get(step);
    return hold ?? refuse(`${step} is not held; held: ${names}`, 'PLAN_INVALID');
  }
}
