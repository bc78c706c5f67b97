import type { JsonObject } from '../ports/json.ts';

/** What records keep of units that checks hold one by one; the rules are in `held-units.ts`. */

/** A unit that a check names, with a few of its failing rows. */
export interface HeldUnit {
  /** Is kept in records and shown: a pseudonym where the id itself is personal. */
  readonly unit: string;
  /** Lower-case hex sha256 of all its failing rows. */
  readonly evidence: string;
  readonly examples: readonly JsonObject[];
  /** A person has decided that it stays out; absent while nobody has decided. */
  readonly rejected?: true;
}

/** What was decided on a unit, as a step is told it. */
export interface UnitDecision {
  readonly check: string;
  readonly unit: string;
  readonly evidence: string;
  readonly decision: 'accept' | 'reject';
}
