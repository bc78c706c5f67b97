import {
  proxyActivities,
  proxyLocalActivities,
  scheduleActivity,
  workflowInfo,
} from '@temporalio/workflow';
import type {
  ActivityInput,
  ActivityInterfaceFor,
  LocalActivityInput,
  Next,
  WorkflowInterceptors,
  WorkflowOutboundCallsInterceptor,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { NotedResult } from '../engine/upkeep/outage-note.ts';
import { CONTROL_RETRY, LOCAL_CONTROL } from './control-retry.ts';

/**
 * Where a run goes on. Usually that is any worker; once the note beside a result says that what it
 * is about is on one host alone, because a store is away, everything that follows goes to the task
 * queue of that host.
 */
export class HostRoute {
  #why: string | undefined;
  #host: { readonly host: string; readonly queue: string } | undefined;

  /** Reads the note beside the result of an activity. */
  read(result: unknown): void {
    const note = noteBeside(result);
    if (note === undefined) return;
    this.#why ??= note.why;
    if (note.place.store === 'fallback')
      this.#host ??= { host: note.place.host, queue: note.queue };
  }

  /**
   * Whether the result is on another host than the one where this run goes on: then it is to be
   * made there again.
   */
  isElsewhere(result: unknown): boolean {
    const note = noteBeside(result);
    return (
      note?.place.store === 'fallback' &&
      this.#host !== undefined &&
      this.#host.host !== note.place.host
    );
  }

  /** The task queue of the one host where this run can go on; undefined while any will do. */
  get queue(): string | undefined {
    return this.#host?.queue;
  }

  /** Why the first work that needed it could do without a store; undefined while none was away. */
  get degraded(): string | undefined {
    return this.#why;
  }

  /** For the details of a run. */
  get story(): string | undefined {
    if (this.#why === undefined) return undefined;
    const where =
      this.#host === undefined ? '' : ` The run goes on at the host ${this.#host.host}.`;
    return `Degraded: ${this.#why}.${where} \`quotidien reconcile\` brings everything to the stores once they are back.`;
  }
}

/** An activity may return nothing. */
function noteBeside(result: unknown): NotedResult['served'] {
  return (result as NotedResult | null | undefined)?.served;
}

/**
 * By run, because a simulation has all its runs in one process; in a sandbox of Temporal there is
 * one.
 */
const routes = new Map<string, HostRoute>();

function currentRoute(): HostRoute {
  const { runId } = workflowInfo();
  const route = routes.get(runId) ?? new HostRoute();
  routes.set(runId, route);
  return route;
}

/**
 * From here on the run goes anywhere again: after a wait of hours the stores may be back, and the
 * host from before gone.
 */
export function goAnywhere(): void {
  routes.delete(workflowInfo().runId);
}

/** What a run says of an outage that it went through since it last could go anywhere. */
export interface Outage {
  /** Why its days count as degraded; undefined: no store was away. */
  readonly degraded: string | undefined;
  /** The same with where the run goes on, for its details. */
  readonly story: string | undefined;
}

/** Read at the end of a run; what came before the last `goAnywhere` is not in it. */
export function outageSoFar(): Outage {
  return currentRoute();
}

/**
 * Activities that only read and write the stores: within the worker that runs the workflow, or at
 * the host that this run needs. Which of the two is another command in the history, so it is chosen
 * before the call and not by the interceptor.
 */
export function storeActivities(): ActivityInterfaceFor<Activities> {
  const { queue } = currentRoute();
  if (queue === undefined) return proxyLocalActivities<Activities>(LOCAL_CONTROL);
  return proxyActivities<Activities>({ ...CONTROL_RETRY, taskQueue: queue });
}

/**
 * Reads the notes and routes. An activity that names no task queue belongs to its workflow's and
 * stays there: other activities of a run, such as those that look at many days, go on anywhere.
 */
const routing: WorkflowOutboundCallsInterceptor = {
  scheduleActivity(
    input: ActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleActivity'>,
  ) {
    const route = currentRoute();
    const { activityType, args, options } = input;
    if (options.taskQueue === undefined) return readFirst(route, next(input));
    const taskQueue = route.queue ?? options.taskQueue;
    return next({ ...input, options: { ...options, taskQueue } }).then((result) => {
      route.read(result);
      // Steps that ran side by side on two hosts while a store was away: the run goes on at one of
      // them.
      return route.isElsewhere(result)
        ? scheduleActivity(activityType, [...args], options)
        : result;
    });
  },
  scheduleLocalActivity(
    input: LocalActivityInput,
    next: Next<WorkflowOutboundCallsInterceptor, 'scheduleLocalActivity'>,
  ) {
    return readFirst(currentRoute(), next(input));
  },
};

/**
 * The promise stays the one that it was: whoever waits for it goes on in the same order in a
 * replay.
 */
function readFirst<T>(route: HostRoute, result: Promise<T>): Promise<T> {
  result.then(
    (value) => {
      route.read(value);
    },
    () => undefined,
  );
  return result;
}

/** Called by Temporal as a run begins, once. */
export function interceptors(): WorkflowInterceptors {
  goAnywhere();
  return { outbound: [routing] };
}
