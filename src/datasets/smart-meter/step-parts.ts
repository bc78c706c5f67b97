import type { StepInput } from '../kit/index.ts';

/** What definitions of steps have in common. */

/** Time limits of steps, in seconds. */
export const TEN_MINUTES = 600;
/** The same for steps over all readings of a day, and for downloads. */
export const HOUR = 3_600;

/** An input of this many days before; what is not there is left out. */
export function before(input: StepInput, days: number): StepInput {
  return days === 0 ? input : { ...input, daysBefore: days, optional: true };
}
