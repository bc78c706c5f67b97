import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import {
  dayAction,
  dayActionBody,
  orderDay,
  orderRun,
  reason,
  runBody,
} from '../api/routes/day-orders.ts';
import type { Orders } from '../api/routes/orders.ts';
import { orderUnitOfDay, orderUnitOfPeriod, unitDecisionBody } from '../api/routes/unit-orders.ts';
import type { Verifier } from '../api/routes/verify-order.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { dayParams, periodParams } from '../api/shared/fields.ts';
import { readForm } from './form.ts';
import type { FormRoute } from './form-route.ts';

/** The forms of a day, and the one of periods. */
export function dayForms(context: ApiContext, orders: Orders, verifier: Verifier): FormRoute[] {
  const back = ({ pipeline, scope }: Readonly<Record<string, string>>): string =>
    ['/console', pipeline, scope].join('/');
  const dayOf = ({ params }: FastifyRequest) => {
    const { pipeline, scope } = params as { pipeline: string; scope: string };
    return readForm(dayParams, { pipeline, date: scope });
  };
  const route = (
    action: string,
    order: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>,
  ) => ({
    path: `/console/:pipeline/:scope/${action}`,
    back,
    act: async (request: FastifyRequest, reply: FastifyReply) => {
      await order(request, reply);
      const { pipeline, date } = dayOf(request);
      return `/console/${pipeline}/${date}?done=${action}`;
    },
  });
  return [
    route('run', (request) => {
      const asked = readForm(runBody, request.body, { flags: ['recheck', 'force'] });
      return orderRun(context, orders, request, dayOf(request), asked);
    }),
    route('verify', (request, reply) => {
      const { reason: why } = readForm(z.strictObject({ reason }), request.body);
      return verifier.verify(orders, request, reply, { ...dayOf(request), reason: why });
    }),
    route('decideUnit', (request) =>
      orderUnitOfDay(
        { context, orders, request },
        dayOf(request),
        readForm(unitDecisionBody, request.body),
      ),
    ),
    periodRoute(context, orders),
    ...dayAction.shape.action.options.map((action) =>
      route(action, (request) =>
        orderDay(orders, request, dayOf(request), action, readForm(dayActionBody, request.body)),
      ),
    ),
  ];
}

function periodRoute(context: ApiContext, orders: Orders): FormRoute {
  const pathOf = ({ pipeline, period }: Readonly<Record<string, string>>): string =>
    ['/console', pipeline, 'periods', period].join('/');
  return {
    path: '/console/:pipeline/periods/:period/decideUnit',
    back: pathOf,
    act: async (request) => {
      const asked = readForm(periodParams, request.params);
      await orderUnitOfPeriod(
        { context, orders, request },
        asked,
        readForm(unitDecisionBody, request.body),
      );
      return `${pathOf(asked)}?done=decideUnit`;
    },
  };
}
