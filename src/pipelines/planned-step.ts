import type { StageSubset, StepDefinition } from './definition.ts';
import { sameNote } from './kept-delivery.ts';
import type { KeptNote, Recut } from './kept-delivery.ts';
import { keptIn, keyIn } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import type { Unanswered } from './unanswered.ts';
import type { CivilDate, Stage, StepId, StepKey } from './vocabulary.ts';

/** The plan of a day as data: what becomes of each step, and why. */

/**
 * - run: the step will be executed.
 * - recheck: the publisher is asked, or an earlier step may change; reused when nothing did.
 * - reuse: the outputs are there under exactly this key.
 * - skip: there is nothing to do, for the reason given.
 */
export type StepAction = 'run' | 'recheck' | 'reuse' | 'skip';

/** What becomes of one step, and why; `reason` is for people, nothing reads it. */
export interface PlannedStep {
  readonly step: StepId;
  readonly action: StepAction;
  readonly reason: string;
  /**
   * The key in the ledger that is reused; of a download that is asked for again, what stays if that
   * fails.
   */
  readonly key?: StepKey;
  /** Of a download with rows: the civil date on which the publisher last confirmed them. */
  readonly since?: CivilDate;
  readonly recut?: Recut;
  /**
   * Why this download goes on with what was delivered before: its last request failed, and this run
   * does not ask.
   */
  readonly kept?: KeptNote;
  /** The reused step has nothing for the day, such as a download without rows. */
  readonly empty?: boolean;
  /**
   * Of a reused download whose slices come in shards: those that have no rows for the day, by
   * output name.
   */
  readonly lacks?: readonly string[];
  /** Of a known download: its rows are made up. */
  readonly sample?: true;
  /** How many units the reused outputs are without, because nobody has decided on them. */
  readonly heldUnits?: number;
  /** Of a download that is asked for again: only a part of the day was delivered. */
  readonly partial?: boolean;
  /** Of a download that is not asked for: nothing came of the last request. */
  readonly unanswered?: Unanswered;
  /**
   * Of a known download: from when on the publisher is asked again, as ISO instant; null: never.
   */
  readonly askAgainAt?: string | null;
}

/** The steps in the order of the definition. */
export interface DayPlan {
  readonly date: CivilDate;
  readonly steps: readonly PlannedStep[];
  /** Nothing to do at all. */
  readonly upToDate: boolean;
}

/** What a person or a schedule asked for beyond "make what is missing". */
export interface PlanOptions {
  /** Ask the publisher even where the last answer still counts as fresh. */
  readonly recheck?: boolean;
  /** Never ask the publisher: for derived days and audits. */
  readonly offline?: boolean;
  /** Plan these stages of the day only. */
  readonly only?: StageSubset;
  /**
   * Execute this step, or the steps of this stage, and everything after them again, even when the
   * ledger has it.
   */
  readonly fromStep?: StepId | Stage;
}

/**
 * Whether the newest manifest says exactly what these planned steps say, and nothing is left to do.
 */
export function isUpToDate(steps: readonly PlannedStep[], manifest: Manifest | undefined): boolean {
  if (manifest === undefined || manifest.verdict === 'failed' || manifest.verdict === 'quarantined')
    return false;
  return steps.every((step) => isAsStored(step, manifest));
}

/** Whether nothing is to be done for a step, and the manifest says of it what the plan says. */
export function isAsStored(
  { step, action, key, kept }: PlannedStep,
  manifest: Manifest | undefined,
): boolean {
  if (action === 'reuse')
    return keyIn(manifest, step) === key && sameNote(keptIn(manifest, step), kept);
  return action === 'skip' && manifest?.steps[step]?.state !== 'done';
}

/** A step that will be executed. */
export function plannedRun(step: StepDefinition, reason: string): PlannedStep {
  return { step: step.id, action: 'run', reason };
}

/** A step of which there is nothing to do. */
export function plannedSkip(step: StepDefinition, reason: string): PlannedStep {
  return { step: step.id, action: 'skip', reason };
}
