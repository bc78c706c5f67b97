import {
  CancellationScope,
  condition,
  defineUpdate,
  isCancellation,
  patched,
  setHandler,
} from '@temporalio/workflow';
import { LEFT_OUT } from '../pipelines/kept-delivery.ts';
import type { OperatorAction } from '../pipelines/operator-action.ts';
import type { DayState } from '../pipelines/execution.ts';
import type { DayPlan } from '../pipelines/planned-step.ts';
import type { StepId } from '../pipelines/vocabulary.ts';
import { codedFailure } from './plain-failures.ts';
import { checkUpdate, optional, refuse, text } from './input-shape.ts';
import type { Shape } from './input-shape.ts';

/**
 * What an operator can do to a day while it runs, besides deciding on held data. A refused update
 * leaves no trace in history.
 */

/** The step must be one of the plan; of a part it is the download. */
export interface StepOrder {
  readonly step: StepId;
  readonly reason: string;
  /** Who asks; kept with the day. */
  readonly by?: string;
}

const STEP_ORDER: Shape<StepOrder> = { step: text, reason: text, by: optional(text) };

/** Try a failed step again, or do not wait any longer for the publisher. */
export const retryStepUpdate = defineUpdate<string, [StepOrder]>('retryStep');
/** Do without the download of a part, also while it is being tried. */
export const skipPartUpdate = defineUpdate<string, [StepOrder]>('skipPart');
/** Takes a skip back: the part is asked for again by the same run. */
export const unskipPartUpdate = defineUpdate<string, [StepOrder]>('unskipPart');
/**
 * The plan of the day, as soon as there is one; with Update-with-Start it starts the day or joins
 * it.
 */
export const awaitPlanUpdate = defineUpdate<DayPlan>('awaitPlan');

/**
 * A skip takes effect when it has been kept. Before this came the day went on beside the keeping,
 * in an order that a replay could not repeat: whether the update ended before or after the next
 * step began.
 */
const KEPT_FIRST = 'skips-are-kept-first';

interface Watched {
  readonly plan: DayPlan | undefined;
  readonly state: DayState;
  /** The day waits on a timer. */
  readonly waits: boolean;
}

type RecordOrder = (
  action: Extract<OperatorAction['action'], 'retryStep' | 'skipPart' | 'unskipPart'>,
  order: StepOrder,
) => Promise<void>;

/** The handlers of these updates and what they have set; one per run. */
export class DayControl {
  #retry: StepOrder | undefined;
  readonly #skips = new Map<StepId, string>();
  readonly #running = new Map<StepId, CancellationScope>();

  constructor(watch: () => Watched, record: RecordOrder) {
    this.#handleRetry(watch, record);
    this.#handleSkips(watch, record);
    setHandler(awaitPlanUpdate, async () => {
      await condition(() => watch().plan !== undefined);
      const { plan } = watch();
      if (plan === undefined) throw codedFailure('INTERNAL', 'the day has no plan');
      return plan;
    });
  }

  #handleRetry(watch: () => Watched, record: RecordOrder): void {
    setHandler(
      retryStepUpdate,
      async (order: StepOrder) => {
        this.askRetry(order);
        await record('retryStep', order);
        return `${order.step} is tried again`;
      },
      {
        validator: (order: StepOrder) => {
          const { state, waits } = checked('retryStep', order, watch());
          const known = state[order.step];
          const failed =
            known?.state === 'failed' || (known?.state === 'done' && known.kept !== undefined);
          if (!waits && !failed) refuse(`${order.step} has not failed`, 'PLAN_INVALID');
        },
        description: 'Try a failed step again; a day that waits for the publisher asks now',
      },
    );
  }

  #handleSkips(watch: () => Watched, record: RecordOrder): void {
    setHandler(
      skipPartUpdate,
      async (order: StepOrder) => {
        const isFirst = patched(KEPT_FIRST);
        if (isFirst) await record('skipPart', order);
        this.#skips.set(order.step, `${LEFT_OUT}: ${order.reason}`);
        this.#running.get(order.step)?.cancel();
        if (!isFirst) await record('skipPart', order);
        return `${order.step} is skipped`;
      },
      {
        validator: (order: StepOrder) => {
          const { state } = checked('skipPart', order, watch());
          if (!order.step.startsWith('download/'))
            refuse(`${order.step} is no download: only parts are skipped`);
          if (state[order.step]?.state === 'done')
            refuse(`${order.step} is done already`, 'PLAN_INVALID');
        },
        description:
          'Go on without a part; the day is degraded, and the next run asks for the part again',
      },
    );
    setHandler(
      unskipPartUpdate,
      async (order: StepOrder) => {
        this.#skips.delete(order.step);
        // The attempt under way has done without the part: the day is planned again after it.
        this.askRetry(order);
        await record('unskipPart', order);
        return `${order.step} is asked for again`;
      },
      {
        validator: (order: StepOrder) => {
          checked('unskipPart', order, watch());
          if (!this.#skips.has(order.step))
            refuse(`${order.step} was not skipped in this run`, 'PLAN_INVALID');
        },
        description: 'Take a skip back: the part is asked for again by the same run',
      },
    );
  }

  /** Why the day is planned again after this attempt. */
  get retry(): StepOrder | undefined {
    return this.#retry;
  }

  /** Undefined: the retry was taken up. */
  askRetry(order: StepOrder | undefined): void {
    this.#retry = order;
  }

  /** Undefined when nobody has skipped the step in this run. */
  skipReason(step: StepId): string | undefined {
    return this.#skips.get(step);
  }

  /** Whether the run does without any part. */
  get skipped(): boolean {
    return this.#skips.size > 0;
  }

  /** Runs a step so that it can be given up when it is skipped: undefined then. */
  async abandonable<T>(step: StepId, work: () => Promise<T>): Promise<T | undefined> {
    const scope = new CancellationScope();
    this.#running.set(step, scope);
    try {
      return await scope.run(work);
    } catch (error) {
      const isSkip = scope.consideredCancelled && !CancellationScope.current().consideredCancelled;
      if (isCancellation(error) && isSkip) return undefined;
      throw error;
    } finally {
      this.#running.delete(step);
    }
  }
}

/** The order makes sense for the day as it stands. */
function checked(update: string, order: StepOrder, watched: Watched): Watched {
  checkUpdate(update, STEP_ORDER, order);
  const { step } = order;
  const known = watched.plan?.steps.map((planned) => planned.step) ?? [];
  if (!known.includes(step)) refuse(`there is no step ${step}; the steps are ${known.join(', ')}`);
  return watched;
}
