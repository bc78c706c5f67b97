import type { Interceptors } from './interceptors.ts';
import { CancellationScope } from './scopes.ts';
import { workflowContext } from './contexts.ts';

export type ClosedAs = 'completed' | 'failed' | 'cancelled' | 'terminated' | 'continued';
export type ClosePolicy = 'TERMINATE' | 'ABANDON' | 'REQUEST_CANCEL';

export interface StartRequest {
  readonly type: string;
  readonly workflowId: string;
  readonly args: readonly unknown[];
  readonly parent?: WorkflowRun;
  readonly closePolicy?: ClosePolicy;
}

export interface Handler {
  readonly handle: (...args: unknown[]) => unknown;
  readonly validator?: ((...args: unknown[]) => void) | undefined;
}

export interface Outcome {
  readonly closedAs: ClosedAs;
  readonly result?: unknown;
  readonly failure?: Error;
}

interface Condition {
  readonly test: () => boolean;
  readonly met: () => void;
}

/**
 * One run of a workflow as the server and its worker know it. Its memory outlives workers, as a
 * replay would rebuild it.
 */
export class WorkflowRun {
  readonly request: StartRequest;
  readonly runId: string;
  readonly startedAt: number;
  readonly scope: CancellationScope;
  readonly attributes = new Map<string, unknown>();
  readonly updates = new Map<string, Handler>();
  readonly queries = new Map<string, Handler>();
  readonly children = new Set<WorkflowRun>();
  readonly patches = new Set<string>();
  /** Those of the product, made for this run. */
  interceptors: Interceptors = {};
  details = '';
  events = 3;
  handling = 0;
  outcome: Outcome | undefined;
  readonly #signals = new Map<string, Handler>();
  #buffered: { readonly name: string; readonly args: readonly unknown[] }[] = [];
  readonly #conditions = new Set<Condition>();
  readonly #onClose: ((outcome: Outcome) => void)[] = [];

  constructor(request: StartRequest, runId: string, startedAt: number) {
    this.request = request;
    this.runId = runId;
    this.startedAt = startedAt;
    this.scope = new CancellationScope({ run: this });
  }

  get workflowId(): string {
    return this.request.workflowId;
  }

  get isOpen(): boolean {
    return this.outcome === undefined;
  }

  /** Signals that nobody handled; they go on to the run that continues this one. */
  get buffered(): readonly { readonly name: string; readonly args: readonly unknown[] }[] {
    return this.#buffered;
  }

  onClose(call: (outcome: Outcome) => void): void {
    if (this.outcome === undefined) this.#onClose.push(call);
    else call(this.outcome);
  }

  close(outcome: Outcome): void {
    if (this.outcome !== undefined) return;
    this.outcome = outcome;
    this.#conditions.clear();
    for (const call of this.#onClose) call(outcome);
  }

  inContext<T>(work: () => T): T {
    return workflowContext.run({ run: this, scope: this.scope }, work);
  }

  handleSignal(name: string, handler: Handler): void {
    this.#signals.set(name, handler);
    const waiting = this.#buffered.filter((signal) => signal.name === name);
    this.#buffered = this.#buffered.filter((signal) => signal.name !== name);
    for (const signal of waiting) this.signal(name, signal.args);
  }

  signal(name: string, args: readonly unknown[]): void {
    const handler = this.#signals.get(name);
    if (handler === undefined) this.#buffered.push({ name, args });
    else void this.whileHandling(() => handler.handle(...args));
  }

  /** Runs a handler, and counts it as under way until it has ended. */
  async whileHandling<T>(work: () => T | Promise<T>): Promise<T> {
    this.handling += 1;
    try {
      return await this.inContext(work);
    } finally {
      this.handling -= 1;
    }
  }

  wait(condition: Condition): () => void {
    this.#conditions.add(condition);
    return () => {
      this.#conditions.delete(condition);
    };
  }

  /** Lets go on what waits for conditions that are met now. */
  settle(): boolean {
    let any = false;
    for (const condition of [...this.#conditions]) {
      if (!this.inContext(condition.test)) continue;
      this.#conditions.delete(condition);
      condition.met();
      any = true;
    }
    return any;
  }
}
