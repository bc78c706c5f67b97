import { defineUpdate, setHandler } from '@temporalio/workflow';
import { NOBODY_NAMED } from './day-holds.ts';
import { checkUpdate, oneOf, optional, text } from './input-shape.ts';
import type { Shape } from './input-shape.ts';
import { withPlainFailures } from './plain-failures.ts';

/** A person's word on one unit that the newest version of a day is without. */
export interface DecideUnitInput {
  readonly unit: string;
  readonly decision: 'accept' | 'reject';
  readonly reason: string;
  /**
   * Where several steps hold it: the one that is meant, with or without its shard. Default: all of
   * them.
   */
  readonly step?: string;
  readonly by?: string;
}

/** The shape of such a word. */
export const DECIDE_UNIT: Shape<DecideUnitInput> = {
  unit: text,
  decision: oneOf(['accept', 'reject']),
  reason: text,
  step: optional(text),
  by: optional(text),
};

/**
 * With Update-with-Start it starts the day or joins it; the day is planned again, and re-runs what
 * the decision touches.
 */
export const decideUnitUpdate = defineUpdate<string, [DecideUnitInput]>('decideUnit');

/** What is kept of a decision. */
export interface KeptUnitDecision extends Omit<DecideUnitInput, 'by'> {
  readonly by: string;
  readonly decidedAt: string;
}

/**
 * Decisions on units that came while a day ran. A decision counts when it has been kept; the update
 * returns then.
 */
export class UnitDecisions {
  #isNew = false;

  constructor(title: string, keep: (decision: KeptUnitDecision) => Promise<number>) {
    setHandler(
      decideUnitUpdate,
      async ({ by = NOBODY_NAMED, ...input }: DecideUnitInput) => {
        const decidedAt = new Date(Date.now()).toISOString();
        const checks = await withPlainFailures(() => keep({ ...input, by, decidedAt }));
        this.#isNew = true;
        return `${title}, ${input.unit}: ${input.decision} on ${checks} checks`;
      },
      {
        validator: (input: DecideUnitInput) => {
          checkUpdate('decideUnit', DECIDE_UNIT, input);
        },
        description:
          'Accept or reject the rows of one held unit, with the reason; the day is made again with it or stays without it',
      },
    );
  }

  /** Whether a decision has come that no plan of this run knows. */
  take(): boolean {
    const isNew = this.#isNew;
    this.#isNew = false;
    return isNew;
  }
}
