import { Context, cancellationSignal, getClient } from '@temporalio/activity';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { PipelineError } from '../errors.ts';
import type { BackfillRequest } from '../pipelines/backfill.ts';
import { canaryDays, compareCanary } from './compare-canary.ts';
import { commitDays } from './commit-manifest.ts';
import type {
  ActionRequest,
  CanaryDay,
  CanaryDifference,
  CommitRequest,
  CommitResult,
  DecisionRequest,
  DerivedWork,
  FollowedRun,
  PlanRequest,
  ReconcileResult,
  RecordRunRequest,
  ResolvedDay,
  ResolvedTick,
  ResolvedWindow,
  RollupRequest,
  RollupResult,
  SelectDaysRequest,
  SelectedDays,
  StepFailed,
  StepRequest,
  StepResult,
  TickRequest,
  WatchedPublisher,
} from './contract.ts';
import { recordDecision } from './decisions.ts';
import { markDegraded } from './degraded.ts';
import type { Engine, StepControl } from './engine.ts';
import { executeDownload } from './execute-download.ts';
import { executeRollup } from './execute-rollup.ts';
import { executeStep } from './execute-step.ts';
import { toApplicationFailure } from './failure.ts';
import { tellMissedTicks } from './missed-ticks.ts';
import { recordFailure } from './failures.ts';
import { recordAction } from './operator-actions.ts';
import { checkBackfill, checkPlan } from './plan-backfill.ts';
import { publishDownloads } from './publish-downloads.ts';
import { endPromises, promiseScopes } from './promises.ts';
import { resolveDay, resolveWindow } from './resolve-plan.ts';
import { resolveDerived } from './resolve-derived.ts';
import { reconcileHost } from './reconcile-host.ts';
import { followRun, runningDays } from './running-runs.ts';
import { selectDays } from './select-days.ts';
import { resolveTick } from './resolve-tick.ts';
import { serve } from './serving.ts';
import { changedDays, keepRevision, saveFreshness, watchPublisher } from './watch-publisher.ts';
import { verifySample } from './verify-sample.ts';
import { errorCodeOf } from '../errors.ts';

/**
 * The activities as Temporal sees them: the engine's functions with the surroundings of an activity, and errors in Temporal's
 * form. Steps have one activity type per stage, so that a run reads well; they share one implementation.
 */
export function createActivities(engine: Engine) {
  const guarded = guardWith(engine.secrets);
  const step = (execute: typeof executeStep) =>
    guarded(async (request: StepRequest): Promise<StepResult> => {
      const result = await serve(engine, (served) => execute(served, request, control()));
      return request.days.length === 1 ? throwLoneFailure(result) : result;
    });
  const announce = async (pipeline: string, dates: readonly CivilDate[]): Promise<void> => {
    await getClient().workflow.signalWithStart('rollup', {
      workflowId: `rollup/${pipeline}`,
      taskQueue: engine.queues.compute,
      args: [{ pipeline, debounceMs: engine.rollupDebounceMs }],
      signal: 'daysChanged',
      signalArgs: [dates],
    });
  };
  const runAgain = async (pipeline: string, dates: readonly CivilDate[]): Promise<void> => {
    for (const date of dates) {
      await getClient().workflow.start('day', {
        workflowId: `day/${pipeline}/${date}`,
        taskQueue: engine.queues.compute,
        args: [{ pipeline, date, reason: 'revision' }],
        workflowIdConflictPolicy: 'USE_EXISTING',
        staticSummary: `${pipeline} ${date}`,
      });
    }
  };
  return {
    ...operatingActivities(engine),
    resolveDay: guarded((request: PlanRequest): Promise<ResolvedDay> =>
      serve(engine, (own) => promisedPlan(own, request, resolveDay, ({ plan }) => plan.upToDate)),
    ),
    resolveWindow: guarded((request: PlanRequest): Promise<ResolvedWindow> =>
      serve(engine, (own) => promisedPlan(own, request, resolveWindow, ({ days }) => days.length === 0)),
    ),
    download: step(executeDownload),
    transform: step(executeStep),
    metrics: step(executeStep),
    report: step(executeStep),
    commitManifest: guarded((request: CommitRequest): Promise<CommitResult> => commit(engine, request)),
    recordFailure: guarded(async ({ pipeline, scope, outcome }: RecordRunRequest): Promise<void> => {
      if (outcome.failure !== undefined) await recordFailure(engine, control(), pipeline, scope, outcome.failure);
    }),
    announceChanges: guarded(announce),
    resolveDerived: guarded((pipeline: string, changed: readonly CivilDate[]): Promise<DerivedWork> =>
      resolveDerived(engine, pipeline, changed),
    ),
    rollup: guarded((request: RollupRequest): Promise<RollupResult> => executeRollup(engine, request, control())),
    publishDownloads: guarded((pipeline: string): Promise<void> => publishDownloads(engine, pipeline)),
    reconcileHost: guarded((): Promise<ReconcileResult> => reconcileHost(engine, control(), announce, runAgain)),
    resolveTick: guarded(async (request: TickRequest): Promise<ResolvedTick> => {
      await tellMissedTicks(getClient(), request);
      return resolveTick(engine, request);
    }),
  };
}

/** A plan whose run finds everything that the plan relies on, whatever a garbage collection does meanwhile. */
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

/** What backfills, watches and audits need besides the making of days. */
function operatingActivities(engine: Engine) {
  const guarded = guardWith(engine.secrets);
  return {
    recordDecision: guarded((request: DecisionRequest): Promise<void> => recordDecision(engine, control(), request)),
    recordAction: guarded((action: ActionRequest): Promise<void> => recordAction(engine, control(), action)),
    watchPublisher: guarded((pipeline: string): Promise<WatchedPublisher> =>
      watchPublisher(engine, control(), pipeline),
    ),
    changedDays: guarded((pipeline: string, dates: readonly CivilDate[]): Promise<CivilDate[]> =>
      changedDays(engine, pipeline, dates),
    ),
    saveFreshness: guarded((pipeline: string, freshness: WatchedPublisher['freshness']): Promise<void> =>
      saveFreshness(engine, pipeline, freshness),
    ),
    keepRevision: guarded((pipeline: string, date: CivilDate) => keepRevision(engine, control(), pipeline, date)),
    verifySample: guarded((pipeline: string, sample: number): Promise<CivilDate[]> =>
      verifySample(engine, control(), pipeline, sample),
    ),
    checkBackfill: guarded(async (request: BackfillRequest, plan: string | null): Promise<void> => {
      checkBackfill(engine, request);
      if (plan !== null) await checkPlan(engine, request.pipeline, plan);
    }),
    selectDays: guarded(async (request: SelectDaysRequest): Promise<SelectedDays> =>
      selectDays(engine, request, await runningDays(getClient(), request.request.pipeline)),
    ),
    followRun: guarded((workflowId: string): Promise<FollowedRun> => followRun(getClient(), workflowId)),
    canaryDays: guarded((pipeline: string, dates: readonly CivilDate[]): Promise<CanaryDay[]> =>
      canaryDays(engine, pipeline, dates),
    ),
    compareCanary: guarded((pipeline: string, days: readonly CanaryDay[]): Promise<CanaryDifference[]> =>
      compareCanary(engine, control(), pipeline, days),
    ),
  };
}

/** Commits days; those for whose commit a store was away are marked, as are those whose steps say so already. */
async function commit(engine: Engine, request: CommitRequest): Promise<CommitResult> {
  const result = await serve(engine, async (own) => {
    const committed = await commitDays(own, control(), request);
    const dates = request.days.map(({ outcome }) => outcome.date);
    await endPromises(own, control(), request.pipeline, dates);
    return committed;
  });
  if (result.served === undefined || request.degraded !== undefined) return result;
  const scopes = result.days.map(({ date }) => date);
  await markDegraded(engine, control(), request.pipeline, scopes, result.served.why);
  return result;
}

export type Activities = ReturnType<typeof createActivities>;

/** A single day throws its failure, so that Temporal retries it and shows it; in a larger set it is one day's answer. */
function throwLoneFailure(result: StepResult): StepResult {
  const failed = result.days.find((day): day is StepFailed => 'failure' in day);
  if (failed === undefined) return result;
  const { code, message } = failed.failure;
  throw new PipelineError(errorCodeOf({ code }) ?? 'INTERNAL', message);
}

/** How many signs of life a worker gives within the time after which it counts as lost. */
const SIGNS_OF_LIFE = 4;
const LONG_MS = 60_000;

/** What an activity said last; sent with its next sign of life, because each of these is a write of the server. */
const progress = new WeakMap<Context, string>();

/** Puts a function into the surroundings of an activity; `secrets` are values that no failure may name. */
function guardWith(secrets: readonly string[] = []) {
  return <A extends unknown[], R>(call: (...args: A) => Promise<R>): ((...args: A) => Promise<R>) =>
    async (...args) => {
      const context = Context.current();
      const every = (context.info.heartbeatTimeoutMs ?? LONG_MS) / SIGNS_OF_LIFE;
      const alive = setInterval(() => {
        context.heartbeat(progress.get(context));
      }, every);
      try {
        return await call(...args);
      } catch (error) {
        // A cancelled activity must end as cancelled, whatever error the interruption made of it.
        cancellationSignal().throwIfAborted();
        throw toApplicationFailure(error, secrets);
      } finally {
        clearInterval(alive);
      }
    };
}

function control(): StepControl {
  const context = Context.current();
  const { workflowExecution, attempt } = context.info;
  return {
    execution: {
      workflowId: workflowExecution?.workflowId ?? '',
      runId: workflowExecution?.runId ?? '',
      attempt,
    },
    signal: context.cancellationSignal,
    progress: (note) => {
      progress.set(context, note);
    },
  };
}
