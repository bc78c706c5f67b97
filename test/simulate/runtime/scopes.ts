import { CancelledFailure } from '@temporalio/common';
import { currentWorkflow, workflowContext } from './contexts.ts';
import type { WorkflowRun } from './workflow-run.ts';

/** A cancellation scope of a workflow: what is begun in it is cancelled with it. */
export class CancellationScope {
  readonly #calls = new Set<() => void>();
  readonly #run: WorkflowRun | undefined;
  readonly #detached: boolean;
  #cancelled = false;

  constructor(options: { readonly run?: WorkflowRun; readonly cancellable?: boolean } = {}) {
    const outer = options.run === undefined ? currentWorkflow() : undefined;
    this.#run = options.run ?? outer?.run;
    this.#detached = options.cancellable === false;
    if (outer === undefined || this.#detached) return;
    if (outer.scope.consideredCancelled) this.#cancelled = true;
    outer.scope.onCancel(() => {
      this.cancel();
    });
  }

  static current(): CancellationScope {
    return currentWorkflow().scope;
  }

  static nonCancellable<T>(work: () => Promise<T>): Promise<T> {
    return new CancellationScope({ cancellable: false }).run(work);
  }

  static cancellable<T>(work: () => Promise<T>): Promise<T> {
    return new CancellationScope().run(work);
  }

  get consideredCancelled(): boolean {
    return this.#cancelled;
  }

  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#run === undefined) throw new Error('a scope without a run');
    return workflowContext.run({ run: this.#run, scope: this }, work);
  }

  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    for (const call of [...this.#calls]) call();
  }

  /** Calls back when the scope is cancelled; the returned function takes that away. */
  onCancel(call: () => void): () => void {
    this.#calls.add(call);
    return () => {
      this.#calls.delete(call);
    };
  }

  throwIfCancelled(): void {
    if (this.#cancelled) throw new CancelledFailure('the scope was cancelled');
  }
}
