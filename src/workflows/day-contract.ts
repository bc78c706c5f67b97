import { defineQuery, defineSignal } from '@temporalio/workflow';
import type { DayState } from '../pipelines/execution.ts';
import type { DayPlan } from '../pipelines/planned-step.ts';
import type { StageSubset } from '../pipelines/definition.ts';
import { RUN_REASONS, STAGES } from '../pipelines/vocabulary.ts';
import type { CivilDate, RunReason, Stage, StepId, Verdict } from '../pipelines/vocabulary.ts';
import { civilDate, flag, oneOf, optional, text } from './input-shape.ts';
import type { Shape } from './input-shape.ts';

/**
 * What a day is started with; only `pipeline` and `date` are needed, and an unknown member is
 * refused.
 */
export interface DayInput {
  readonly pipeline: string;
  readonly date: CivilDate;
  readonly reason?: RunReason;
  /** Ask the publisher even where the last answer still counts as fresh. */
  readonly recheck?: boolean;
  /** Use what was delivered before and do not ask the publisher. */
  readonly offline?: boolean;
  /**
   * Run these stages of the day only. A report that is asked for while the rest runs is made by the
   * same run, after it.
   */
  readonly only?: StageSubset;
  /** Execute this step, or the steps of this stage, and everything after them again. */
  readonly fromStep?: StepId | Stage;
  /** Why somebody wants that; kept with the day. */
  readonly why?: string;
  /** Who wants it; kept with the day. */
  readonly by?: string;
  /** Leave out the stages after this one; another run goes on from there. */
  readonly until?: Stage;
}

/** The form of it, by which what a person typed is checked. */
export const DAY_INPUT: Shape<DayInput> = {
  pipeline: text,
  date: civilDate,
  reason: optional(oneOf(RUN_REASONS)),
  recheck: optional(flag),
  offline: optional(flag),
  only: optional(oneOf(['processing', 'report'])),
  fromStep: optional(text),
  why: optional(text),
  by: optional(text),
  until: optional(oneOf(STAGES)),
};

/** What became of the day; `revision` is null where nothing tells how final it is. */
export interface DayResult {
  readonly date: CivilDate;
  readonly verdict: Verdict;
  readonly version: number;
  /**
   * Whether this run made the version; false: it was there. Results of earlier releases do not say.
   */
  readonly created?: boolean;
  /** The steps that were executed, not reused; empty when the day was up to date. */
  readonly ran: readonly StepId[];
  readonly reused: number;
  readonly revision: string | null;
}

/** Sent to a day that runs without its report, by whoever wants the report. */
export const reportTooSignal = defineSignal('reportToo');

/**
 * Sent when another program has put a file there for the day: the run looks for it, whatever it
 * does or waits for.
 */
export const depositedSignal = defineSignal('deposited');

/** Undefined until the day is planned; the newest one after a retry. */
export const planQuery = defineQuery<DayPlan | undefined>('plan');

/** What the run was started with. */
export const inputQuery = defineQuery<DayInput>('input');

/** The states of the steps so far; of a day that waits, those of its last attempt. */
export const progressQuery = defineQuery<DayState>('progress');

/** What the day waits for; null while it works. */
export const waitsQuery = defineQuery<DayWaits | null>('waits');

/** A waiting day has done all that it can do now. */
export interface DayWaits {
  readonly why: string;
  /** ISO instant at which it goes on by itself, or gives up waiting for a decision. */
  readonly until: string;
  /** A person's decision ends it. */
  readonly held: boolean;
}
