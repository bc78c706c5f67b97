import { asPipelineError } from '../../errors.ts';
import {
  blockedBy,
  dayOutcome,
  executionSteps,
  inputKeys,
  notesFor,
  settledStates,
} from '../../pipelines/execution.ts';
import type { DayState, ExecutionStep } from '../../pipelines/execution.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { keyIn } from '../../pipelines/manifest.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { isUpToDate } from '../../pipelines/planned-step.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { commitDays } from './commit-manifest.ts';
import type { StepDone, StepFailed } from '../../pipelines/run-steps.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { executeStep } from '../execute/execute-step.ts';
import { planFromStores } from '../plan/plan-run.ts';

/** What came of making a day whole: its version, or why only a run of the day can do it. */
export interface FinishedDay {
  readonly version: number | null;
  readonly why: string | null;
}

/**
 * Executes what is missing of a day that has its downloads, without Temporal and without asking
 * anybody, and commits it. What needs a publisher, a decision or another try is left to a run of
 * the day. `mayBeEmpty`: a day without any rows is committed as such.
 */
export async function finishDay(
  engine: Engine,
  control: StepControl,
  pipeline: string,
  date: CivilDate,
  { mayBeEmpty = false } = {},
): Promise<FinishedDay> {
  const { definition } = datasetOf(engine, pipeline);
  const { plans, manifests, decisions, unreadable } = await planFromStores(
    engine,
    definition,
    [date],
    {
      offline: true,
    },
  );
  const [plan] = plans;
  if (plan === undefined)
    return { version: null, why: unreadable.get(date)?.why ?? 'it cannot be planned' };
  const manifest = manifests.get(date);
  const base = manifest?.version ?? 0;
  const steps = executionSteps(definition, madeAlone(definition, manifest) ? 1 : 2);
  const planned = plan.steps.filter(({ step }) => steps.some(({ id }) => id === step));
  if (isUpToDate(planned, manifest)) return { version: base, why: null };
  const state = settledStates(planned);
  for (const step of steps.filter(({ id }) => state[id] === undefined)) {
    const why = await settle(engine, control, { pipeline, date, step, steps, state });
    if (why !== undefined) return { version: null, why };
  }
  const outcome = dayOutcome(date, steps, state);
  const { verdict } = outcome;
  if (verdict === 'failed' || (verdict === 'no_data' && !mayBeEmpty)) {
    return { version: null, why: outcome.failure?.message ?? `it would be ${verdict}` };
  }
  const decided = {
    outcome: { ...outcome, verdict },
    state,
    decisions: decisions.get(date) ?? [],
    base,
  };
  const { days } = await commitDays(engine, control, {
    pipeline,
    reason: 'manual',
    days: [decided],
  });
  const version = days[0]?.version ?? null;
  return { version, why: version === null ? 'another run has committed it meanwhile' : null };
}

/**
 * A day that was made in a window has none of the steps that only single days have; it gets none
 * now.
 */
function madeAlone({ steps }: PipelineDefinition, manifest: Manifest | undefined): boolean {
  return (
    manifest === undefined ||
    steps.some((step) => step.singleDaysOnly === true && keyIn(manifest, step.id))
  );
}

interface Settling {
  readonly pipeline: string;
  readonly date: CivilDate;
  readonly step: ExecutionStep;
  readonly steps: readonly ExecutionStep[];
  readonly state: DayState;
}

/** Puts the outcome of one step into the state; what ends the whole, in words. */
async function settle(
  engine: Engine,
  control: StepControl,
  settling: Settling,
): Promise<string | undefined> {
  const { pipeline, date, step, steps, state } = settling;
  if (step.stage === 'download') return `${step.id} has to be fetched again`;
  const reason = blockedBy(step, state);
  if (reason !== undefined) {
    state[step.id] = { state: 'skipped', reason };
    return undefined;
  }
  const notes = notesFor(step, steps, state);
  const day = { date, inputs: inputKeys(step, state), ...(notes.length === 0 ? {} : { notes }) };
  const request = { pipeline, step: step.id, days: [day], siblings: {}, force: false };
  const answer = await attempt(() => executeStep(engine, request, control), date);
  if ('failure' in answer) {
    state[step.id] = { state: 'failed', ...answer.failure };
    return undefined;
  }
  if (answer.held.length > 0) return `${step.id} waits for a decision`;
  const { key, how, empty } = answer;
  state[step.id] = { state: 'done', key, how, empty };
  return undefined;
}

async function attempt(
  work: () => Promise<{ readonly days: readonly (StepDone | StepFailed)[] }>,
  date: CivilDate,
): Promise<StepDone | StepFailed> {
  try {
    const [answer] = (await work()).days;
    if (answer !== undefined) return answer;
  } catch (error) {
    const { code, message } = asPipelineError(error);
    if (code === 'STORE_UNAVAILABLE') throw error;
    return { date, failure: { code, message } };
  }
  return { date, failure: { code: 'INTERNAL', message: 'the step gave no answer' } };
}
