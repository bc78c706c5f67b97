import { setTimeout as delay } from 'node:timers/promises';
import { NativeConnection, Worker } from '@temporalio/worker';
import type { WorkerInterceptors, WorkerOptions, WorkflowBundleOption } from '@temporalio/worker';
import { definedMembers } from '../given.ts';
import { fetchQueue } from '../engine/plan/resolve-plan.ts';
import { createActivities } from '../activities/create-activities.ts';
import type { Engine } from '../engine/engine.ts';
import { unreachable } from './client-connection.ts';
import { publisherHosts } from './configured-datasets.ts';
import type { TemporalTarget } from './temporal-target.ts';
import { productMetrics } from './product-metrics.ts';
import { storeMetrics } from './store-metrics.ts';
import { DEFAULT_TUNING, versioningOptions } from './worker-tuning.ts';
import type { WorkerTuning } from './worker-tuning.ts';
import { workflowBundle } from './workflow-bundle.ts';

/** `compute` has SQL sessions, `fetch` one queue per publisher, `report` no native engine. */
export const QUEUE_KINDS = ['compute', 'fetch', 'report'] as const;

/** What work a worker is for. */
export type QueueKind = (typeof QUEUE_KINDS)[number];

/** One worker per queue of these kinds, all in this process. */
export interface WorkerSettings {
  readonly engine: Engine;
  readonly target: TemporalTarget;
  readonly kinds: readonly QueueKind[];
  /** The workflow code; default: that of the build. */
  readonly workflowBundle?: WorkflowBundleOption;
  /** Default: `DEFAULT_TUNING`. */
  readonly tuning?: WorkerTuning;
  /** For tests: what to do around activities. */
  readonly interceptors?: WorkerInterceptors;
}

/** Watch `ended` as well: a worker that breaks does not come back by itself. */
export interface RunningWorkers {
  /** Whether every worker polls for work. */
  ready(): boolean;
  /** Settles when all workers have ended; rejects when one of them broke. */
  readonly ended: Promise<void>;
  /** Lets running steps end, for as long as the grace, then gives them back to the server. */
  shutdown(): Promise<void>;
}

/** Work of one host at the same time while a store is away. */
const HOST_ACTIVITIES_AT_ONCE = 8;

/**
 * Starts one worker per task queue: workflows and SQL steps, one queue per publisher host, the
 * light report queue, and where a store may be away the queue of this host.
 */
export async function runWorkers(settings: WorkerSettings): Promise<RunningWorkers> {
  // Keys that cannot be read are told now, and not by the first run.
  for (const codec of settings.target.dataConverter?.payloadCodecs ?? []) await codec.encode([]);
  const { address } = settings.target.connection;
  const connection = await NativeConnection.connect(settings.target.connection).catch(
    (error: unknown) => {
      throw unreachable(address, error);
    },
  );
  const workers: Worker[] = [];
  try {
    for (const options of await workerOptions(settings)) {
      workers.push(
        await Worker.create({ ...options, connection, namespace: settings.target.namespace }),
      );
    }
  } catch (error) {
    await connection.close();
    throw error;
  }
  const runs = workers.map((worker) => worker.run());
  const ended = Promise.all(runs).then(() => connection.close());
  return {
    ended,
    ready: () => workers.every((worker) => worker.getState() === 'RUNNING'),
    async shutdown() {
      for (const worker of workers) if (worker.getState() === 'RUNNING') worker.shutdown();
      await withinGrace(ended, settings.tuning ?? DEFAULT_TUNING);
    },
  };
}

/**
 * For a worker that reports its last results to a server which takes none: it would try that for
 * ever.
 */
const AFTER_GRACE_MS = 10_000;

/**
 * What has not ended then is left to the end of the process; the server gives its work to somebody
 * else.
 */
async function withinGrace(ended: Promise<void>, { graceSeconds }: WorkerTuning): Promise<void> {
  const enough = new AbortController();
  const late = delay(graceSeconds * 1_000 + AFTER_GRACE_MS, undefined, {
    signal: enough.signal,
  }).catch(() => undefined);
  await Promise.race([ended, late]).finally(() => {
    enough.abort();
  });
}

async function workerOptions({
  engine,
  kinds,
  ...settings
}: WorkerSettings): Promise<WorkerOptions[]> {
  const tuning = settings.tuning ?? DEFAULT_TUNING;
  const { dataConverter } = settings.target;
  const common = {
    activities: createActivities(engine),
    ...definedMembers({ dataConverter }),
    shutdownGraceTime: tuning.graceSeconds * 1000,
    ...versioningOptions(tuning),
    ...definedMembers({ maxCachedWorkflows: tuning.cachedWorkflows }),
    interceptors: {
      ...settings.interceptors,
      activity: [
        productMetrics,
        ...(engine.fallback === undefined ? [] : [storeMetrics(engine.fallback)]),
        ...(settings.interceptors?.activity ?? []),
      ],
    },
  };
  const options: WorkerOptions[] = [];
  if (kinds.includes('compute')) {
    options.push({
      ...common,
      taskQueue: engine.queues.compute,
      workflowBundle:
        settings.workflowBundle ?? (await workflowBundle(dataConverter?.failureConverterPath)),
      maxConcurrentActivityTaskExecutions: tuning.activities.compute,
    });
  }
  if (kinds.includes('fetch'))
    options.push(...fetchOptions(engine, common, tuning.activities.fetch));
  if (kinds.includes('report')) {
    options.push({
      ...common,
      taskQueue: engine.queues.report,
      maxConcurrentActivityTaskExecutions: tuning.activities.report,
    });
  }
  // Every kind of step: what goes on here while a store is away can go on nowhere else.
  if (engine.fallback !== undefined) {
    const taskQueue = engine.fallback.queue;
    options.push({
      ...common,
      taskQueue,
      maxConcurrentActivityTaskExecutions: HOST_ACTIVITIES_AT_ONCE,
    });
  }
  return options;
}

/** One queue per host; its rate is kept by the server, over all workers together. */
function fetchOptions(
  engine: Engine,
  common: Omit<WorkerOptions, 'taskQueue'>,
  fetchAtOnce: number,
): WorkerOptions[] {
  return publisherHosts(engine.datasets).map((host) => {
    const sources = Object.values(engine.datasets).flatMap((dataset) =>
      Object.values(dataset.sources),
    );
    const rates = sources
      .filter((source) => source.host === host)
      .map((source) => source.requestsPerSecond);
    return {
      ...common,
      taskQueue: fetchQueue(engine.queues.fetch, host),
      maxConcurrentActivityTaskExecutions: fetchAtOnce,
      maxTaskQueueActivitiesPerSecond: Math.min(...rates),
    };
  });
}
