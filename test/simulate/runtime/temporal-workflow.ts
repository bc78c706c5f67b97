import { CancelledFailure } from '@temporalio/common';
import { msToNumber } from './durations.ts';
import type { Duration } from './durations.ts';
import type { CallOptions } from './attempts.ts';
import { currentWorkflow, payload } from './contexts.ts';
import { intercepted } from './interceptors.ts';
import type { Call, CallInput } from './interceptors.ts';
import { ContinueAsNew } from './server.ts';
import type { Server } from './server.ts';
import type { ClosePolicy, WorkflowRun } from './workflow-run.ts';
import { currentServer } from './current-server.ts';

/**
 * Stands in for `@temporalio/workflow`: the part of it that the product's workflows use, on the
 * server of the seed.
 */

// The failures, as the package itself gives them out.
export * from '@temporalio/common';
export { CancellationScope } from './scopes.ts';
export { isCancellation } from './server.ts';

export const ParentClosePolicy = {
  TERMINATE: 'TERMINATE',
  ABANDON: 'ABANDON',
  REQUEST_CANCEL: 'REQUEST_CANCEL',
} as const;
export const ActivityCancellationType = {
  TRY_CANCEL: 'TRY_CANCEL',
  WAIT_CANCELLATION_COMPLETED: 'WAIT_CANCELLATION_COMPLETED',
  ABANDON: 'ABANDON',
} as const;
export const WorkflowIdReusePolicy = { ALLOW_DUPLICATE: 'ALLOW_DUPLICATE' } as const;

export const log = { info: ignore, warn: ignore, error: ignore, debug: ignore, trace: ignore };

function ignore(): void {
  // What a workflow logs is not part of a story.
}

type Kind = 'signal' | 'query' | 'update';
interface Definition {
  readonly type: Kind;
  readonly name: string;
}

export function defineSignal(name: string): Definition {
  return { type: 'signal', name };
}

export function defineQuery(name: string): Definition {
  return { type: 'query', name };
}

export function defineUpdate(name: string): Definition {
  return { type: 'update', name };
}

export function setHandler(
  { type, name }: Definition,
  handle: (...args: unknown[]) => unknown,
  options: { readonly validator?: (...args: unknown[]) => void } = {},
): void {
  const { run } = currentWorkflow();
  const handler = { handle, validator: options.validator };
  if (type === 'signal') run.handleSignal(name, handler);
  else if (type === 'update') run.updates.set(name, handler);
  else run.queries.set(name, handler);
}

export function allHandlersFinished(): boolean {
  return currentWorkflow().run.handling === 0;
}

/** Resolves with true when the test holds, with false after the time-out. */
export function condition(test: () => boolean, timeout?: Duration): Promise<boolean> {
  const { run, scope } = currentWorkflow();
  return new Promise((resolve, reject) => {
    const takeBack: (() => void)[] = [];
    const end = (go: () => void): void => {
      for (const drop of takeBack.splice(0)) drop();
      go();
    };
    const cancel = (): void => {
      end(() => {
        reject(new CancelledFailure('a condition was cancelled'));
      });
    };
    if (scope.consideredCancelled) {
      cancel();
      return;
    }
    const met = (): void => {
      end(() => {
        resolve(true);
      });
    };
    takeBack.push(run.wait({ test, met }), scope.onCancel(cancel));
    if (timeout === undefined) return;
    const late = (): void => {
      end(() => {
        if (run.isOpen) resolve(false);
      });
    };
    takeBack.push(currentServer().scheduler.timer(msToNumber(timeout), late));
  });
}

export async function sleep(duration: Duration): Promise<void> {
  await condition(() => false, duration);
}

export function proxyActivities(
  options: CallOptions,
): Record<string, (...args: unknown[]) => Promise<unknown>> {
  return proxyOf('scheduleActivity', options);
}

/** A local activity runs in a worker too, and is tried again when that dies. */
export function proxyLocalActivities(
  options: CallOptions,
): Record<string, (...args: unknown[]) => Promise<unknown>> {
  return proxyOf('scheduleLocalActivity', options);
}

function proxyOf(
  kind: Call,
  options: CallOptions,
): Record<string, (...args: unknown[]) => Promise<unknown>> {
  const call =
    (activityType: string) =>
    (...args: unknown[]) =>
      schedule(kind, { activityType, args, options });
  return new Proxy({}, { get: (_, name) => call(String(name)) });
}

export function scheduleActivity(
  activityType: string,
  args: readonly unknown[],
  options: CallOptions,
) {
  return schedule('scheduleActivity', { activityType, args, options });
}

function schedule(kind: Call, input: CallInput): Promise<unknown> {
  const { interceptors } = currentWorkflow().run;
  return intercepted(interceptors, kind, ({ activityType, args, options }) =>
    cancellable((signal, run, server) => server.activity(run, activityType, args, options, signal)),
  )(input);
}

/**
 * Work that the scope of the caller cancels: the caller hears of it at once, what was begun hears
 * of it as it can.
 */
function cancellable<T>(
  work: (signal: AbortSignal, run: WorkflowRun, server: Server) => Promise<T>,
): Promise<T> {
  const { run, scope } = currentWorkflow();
  const controller = new AbortController();
  return new Promise((resolve, reject) => {
    const cancel = (): void => {
      controller.abort();
      reject(new CancelledFailure('cancelled'));
    };
    if (scope.consideredCancelled) {
      cancel();
      return;
    }
    const forget = scope.onCancel(cancel);
    work(controller.signal, run, currentServer()).then(resolve, reject).finally(forget);
  });
}

interface ChildOptions {
  readonly workflowId: string;
  readonly args?: readonly unknown[];
  readonly parentClosePolicy?: ClosePolicy;
}

type Named = string | { readonly name: string };

export async function startChild(
  workflow: Named,
  { workflowId, args = [], parentClosePolicy }: ChildOptions,
) {
  const { run: parent, scope } = currentWorkflow();
  scope.throwIfCancelled();
  const server = currentServer();
  parent.events += 3;
  const type = typeof workflow === 'string' ? workflow : workflow.name;
  await server.delivery(parent);
  const child = server.start({
    type,
    workflowId,
    args,
    parent,
    ...(parentClosePolicy === undefined ? {} : { closePolicy: parentClosePolicy }),
  });
  scope.onCancel(() => {
    server.cancel(child);
  });
  await server.delivery(parent);
  const result = server.childResult(child, parent);
  // Nobody has to ask for it.
  result.catch(ignore);
  return {
    workflowId,
    firstExecutionRunId: child.runId,
    result: () => result,
    signal: (signal: Definition | string, ...values: unknown[]) =>
      signalRun(workflowId, signal, values),
  };
}

export async function executeChild(workflow: Named, options: ChildOptions): Promise<unknown> {
  return (await startChild(workflow, options)).result();
}

async function signalRun(
  workflowId: string,
  signal: Definition | string,
  values: readonly unknown[],
): Promise<void> {
  const { run } = currentWorkflow();
  const server = currentServer();
  run.events += 2;
  await server.delivery(run);
  const name = typeof signal === 'string' ? signal : signal.name;
  if (server.signal(workflowId, name, payload(values))) return server.delivery(run);
  throw new Error(`Unable to signal external workflow ${workflowId} because it was not found`);
}

export function getExternalWorkflowHandle(workflowId: string) {
  return {
    workflowId,
    signal: (signal: Definition | string, ...values: unknown[]) =>
      signalRun(workflowId, signal, values),
    cancel: async () => {
      const server = currentServer();
      await server.delivery(currentWorkflow().run);
      const run = server.run(workflowId);
      if (run !== undefined) server.cancel(run);
    },
  };
}

export function continueAsNew(...args: unknown[]): Promise<never> {
  return Promise.reject(new ContinueAsNew(args));
}

/** Every run of a seed is a new one. */
export function patched(): boolean {
  return true;
}

export function deprecatePatch(): void {
  // Every run of a seed is a new one.
}

/**
 * A history is long sooner than on a real server, so that continuing as new is part of every story.
 */
const LONG_HISTORY = 400;

export function workflowInfo() {
  const { run } = currentWorkflow();
  const { parent, type } = run.request;
  return {
    workflowId: run.workflowId,
    runId: run.runId,
    workflowType: type,
    namespace: 'default',
    taskQueue: 'simulated',
    startTime: new Date(run.startedAt),
    runStartTime: new Date(run.startedAt),
    historyLength: run.events,
    continueAsNewSuggested: run.events > LONG_HISTORY,
    parent:
      parent === undefined
        ? undefined
        : { workflowId: parent.workflowId, runId: parent.runId, namespace: 'default' },
    typedSearchAttributes: {
      get: ({ name }: { readonly name: string }) => run.attributes.get(name),
    },
    unsafe: { isReplaying: false, now: () => currentServer().scheduler.now },
  };
}

export function upsertSearchAttributes(
  pairs: readonly { readonly key: { readonly name: string }; readonly value: unknown }[],
): void {
  const { run } = currentWorkflow();
  for (const { key, value } of pairs) run.attributes.set(key.name, value);
}

export function setCurrentDetails(details: string): void {
  currentWorkflow().run.details = details;
}

export function uuid4(): string {
  const { random } = currentServer().scheduler;
  return Array.from({ length: 32 }, () => random.whole(0, 15).toString(16)).join('');
}
