import { getClient } from '@temporalio/activity';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { PipelineError } from '../errors.ts';
import type { BackfillRequest } from '../pipelines/backfill.ts';
import { canaryDays, compareCanary } from '../engine/look/compare-canary.ts';
import { commitDays } from '../engine/commit/commit-manifest.ts';
import type {
  ActionRequest,
  CanaryDay,
  CanaryDifference,
  CommitRequest,
  CommitResult,
  DecideUnitRequest,
  DecisionRequest,
  DerivedWork,
  DueParts,
  FollowedRun,
  HeardChanges,
  HeardRange,
  PlanRequest,
  ReconcileResult,
  RecordRunRequest,
  ResolvedDay,
  ResolvedTick,
  ResolvedWindow,
  RollupRequest,
  RollupResult,
  ScheduledRetention,
  SelectDaysRequest,
  SelectedDays,
  StepRequest,
  StepResult,
  StoredDays,
  TickRequest,
  FolderRequest,
  WatchedPublisher,
} from '../engine/contract.ts';
import type { StepFailed } from '../pipelines/run-steps.ts';
import { recordDecision } from '../engine/records/decisions.ts';
import { decideUnit } from '../engine/records/unit-decisions.ts';
import type { FailedWork } from '../pipelines/failed-work.ts';
import { markDegraded } from '../engine/records/degraded.ts';
import type { Engine } from '../engine/engine.ts';
import { control, guardWith } from './surroundings.ts';
import { executeDownload } from '../engine/download/execute-download.ts';
import { rollUpPeriods } from '../engine/upkeep/roll-up-periods.ts';
import { executeStep } from '../engine/execute/execute-step.ts';
import { tellMissedTicks } from './missed-ticks.ts';
import { recordFailure } from '../engine/records/failures.ts';
import { recordAction } from '../engine/records/operator-actions.ts';
import { checkBackfill, checkPlan } from '../engine/plan/plan-backfill.ts';
import { closeAnnouncements, hearAnnouncements } from '../engine/derive/hear-announcements.ts';
import { publishDays } from '../engine/publish/publish-versions.ts';
import { publishDownloads } from '../engine/download/publish-downloads.ts';
import { endPromises, promiseScopes } from '../engine/records/promises.ts';
import { resolveDay, resolveWindow } from '../engine/plan/resolve-plan.ts';
import { resolveDerived } from '../engine/plan/resolve-derived.ts';
import { retainBySchedule } from '../engine/upkeep/retain.ts';
import { reconcileHost } from '../engine/upkeep/reconcile-host.ts';
import { followRun, runningDays } from './running-runs.ts';
import { selectDays } from '../engine/watch/select-days.ts';
import { resolveTick } from '../engine/plan/resolve-tick.ts';
import { waitForOthers } from './signs-of-life.ts';
import { flushRollup, runAgain, wakeRollup, wakeWhenOpen } from './start-runs.ts';
import { withOutageNote } from '../engine/upkeep/outage-note.ts';
import { takeDayDeposits } from '../engine/download/take-deposits.ts';
import type { FetchedPart } from '../pipelines/fetched-files.ts';
import { dueParts, fetchedParts, takeStored, triedParts } from '../engine/watch/fetch-folder.ts';
import {
  changedDays,
  keepRevision,
  saveFreshness,
  watchPublisher,
} from '../engine/watch/watch-publisher.ts';
import { verifySample } from '../engine/verify/verify-sample.ts';
import { errorCodeOf } from '../errors.ts';

/**
 * The activities as Temporal sees them: the engine's functions with the surroundings of an
 * activity, and errors in Temporal's form. Steps have one activity type per stage, so that a run
 * reads well; they share one implementation.
 */
export function createActivities(engine: Engine) {
  const guarded = guardWith(engine);
  const step = (execute: typeof executeStep) =>
    guarded(async (request: StepRequest): Promise<StepResult> => {
      const result = await withOutageNote(engine, ({ engine: own }) =>
        execute(own, request, control()),
      );
      return request.days.length === 1 ? throwLoneFailure(result) : result;
    });
  const wake = (pipeline: string): Promise<void> => wakeRollup(engine, pipeline);
  return {
    ...operatingActivities(engine),
    ...fetchingActivities(engine),
    resolveDay: guarded((request: PlanRequest): Promise<ResolvedDay> =>
      withOutageNote(engine, async ({ engine: own }) => {
        await lookForDeposits(own, request);
        return promisedPlan(own, request, resolveDay, ({ plan }) => plan.upToDate);
      }),
    ),
    resolveWindow: guarded((request: PlanRequest): Promise<ResolvedWindow> =>
      withOutageNote(engine, async ({ engine: own }) => {
        await lookForDeposits(own, request);
        return promisedPlan(own, request, resolveWindow, ({ days }) => days.length === 0);
      }),
    ),
    download: step(executeDownload),
    transform: step(executeStep),
    metrics: step(executeStep),
    report: step(executeStep),
    commitManifest: guarded((request: CommitRequest): Promise<CommitResult> =>
      commit(engine, request),
    ),
    publishDays: guarded((pipeline: string, dates: readonly CivilDate[]): Promise<void> =>
      withOutageNote(engine, ({ engine: own }) => publishDays(own, pipeline, dates)),
    ),
    recordFailure: guarded(
      async ({ pipeline, scope, outcome }: RecordRunRequest): Promise<void> => {
        if (outcome.failure !== undefined)
          await recordFailure(engine, control(), pipeline, scope, outcome.failure);
      },
    ),
    // What changed is in the announcements.
    announceChanges: guarded(wake),
    wakeRollup: guarded((pipeline: string): Promise<void> => wakeWhenOpen(engine, pipeline)),
    hearAnnouncements: guarded(
      (pipeline: string, dates: readonly CivilDate[]): Promise<HeardChanges> =>
        hearAnnouncements(engine, control(), pipeline, dates),
    ),
    closeAnnouncements: guarded(
      (
        pipeline: string,
        heard: readonly HeardRange[],
        failed: readonly FailedWork[],
      ): Promise<void> => closeAnnouncements(engine, control(), pipeline, heard, failed),
    ),
    resolveDerived: guarded(
      (pipeline: string, changed: readonly CivilDate[]): Promise<DerivedWork> =>
        resolveDerived(engine, pipeline, changed, control()),
    ),
    rollup: guarded((request: RollupRequest): Promise<RollupResult> =>
      rollUpPeriods(engine, request, control()),
    ),
    publishDownloads: guarded((pipeline: string): Promise<void> =>
      publishDownloads(engine, pipeline),
    ),
    reconcileHost: guarded((): Promise<ReconcileResult> =>
      reconcileHost(engine, control(), wake, (pipeline, dates) =>
        runAgain(engine, pipeline, dates),
      ),
    ),
    resolveTick: guarded(async (request: TickRequest): Promise<ResolvedTick> => {
      await tellMissedTicks(getClient(), request);
      // A tick has its own work to do: a store that is away does not keep it from that.
      await wakeWhenOpen(engine, request.pipeline).catch(() => undefined);
      return resolveTick(engine, request);
    }),
  };
}

/**
 * A plan whose run finds everything that the plan relies on, whatever a garbage collection does
 * meanwhile.
 */
async function promisedPlan<R>(
  engine: Engine,
  request: PlanRequest,
  resolve: (engine: Engine, request: PlanRequest) => Promise<R>,
  isIdle: (plan: R) => boolean,
): Promise<R> {
  const { pipeline, dates } = request;
  await promiseScopes(engine, control(), pipeline, dates);
  const plan = await resolve(engine, request);
  if (isIdle(plan)) await endPromises(engine, control(), pipeline, dates);
  return plan;
}

/** A run that may not ask the publisher, or makes the report alone, takes nothing in either. */
async function lookForDeposits(
  engine: Engine,
  { pipeline, dates, options }: PlanRequest,
): Promise<void> {
  if (options.offline === true || options.only === 'report') return;
  await takeDayDeposits(engine, control(), pipeline, [...dates].sort());
}

/** What backfills, watches and audits need besides the making of days. */
function operatingActivities(engine: Engine) {
  const guarded = guardWith(engine);
  return {
    decideUnit: guarded((request: DecideUnitRequest): Promise<number> =>
      decideUnit(engine, control(), request),
    ),
    recordDecision: guarded((request: DecisionRequest): Promise<void> =>
      recordDecision(engine, control(), request),
    ),
    recordAction: guarded((action: ActionRequest): Promise<void> =>
      recordAction(engine, control(), action),
    ),
    watchPublisher: guarded((pipeline: string, folder?: FolderRequest): Promise<WatchedPublisher> =>
      watchPublisher(engine, control(), pipeline, folder),
    ),
    changedDays: guarded((pipeline: string, dates: readonly CivilDate[]): Promise<CivilDate[]> =>
      changedDays(engine, pipeline, dates, control()),
    ),
    saveFreshness: guarded(
      (pipeline: string, freshness: WatchedPublisher['freshness']): Promise<void> =>
        saveFreshness(engine, pipeline, freshness),
    ),
    keepRevision: guarded((pipeline: string, date: CivilDate) =>
      keepRevision(engine, control(), pipeline, date),
    ),
    verifySample: guarded((pipeline: string, sample: number): Promise<CivilDate[]> =>
      verifySample(engine, control(), pipeline, sample),
    ),
    retain: guarded((pipeline: string): Promise<ScheduledRetention> =>
      retainBySchedule(engine, control(), pipeline),
    ),
    checkBackfill: guarded(async (request: BackfillRequest, plan: string | null): Promise<void> => {
      checkBackfill(engine, request);
      if (plan !== null) await checkPlan(engine, request.pipeline, plan, control().progress);
    }),
    selectDays: guarded(async (request: SelectDaysRequest): Promise<SelectedDays> =>
      selectDays(
        engine,
        request,
        await runningDays(getClient(), request.request.pipeline),
        control(),
      ),
    ),
    followRun: guarded((workflowId: string): Promise<FollowedRun> =>
      waitForOthers(() => followRun(getClient(), workflowId)),
    ),
    canaryDays: guarded((pipeline: string, dates: readonly CivilDate[]): Promise<CanaryDay[]> =>
      canaryDays(engine, pipeline, dates),
    ),
    compareCanary: guarded(
      (pipeline: string, days: readonly CanaryDay[]): Promise<CanaryDifference[]> =>
        compareCanary(engine, control(), pipeline, days),
    ),
  };
}

/** What a fetch that somebody ordered needs besides those of a watch. */
function fetchingActivities(engine: Engine) {
  const guarded = guardWith(engine);
  return {
    dueParts: guarded((pipeline: string, folder: FolderRequest): Promise<DueParts> =>
      dueParts(engine, control(), pipeline, folder),
    ),
    fetchedParts: guarded((pipeline: string, due: DueParts): Promise<FetchedPart[]> =>
      fetchedParts(engine, pipeline, due),
    ),
    triedParts: guarded(
      (
        pipeline: string,
        asked: { readonly parts?: readonly string[]; readonly count: number },
      ): Promise<FetchedPart[]> => triedParts(engine, control(), pipeline, asked),
    ),
    takeStored: guarded((pipeline: string): Promise<StoredDays> =>
      takeStored(engine, control(), pipeline),
    ),
    finishRollup: guarded(async (pipeline: string): Promise<FollowedRun> => {
      await flushRollup(engine, pipeline);
      return waitForOthers(() => followRun(getClient(), `rollup/${pipeline}`));
    }),
  };
}

/**
 * Commits days; those for whose commit a store was away are marked, as are those whose steps say so
 * already.
 */
function commit(engine: Engine, request: CommitRequest): Promise<CommitResult> {
  return withOutageNote(engine, async ({ engine: own, note }) => {
    const committed = await commitDays(own, control(), request);
    const dates = request.days.map(({ outcome }) => outcome.date);
    await endPromises(own, control(), request.pipeline, dates);
    const noted = note();
    if (noted !== undefined && request.degraded === undefined) {
      const scopes = committed.days.map(({ date }) => date);
      await markDegraded(engine, control(), request.pipeline, scopes, noted.why);
    }
    return committed;
  });
}

/** What workflows see of the activities, by a type-only import. */
export type Activities = ReturnType<typeof createActivities>;

/**
 * A single day throws its failure, so that Temporal retries it and shows it; in a larger set it is
 * one day's answer.
 */
function throwLoneFailure(result: StepResult): StepResult {
  const failed = result.days.find((day): day is StepFailed => 'failure' in day);
  if (failed === undefined) return result;
  const { code, message } = failed.failure;
  throw new PipelineError(errorCodeOf({ code }) ?? 'INTERNAL', message);
}
