import { PipelineError } from '../../errors.ts';
import { parseCivilDate } from '../../pipelines/civil-date.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import { stepOf, stepsNamed } from '../../pipelines/definition.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import {
  SEVERAL,
  deliveredBefore,
  executionSteps,
  settledStates,
} from '../../pipelines/execution.ts';
import { revisionOf } from '../../pipelines/revision.ts';
import { describeRow } from '../../pipelines/stored-records.ts';
import { STAGES } from '../../pipelines/vocabulary.ts';
import type { CivilDate, StepId } from '../../pipelines/vocabulary.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import { afterDayEnd } from '../../pipelines/zoned-day.ts';
import type { PlanRequest, ResolvedDay, ResolvedWindow } from '../contract.ts';
import { readDegraded } from '../records/degraded.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { clearFailures } from '../records/failures.ts';
import { planRun } from './plan-run.ts';
import type { RunPlans } from './plan-run.ts';
import { refuseRow } from '../records/read-rows.ts';

/** Refuses what cannot be planned, with what to write instead. */
export function checkRequest(
  definition: PipelineDefinition,
  { dates, options }: Omit<PlanRequest, 'pipeline'>,
): void {
  const firstDay = firstDayOf(definition);
  for (const date of dates) {
    parseCivilDate(date);
    if (date < firstDay) {
      throw new PipelineError(
        'PLAN_INVALID',
        `${definition.name} has no data before ${firstDay}; ${date} was asked for`,
      );
    }
  }
  const { fromStep } = options;
  if (fromStep === undefined) return;
  const isKnown =
    STAGES.some((stage) => stage === fromStep) || stepsNamed(definition, fromStep).length > 0;
  if (!isKnown) stepOf(definition, fromStep);
}

/** The plan of one day with all that is needed to execute it. */
export async function resolveDay(engine: Engine, request: PlanRequest): Promise<ResolvedDay> {
  const { definition } = datasetOf(engine, request.pipeline);
  checkRequest(definition, request);
  const [date] = request.dates;
  if (date === undefined) throw new PipelineError('PLAN_INVALID', 'no date was given');
  const stored = await planRun(engine, definition, [date], { ...request.options, days: 1 });
  const { plans, manifests, decisions } = stored;
  refuseBlind(stored, date);
  const [planned] = plans;
  if (planned === undefined) throw new PipelineError('INTERNAL', `no plan came of ${date}`);
  const { steps, upToDate } = planned;
  const manifest = manifests.get(date);
  // Whatever failed before, nothing is left to do.
  if (upToDate) await clearFailures(engine.documents, definition.name, [{ scope: date }]);
  return {
    steps: executionSteps(definition, 1),
    plan: { date, steps, upToDate },
    retry: engine.retry,
    ...calendarOf(engine, definition, date),
    queues: stepQueues(engine, datasetOf(engine, request.pipeline)),
    decisions: decisions.get(date) ?? [],
    known:
      manifest === undefined
        ? null
        : {
            version: manifest.version,
            verdict: (await readDegraded(engine, definition.name, [date])).has(date)
              ? 'degraded'
              : manifest.verdict,
            revision: revisionOf(definition, manifest, engine.now()) ?? null,
          },
  };
}

/**
 * A day of which something cannot be read, or not be seen from here, would be made of less than it
 * was.
 */
function refuseBlind(
  { unreadable, unseen }: Pick<RunPlans, 'unreadable' | 'unseen'>,
  date: CivilDate,
): void {
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

/**
 * The task queue of every step: downloads have one per host, so that the host's rate limit holds
 * for all workers together.
 */
export function stepQueues(
  engine: Pick<Engine, 'queues'>,
  dataset: Dataset,
): Record<StepId, string> {
  return Object.fromEntries(
    dataset.definition.steps.map((step) => {
      const host = step.part === undefined ? undefined : dataset.sources[step.part]?.host;
      return [
        step.id,
        host === undefined ? engine.queues[step.queue] : fetchQueue(engine.queues.fetch, host),
      ];
    }),
  );
}

/** One queue per publisher, so that its limit of requests holds over all workers. */
export function fetchQueue(base: string, host: string): string {
  return `${base}-${host}`;
}

/** The plan of a set of days without words. */
export async function resolveWindow(engine: Engine, request: PlanRequest): Promise<ResolvedWindow> {
  const dataset = datasetOf(engine, request.pipeline);
  const { definition } = dataset;
  checkRequest(definition, request);
  const dates = [...request.dates].sort();
  const together = request.pages === true ? 1 : SEVERAL;
  const stored = await planRun(engine, definition, dates, { ...request.options, days: together });
  const { manifests, decisions, unreadable, unseen } = stored;
  const plans = stored.plans.filter(({ date }) => !unseen.has(date));
  const behind = plans.filter(({ made }) => !made);
  const days = behind.map(({ date, steps }): ResolvedWindow['days'][number] => {
    const decided = decisions.get(date) ?? [];
    const known = decided.length === 0 ? {} : { decisions: decided };
    const [state, delivered] = [settledStates(steps), deliveredBefore(steps)];
    return { date, state, delivered, base: manifests.get(date)?.version ?? 0, ...known };
  });
  const upToDate = plans.filter(({ made }) => made).map(({ date }) => date);
  // Whatever failed before, nothing is left to do.
  const scopes = upToDate.map((scope) => ({ scope }));
  await clearFailures(engine.documents, definition.name, scopes);
  const marks = await readDegraded(engine, definition.name, upToDate);
  const degraded = upToDate.filter(
    (date) => manifests.get(date)?.verdict === 'degraded' || marks.has(date),
  );
  const noData = upToDate.filter(
    (date) => manifests.get(date)?.verdict === 'no_data' && !marks.has(date),
  );
  const known = {
    ...(degraded.length === 0 ? {} : { degraded }),
    ...(noData.length === 0 ? {} : { noData }),
  };
  const rows = [...unreadable].map(([date, row]) => ({
    date,
    why: `STORE_CORRUPT: ${describeRow(row)}`,
  }));
  for (const [date, why] of unseen) rows.push({ date, why: `STORE_UNAVAILABLE: ${why}` });
  const careful = rows.length === 0 ? {} : { careful: rows };
  const unpublished = plans.filter((plan) => plan.unpublished.length > 0).map(({ date }) => date);
  const told = { upToDate, ...known, unpublished, days, ...careful };
  const steps = executionSteps(definition, together);
  return { steps, retry: engine.retry, queues: stepQueues(engine, dataset), ...told };
}
