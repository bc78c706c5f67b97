import { z } from 'zod';
import { heldScopes } from '../../engine/look/held-scopes.ts';
import { requireScope } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { dayParams, periodParams, pipelineName } from '../shared/fields.ts';
import { anyRecord, orderProblems, problems } from '../shared/responses.ts';
import { dossierOf } from './dossiers.ts';
import { Orders } from './orders.ts';
import { orderUnitOfDay, orderUnitOfPeriod, unitDecisionBody } from './unit-orders.ts';

/**
 * Periods, and the units that days and periods are held without: where they are, and what people
 * decide on them.
 */

const ofPipeline = z.strictObject({ pipeline: pipelineName.optional() });

/** What waits for a decision unit by unit, one period, and the decisions themselves. */
export function addHeldRoutes(app: ApiApp, context: ApiContext): void {
  const { engine, known } = context;
  const response = { 200: anyRecord, ...problems };
  app.get(
    '/held',
    {
      schema: {
        tags: ['pipelines'],
        summary: 'Days and periods that are without held units',
        querystring: ofPipeline,
        response,
      },
    },
    async (request) => {
      const { pipeline } = request.query;
      requireScope(request, 'ops:read', pipeline);
      const names = pipeline === undefined ? Object.keys(engine.datasets) : [pipeline];
      const held = [];
      for (const name of names) held.push(...(await heldScopes(engine, known, name)));
      return { held };
    },
  );
  app.get(
    '/pipelines/:pipeline/periods/:period',
    {
      schema: {
        tags: ['days'],
        summary: 'Everything that is kept about a month, a year or the history',
        params: periodParams,
        response,
      },
    },
    async (request) => {
      const { pipeline, period } = request.params;
      return dossierOf(context, request, pipeline, period);
    },
  );
  addDecisions(app, context);
}

function addDecisions(app: ApiApp, context: ApiContext): void {
  const orders = new Orders(context);
  const tags = ['actions'];
  const response = { 202: anyRecord, ...orderProblems };
  app.post(
    '/pipelines/:pipeline/days/:date/actions/decideUnit',
    {
      schema: {
        tags,
        summary: 'Accept or reject one held unit of a day',
        params: dayParams,
        body: unitDecisionBody,
        response,
      },
    },
    async (request, reply) => {
      reply.code(202);
      return {
        ...(await orderUnitOfDay({ context, orders, request }, request.params, request.body)),
      };
    },
  );
  app.post(
    '/pipelines/:pipeline/periods/:period/actions/decideUnit',
    {
      schema: {
        tags,
        summary: 'Accept or reject one held unit of a month, a year or the history',
        params: periodParams,
        body: unitDecisionBody,
        response,
      },
    },
    async (request, reply) => {
      reply.code(202);
      return {
        ...(await orderUnitOfPeriod({ context, orders, request }, request.params, request.body)),
      };
    },
  );
}
