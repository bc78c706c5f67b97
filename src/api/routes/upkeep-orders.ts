import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { datasetOf } from '../../engine/engine.ts';
import {
  pauseSchedule,
  resumeSchedule,
  triggerSchedule,
} from '../../schedules/control-schedules.ts';
import { declaredSchedules } from '../../schedules/declared-schedules.ts';
import type { ApiContext } from '../shared/context.ts';
import { civilDate, pipelineName } from '../shared/fields.ts';
import { notFound } from '../shared/problems.ts';
import { reason } from './day-orders.ts';
import type { Orders } from './orders.ts';

/**
 * What people order of schedules and of the watch over publishers, the same over the API and from a
 * form.
 */

/** The parameters of an action on a schedule. */
export const scheduleAction = z.strictObject({
  pipeline: pipelineName,
  schedule: z.string().max(40),
  action: z.enum(['trigger', 'pause', 'resume']),
});

/** The body of such an action. */
export const scheduleBody = z.strictObject({
  reason,
  date: civilDate.optional().describe('Of `trigger`: the tick of this data date'),
});

/** Asks the publisher what it revised; returns the id of the run. Needs `ops:write`. */
export async function orderWatch(
  { engine, runs }: Pick<ApiContext, 'engine' | 'runs'>,
  orders: Orders,
  request: FastifyRequest,
  pipeline: string,
  { reason: why }: { readonly reason: string },
): Promise<{ readonly id: string }> {
  datasetOf(engine, pipeline);
  await orders.note(request, { action: 'watch', target: pipeline, pipeline, reason: why });
  return { id: await runs.startWatch(pipeline) };
}

/**
 * Triggers, pauses or resumes a declared schedule; `NOT_FOUND` when there is none. Needs
 * `ops:write`.
 */
export async function orderSchedule(
  { engine, taskQueue, withClient }: Pick<ApiContext, 'engine' | 'taskQueue' | 'withClient'>,
  orders: Orders,
  request: FastifyRequest,
  { pipeline, schedule, action }: z.output<typeof scheduleAction>,
  { reason: why, date }: z.output<typeof scheduleBody>,
): Promise<{ readonly id: string; readonly action: string }> {
  const id = `${pipeline}/${schedule}`;
  const declared = declaredSchedules(engine.datasets, taskQueue).find((one) => one.id === id);
  if (declared === undefined) throw notFound(`schedule ${id}`);
  await orders.note(request, { action: `schedule/${action}`, target: id, pipeline, reason: why });
  await withClient((client) => {
    if (action === 'pause') return pauseSchedule(client, declared, why);
    return action === 'resume'
      ? resumeSchedule(client, declared, why)
      : triggerSchedule(client, declared, date);
  });
  return { id, action };
}
