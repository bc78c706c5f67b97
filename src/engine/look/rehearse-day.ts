import { PipelineError, asPipelineError } from '../../errors.ts';
import { dayOutcome, deliveredBefore, settledStates } from '../../pipelines/execution.ts';
import type { DayFailure, DayState } from '../../pipelines/execution.ts';
import { keyIn } from '../../pipelines/manifest.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { runSteps } from '../../pipelines/run-steps.ts';
import type { HoldQuestion, StepsRun } from '../../pipelines/run-steps.ts';
import type { VersionDiff } from '../../pipelines/version-diff.ts';
import type { CivilDate, Period, StepId, Verdict } from '../../pipelines/vocabulary.ts';
import { commitDays } from '../commit/commit-manifest.ts';
import { executeRollup } from '../derive/execute-rollup.ts';
import { executeDownload } from '../download/execute-download.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { executeStep } from '../execute/execute-step.ts';
import { resolveDerived } from '../plan/resolve-derived.ts';
import { resolveDay } from '../plan/resolve-plan.ts';
import { newestManifests } from '../records/ledger-reader.ts';
import { compareVersions } from './compare-versions.ts';

/** What a run of a day would change in the months, years and history that are made from it. */
export interface Rehearsal {
  /**
   * How the day would end; `quarantined`: a person would be asked first, and nothing of it would
   * get any further.
   */
  readonly verdict: Verdict;
  /** The steps that a person would be asked about. */
  readonly held: readonly StepId[];
  /** Of a day that would fail; null otherwise. */
  readonly failure: DayFailure | null;
  /** Those that would get another version, in the order in which they would be made. */
  readonly periods: readonly RehearsedPeriod[];
}

/** A period that would get another version. */
export interface RehearsedPeriod {
  readonly period: Period;
  readonly step: StepId;
  /** Against the version that is there; null for the first one. */
  readonly diff: VersionDiff | null;
}

/**
 * Makes the day and every period that it reaches in stores that keep what is written to themselves,
 * and compares these periods with what is there. Nobody is asked: what was delivered before is
 * used, as with a run that is `offline`. It takes the time that the run takes.
 */
export async function rehearseDay(
  stores: Engine,
  control: StepControl,
  pipeline: string,
  date: CivilDate,
): Promise<Rehearsal> {
  const { withOverlay, fallback: _, ...engine } = stores;
  if (withOverlay === undefined)
    throw new PipelineError('INTERNAL', 'this process has no place to try a run in');
  datasetOf(engine, pipeline);
  return withOverlay(async (overlay) => {
    const trial: Engine = { ...engine, ...overlay };
    const day = await tryDay(trial, control, pipeline, date);
    const isDone = day.held.length === 0 && day.failure === null;
    return {
      ...day,
      periods: isDone ? await tryPeriods(stores, trial, control, pipeline, date) : [],
    };
  });
}

async function tryDay(
  engine: Engine,
  control: StepControl,
  pipeline: string,
  date: CivilDate,
): Promise<Omit<Rehearsal, 'periods'>> {
  const { plan, steps, known, decisions } = await resolveDay(engine, {
    pipeline,
    dates: [date],
    options: { offline: true },
  });
  if (plan.upToDate) return { verdict: known?.verdict ?? 'no_data', held: [], failure: null };
  const held: StepId[] = [];
  const state = settledStates(plan.steps);
  const asked: StepsRun['decide'] = ({ step, key }: HoldQuestion) => {
    const decided = decisions.find((one) => one.step === step && one.key === key)?.decision;
    if (decided === 'accept') return Promise.resolve(undefined);
    if (decided === undefined) held.push(step);
    return Promise.resolve({
      state: 'failed',
      code: 'DATA_CHECK_FAILED',
      message: `${step} is held`,
    });
  };
  const states = await runSteps(
    { steps, days: [{ date, state, delivered: deliveredBefore(plan.steps) }] },
    { call: callOf(engine, control, pipeline), decide: asked },
  );
  const ended: DayState = states.get(date) ?? state;
  const outcome = dayOutcome(date, steps, ended);
  if (held.length > 0) return { verdict: 'quarantined', held, failure: null };
  if (outcome.failure !== undefined)
    return { verdict: outcome.verdict, held, failure: outcome.failure };
  const base = known?.version ?? 0;
  const days = [{ outcome, state: ended, decisions, base }];
  await commitDays(engine, control, { pipeline, reason: 'manual', days });
  return { verdict: outcome.verdict, held, failure: null };
}

function callOf(engine: Engine, control: StepControl, pipeline: string): StepsRun['call'] {
  return async ({ id, stage }, work) => {
    control.signal.throwIfAborted();
    const execute = stage === 'download' ? executeDownload : executeStep;
    try {
      return (await execute(engine, { pipeline, step: id, ...work, force: false }, control)).days;
    } catch (error) {
      control.signal.throwIfAborted();
      const { code, message } = asPipelineError(error);
      return work.days.map(({ date }) => ({ date, failure: { code, message } }));
    }
  };
}

async function tryPeriods(
  stores: Engine,
  trial: Engine,
  control: StepControl,
  pipeline: string,
  date: CivilDate,
): Promise<RehearsedPeriod[]> {
  const { definition } = datasetOf(stores, pipeline);
  const { rollups } = await resolveDerived(trial, pipeline, [date], control);
  const changed: RehearsedPeriod[] = [];
  for (const { step, periods } of rollups) {
    await executeRollup(trial, { pipeline, step, periods, isolate: true }, control);
    const before = await newestManifests(stores.documents, definition.name, periods);
    const after = await newestManifests(trial.documents, definition.name, periods);
    for (const period of periods) {
      const [then, now] = [before.get(period), after.get(period)];
      if (now === undefined || isSame(then, now, step)) continue;
      const diff =
        then === undefined ? null : await compareVersions(trial, then, now, control.signal);
      changed.push({ period, step, diff });
    }
  }
  return changed;
}

function isSame(then: Manifest | undefined, now: Manifest, step: StepId): boolean {
  return keyIn(then, step) === keyIn(now, step);
}
