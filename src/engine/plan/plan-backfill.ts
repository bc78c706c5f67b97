import { PipelineError } from '../../errors.ts';
import {
  backfillHash,
  countActions,
  isSelected,
  predict,
  yearSpans,
  PLAN_TABLE,
  SELECTIONS,
} from '../../pipelines/backfill.ts';
import type {
  BackfillPlan,
  BackfillRequest,
  PlannedBackfillDay,
} from '../../pipelines/backfill.ts';
import { rangesOf } from '../../pipelines/calendar-of-days.ts';
import { datesBetween } from '../../pipelines/civil-date.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import type { FetchWindow } from '../../pipelines/source-declaration.ts';
import { SEVERAL } from '../../pipelines/execution.ts';
import type { DayPlan } from '../../pipelines/planned-step.ts';
import { STAGES } from '../../pipelines/vocabulary.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { fetchWindows } from '../../pipelines/window.ts';
import { workWindows } from '../../pipelines/work-window.ts';
import { afterDayEnd } from '../../pipelines/zoned-day.ts';
import type { DocumentKey, DocumentStore } from '../../ports/documents.ts';
import { readDegraded } from '../records/degraded.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { readFailures } from '../records/failures.ts';
import { planRun } from './plan-run.ts';
import type { RunPlan, RunPlans } from './plan-run.ts';
import { checkRequest } from './resolve-plan.ts';
import { stepExperience } from './step-experience.ts';

/** A plan with what is done to every selected day, and why. */
export interface DetailedPlan {
  readonly plan: BackfillPlan;
  readonly days: readonly PlannedBackfillDay[];
}

/** Refuses what cannot be a backfill: `PLAN_INVALID`, `INPUT_INVALID`, `PIPELINE_UNKNOWN`. */
export function checkBackfill(engine: Pick<Engine, 'datasets'>, request: BackfillRequest): void {
  const { definition } = datasetOf(engine, request.pipeline);
  checkRequest(definition, { dates: [request.from, request.to], options: {} });
  if (request.to < request.from) {
    throw new PipelineError(
      'INPUT_INVALID',
      `the range ends (${request.to}) before it begins (${request.from})`,
    );
  }
  if (request.select !== undefined && !SELECTIONS.includes(request.select)) {
    throw new PipelineError(
      'INPUT_INVALID',
      `select takes ${SELECTIONS.join(', ')}, not ${request.select}`,
    );
  }
  if (request.until !== undefined && !STAGES.includes(request.until)) {
    throw new PipelineError(
      'INPUT_INVALID',
      `until takes ${STAGES.join(', ')}, not ${request.until}`,
    );
  }
  if (request.pages === true && request.until !== undefined && request.until !== 'report') {
    throw new PipelineError(
      'INPUT_INVALID',
      `pages belong to the reports, which until ${request.until} leaves out`,
    );
  }
}

/**
 * What a backfill would do, day by day; read from the stores a year at a time, each of which is
 * told of.
 */
export async function planBackfill(
  engine: Engine,
  request: BackfillRequest,
  progress: (note: string) => void = () => undefined,
): Promise<DetailedPlan> {
  checkBackfill(engine, request);
  const dataset = datasetOf(engine, request.pipeline);
  const days: PlannedBackfillDay[] = [];
  const left = { complete: 0, degraded: 0, noData: 0, notDue: 0, otherwise: 0 };
  for await (const part of selectSpans(engine, request)) {
    days.push(...part.selected);
    progress(`planned ${days.length} days of ${request.pipeline}`);
    for (const reason of ['complete', 'degraded', 'noData', 'notDue', 'otherwise'] as const)
      left[reason] += part[reason];
  }
  days.sort((a, b) => (a.date < b.date ? -1 : 1));
  const steps = countActions(days);
  const dates = days.map(({ date }) => date);
  const plan: BackfillPlan = {
    hash: backfillHash(request, days),
    request,
    plannedAt: engine.now().toISOString(),
    days: days.length,
    ranges: rangesOf(dates),
    ...left,
    steps,
    windows: workWindows(dataset.definition, dates).length,
    requests: requestsOf(dataset, days),
    predicted: predict(steps, await stepExperience(engine.documents, request.pipeline, request)),
  };
  return { plan, days };
}

/** The days of a span by what becomes of them; the counts are of the days that are left out. */
export interface SelectedSpan {
  readonly selected: readonly PlannedBackfillDay[];
  readonly complete: number;
  /** How many of the complete days are `degraded`. */
  readonly degraded: number;
  /** Of how many complete days the publisher has nothing. */
  readonly noData: number;
  /** The publication calendar does not expect them yet. */
  readonly notDue: number;
  /** With something to do, but not of the wanted kind. */
  readonly otherwise: number;
  /** All days that are due, also the complete ones. */
  readonly due: readonly RunPlan[];
  readonly manifests: RunPlans['manifests'];
  readonly unreadable: RunPlans['unreadable'];
}

/** What is known besides the stores. */
export interface SpanOptions {
  /** Days that are left aside. */
  readonly except?: readonly CivilDate[];
  /**
   * The plans of the span before: what is going to change there is known to the days that read it.
   */
  readonly earlier?: readonly DayPlan[];
}

/** The days of a span that the request means. */
export async function selectSpan(
  engine: Engine,
  request: BackfillRequest,
  { from, to }: FetchWindow,
  { except = [], earlier = [] }: SpanOptions = {},
): Promise<SelectedSpan> {
  const { definition } = datasetOf(engine, request.pipeline);
  const { select = 'open', until, pages } = request;
  const all = datesBetween(from, to).filter((date) => !except.includes(date));
  const now = engine.now();
  const due = all.filter(
    (date) => afterDayEnd(date, definition.zone, definition.publication.expectedAfter) <= now,
  );
  const [{ plans, manifests, unreadable }, failures, marks] = await Promise.all([
    planRun(engine, definition, due, {
      recheck: select === 'all',
      offline: select === 'stale',
      days: pages === true ? 1 : SEVERAL,
      until,
      earlier,
    }),
    readFailures(engine.documents, request.pipeline, due),
    readDegraded(engine, request.pipeline, due),
  ]);
  // Their own runs say what is wrong with them.
  const selected: PlannedBackfillDay[] = [...unreadable.keys()].map((date) => ({
    date,
    steps: [],
  }));
  const left: CivilDate[] = [];
  for (const { date, steps, upToDate } of plans) {
    const failure = failures.get(date);
    // A failure that a later delivery has made good is taken back by the next run, which has
    // nothing else to do.
    const complete = upToDate && failure === undefined;
    if (complete && select !== 'all') left.push(date);
    if (isSelected(select, { manifest: manifests.get(date), failure, upToDate, complete }))
      selected.push({ date, steps });
  }
  const complete = left.length;
  const count = (isOne: (date: CivilDate) => boolean): number => left.filter(isOne).length;
  return {
    selected,
    complete,
    degraded: count((date) => manifests.get(date)?.verdict === 'degraded' || marks.has(date)),
    noData: count((date) => manifests.get(date)?.verdict === 'no_data' && !marks.has(date)),
    notDue: all.length - due.length,
    otherwise: Math.max(0, due.length - selected.length - complete),
    due: plans,
    manifests,
    unreadable,
  };
}

/**
 * The spans of a backfill in its order, each planned with what is going to change in the one before
 * it.
 */
export async function* selectSpans(
  engine: Engine,
  request: BackfillRequest,
): AsyncGenerator<SelectedSpan> {
  let earlier: readonly DayPlan[] = [];
  for (const span of yearSpans(request)) {
    const selected = await selectSpan(engine, request, span, { earlier });
    yield selected;
    earlier = selected.due.map(({ whole }) => whole);
  }
}

/** One request per part and bulk window that has a day to ask for. */
function requestsOf(
  { definition, sources }: Dataset,
  days: readonly PlannedBackfillDay[],
): Record<string, number> {
  const requests: Record<string, number> = {};
  for (const { id, part } of definition.steps) {
    const host = part === undefined ? undefined : sources[part]?.host;
    const bulk = definition.parts.find((candidate) => candidate.id === part)?.bulkWindow;
    if (host === undefined || bulk === undefined) continue;
    const asked = days
      .filter(({ steps }) =>
        steps.some(({ step, action }) => step === id && (action === 'run' || action === 'recheck')),
      )
      .map(({ date }) => date);
    // A bulk window that is longer than the set of days that is made together is asked for once for
    // each set.
    const windows = workWindows(definition, asked).flatMap((days) => fetchWindows(days, bulk));
    requests[host] = (requests[host] ?? 0) + windows.length;
  }
  return requests;
}

function planKey(pipeline: string, hash: string): DocumentKey {
  return { table: PLAN_TABLE, partition: pipeline, sort: hash };
}

/** Kept, so that exactly this plan can be started by its hash. */
export async function savePlan(documents: DocumentStore, plan: BackfillPlan): Promise<void> {
  await documents.put(planKey(plan.request.pipeline, plan.hash), plan);
}

/** `PLAN_INVALID` when nobody made a plan with this hash, or another pipeline's. */
export async function loadPlan(
  documents: DocumentStore,
  pipeline: string,
  hash: string,
): Promise<BackfillPlan> {
  const found = await documents.get<BackfillPlan>(planKey(pipeline, hash));
  if (found !== undefined) return found.body;
  throw new PipelineError(
    'PLAN_INVALID',
    `no plan ${hash} of ${pipeline}; "quotidien backfill … --dry-run" makes one`,
  );
}

/** Refuses a stored plan, by `PLAN_INVALID`, when the same request would do something else now. */
export async function checkPlan(
  engine: Engine,
  pipeline: string,
  hash: string,
  progress: (note: string) => void,
): Promise<void> {
  const stored = await loadPlan(engine.documents, pipeline, hash);
  const { plan } = await planBackfill(engine, stored.request, progress);
  if (plan.hash === hash) return;
  throw new PipelineError(
    'PLAN_INVALID',
    `the stores have changed since plan ${hash} was made at ${stored.plannedAt}: it meant ${stored.days} days, ` +
      `${plan.days} have something to do now, or something else; "quotidien backfill … --dry-run" makes a new plan`,
  );
}

/** The planned days within a span. */
export function plannedDates({ ranges }: BackfillPlan, { from, to }: FetchWindow): CivilDate[] {
  return ranges.flatMap((range) =>
    datesBetween(range.from > from ? range.from : from, range.to < to ? range.to : to),
  );
}
