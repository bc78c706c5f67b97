import { definedMembers } from '../given.ts';
import { blockedBy, inputKeys, notesFor } from './execution.ts';
import type { DayState, ExecutionStep, StepState } from './execution.ts';
import { SKIPPED, keptState } from './kept-delivery.ts';
import type {
  DeliveredBefore,
  DeliveriesBefore,
  KeptNote,
  StepNote,
  Recut,
} from './kept-delivery.ts';
import { unsharded } from './shard.ts';
import type { CivilDate, StepId, StepKey } from './vocabulary.ts';

/**
 * The order of steps, holds, skips and failures, for a set of days; the day is the set of one.
 * Every step starts as soon as the steps that it reads have ended, in one call for all days that
 * can run it. Pure but for what it is given to call: workflows give it activities, tests the same
 * functions without Temporal.
 *
 * Promises are used sparingly here: in a workflow the SDK keeps the source-mapped stack of each for
 * its stack trace query, 60 µs apiece, which made a third of what the workflow code of a day cost.
 */

/** A day to be made. */
export interface StepsDay {
  readonly date: CivilDate;
  /** What the plan settles of it; steps that are absent run. */
  readonly state: DayState;
  /**
   * What stays of downloads that are asked for again, if that fails or an operator does without
   * them.
   */
  readonly delivered?: DeliveriesBefore;
}

/** What `runSteps` does, for one day or for all days of a window. */
export interface StepsPlan {
  /** In an order in which every step comes after the steps it reads. */
  readonly steps: readonly ExecutionStep[];
  readonly days: readonly StepsDay[];
  /** Steps that read previous days wait for this as well: those days may be in the making. */
  readonly previousDays?: Promise<unknown>;
}

/** What one step is to do, for the days that can run it. */
export interface StepWork {
  readonly days: readonly {
    readonly date: CivilDate;
    readonly inputs: Readonly<Record<string, StepKey | null>>;
    /** For a step that declares `withNotes`; absent where there are none. */
    readonly notes?: readonly StepNote[];
    /** Of a download whose slice is gone or damaged while its raw file is there. */
    readonly recut?: Recut;
  }[];
  /**
   * Keys of this run, by step and date, of the steps that are read of previous days; others come
   * from manifests.
   */
  readonly siblings: Readonly<Record<StepId, Readonly<Record<CivilDate, StepKey>>>>;
}

/** A check of severity `hold` that failed: somebody has to decide. */
export interface HeldCheck {
  readonly check: string;
  readonly failed: number;
  readonly tested: number;
}

/**
 * What a call says of one day whose outputs are committed; with `held` checks nobody may read them
 * yet.
 */
export interface StepDone {
  readonly date: CivilDate;
  readonly key: StepKey;
  readonly how: 'ran' | 'reused';
  readonly empty: boolean;
  readonly held: readonly HeldCheck[];
  /** Of slices that come in shards: those that have no rows, by output name. */
  readonly lacks?: readonly string[];
  /** How many units it is without, because nobody has decided on them. */
  readonly heldUnits?: number;
  /** Of a download: its rows are made up. */
  readonly sample?: true;
  /**
   * Of a download: why it is not what the publisher answered; workers of earlier versions do not
   * say.
   */
  readonly kept?: KeptNote;
}

/** `code` is that of a `PipelineError`, or Temporal's where the activity itself was lost. */
export interface StepFailed {
  readonly date: CivilDate;
  readonly failure: { readonly code: string; readonly message: string };
}

/** What a held step asks. */
export interface HoldQuestion {
  readonly date: CivilDate;
  readonly step: StepId;
  readonly key: StepKey;
  readonly checks: readonly HeldCheck[];
}

/** The world of `runSteps`: activities in a workflow, the engine itself in tests. */
export interface StepsRun {
  /**
   * One result for each day, or why the step was given up meanwhile. Rejects on cancellation alone.
   */
  call(step: ExecutionStep, work: StepWork): Promise<readonly (StepDone | StepFailed)[] | string>;
  /**
   * Resolves with the state that the step gets in place of `done`; undefined: what it made is
   * accepted.
   */
  decide(question: HoldQuestion): Promise<StepState | undefined>;
  /** Why the step is to be left out; undefined when it is not. */
  leftOut?(step: StepId): string | undefined;
  /**
   * Cuts lost slices again from their raw files, and asks nobody: for days that do without the
   * download. Undefined: nothing is cut. Rejects on cancellation alone.
   */
  cutAgain?(
    step: ExecutionStep,
    work: StepWork,
  ): Promise<readonly (StepDone | StepFailed)[]> | undefined;
  /** Called with all states whenever a step has ended. */
  changed?(states: DayStates): void;
}

/** By date; a state object is filled in place while steps end. */
export type DayStates = ReadonlyMap<CivilDate, DayState>;

/** Resolves when every step of every day has a state; throws on cancellation alone. */
export async function runSteps(plan: StepsPlan, run: StepsRun): Promise<DayStates> {
  const states = new Map(plan.days.map(({ date, state }) => [date, state]));
  const work: Work = { ...plan, run, states, turns: new Map() };
  const ended = new Map<StepId, Promise<void>>();
  for (const step of plan.steps) {
    const parts =
      step.withNotes === true ? plan.steps.filter(({ part }) => part !== undefined) : [];
    const reads = [
      ...new Set([
        ...step.inputs.map((input) => input.step),
        ...step.siblings,
        ...parts.map(({ id }) => id),
      ]),
    ];
    const previousDays = step.siblings.length > 0 ? [plan.previousDays] : [];
    const ready = Promise.all([...reads.map((id) => ended.get(id)), ...previousDays]);
    ended.set(
      step.id,
      ready.then(() => runStep(work, step)),
    );
  }
  await Promise.all(ended.values());
  return states;
}

interface Turns {
  free: number;
  readonly waiting: (() => void)[];
}

interface Work extends StepsPlan {
  readonly run: StepsRun;
  /** By the name of a step that comes in shards. */
  readonly turns: Map<StepId, Turns>;
  readonly states: Map<CivilDate, DayState>;
}

async function runStep(work: Work, step: ExecutionStep): Promise<void> {
  const { days, run, states } = work;
  const end = (date: CivilDate, state: StepState): void => {
    states.set(date, { ...states.get(date), [step.id]: state });
  };
  const runnable: StepsDay[] = [];
  for (const day of days.filter(({ date }) => states.get(date)?.[step.id] === undefined)) {
    const leftOut = run.leftOut?.(step.id);
    const blocked = blockedBy(step, states.get(day.date) ?? {});
    if (leftOut !== undefined) end(day.date, await doWithout(work, step, day, leftOut));
    else if (blocked === undefined) runnable.push(day);
    else end(day.date, { state: 'skipped', reason: blocked });
  }
  if (runnable.length === 0) return;
  const results = await callInTurn(work, step, runnable);
  for (const day of runnable) {
    if (typeof results === 'string') {
      end(day.date, await doWithout(work, step, day, results));
      continue;
    }
    const result = results.find(({ date }) => date === day.date);
    if (result === undefined) continue;
    if ('failure' in result) end(day.date, failed(day, step, result));
    else {
      const { held, key, how, empty, lacks, sample, heldUnits, kept } = result;
      const question = { date: day.date, step: step.id, key, checks: held };
      const decided = held.length === 0 ? undefined : await run.decide(question);
      const without = {
        ...definedMembers({ heldUnits, sample }),
      };
      const more = { ...without, ...definedMembers({ lacks, kept }) };
      end(day.date, decided ?? { state: 'done', key, how, empty, ...more });
    }
  }
  run.changed?.(states);
}

/**
 * Shards of one step whose calls are under way at the same time; the others wait for their turn.
 */
export const SHARDS_AT_ONCE = 8;

/** A held shard has given its turn away: others do not wait for the decision on it. */
async function callInTurn(work: Work, step: ExecutionStep, runnable: readonly StepsDay[]) {
  const call = () => work.run.call(step, workOf(work, step, runnable));
  if (step.shard === undefined) return call();
  const name = unsharded(step.id);
  const turns = work.turns.get(name) ?? { free: SHARDS_AT_ONCE, waiting: [] };
  work.turns.set(name, turns);
  if (turns.free > 0) turns.free -= 1;
  else await new Promise<void>((resolve) => turns.waiting.push(resolve));
  try {
    return await call();
  } finally {
    const next = turns.waiting.shift();
    if (next === undefined) turns.free += 1;
    else next();
  }
}

/**
 * An operator does without a part: what it delivered before stays, and is cut again first where its
 * slice is lost.
 */
async function doWithout(
  work: Work,
  step: ExecutionStep,
  day: StepsDay,
  reason: string,
): Promise<StepState> {
  const before = day.delivered?.[step.id];
  if (before === undefined) return { state: 'skipped', reason };
  const lost = before.recut === undefined ? undefined : await whyStillLost(work, step, day, before);
  if (lost !== undefined)
    return { state: 'skipped', reason: `${reason}; what it delivered before is lost: ${lost}` };
  return keptState(before, { code: SKIPPED, message: reason });
}

/** Undefined: the slice is there again. */
async function whyStillLost(
  work: Work,
  step: ExecutionStep,
  day: StepsDay,
  before: DeliveredBefore,
): Promise<string | undefined> {
  const delivered = { [step.id]: { ...before, recut: 'only' } } as const;
  const [result] =
    (await work.run.cutAgain?.(step, workOf(work, step, [{ ...day, delivered }]))) ?? [];
  return result !== undefined && 'failure' in result ? result.failure.message : undefined;
}

/** What was delivered before stays when asking for it again fails. */
function failed(day: StepsDay, step: ExecutionStep, { failure }: StepFailed): StepState {
  const before = day.delivered?.[step.id];
  return before === undefined || before.recut === 'lost'
    ? { state: 'failed', ...failure }
    : keptState(before, failure);
}

function workOf(
  { steps, days, states }: Work,
  step: ExecutionStep,
  runnable: readonly StepsDay[],
): StepWork {
  return {
    days: runnable.map(({ date, delivered }) => {
      const state = states.get(date) ?? {};
      const notes = notesFor(step, steps, state);
      const recut = delivered?.[step.id]?.recut;
      return {
        date,
        inputs: inputKeys(step, state),
        ...(notes.length === 0 ? {} : { notes }),
        ...definedMembers({ recut }),
      };
    }),
    siblings: Object.fromEntries(step.siblings.map((id) => [id, keysOf(days, states, id)])),
  };
}

function keysOf(
  days: readonly StepsDay[],
  states: DayStates,
  step: StepId,
): Record<CivilDate, StepKey> {
  const keys: Record<CivilDate, StepKey> = {};
  for (const { date } of days) {
    const known = states.get(date)?.[step];
    if (known?.state === 'done') keys[date] = known.key;
  }
  return keys;
}
