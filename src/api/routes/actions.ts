import { z } from 'zod';
import { requireScope } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { dayParams, pipelineParams } from '../shared/fields.ts';
import { anyRecord, orderProblems, problems } from '../shared/responses.ts';
import {
  backfillAction,
  backfillActionBody,
  backfillBody,
  backfillParams,
  orderBackfill,
  orderOnBackfill,
  orderPlan,
  planBody,
} from './backfill-orders.ts';
import { dayAction, dayActionBody, orderDay, orderRun, reason, runBody } from './day-orders.ts';
import { Orders } from './orders.ts';
import type { Verifier } from './verify-order.ts';
import { orderSchedule, orderWatch, scheduleAction, scheduleBody } from './upkeep-orders.ts';

/**
 * What operators do: each is a start, an update or a schedule call that Temporal has already, with
 * a reason that is kept. Starting what runs joins it, so that two who press the same button make
 * one run.
 */

const tags = ['actions'];

const accepted = { 202: anyRecord, ...orderProblems };

/**
 * Everything that starts or changes a run; each needs `ops:write` and a reason, which the audit
 * keeps.
 */
export function addActionRoutes(app: ApiApp, context: ApiContext, verifier: Verifier): void {
  const orders = new Orders(context);
  addDayActions(app, context, orders);
  addVerification(app, verifier, orders);
  addBackfills(app, context, orders);
  app.post(
    '/pipelines/:pipeline/watch',
    {
      schema: {
        tags,
        summary: 'Ask the publisher what it revised',
        params: pipelineParams,
        body: z.strictObject({ reason }),
        response: accepted,
      },
    },
    async (request, reply) => {
      reply.code(202);
      return {
        ...(await orderWatch(context, orders, request, request.params.pipeline, request.body)),
      };
    },
  );
  app.post(
    '/schedules/:pipeline/:schedule/actions/:action',
    {
      schema: {
        tags,
        summary: 'Trigger, pause or resume a schedule',
        params: scheduleAction,
        body: scheduleBody,
        response: accepted,
      },
    },
    async (request, reply) => {
      reply.code(202);
      return { ...(await orderSchedule(context, orders, request, request.params, request.body)) };
    },
  );
}

function addDayActions(app: ApiApp, context: ApiContext, orders: Orders): void {
  app.post(
    '/pipelines/:pipeline/days/:date/runs',
    {
      schema: {
        tags,
        summary: 'Run a day, or join its run',
        params: dayParams,
        body: runBody,
        response: accepted,
      },
    },
    async (request, reply) => {
      const { pipeline, date } = request.params;
      const answer = await orderRun(context, orders, request, { pipeline, date }, request.body);
      reply.code(202).header('location', `/api/v1/pipelines/${pipeline}/days/${date}`);
      return { ...answer };
    },
  );
  app.post(
    '/pipelines/:pipeline/days/:date/actions/:action',
    {
      schema: {
        tags,
        summary: 'Tell a running day what to do',
        params: dayAction,
        body: dayActionBody,
        response: accepted,
      },
    },
    async (request, reply) => {
      const { action, ...day } = request.params;
      reply.code(202);
      return { ...(await orderDay(orders, request, day, action, request.body)) };
    },
  );
}

function addVerification(app: ApiApp, verifier: Verifier, orders: Orders): void {
  app.post(
    '/pipelines/:pipeline/days/:date/actions/verify',
    {
      schema: {
        tags,
        summary: 'Rebuild a finished day from its raw files, and compare every byte',
        params: dayParams,
        body: z.strictObject({ reason }),
        response: { 200: anyRecord, ...orderProblems },
      },
    },
    async (request, reply) => {
      const order = { ...request.params, reason: request.body.reason };
      return { ...(await verifier.verify(orders, request, reply, order)) };
    },
  );
}

function addBackfills(app: ApiApp, context: ApiContext, orders: Orders): void {
  app.post(
    '/backfill-plans',
    {
      schema: {
        tags,
        summary: 'What a backfill would do, with the hash to start it by',
        // Nothing is started: where reading is open, this is.
        security: [],
        body: planBody,
        response: { 200: anyRecord, ...orderProblems },
      },
    },
    async (request) => ({ ...(await orderPlan(context, request, request.body)) }),
  );
  app.post(
    '/backfills',
    {
      schema: {
        tags,
        summary: 'Start exactly a plan, or join it',
        body: backfillBody,
        response: accepted,
      },
    },
    async (request, reply) => {
      const { id, path } = await orderBackfill(context, orders, request, request.body);
      reply.code(202).header('location', `/api/v1/backfills/${path}`);
      return { id };
    },
  );
  addRunningBackfills(app, orders);
}

function addRunningBackfills(app: ApiApp, orders: Orders): void {
  app.get(
    '/backfills/:pipeline/:range/:hash',
    {
      schema: {
        tags,
        summary: 'How far a backfill is',
        params: backfillParams,
        response: { 200: anyRecord, ...problems },
      },
    },
    async (request) => {
      const { pipeline, range, hash } = request.params;
      requireScope(request, 'ops:read', pipeline);
      return { ...(await orders.progress(`backfill/${pipeline}/${range}/${hash}`)) };
    },
  );
  app.post(
    '/backfills/:pipeline/:range/:hash/actions/:action',
    {
      schema: {
        tags,
        summary: 'Tell a running backfill what to do',
        params: backfillAction,
        body: backfillActionBody,
        response: accepted,
      },
    },
    async (request, reply) => {
      const { action, ...backfill } = request.params;
      reply.code(202);
      return { ...(await orderOnBackfill(orders, request, backfill, action, request.body)) };
    },
  );
}
