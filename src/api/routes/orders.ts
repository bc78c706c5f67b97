import { WorkflowNotFoundError, WorkflowUpdateFailedError } from '@temporalio/client';
import type { FastifyRequest } from 'fastify';
import { errorCodeOf, messageWithoutCode, PipelineError } from '../../errors.ts';
import type { DayState } from '../../pipelines/execution.ts';
import type { BackfillProgress } from '../../workflows/backfill-control.ts';
import type { DayWaits } from '../../workflows/day-contract.ts';
import { requireScope } from '../security/callers.ts';
import { writeAudit } from '../shared/audit.ts';
import type { ApiContext } from '../shared/context.ts';
import { notFound } from '../shared/problems.ts';

interface Order {
  readonly action: string;
  readonly target: string;
  readonly pipeline: string;
  readonly reason: string;
}

/** A page is not held up by a run that does not answer. */
const ANSWER_WITHIN_MS = 5_000;

/** A day while it runs. */
export interface DayNow {
  readonly steps: DayState;
  /** Null while it works. */
  readonly waits: DayWaits | null;
}

/** How far a run is; instants are ISO. */
export interface RunProgress {
  readonly id: string;
  /** Temporal's word. */
  readonly status: string;
  readonly started_at: string;
  readonly ended_at: string | null;
  readonly progress: BackfillProgress | null;
}

/** Orders to running workflows, each checked and written down first. */
export class Orders {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  /** Refuses who may not; writes down who asked, and returns that. */
  async note(
    request: FastifyRequest,
    { action, target, pipeline, reason: why }: Order,
  ): Promise<string> {
    requireScope(request, 'ops:write', pipeline);
    const { engine } = this.#context;
    const by = request.caller.name;
    await writeAudit(engine.documents, {
      at: engine.now().toISOString(),
      by,
      action,
      target,
      reason: why,
    });
    return by;
  }

  /** Waits for the workflow's answer; a refused update is `PLAN_INVALID` or `INPUT_INVALID`. */
  async update(id: string, action: string, input: object | undefined): Promise<unknown> {
    return this.#context.withClient((client) =>
      told(id, () => {
        const handle = client.workflow.getHandle(id);
        if (input === undefined) return handle.executeUpdate<unknown, []>(action);
        return handle.executeUpdate<unknown, [object]>(action, { args: [input] });
      }),
    );
  }

  /** False also for a run that nobody has started. */
  async runs(id: string): Promise<boolean> {
    return this.#context.withClient(async (client) => {
      const found = await client.workflow
        .getHandle(id)
        .describe()
        .catch(() => undefined);
      return found?.status.name === 'RUNNING';
    });
  }

  /** What a day that runs is doing; undefined when it does not say so within five seconds. */
  async dayNow(id: string): Promise<DayNow | undefined> {
    const asked = this.#context.withClient((client) =>
      client.withDeadline(Date.now() + ANSWER_WITHIN_MS, async () => {
        const handle = client.workflow.getHandle(id);
        const [steps, waits] = await Promise.all([
          handle.query<DayState>('progress'),
          handle.query<DayWaits | null>('waits'),
        ]);
        return { steps, waits };
      }),
    );
    return asked.catch(() => undefined);
  }

  /**
   * Works on runs that have ended, as long as Temporal keeps their history; null where no worker
   * tells the progress.
   */
  async progress(id: string): Promise<RunProgress> {
    return this.#context.withClient((client) =>
      told(id, async () => {
        const handle = client.workflow.getHandle(id);
        const { status, startTime, closeTime } = await handle.describe();
        const progress = await client
          .withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
            handle.query<BackfillProgress>('progress'),
          )
          .catch(() => null);
        const ended = closeTime?.toISOString() ?? null;
        return {
          id,
          status: status.name,
          started_at: startTime.toISOString(),
          ended_at: ended,
          progress,
        };
      }),
    );
  }
}

/**
 * Temporal's refusals in our codes: `NOT_FOUND` of a run that is not under way, else the code that
 * the run gave.
 */
export async function told<T>(id: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof WorkflowNotFoundError) throw notFound(`run ${id} that is under way`);
    if (!(error instanceof WorkflowUpdateFailedError)) throw error;
    const { type, message } = error.cause as { type?: string; message?: string };
    const code = errorCodeOf({ code: type }) ?? 'PLAN_INVALID';
    throw new PipelineError(code, messageWithoutCode(type, message ?? 'the order was refused'), {
      cause: error,
    });
  }
}
