import type { Client } from '@temporalio/client';
import { PipelineError } from '../../errors.ts';
import { datasetOf } from '../../engine/engine.ts';
import { parseCivilDate } from '../../pipelines/civil-date.ts';
import { declaredSchedules } from '../../schedules/declared-schedules.ts';
import { pauseSchedule, resumeSchedule } from '../../schedules/control-schedules.ts';
import type { day } from '../../workflows/day.ts';
import { callerName } from '../shared/caller-name.ts';
import { EXIT } from '../shared/context.ts';
import type { CommandContext, ExitCode } from '../shared/context.ts';
import { noteCommand } from '../shared/note-command.ts';
import { awaitDay } from '../temporal/day-waits.ts';
import { withClient } from '../temporal/known-temporal.ts';
import { sendOrder } from '../temporal/orders.ts';
import { withTemporal } from '../temporal/temporal.ts';
import { describeDay } from './run.ts';

/**
 * Thin senders: each sends one update to a run that is under way, the same that the UI sends, with
 * who asks and why.
 */

interface Signed {
  readonly reason?: string | undefined;
  /** Who asks; default: the user of this process. */
  readonly by?: string | undefined;
}

/** What an order to a running day needs besides its step. */
export interface DayOrder extends Signed {
  readonly pipeline: string;
  readonly date: string;
  /** Leave the day to the workers when the order has been taken. */
  readonly detach?: boolean;
}

/** `quotidien skip`: the running day goes on without the download of a part. */
export function skip(
  context: CommandContext,
  order: DayOrder & { readonly part: string },
): Promise<ExitCode> {
  const { part } = order;
  const step = part.includes('/') ? part : `download/${part}`;
  return orderDay(context, order, 'skipPart', { step, ...signed(order) });
}

/**
 * `quotidien retry`: a failed step of the running day is tried again, or a day that waits asks its
 * publisher now.
 */
export function retry(
  context: CommandContext,
  order: DayOrder & { readonly step: string },
): Promise<ExitCode> {
  return orderDay(context, order, 'retryStep', { step: order.step, ...signed(order) });
}

/** Sends an update to a running day, and follows the day until it ends or waits again. */
export async function orderDay(
  context: CommandContext,
  order: DayOrder,
  update: string,
  input: object,
): Promise<ExitCode> {
  datasetOf(context, order.pipeline);
  const workflowId = `day/${order.pipeline}/${parseCivilDate(order.date)}`;
  // The run is on the server of this home; without workers elsewhere it needs those of this
  // command.
  return withTemporal(context, async ({ client }) => {
    await noteCommand(context, { action: update, target: workflowId, ...signed(order) });
    const told = await sendOrder(client, workflowId, update, input);
    context.terminal.line(told);
    if (order.detach !== true) return followDay(context, client, workflowId, order);
    context.terminal.data({ id: workflowId, told });
    return EXIT.done;
  });
}

async function followDay(
  context: CommandContext,
  client: Client,
  workflowId: string,
  { pipeline, date }: DayOrder,
): Promise<ExitCode> {
  const { terminal } = context;
  const { definition } = datasetOf(context, pipeline);
  const handle = client.workflow.getHandle<typeof day>(workflowId);
  const result = await awaitDay(terminal, client, { handle, definition, date }, true);
  terminal.data('why' in result ? { date, waits: result } : result);
  if ('why' in result) return EXIT.degraded;
  terminal.line(describeDay(result));
  return result.verdict === 'ok' ? EXIT.done : EXIT.degraded;
}

/** An order to something that runs for longer than a day. */
export interface RunOrder extends Signed {
  /**
   * A backfill (`backfill/…`, or its pipeline while only one runs) or a schedule
   * (`<pipeline>/<schedule>`).
   */
  readonly target: string;
}

/** `quotidien pause`: nothing more of a backfill is started, or no tick of a schedule. */
export function pause(context: CommandContext, order: RunOrder): Promise<ExitCode> {
  return orderRun(context, order, 'pause');
}

/** `quotidien resume` goes on after a pause. */
export function resume(context: CommandContext, order: RunOrder): Promise<ExitCode> {
  return orderRun(context, order, 'resume');
}

async function orderRun(
  context: CommandContext,
  order: RunOrder,
  verb: 'pause' | 'resume',
): Promise<ExitCode> {
  const { reason, by } = signed(order);
  const taskQueue = context.config.settings.QUOTIDIEN_TASK_QUEUE;
  const schedule = declaredSchedules(context.datasets, taskQueue).find(
    ({ id }) => id === order.target,
  );
  return withClient(context, async (client) => {
    const id = schedule?.id ?? (await backfillOf(client, order.target));
    const what = schedule === undefined ? 'backfill' : 'schedule';
    await noteCommand(context, { action: `${what}/${verb}`, target: id, reason, by });
    if (schedule === undefined) {
      const told = await sendOrder(client, id, verb, verb === 'pause' ? { reason, by } : undefined);
      context.terminal.line(`${id}: ${told}`);
    } else {
      const change = verb === 'pause' ? pauseSchedule : resumeSchedule;
      await change(client, schedule, `${reason} (${by})`);
      context.terminal.line(`${id} ${verb}d`);
    }
    context.terminal.data({ id, done: `${verb}d` });
    return EXIT.done;
  });
}

/**
 * The backfill that is meant; `PLAN_INVALID` names those that run, when a pipeline has none or
 * several.
 */
export async function backfillOf(client: Client, target: string): Promise<string> {
  if (target.startsWith('backfill/')) return target;
  const running: string[] = [];
  const query = `ExecutionStatus = "Running" AND WorkflowId STARTS_WITH "backfill/${target.replaceAll('"', '')}/"`;
  for await (const { workflowId } of client.workflow.list({ query })) running.push(workflowId);
  const [only] = running;
  if (only !== undefined && running.length === 1) return only;
  const known = running.length === 0 ? 'none runs' : `name one of ${running.join(', ')}`;
  throw new PipelineError(
    'PLAN_INVALID',
    `${target} is neither a schedule nor the pipeline of one backfill: ${known}`,
  );
}

/** `INPUT_INVALID` without a reason. */
export function signed({ reason = '', by }: Signed): {
  readonly reason: string;
  readonly by: string;
} {
  if (reason.trim() === '') {
    throw new PipelineError(
      'INPUT_INVALID',
      'say why with --reason; it is kept with what was asked for',
    );
  }
  return { reason: reason.trim(), by: by ?? callerName() };
}
