import {
  ApplicationFailure,
  CancelledFailure,
  TemporalFailure,
  TerminatedFailure,
  WorkflowExecutionAlreadyStartedError,
} from '@temporalio/common';
import { ActivityFailure, ChildWorkflowFailure } from '@temporalio/common';
import type { Scheduler } from '../scheduler.ts';
import { callActivity } from './attempts.ts';
import type { CallOptions, Workers } from './attempts.ts';
import { payload } from './contexts.ts';
import type { Interceptors } from './interceptors.ts';
import { WorkflowRun } from './workflow-run.ts';
import type { Outcome, StartRequest } from './workflow-run.ts';

export class ContinueAsNew extends Error {
  readonly args: readonly unknown[];

  constructor(args: readonly unknown[]) {
    super('continued as new');
    this.args = args;
  }
}

export class WorkflowFailed extends Error {
  override readonly name = 'WorkflowFailedError';
}

export type WorkflowFunction = (...args: never[]) => Promise<unknown>;

/** What a bundle holds. */
export interface WorkflowCode {
  readonly workflows: Readonly<Record<string, WorkflowFunction>>;
  /** Called as a run begins. */
  readonly interceptors: () => Interceptors;
}

/**
 * The rules of a Temporal server that workflows rely on: unique ids, signals, updates, children and
 * their parents' end.
 */
export class Server {
  readonly scheduler: Scheduler;
  readonly #workflows: Readonly<Record<string, WorkflowFunction>>;
  readonly #interceptors: WorkflowCode['interceptors'];
  readonly #workers: Workers;
  /** The newest run of each id. */
  readonly #runs = new Map<string, WorkflowRun>();
  readonly #open = new Set<WorkflowRun>();
  /** Workflow tasks that failed: on a server they would be tried again for ever. */
  readonly broken: string[] = [];
  #started = 0;

  constructor(scheduler: Scheduler, { workflows, interceptors }: WorkflowCode, workers: Workers) {
    this.scheduler = scheduler;
    this.#workflows = workflows;
    this.#interceptors = interceptors;
    this.#workers = workers;
    scheduler.settle = () => {
      let any = false;
      for (const run of this.#open) any = run.settle() || any;
      return any;
    };
  }

  get open(): readonly WorkflowRun[] {
    return [...this.#open];
  }

  run(workflowId: string): WorkflowRun | undefined {
    return this.#runs.get(workflowId);
  }

  /** Refuses an id that runs. */
  start(
    request: StartRequest,
    signals: readonly { name: string; args: readonly unknown[] }[] = [],
  ): WorkflowRun {
    const { workflowId, type } = request;
    if (this.#runs.get(workflowId)?.isOpen === true) {
      throw new WorkflowExecutionAlreadyStartedError(
        'Workflow execution already started',
        workflowId,
        type,
      );
    }
    const run = new WorkflowRun(
      { ...request, args: payload(request.args) },
      `run-${(this.#started += 1)}`,
      this.scheduler.now,
    );
    this.#runs.set(workflowId, run);
    this.#open.add(run);
    request.parent?.children.add(run);
    for (const { name, args } of signals) run.signal(name, payload(args));
    this.scheduler.tell(
      `server: ${workflowId} is started as ${type}${request.parent === undefined ? '' : ` by ${request.parent.workflowId}`}`,
    );
    void this.scheduler.turn(undefined).then(() => this.#execute(run));
    return run;
  }

  signal(workflowId: string, name: string, args: readonly unknown[]): boolean {
    const run = this.#runs.get(workflowId);
    if (run?.isOpen !== true) return false;
    run.signal(name, payload(args));
    return true;
  }

  signalWithStart(request: StartRequest, name: string, args: readonly unknown[]): WorkflowRun {
    const run = this.#runs.get(request.workflowId);
    if (run?.isOpen !== true) return this.start(request, [{ name, args }]);
    run.signal(name, payload(args));
    return run;
  }

  async update(workflowId: string, name: string, args: readonly unknown[]): Promise<unknown> {
    const run = this.#runs.get(workflowId);
    const handler = run?.isOpen === true ? run.updates.get(name) : undefined;
    if (run === undefined || handler === undefined)
      throw new Error(`${workflowId} takes no update ${name} now`);
    run.inContext(() => handler.validator?.(...payload(args)));
    return payload(await run.whileHandling(() => handler.handle(...payload(args))));
  }

  cancel(run: WorkflowRun): void {
    if (!run.isOpen) return;
    this.scheduler.tell(`server: ${run.workflowId} is asked to cancel`);
    run.scope.cancel();
  }

  terminate(run: WorkflowRun): void {
    this.#close(run, { closedAs: 'terminated', failure: new TerminatedFailure('terminated') });
  }

  /** The end of the chain of runs that begins with this one. */
  outcomeOf(run: WorkflowRun): Promise<Outcome> {
    return new Promise((resolve) => {
      run.onClose((outcome) => {
        const next = outcome.closedAs === 'continued' ? this.#runs.get(run.workflowId) : undefined;
        if (next === undefined || next === run) resolve(outcome);
        else void this.outcomeOf(next).then(resolve);
      });
    });
  }

  /** For a client that waits. */
  async result(workflowId: string): Promise<unknown> {
    const run = this.#runs.get(workflowId);
    if (run === undefined) throw new Error(`there is no workflow ${workflowId}`);
    const outcome = await this.outcomeOf(run);
    if (outcome.closedAs === 'completed') return payload(outcome.result);
    throw new WorkflowFailed('Workflow execution failed', { cause: plainCause(outcome.failure) });
  }

  /** For a parent that waits; never resolves once the parent has been closed. */
  async childResult(child: WorkflowRun, parent: WorkflowRun): Promise<unknown> {
    const outcome = await this.outcomeOf(child);
    await this.delivery(parent);
    if (outcome.closedAs === 'completed') return payload(outcome.result);
    const { workflowId, runId, request } = child;
    throw new ChildWorkflowFailure(
      'default',
      { workflowId, runId },
      request.type,
      'NON_RETRYABLE_FAILURE',
      outcome.failure,
    );
  }

  /** What a workflow calls; its answer comes with a workflow task of an open run, or never. */
  async activity(
    run: WorkflowRun,
    name: string,
    args: readonly unknown[],
    options: CallOptions,
    cancelled: AbortSignal,
  ) {
    run.events += 3;
    const { workflowId, runId } = run;
    const call = { workflowId, runId, name, args: payload(args), options };
    await this.scheduler.turn(undefined);
    try {
      const result = await callActivity(this.scheduler, this.#workers, call, cancelled);
      await this.delivery(run);
      return result;
    } catch (error) {
      await this.delivery(run);
      throw error;
    }
  }

  /** Resolves with a workflow task of the run; never when it is closed. */
  async delivery(run: WorkflowRun): Promise<void> {
    await this.scheduler.turn(undefined);
    run.events += 1;
    if (!run.isOpen) await new Promise<never>(() => undefined);
  }

  async #execute(run: WorkflowRun): Promise<void> {
    const workflow = this.#workflows[run.request.type];
    if (workflow === undefined) throw new Error(`there is no workflow ${run.request.type}`);
    try {
      const result = await run.inContext(() => {
        run.interceptors = this.#interceptors();
        return workflow(...(run.request.args as never[]));
      });
      this.#close(run, { closedAs: 'completed', result: payload(result) });
    } catch (error) {
      this.#fail(run, error);
    }
  }

  #fail(run: WorkflowRun, error: unknown): void {
    if (!run.isOpen) return;
    if (error instanceof ContinueAsNew) {
      const { buffered, request } = run;
      this.#close(run, { closedAs: 'continued' });
      this.start({ ...request, args: error.args }, [...buffered]);
    } else if (run.scope.consideredCancelled && isCancellation(error)) {
      this.#close(run, { closedAs: 'cancelled', failure: new CancelledFailure('cancelled') });
    } else {
      if (!(error instanceof TemporalFailure))
        this.broken.push(`${run.workflowId}: ${describe(error)}`);
      this.#close(run, {
        closedAs: 'failed',
        failure: error instanceof Error ? error : new Error(String(error)),
      });
    }
  }

  #close(run: WorkflowRun, outcome: Outcome): void {
    if (!run.isOpen) return;
    const why = outcome.failure === undefined ? '' : `: ${describe(plainCause(outcome.failure))}`;
    this.scheduler.tell(`server: ${run.workflowId} has ${outcome.closedAs}${why}`);
    this.#open.delete(run);
    run.close(outcome);
    if (outcome.closedAs === 'continued') return;
    for (const child of run.children) {
      if (!child.isOpen) continue;
      const policy = child.request.closePolicy ?? 'TERMINATE';
      if (policy === 'TERMINATE') this.terminate(child);
      else if (policy === 'REQUEST_CANCEL') this.cancel(child);
    }
  }
}

/** The failure of the product below those that the server wraps around it. */
function plainCause(failure: Error | undefined): Error | undefined {
  return failure instanceof ActivityFailure && failure.cause !== undefined
    ? failure.cause
    : failure;
}

function describe(error: unknown): string {
  if (error instanceof ApplicationFailure)
    return `${error.type ?? ''} ${error.message}`.slice(0, 200);
  return error instanceof Error ? `${error.name} ${error.message}`.slice(0, 200) : String(error);
}

export function isCancellation(error: unknown): boolean {
  if (error instanceof CancelledFailure) return true;
  const wrapped = error instanceof ActivityFailure || error instanceof ChildWorkflowFailure;
  return wrapped && isCancellation(error.cause);
}
