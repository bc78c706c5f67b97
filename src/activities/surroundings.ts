import { Context, cancellationSignal } from '@temporalio/activity';
import { ApplicationFailure } from '@temporalio/common';
import { required } from '../given.ts';
import type { ErrorCode } from '../errors.ts';
import type { StepControl } from '../engine/engine.ts';
import { toApplicationFailure } from './failure.ts';
import { live, signOfLife } from './signs-of-life.ts';
import type { Life } from './signs-of-life.ts';

/** How many heartbeats a worker sends within the time after which it counts as lost. */
const BEATS = 4;
const LONG_MS = 60_000;

/** Longest time that work goes on without a sign of life, unless the engine says another. */
const DEFAULT_STALL_MS = 15 * 60_000;

interface Sign {
  readonly note?: string;
  readonly saved?: object;
}

/**
 * What an activity said last; sent with its next sign of life, because each of these is a write of
 * the server.
 */
const progress = new WeakMap<Context, Sign>();

/** Aborted when the activity is cancelled or stands still. */
const stops = new WeakMap<Context, AbortSignal>();

/** What an activity is watched for, beside its cancellation. */
export interface GuardOptions {
  /** Values that no failure may name. */
  readonly secrets?: readonly string[] | undefined;
  /** Work that gives no sign of life for this long is given up. */
  readonly stallMs?: number | undefined;
}

/** Puts a function into the surroundings of an activity. */
export function guardWith({ secrets = [], stallMs = DEFAULT_STALL_MS }: GuardOptions = {}) {
  return <A extends unknown[], R>(call: (...args: A) => Promise<R>): ((...args: A) => Promise<R>) =>
    async (...args) => {
      const context = Context.current();
      // A try that breaks off before it saves anything itself must not lose what the one before it
      // saved.
      progress.set(context, { ...savedBefore(context) });
      const life: Life = { silentMs: 0, waits: 0 };
      const alive = keepAlive(context, life, stallMs);
      try {
        return await live(life, () => call(...args));
      } catch (error) {
        // A cancelled activity must end as cancelled, and one that stood still as that, whatever
        // error the interruption made of it.
        cancellationSignal().throwIfAborted();
        alive.signal.throwIfAborted();
        throw toApplicationFailure(error, secrets);
      } finally {
        alive.end();
      }
    };
}

/**
 * Heartbeats for as long as the work lives. When it stands still, the server hears nothing more and
 * starts another try; what can be interrupted here is, so that it frees its place.
 */
function keepAlive(context: Context, life: Life, stallMs: number) {
  const every = (context.info.heartbeatTimeoutMs ?? LONG_MS) / BEATS;
  const stop = new AbortController();
  const passOn = (): void => {
    stop.abort(context.cancellationSignal.reason);
  };
  if (context.cancellationSignal.aborted) passOn();
  else context.cancellationSignal.addEventListener('abort', passOn, { once: true });
  stops.set(context, stop.signal);
  const beat = setInterval(() => {
    life.silentMs = life.waits > 0 ? 0 : life.silentMs + every;
    if (life.silentMs <= stallMs) context.heartbeat(progress.get(context));
    else stop.abort(standstill(stallMs));
  }, every);
  return {
    signal: stop.signal,
    end(): void {
      clearInterval(beat);
      context.cancellationSignal.removeEventListener('abort', passOn);
    },
  };
}

/** Retryable, unlike other errors that nobody expected: the next try may get through. */
function standstill(stallMs: number): ApplicationFailure {
  const message = `the work gave no sign of life for ${Math.round(stallMs / 1_000)} s and was given up`;
  return ApplicationFailure.create({
    type: 'INTERNAL' satisfies ErrorCode,
    message,
    nonRetryable: false,
  });
}

/** What the activity that calls this gives to its work. */
export function control(): StepControl {
  const context = Context.current();
  const { attempt } = context.info;
  const { workflowId, runId } = required(
    context.info.workflowExecution,
    'the workflow of the activity',
  );
  return {
    execution: { workflowId, runId, attempt },
    signal: stops.get(context) ?? context.cancellationSignal,
    progress: (note) => {
      signOfLife();
      progress.set(context, { ...progress.get(context), note });
    },
    checkpoint: {
      before: savedBefore(context)?.saved,
      save: (saved) => {
        signOfLife();
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
