import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { dayAction, dayActionBody, orderDay, orderRun, reason, runBody } from '../api/routes/day-orders.ts';
import { Orders } from '../api/routes/orders.ts';
import type { Verifier } from '../api/routes/verify-order.ts';
import type { ApiApp } from '../api/shared/app.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { dayParams } from '../api/shared/fields.ts';
import { fieldsOf, readForm } from './form.ts';
import { linkTo } from './layout.tsx';
import { pageContext, sendProblemPage } from './send-page.ts';

/**
 * The forms of the console: each does what a route of the API does, by the same order, and then leads back to a page, so that loading that page
 * again does nothing twice. They work without scripts. Who may not is refused by the order itself.
 */

/** Does the order; returns the address of the page that comes next, without its language. */
type Act = (request: FastifyRequest, reply: FastifyReply) => Promise<string>;

interface FormRoute {
  readonly path: string;
  /** Where the form was, for who got it wrong. */
  readonly back: (params: Record<string, string>) => string;
  readonly act: Act;
}

/** All forms that act; the media type of forms is taken nowhere else. */
export function addForms(app: ApiApp, context: ApiContext, verifier: Verifier): void {
  const orders = new Orders(context);
  app.register((scope, _, done) => {
    scope.addContentTypeParser('application/x-www-form-urlencoded', { parseAs: 'string' }, (__, body, parsed) => {
      parsed(null, fieldsOf(String(body)));
    });
    for (const route of dayForms(context, orders, verifier)) addForm(scope, context, route);
    done();
  });
}

function addForm(app: ApiApp, context: ApiContext, { path, back, act }: FormRoute): void {
  app.post(path, { schema: { hide: true } }, async (request, reply) => {
    const page = pageContext(context, request);
    try {
      const next = await act(request, reply);
      return await reply.header('cache-control', 'no-store').redirect(linkTo(page, next), 303);
    } catch (error) {
      const address = linkTo(page, back(request.params as Record<string, string>));
      return sendProblemPage(page, error, request, reply, address);
    }
  });
}

function dayForms(context: ApiContext, orders: Orders, verifier: Verifier): FormRoute[] {
  const back = ({ pipeline = '', scope = '' }: Record<string, string>): string => `/console/${pipeline}/${scope}`;
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
