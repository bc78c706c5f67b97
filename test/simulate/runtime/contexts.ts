import { AsyncLocalStorage } from 'node:async_hooks';
import type { CancellationScope } from './scopes.ts';
import type { WorkflowRun } from './workflow-run.ts';
import type { Attempt } from './attempts.ts';

/** Whose code runs now: what the SDK keeps in its own storage. */

export const workflowContext = new AsyncLocalStorage<{
  readonly run: WorkflowRun;
  readonly scope: CancellationScope;
}>();
export const activityContext = new AsyncLocalStorage<Attempt>();

export function currentWorkflow() {
  const found = workflowContext.getStore();
  if (found === undefined) throw new Error('this is called outside of a workflow');
  return found;
}

export function currentAttempt(): Attempt {
  const found = activityContext.getStore();
  if (found === undefined) throw new Error('this is called outside of an activity');
  return found;
}

/** What a payload converter makes of a value. */
export function payload<T>(value: T): T {
  return value === undefined ? value : (JSON.parse(JSON.stringify(value)) as T);
}
