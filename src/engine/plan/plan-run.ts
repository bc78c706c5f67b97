import type { Decision } from '../../pipelines/decision.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { stepsOfRun } from '../../pipelines/execution.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { isUpToDate } from '../../pipelines/planned-step.ts';
import type { DayPlan, PlanOptions, PlannedStep } from '../../pipelines/planned-step.ts';
import { isAfterStage, stageOf } from '../../pipelines/vocabulary.ts';
import type { CivilDate, Stage } from '../../pipelines/vocabulary.ts';
import { damageOf } from '../content-store.ts';
import type { Engine } from '../engine.ts';
import { mapConcurrent } from '../map-concurrent.ts';
import { planOnStored, surveyDays } from './evidence.ts';
import type { Survey } from './evidence.ts';
import { unpublishedScopes } from '../publish/publish-versions.ts';

const DAYS_AT_ONCE = 16;

/** Plans and all that was read for them, so that nobody has to read it twice. */
export interface StoredPlans {
  /** Ascending; none for a day of which a row cannot be read. */
  readonly plans: DayPlan[];
  readonly manifests: ReadonlyMap<CivilDate, Manifest>;
  /** Every version, oldest first. */
  readonly versions: ReadonlyMap<CivilDate, readonly Manifest[]>;
  readonly decisions: ReadonlyMap<CivilDate, readonly Decision[]>;
  readonly unreadable: Survey['unreadable'];
  readonly unseen: Survey['unseen'];
}

/** The plans of a set of days from what the stores have now. */
export async function planFromStores(
  engine: Engine,
  definition: PipelineDefinition,
  dates: readonly CivilDate[],
  options: PlanOptions,
  earlier: readonly DayPlan[] = [],
): Promise<StoredPlans> {
  const survey = await surveyDays(engine, definition, dates);
  const { manifests, versions, unreadable, unseen } = survey;
  const decisions = new Map(survey.evidence.map((day) => [day.date, day.decisions ?? []]));
  const plans = await planOnStored(engine, definition, survey, options, earlier);
  return { plans, manifests, versions, decisions, unreadable, unseen };
}

/**
 * What a run does to a day: the one answer that `plan`, `stale`, the backfills and the runs
 * themselves give.
 */
export interface RunPlan extends DayPlan {
  /** Of all steps, also those that this run does not make: what later days are planned from. */
  readonly whole: DayPlan;
  /** The newest version is what the plan gives; `upToDate` when that is published as well. */
  readonly made: boolean;
  /** Published names that do not show the newest version, or are there without belonging to it. */
  readonly unpublished: readonly string[];
}

/** Each plan reduced to what the run is going to do. */
export interface RunPlans extends Omit<StoredPlans, 'plans'> {
  readonly plans: readonly RunPlan[];
}

/** How the days are going to be made, which decides what is left out. */
export interface RunOptions extends PlanOptions {
  /**
   * How many days are made together: 1, also for a range with pages, or `SEVERAL` for one without.
   */
  readonly days: number;
  /** The plans of days before these that the same run makes. */
  readonly earlier?: readonly DayPlan[];
  /** Leave out the stages after this one. */
  readonly until?: Stage | undefined;
}

/**
 * The plans of the days for a run of so many; a day is up to date when its published names are
 * right as well.
 */
export async function planRun(
  engine: Engine,
  definition: PipelineDefinition,
  dates: readonly CivilDate[],
  { days, until, earlier = [], ...options }: RunOptions,
): Promise<RunPlans> {
  const stored = await planFromStores(engine, definition, dates, options, earlier);
  const planned = await mapConcurrent(stored.plans, DAYS_AT_ONCE, async (whole) => {
    const manifest = stored.manifests.get(whole.date);
    const made = stepsOfRun(definition, days, whole.steps);
    const lost = days === 1 ? [] : await lostSteps(engine, definition, manifest);
    const steps = [...made, ...lost].filter(({ step }) => !isAfterStage(stageOf(step), until));
    return { ...whole, whole, steps, made: isUpToDate(steps, manifest) };
  });
  const done = planned
    .filter(({ made }) => made)
    .map(({ date }) => stored.versions.get(date) ?? []);
  const wrong = await unpublishedScopes(engine, definition, done);
  const plans = planned.map((plan) => {
    const unpublished = wrong.get(plan.date) ?? [];
    return { ...plan, unpublished, upToDate: plan.made && unpublished.length === 0 };
  });
  return { ...stored, plans };
}

/**
 * Of the steps that are made for single days alone, those of which the newest version names an
 * output that is gone or damaged: a run of several days cannot make it, so that its version goes on
 * without it, and says why.
 */
async function lostSteps(
  { objects }: Pick<Engine, 'objects'>,
  { steps }: PipelineDefinition,
  manifest: Manifest | undefined,
): Promise<PlannedStep[]> {
  const lost: PlannedStep[] = [];
  for (const { id } of steps.filter(({ singleDaysOnly }) => singleDaysOnly === true)) {
    const state = manifest?.steps[id];
    for (const [output, ref] of state?.state === 'done' ? Object.entries(state.outputs) : []) {
      const damage = await damageOf(objects, ref);
      if (damage === undefined) continue;
      lost.push({
        step: id,
        action: 'skip',
        reason: `output ${output} ${damage}, and it is made for single days alone`,
      });
      break;
    }
  }
  return lost;
}
