import type { Decision } from './decision.ts';
import type { LedgerEntry } from './ledger.ts';
import type { Manifest } from './manifest.ts';
import type { DamagedObjects } from './plan-reasons.ts';
import type { Delivery } from './receipt.ts';
import type { CivilDate, StepId } from './vocabulary.ts';

/** When the publication calendar expects things, as ISO instants. */
export interface Expectations {
  readonly parts: Readonly<Record<string, string>>;
}

/** Everything that was read for a plan; equal evidence gives an equal plan. */
export interface DayEvidence {
  readonly date: CivilDate;
  /** ISO instant of the planning. */
  readonly now: string;
  readonly expected: Expectations;
  readonly manifest: Manifest | undefined;
  /** Every ledger entry of the day. */
  readonly ledger: readonly LedgerEntry[];
  /**
   * Of the objects that the ledger names: asked for each one that the plan is going to rely on, and
   * for no other.
   */
  readonly damaged: DamagedObjects;
  /**
   * What people decided on the day, also in runs that did not finish; without it, what the manifest
   * says.
   */
  readonly decisions?: readonly Decision[];
  /** What the publisher (or a person, for imports) last delivered, by part. */
  readonly deliveries: Readonly<Record<string, Delivery | undefined>>;
  /**
   * The sha256 of the newest committed output of another day; undefined when that day has none, and
   * what will become of it where that day is planned together with this one.
   */
  previousOutput(
    step: StepId,
    output: string,
    date: CivilDate,
    pipeline?: string,
  ): string | PendingOutput | undefined;
}

/** An output of a step that is going to run, or to be rechecked. */
export interface PendingOutput {
  readonly pending: 'run' | 'recheck';
  /** The sha256 that it has if nothing changes; null: there is none. */
  readonly unchanged: string | null;
}
