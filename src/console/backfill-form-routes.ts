import type { FastifyRequest } from 'fastify';
import {
  backfillAction,
  backfillActionBody,
  backfillBody,
  orderBackfill,
  orderOnBackfill,
  orderPlan,
  planBody,
} from '../api/routes/backfill-orders.ts';
import type { Orders } from '../api/routes/orders.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { readForm } from './form.ts';
import type { FormRoute } from './form-route.ts';

const ALL = '/console/backfills';

/** The forms of backfills: plan, start exactly a plan, and tell what runs what to do. */
export function backfillForms(context: ApiContext, orders: Orders): FormRoute[] {
  const back = ({ pipeline, range, hash }: Readonly<Record<string, string>>): string =>
    [ALL, pipeline, range, hash].join('/');
  const act = async (request: FastifyRequest): Promise<string> => {
    const { action, ...place } = readForm(backfillAction, request.params);
    const asked = readForm(backfillActionBody, request.body, { numbers: ['parallel'] });
    await orderOnBackfill(orders, request, place, action, asked);
    return `${back(place)}?done=${action}`;
  };
  return [
    {
      path: `${ALL}/plan`,
      back: () => ALL,
      act: async (request) => {
        const asked = readForm(planBody, request.body, { flags: ['newest_first', 'pages'] });
        const { plan } = await orderPlan(context, request, asked);
        return `/console/plans/${plan.request.pipeline}/${plan.hash}`;
      },
    },
    {
      path: `${ALL}/start`,
      back: () => ALL,
      act: async (request) => {
        const asked = readForm(backfillBody, request.body, { numbers: ['parallel', 'canary'] });
        const { path } = await orderBackfill(context, orders, request, asked);
        return `${ALL}/${path}?done=backfill`;
      },
    },
    { path: `${ALL}/:pipeline/:range/:hash/:action`, back, act },
  ];
}
