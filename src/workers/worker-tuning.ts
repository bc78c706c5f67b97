import type { WorkerOptions } from '@temporalio/worker';
import type { Settings } from '../config/settings.ts';

/** How much a worker takes on, and as which version it answers. */
export interface WorkerTuning {
  /**
   * Activities of one worker at the same time, by kind of queue; the SQL engine has its own,
   * smaller limit.
   */
  readonly activities: {
    readonly compute: number;
    readonly fetch: number;
    readonly report: number;
  };
  /**
   * Longer than a step needs to commit after its work; then a running step is given back to the
   * server.
   */
  readonly graceSeconds: number;
  readonly cachedWorkflows?: number | undefined;
  /** With it workers are versioned: a run stays with the build that it started on. */
  readonly buildId?: string | undefined;
}

/** For tests and the demo; installations have `configuredTuning`. */
export const DEFAULT_TUNING: WorkerTuning = {
  activities: { compute: 16, fetch: 2, report: 4 },
  graceSeconds: 20,
};

/** What is not set keeps the default of its setting. */
export function configuredTuning(settings: Settings): WorkerTuning {
  return {
    activities: {
      compute: settings.QUOTIDIEN_COMPUTE_ACTIVITIES,
      fetch: settings.QUOTIDIEN_FETCH_ACTIVITIES,
      report: settings.QUOTIDIEN_REPORT_ACTIVITIES,
    },
    graceSeconds: settings.QUOTIDIEN_GRACE_SECONDS,
    cachedWorkflows: settings.QUOTIDIEN_CACHED_WORKFLOWS,
    buildId: settings.QUOTIDIEN_BUILD_ID,
  };
}

/** Nothing without a build id: workers then take runs of every version. */
export function versioningOptions({
  buildId,
}: WorkerTuning): Pick<WorkerOptions, 'workerDeploymentOptions'> {
  if (buildId === undefined) return {};
  return {
    workerDeploymentOptions: {
      version: { deploymentName: 'quotidien', buildId },
      useWorkerVersioning: true,
      defaultVersioningBehavior: 'PINNED',
    },
  };
}
