import { definedMembers, firstOf } from '../given.ts';
import type { PipelineDefinition, StepDefinition } from './definition.ts';
import { LEFT_OUT, SKIPPED, isOfAnswer, partNotes } from './kept-delivery.ts';
import type { DeliveredBefore, KeptNote, PartStanding, StepNote } from './kept-delivery.ts';
import { isOfPreviousDays } from './lookback.ts';
import type { Manifest } from './manifest.ts';
import { isAsStored } from './planned-step.ts';
import type { PlannedStep } from './planned-step.ts';
import { splitShard, unsharded } from './shard.ts';
import type { Shard } from './shard.ts';
import { unansweredBy } from './unanswered.ts';
import type { Unanswered } from './unanswered.ts';
import { stageOf } from './vocabulary.ts';
import type { CivilDate, Stage, StepId, StepKey, Verdict } from './vocabulary.ts';

/**
 * How planned steps are executed, as data that a workflow can carry: the part of a definition that
 * it needs, the state of a day while it runs, and the pure rules between them.
 */

/**
 * An input as a workflow needs it: which step must have ended, and whether the day goes on without
 * it.
 */
export interface ExecutionInput {
  readonly name: string;
  readonly step: StepId;
  readonly optional: boolean;
  /** Of slices that come in shards: the one that is read. */
  readonly output?: string;
}

/**
 * A step as a workflow needs it. It is recorded in histories: members may be added, never renamed.
 */
export interface ExecutionStep {
  readonly id: StepId;
  readonly stage: Stage;
  readonly title: string;
  /** Inputs of the same day; outputs of previous days are looked up by the step itself. */
  readonly inputs: readonly ExecutionInput[];
  /** Steps whose outputs of previous days are read. */
  readonly siblings: readonly StepId[];
  readonly needsAnyOf: readonly string[];
  readonly queue: StepDefinition['queue'];
  readonly timeoutSeconds: number;
  readonly required: boolean;
  /** Of a download: the part. Plans of earlier versions do not say. */
  readonly part?: string;
  /**
   * What it brings is the same for many days, and tells of none of them. Plans of earlier versions
   * do not say.
   */
  readonly undated?: true;
  readonly withNotes?: boolean;
  /** The step is a shard; those of one step share its name without the shard. */
  readonly shard?: Shard;
  /** Inputs that stand for one gathered input each: one of each list must have rows. */
  readonly gathers?: readonly (readonly string[])[];
}

/** The state of one step of one day. */
export type StepState =
  | {
      readonly state: 'done';
      readonly key: StepKey;
      readonly how: 'ran' | 'reused';
      readonly empty: boolean;
      /** Of slices that come in shards: those that have no rows, by output name. */
      readonly lacks?: readonly string[];
      /** How many units it is without, because nobody has decided on them. */
      readonly heldUnits?: number;
      /** Of a download: its rows are made up. */
      readonly sample?: true;
      /** Why a download uses what was delivered before. */
      readonly kept?: KeptNote;
    }
  | { readonly state: 'failed'; readonly code: string; readonly message: string }
  | {
      readonly state: 'skipped';
      readonly reason: string;
      /** Of a download: nothing came of the last request, which this run does not repeat. */
      readonly unanswered?: Unanswered;
    };

/** Steps that are absent have not ended. */
export type DayState = Record<StepId, StepState>;

/** Days that are made together, however many. */
export const SEVERAL = 2;

/**
 * The definition's steps as a workflow needs them; for a set of several days without those made for
 * single days only.
 */
export function executionSteps(definition: PipelineDefinition, days: number): ExecutionStep[] {
  return definition.steps
    .filter((step) => days === 1 || step.singleDaysOnly !== true)
    .map((step) => ({
      id: step.id,
      stage: stageOf(step.id),
      title: step.title,
      inputs: step.inputs
        .filter((input) => !isOfPreviousDays(input))
        .map(({ name, step: read, optional, output }) => ({
          name,
          step: read,
          optional: optional === true,
          ...(splitShard(output).shard === undefined ? {} : { output }),
        })),
      siblings: [
        ...new Set(
          step.inputs
            .filter((input) => isOfPreviousDays(input) && input.asOf?.pipeline === undefined)
            .map((input) => input.step),
        ),
      ],
      needsAnyOf: step.needsAnyOf ?? [],
      queue: step.queue,
      timeoutSeconds: step.timeoutSeconds,
      required: step.required,
      ...definedMembers({ part: step.part }),
      ...(isUndated(step) ? { undated: true as const } : {}),
      ...(step.withNotes === true ? { withNotes: true } : {}),
      ...definedMembers({ shard: step.shard, gathers: step.gathers }),
    }));
}

/** A list that every day has, such as a road network. */
function isUndated({ part, outputs }: StepDefinition): boolean {
  return (
    part !== undefined && Object.values(outputs).every(({ sharedByDays }) => sharedByDays === true)
  );
}

/**
 * Those of the planned steps that a run of so many days executes: the ones that are made for single
 * days only are left out of several.
 */
export function stepsOfRun(
  definition: PipelineDefinition,
  days: number,
  planned: readonly PlannedStep[],
): PlannedStep[] {
  const executed = new Set(executionSteps(definition, days).map(({ id }) => id));
  return planned.filter(({ step }) => executed.has(step));
}

/**
 * What is out of date in a finished day, of a plan that does not ask the publisher and of the steps
 * that a backfill of stale days makes.
 */
export function staleSteps(
  planned: readonly PlannedStep[],
  manifest: Manifest | undefined,
): PlannedStep[] {
  if (manifest === undefined) return [];
  const stale = planned.filter((one) => !isAsStored(one, manifest));
  const behind = 'the newest version is not what its inputs give now';
  return stale.map((one) => (one.action === 'reuse' ? { ...one, reason: behind } : one));
}

/**
 * What the plan settles before anything runs: reused and skipped steps. The others are left out,
 * and run.
 */
export function settledStates(planned: readonly PlannedStep[]): DayState {
  const state: DayState = {};
  for (const {
    step,
    action,
    key,
    empty,
    lacks,
    sample,
    heldUnits,
    reason,
    kept,
    unanswered,
  } of planned) {
    const note = {
      ...definedMembers({ sample, heldUnits, lacks, kept }),
    };
    if (action === 'skip')
      state[step] = { state: 'skipped', reason, ...definedMembers({ unanswered }) };
    else if (action === 'reuse' && key !== undefined)
      state[step] = { state: 'done', key, how: 'reused', empty: empty === true, ...note };
  }
  return state;
}

/** The downloads that are asked for again, and what stays of each when that fails. */
export function deliveredBefore(planned: readonly PlannedStep[]): Record<StepId, DeliveredBefore> {
  const delivered: Record<StepId, DeliveredBefore> = {};
  for (const { step, action, key, since, recut, sample } of planned) {
    if (action === 'reuse' || key === undefined || since === undefined) continue;
    const made = definedMembers({ sample });
    delivered[step] = { key, since, ...definedMembers({ recut }), ...made };
  }
  return delivered;
}

/**
 * Whether a run that forces a step executes this one even where the ledger has it. A download takes
 * what the publisher has as it is only when it is named itself: whoever wants a metric made anew
 * has not said that a smaller answer is right.
 */
export function isForced(
  { id, stage }: Pick<ExecutionStep, 'id' | 'stage'>,
  fromStep: StepId | Stage | undefined,
): boolean {
  return fromStep !== undefined && (stage !== 'download' || fromStep === stage || fromStep === id);
}

/** What a step is to be told of the parts of its day; none for a step that does not ask. */
export function notesFor(
  step: ExecutionStep,
  steps: readonly ExecutionStep[],
  day: DayState,
): StepNote[] {
  if (step.withNotes !== true) return [];
  return partNotes(
    steps.flatMap(({ id, part }): PartStanding[] => {
      const state = day[id];
      if (part === undefined || state === undefined) return [];
      if (state.state === 'done') return [{ part, note: state.kept, sample: state.sample }];
      const unanswered = state.state === 'failed' ? unansweredBy(state.code) : state.unanswered;
      return [{ part, note: undefined, unanswered }];
    }),
  );
}

/**
 * Whether a step of a day can run now that all steps it reads have ended, or why it is left out.
 */
export function blockedBy(step: ExecutionStep, day: DayState): string | undefined {
  const hasRows = (input: ExecutionInput): boolean => keyOf(input, day) !== null;
  const gone = step.inputs.find((input) => !input.optional && !hasRows(input));
  if (gone !== undefined) return `${gone.step} has no output`;
  const candidates = step.inputs.filter((input) => step.needsAnyOf.includes(input.name));
  if (candidates.length > 0 && !candidates.some(hasRows)) {
    return `none of ${candidates.map((input) => input.step).join(', ')} has rows`;
  }
  const lost = step.gathers?.find(
    (names) => !step.inputs.some((input) => names.includes(input.name) && hasRows(input)),
  );
  if (lost !== undefined) return `no shard of ${unsharded(firstOf(lost))} has rows`;
  return undefined;
}

/** The key of each same-day input, null where it has no output. */
export function inputKeys(step: ExecutionStep, day: DayState): Record<string, StepKey | null> {
  return Object.fromEntries(step.inputs.map((input) => [input.name, keyOf(input, day)]));
}

function keyOf({ step, output }: ExecutionInput, day: DayState): StepKey | null {
  const state = day[step];
  if (state?.state !== 'done' || state.empty) return null;
  return output !== undefined && state.lacks?.includes(output) === true ? null : state.key;
}

/** A shard without rows is none that is missing, as long as other shards of its step have some. */
function isMade(step: ExecutionStep, steps: readonly ExecutionStep[], day: DayState): boolean {
  const state = day[step.id]?.state;
  if (state !== 'skipped' || step.shard === undefined) return state === 'done';
  const name = unsharded(step.id);
  return steps.some(
    ({ id, shard }) => shard !== undefined && unsharded(id) === name && day[id]?.state === 'done',
  );
}

/** An operator's word, and nothing that was delivered before. */
function isLeftOut(state: StepState | undefined): boolean {
  return state?.state === 'skipped' && state.reason.startsWith(LEFT_OUT);
}

/**
 * No part that tells of the day has a row. Plans of earlier versions do not say which steps bring
 * parts.
 */
function isMadeOfNothing(steps: readonly ExecutionStep[], day: DayState): boolean {
  const downloads = steps.filter(({ part, undated }) => part !== undefined && undated !== true);
  return (
    downloads.length > 0 &&
    downloads.every(({ id }) => {
      const state = day[id];
      return state?.state !== 'done' || state.empty;
    })
  );
}

/**
 * The failure that decides the verdict; `code` is text, because Temporal's own failures have other
 * codes.
 */
export interface DayFailure {
  readonly step: StepId;
  readonly code: string;
  readonly message: string;
}

/** How the steps of a day ended, before anybody decides on held data. */
export interface DayOutcome {
  readonly date: CivilDate;
  readonly verdict: Extract<Verdict, 'ok' | 'degraded' | 'no_data' | 'failed'>;
  readonly failure?: DayFailure;
}

/**
 * How a day ended. `no_data` when a required step had nothing to work on, or nothing but rows
 * without values, and nothing else failed, also when its report could be made of nothing, or of
 * nothing but lists that every day has; `degraded` when something failed that is not required, or
 * an operator did without a part; `failed` names the required step, or else the first failed step,
 * because its failure is what left the required step without input.
 */
export function dayOutcome(
  date: CivilDate,
  steps: readonly ExecutionStep[],
  day: DayState,
): DayOutcome {
  const failures = steps.flatMap((step): (DayFailure & { required: boolean })[] => {
    const state = day[step.id];
    return state?.state === 'failed'
      ? [{ step: step.id, code: state.code, message: state.message, required: step.required }]
      : [];
  });
  const kept = steps.flatMap(({ id }): DayFailure[] => {
    const state = day[id];
    const note = state?.state === 'done' ? state.kept : undefined;
    return note === undefined ? [] : [{ step: id, code: note.code, message: note.message }];
  });
  const requiredDone = steps.every((step) => !step.required || isMade(step, steps, day));
  const isWithoutUnits = steps.some(({ id }) => {
    const state = day[id];
    return state?.state === 'done' && (state.heldUnits ?? 0) > 0;
  });
  const isLeftToOperator = steps.some(({ id }) => isLeftOut(day[id]));
  const isLess = failures.length + kept.length > 0 || isWithoutUnits || isLeftToOperator;
  if (requiredDone && isLess) return { date, verdict: 'degraded' };
  if (requiredDone) return { date, verdict: isMadeOfNothing(steps, day) ? 'no_data' : 'ok' };
  const real = failures.filter(({ code }) => code !== 'SRC_NOT_PUBLISHED');
  const unasked = kept.find(
    ({ code }) => code !== 'SRC_NOT_PUBLISHED' && code !== SKIPPED && !isOfAnswer({ code }),
  );
  const cause = real.find((failure) => failure.required) ?? real[0] ?? unasked;
  if (cause === undefined) return { date, verdict: isLeftToOperator ? 'degraded' : 'no_data' };
  return {
    date,
    verdict: 'failed',
    failure: { step: cause.step, code: cause.code, message: cause.message },
  };
}
