import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { dayAction, dayActionBody, orderDay, orderRun, reason, runBody } from '../api/routes/day-orders.ts';
import type { Orders } from '../api/routes/orders.ts';
import type { Verifier } from '../api/routes/verify-order.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { dayParams } from '../api/shared/fields.ts';
import { readForm } from './form.ts';
import type { FormRoute } from './form-route.ts';

/** The forms of a day. */
export function dayForms(context: ApiContext, orders: Orders, verifier: Verifier): FormRoute[] {
  const back = ({ pipeline, scope }: Readonly<Record<string, string>>): string =>
    ['/console', pipeline, scope].join('/');
  const dayOf = ({ params }: FastifyRequest) => {
    const { pipeline, scope } = params as { pipeline: string; scope: string };
    return readForm(dayParams, { pipeline, date: scope });
  };
  const route = (action: string, order: (request: FastifyRequest, reply: FastifyReply) => Promise<unknown>) => ({
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
    ...dayAction.shape.action.options.map((action) =>
      route(action, (request) =>
        orderDay(orders, request, dayOf(request), action, readForm(dayActionBody, request.body)),
      ),
    ),
  ];
}
