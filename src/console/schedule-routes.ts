import { h } from 'preact';
import { z } from 'zod';
import { reason } from '../api/routes/day-orders.ts';
import type { Orders } from '../api/routes/orders.ts';
import {
  orderSchedule,
  orderWatch,
  scheduleAction,
  scheduleBody,
} from '../api/routes/upkeep-orders.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { pipelineParams } from '../api/shared/fields.ts';
import { errorCodeOf } from '../errors.ts';
import { compareSchedules } from '../schedules/apply-schedules.ts';
import { listSchedules } from '../schedules/list-schedules.ts';
import { readForm } from './form.ts';
import type { FormRoute } from './form-route.ts';
import { SchedulesPage } from './schedules-page.tsx';
import type { AddPage } from './send-page.ts';

const ALL = '/console/schedules';

/** The page of all schedules; what Temporal has is asked for each time. */
export function addSchedulesPage(add: AddPage, context: ApiContext): void {
  const { engine, taskQueue, withClient } = context;
  add(ALL, async (page) => {
    const pipelines = Object.keys(engine.datasets);
    const asked = withClient((client) =>
      Promise.all([
        listSchedules(client, engine.datasets, taskQueue),
        compareSchedules(client, engine.datasets, taskQueue),
      ]),
    );
    const found = await asked.catch(unlessAway);
    if (found === undefined)
      return { title: page.words.schedules, content: h('p', null, page.words.temporalAway) };
    const [schedules, compared] = found;
    const content = h(SchedulesPage, { page, schedules, compared, pipelines });
    return { title: page.words.schedules, content };
  });
}

/** Without a Temporal server there are no schedules to show, and nothing is wrong with the page. */
function unlessAway(error: unknown): undefined {
  const code = errorCodeOf(error);
  if (code !== 'STORE_UNAVAILABLE' && code !== 'CONFIG_INVALID') throw error;
}

/** Trigger, pause and resume a schedule, and ask a publisher what it revised. */
export function scheduleForms(context: ApiContext, orders: Orders): FormRoute[] {
  const back = (): string => ALL;
  return [
    {
      path: `${ALL}/:pipeline/watch`,
      back,
      act: async (request) => {
        const { pipeline } = readForm(pipelineParams, request.params);
        await orderWatch(
          context,
          orders,
          request,
          pipeline,
          readForm(z.strictObject({ reason }), request.body),
        );
        return `${ALL}?done=watch`;
      },
    },
    {
      path: `${ALL}/:pipeline/:schedule/:action`,
      back,
      act: async (request) => {
        const asked = readForm(scheduleAction, request.params);
        await orderSchedule(context, orders, request, asked, readForm(scheduleBody, request.body));
        return `${ALL}?done=schedule`;
      },
    },
  ];
}
