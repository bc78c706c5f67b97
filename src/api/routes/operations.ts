import { z } from 'zod';
import { datasetOf } from '../../engine/engine.ts';
import { storesStanding } from '../../engine/look/stores-standing.ts';
import { PLAN_TABLE } from '../../pipelines/backfill.ts';
import type { BackfillPlan } from '../../pipelines/backfill.ts';
import { listBackfills } from './backfill-orders.ts';
import { listSchedules } from '../../schedules/list-schedules.ts';
import { requireScope } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { notFound } from '../shared/problems.ts';
import { anyRecord, problems } from '../shared/responses.ts';

/** What operators look at besides days: schedules, backfills, stores. */

const tags = ['operations'];

/** Schedules, backfills, their plans and the stores. Needs `ops:read`. */
export function addOperationRoutes(app: ApiApp, context: ApiContext): void {
  const { engine } = context;
  const response = { 200: anyRecord, ...problems };
  app.get(
    '/schedules',
    { schema: { tags, summary: 'Every declared schedule as it stands', response } },
    async (request) => {
      requireScope(request, 'ops:read');
      return {
        schedules: await context.withClient((client) =>
          listSchedules(client, engine.datasets, context.taskQueue),
        ),
      };
    },
  );
  app.get(
    '/backfills',
    { schema: { tags, summary: 'Backfills, the newest first', response } },
    async (request) => {
      requireScope(request, 'ops:read');
      return { backfills: await context.withClient(listBackfills) };
    },
  );
  app.get(
    '/backfill-plans/:pipeline/:hash',
    {
      schema: {
        tags,
        summary: 'A plan that was made before',
        params: z.strictObject({ pipeline: z.string().max(64), hash: z.string().max(64) }),
        response,
      },
    },
    async (request) => {
      const { pipeline, hash } = request.params;
      requireScope(request, 'ops:read', pipeline);
      datasetOf(engine, pipeline);
      const found = await engine.documents.get<BackfillPlan>({
        table: PLAN_TABLE,
        partition: pipeline,
        sort: hash,
      });
      if (found === undefined) throw notFound(`plan ${hash} of ${pipeline}`);
      return { plan: found.body };
    },
  );
  app.get(
    '/stores',
    { schema: { tags, summary: 'The stores, and what waits to be replayed', response } },
    async (request) => {
      requireScope(request, 'ops:read');
      return { ...(await storesStanding(engine)) };
    },
  );
}
