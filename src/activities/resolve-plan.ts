import { PipelineError } from '../errors.ts';
import { parseCivilDate } from '../pipelines/civil-date.ts';
import type { Dataset } from '../pipelines/dataset.ts';
import type { Decision } from '../pipelines/decision.ts';
import { stepOf } from '../pipelines/definition.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import { deliveredBefore, executionSteps, settledStates } from '../pipelines/execution.ts';
import type { Manifest } from '../pipelines/manifest.ts';
import { isUpToDate } from '../pipelines/plan.ts';
import type { DayPlan, PlanOptions } from '../pipelines/plan.ts';
import { revisionOf } from '../pipelines/revision.ts';
import { describeRow } from '../pipelines/stored-records.ts';
import { STAGES } from '../pipelines/vocabulary.ts';
import type { CivilDate, StepId } from '../pipelines/vocabulary.ts';
import { afterDayEnd } from '../pipelines/zoned-day.ts';
import type { PlanRequest, ResolvedDay, ResolvedWindow } from './contract.ts';
import { readDegraded } from './degraded.ts';
import { datasetOf } from './engine.ts';
import type { Engine } from './engine.ts';
import { planOnStored, surveyDays } from './evidence.ts';
import type { Survey } from './evidence.ts';
import { unpublishedScopes } from './publish-versions.ts';
import { refuseRow } from './read-rows.ts';

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
): Promise<StoredPlans> {
  const survey = await surveyDays(engine, definition, dates);
  const { manifests, versions, unreadable, unseen } = survey;
  const decisions = new Map(survey.evidence.map((day) => [day.date, day.decisions ?? []]));
  const plans = await planOnStored(engine, definition, survey, options);
  return { plans, manifests, versions, decisions, unreadable, unseen };
}

/** Refuses what cannot be planned, with what to write instead. */
export function checkRequest(definition: PipelineDefinition, { dates, options }: Omit<PlanRequest, 'pipeline'>): void {
  for (const date of dates) {
    parseCivilDate(date);
    if (date < definition.since) {
      throw new PipelineError(
        'PLAN_INVALID',
        `${definition.name} has no data before ${definition.since}; ${date} was asked for`,
      );
    }
  }
  const { fromStep } = options;
  if (fromStep !== undefined && !STAGES.some((stage) => stage === fromStep)) stepOf(definition, fromStep);
}

/** The plan of one day with all that is needed to execute it. */
export async function resolveDay(engine: Engine, request: PlanRequest): Promise<ResolvedDay> {
  const { definition } = datasetOf(engine, request.pipeline);
  checkRequest(definition, request);
  const [date] = request.dates;
  if (date === undefined) throw new PipelineError('PLAN_INVALID', 'no date was given');
  const stored = await planFromStores(engine, definition, [date], request.options);
  const { plans, manifests, versions, decisions } = stored;
  refuseBlind(stored, date);
  const [plan] = plans;
  if (plan === undefined) throw new PipelineError('INTERNAL', `no plan came of ${date}`);
  const manifest = manifests.get(date);
  const all = versions.get(date) ?? [];
  return {
    steps: executionSteps(definition, 1),
    plan: { ...plan, upToDate: plan.upToDate && (await unpublishedScopes(engine, definition, [all])).size === 0 },
    retry: engine.retry,
    ...calendarOf(engine, definition, date),
    queues: stepQueues(engine, datasetOf(engine, request.pipeline)),
    decisions: decisions.get(date) ?? [],
    known:
      manifest === undefined
        ? null
        : {
            version: manifest.version,
            verdict: (await readDegraded(engine, definition.name, [date])).has(date) ? 'degraded' : manifest.verdict,
            revision: revisionOf(definition, manifest, engine.now()) ?? null,
          },
  };
}

/** A day of which something cannot be read, or not be seen from here, would be made of less than it was. */
function refuseBlind({ unreadable, unseen }: StoredPlans, date: CivilDate): void {
  const row = unreadable.get(date);
  if (row !== undefined) throw refuseRow(row);
  const why = unseen.get(date);
  if (why !== undefined) throw new PipelineError('STORE_UNAVAILABLE', why, { context: { date } });
}

function calendarOf(
  engine: Engine,
  { zone, publication }: PipelineDefinition,
  date: CivilDate,
): Pick<ResolvedDay, 'at' | 'waitUntil' | 'nextTryAt' | 'cutOffAt' | 'holdUntil'> {
  const now = engine.now();
  const expectedAt = afterDayEnd(date, zone, publication.expectedAfter);
  const nextTry = new Date(now.getTime() + publication.pollEveryMinutes * 60_000);
  return {
    at: now.toISOString(),
    waitUntil: now < expectedAt ? expectedAt.toISOString() : null,
    nextTryAt: nextTry.toISOString(),
    holdUntil: new Date(now.getTime() + publication.holdDays * 86_400_000).toISOString(),
    cutOffAt: afterDayEnd(date, zone, publication.cutOffAfter).toISOString(),
  };
}

/** The task queue of every step: downloads have one per host, so that the host's rate limit holds for all workers together. */
export function stepQueues(engine: Pick<Engine, 'queues'>, dataset: Dataset): Record<StepId, string> {
  return Object.fromEntries(
    dataset.definition.steps.map((step) => {
      const host = step.part === undefined ? undefined : dataset.sources[step.part]?.host;
      return [step.id, host === undefined ? engine.queues[step.queue] : fetchQueue(engine.queues.fetch, host)];
    }),
  );
}

export function fetchQueue(base: string, host: string): string {
  return `${base}-${host}`;
}

/** The plan of a set of days without words. */
export async function resolveWindow(engine: Engine, request: PlanRequest): Promise<ResolvedWindow> {
  const dataset = datasetOf(engine, request.pipeline);
  const { definition } = dataset;
  checkRequest(definition, request);
  const dates = [...request.dates].sort();
  const stored = await planFromStores(engine, definition, dates, request.options);
  const { plans, manifests, versions, decisions, unreadable, unseen } = stored;
  const steps = executionSteps(definition, Math.max(2, request.dates.length));
  const ids = new Set(steps.map((step) => step.id));
  const upToDate: CivilDate[] = [];
  const days: ResolvedWindow['days'][number][] = [];
  for (const plan of plans.filter(({ date }) => !unseen.has(date))) {
    const planned = plan.steps.filter((step) => ids.has(step.step));
    const manifest = manifests.get(plan.date);
    if (isUpToDate(planned, manifest)) upToDate.push(plan.date);
    else {
      const decided = decisions.get(plan.date) ?? [];
      const known = decided.length === 0 ? {} : { decisions: decided };
      const [state, delivered] = [settledStates(planned), deliveredBefore(planned)];
      days.push({ date: plan.date, state, delivered, base: manifest?.version ?? 0, ...known });
    }
  }
  const marks = await readDegraded(engine, definition.name, upToDate);
  const degraded = upToDate.filter((date) => manifests.get(date)?.verdict === 'degraded' || marks.has(date));
  const known = degraded.length === 0 ? {} : { degraded };
  const rows = [...unreadable].map(([date, row]) => ({ date, why: `STORE_CORRUPT: ${describeRow(row)}` }));
  for (const [date, why] of unseen) rows.push({ date, why: `STORE_UNAVAILABLE: ${why}` });
  const careful = rows.length === 0 ? {} : { careful: rows };
  const made = upToDate.map((date) => versions.get(date) ?? []);
  const unpublished = [...(await unpublishedScopes(engine, definition, made)).keys()].sort();
  const told = { upToDate, ...known, unpublished, days, ...careful };
  return { steps, retry: engine.retry, queues: stepQueues(engine, dataset), ...told };
}
