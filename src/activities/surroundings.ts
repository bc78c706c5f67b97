import { Context, cancellationSignal } from '@temporalio/activity';
import type { StepControl } from './engine.ts';
import { toApplicationFailure } from './failure.ts';

/** How many signs of life a worker gives within the time after which it counts as lost. */
const SIGNS_OF_LIFE = 4;
const LONG_MS = 60_000;

interface Sign {
  readonly note?: string;
  readonly saved?: object;
}

/** What an activity said last; sent with its next sign of life, because each of these is a write of the server. */
const progress = new WeakMap<Context, Sign>();

/** Puts a function into the surroundings of an activity; `secrets` are values that no failure may name. */
export function guardWith(secrets: readonly string[] = []) {
  return <A extends unknown[], R>(call: (...args: A) => Promise<R>): ((...args: A) => Promise<R>) =>
    async (...args) => {
      const context = Context.current();
      // A try that breaks off before it saves anything itself must not lose what the one before it saved.
      progress.set(context, { ...savedBefore(context) });
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

/** What the activity that calls this gives to its work. */
export function control(): StepControl {
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
      progress.set(context, { ...progress.get(context), note });
    },
    checkpoint: {
      before: savedBefore(context)?.saved,
      save: (saved) => {
        const sign = { ...progress.get(context), saved };
        progress.set(context, sign);
        context.heartbeat(sign);
      },
    },
  };
}

function savedBefore({ info }: Context): Pick<Sign, 'saved'> | undefined {
  const saved = (info.heartbeatDetails as Sign | undefined)?.saved;
  return saved === undefined ? undefined : { saved };
}
