import { currentAttempt } from './contexts.ts';
import { currentServer } from './current-server.ts';

/**
 * Stands in for `@temporalio/activity`: the part of it that the product's activities use, on the
 * server of the seed.
 */

export class Context {
  readonly #attempt = currentAttempt();

  static current(): Context {
    return new Context();
  }

  get info() {
    const { workflowId, runId, number, heartbeatTimeoutMs } = this.#attempt;
    return { workflowExecution: { workflowId, runId }, attempt: number, heartbeatTimeoutMs };
  }

  get cancellationSignal(): AbortSignal {
    return this.#attempt.abort.signal;
  }

  heartbeat(): void {
    // Whether a process is silent is known without it.
  }
}

export function cancellationSignal(): AbortSignal {
  return currentAttempt().abort.signal;
}

export function heartbeat(): void {
  // Whether a process is silent is known without it.
}

export const metricMeter = {
  createGauge: () => ({ set: () => undefined }),
  createCounter: () => ({ add: () => undefined }),
};

interface WithStart {
  readonly workflowId: string;
  readonly args: readonly unknown[];
  readonly signal: string;
  readonly signalArgs: readonly unknown[];
}

interface Start {
  readonly workflowId: string;
  readonly args: readonly unknown[];
  readonly workflowIdConflictPolicy?: string;
}

const PREFIX = /WorkflowId STARTS_WITH "([^"]*)"/;

/** Each call is a turn of the process: it may die before the call and before its answer. */
async function called<T>(what: string, call: () => T): Promise<T> {
  const { process } = currentAttempt();
  const { scheduler } = currentServer();
  await scheduler.turn(what, process);
  const result = call();
  await scheduler.turn(undefined, process);
  return result;
}

export function getClient() {
  const server = currentServer();
  return {
    workflow: {
      signalWithStart: (type: string, { workflowId, args, signal, signalArgs }: WithStart) =>
        called(`signals ${workflowId}: ${signal} ${JSON.stringify(signalArgs)}`, () => {
          server.signalWithStart({ type, workflowId, args }, signal, signalArgs);
        }),
      start: (type: string, { workflowId, args, workflowIdConflictPolicy }: Start) =>
        called(`starts ${workflowId}`, () => {
          if (
            workflowIdConflictPolicy === 'USE_EXISTING' &&
            server.run(workflowId)?.isOpen === true
          )
            return;
          server.start({ type, workflowId, args });
        }),
      async *list({ query }: { readonly query: string }) {
        const prefix = PREFIX.exec(query)?.[1] ?? '';
        yield* await called(`lists runs ${prefix}`, () =>
          server.open.filter(({ workflowId }) => workflowId.startsWith(prefix)),
        );
      },
      getHandle: (workflowId: string) => ({
        result: async () => {
          const result = await server.result(workflowId);
          return called(`hears of the end of ${workflowId}`, () => result);
        },
        describe: () =>
          called(`describes ${workflowId}`, () => ({
            status: { name: server.run(workflowId)?.isOpen === true ? 'RUNNING' : 'COMPLETED' },
          })),
      }),
    },
    schedule: {
      getHandle: () => ({ describe: () => Promise.reject(new Error('there is no schedule')) }),
    },
  };
}
