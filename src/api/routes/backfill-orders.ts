import type { Client } from '@temporalio/client';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { definedMembers } from '../../given.ts';
import { datasetOf } from '../../engine/engine.ts';
import { checkPlan, loadPlan, planBackfill, savePlan } from '../../engine/plan/plan-backfill.ts';
import type { DetailedPlan } from '../../engine/plan/plan-backfill.ts';
import { SELECTIONS } from '../../pipelines/backfill.ts';
import { STAGES } from '../../pipelines/vocabulary.ts';
import { requireScope } from '../security/callers.ts';
import type { ApiContext } from '../shared/context.ts';
import { civilDate, pipelineName } from '../shared/fields.ts';
import { reason } from './day-orders.ts';
import type { Orders } from './orders.ts';

/**
 * What people order of many days, the same over the API and from a form: a plan, exactly that plan,
 * and what it does then.
 */

/** What a plan is asked for. */
export const planBody = z.strictObject({
  pipeline: pipelineName,
  from: civilDate,
  to: civilDate,
  select: z.enum(SELECTIONS).default('open'),
  newest_first: z.boolean().optional(),
  until: z.enum(STAGES).optional(),
  pages: z.boolean().optional().describe('Also the pages of the days'),
});

/** The start of a plan. */
export const backfillBody = z.strictObject({
  pipeline: pipelineName,
  plan: z.string().min(4).max(64).describe('Hash of a plan'),
  reason,
  parallel: z.int().min(1).max(32).optional(),
  canary: z.int().min(1).max(400).optional(),
});

/** Of a path below `/backfills`. */
export const backfillParams = z.strictObject({
  pipeline: pipelineName,
  range: z.string().regex(/^\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d$/),
  hash: z.string().max(64),
});

/** The parameters of an action on a backfill that runs. */
export const backfillAction = z.strictObject({
  ...backfillParams.shape,
  action: z.enum(['pause', 'resume', 'resize', 'cancel', 'decide']),
});

/** The body of such an action. */
export const backfillActionBody = z.strictObject({
  reason,
  parallel: z.int().min(1).max(32).optional().describe('Of `resize`'),
  decision: z.enum(['accept', 'reject']).optional().describe('Of `decide`'),
});

type BackfillPlace = z.output<typeof backfillParams>;

/** The id of the workflow; with its path below `/backfills`. */
function placeOf({ pipeline, range, hash }: BackfillPlace): {
  readonly id: string;
  readonly path: string;
} {
  const path = `${pipeline}/${range}/${hash}`;
  return { id: `backfill/${path}`, path };
}

/** Makes and keeps a plan; nothing is started. Needs `ops:read`. */
export async function orderPlan(
  { engine }: Pick<ApiContext, 'engine'>,
  request: FastifyRequest,
  { newest_first: newestFirst, until, pages, ...asked }: z.output<typeof planBody>,
): Promise<DetailedPlan> {
  requireScope(request, 'ops:read', asked.pipeline);
  const detailed = await planBackfill(engine, {
    ...asked,
    ...(newestFirst === true ? { newestFirst } : {}),
    ...definedMembers({ until }),
    ...(pages === true ? { pages } : {}),
  });
  await savePlan(engine.documents, detailed.plan);
  return detailed;
}

/**
 * Starts exactly a plan or joins it; `PLAN_INVALID` when the stores have moved since. Needs
 * `ops:write`.
 */
export async function orderBackfill(
  { engine, runs }: Pick<ApiContext, 'engine' | 'runs'>,
  orders: Orders,
  request: FastifyRequest,
  { pipeline, plan: hash, reason: why, parallel, canary }: z.output<typeof backfillBody>,
): Promise<{ readonly id: string; readonly path: string }> {
  datasetOf(engine, pipeline);
  // Whoever may not start it learns nothing of which plans there are.
  requireScope(request, 'ops:write', pipeline);
  const { request: asked } = await loadPlan(engine.documents, pipeline, hash);
  const { id, path } = placeOf({ pipeline, range: `${asked.from}_${asked.to}`, hash });
  await orders.note(request, { action: 'backfill', target: id, pipeline, reason: why });
  // One that runs has changed the stores itself: it is joined, not planned again.
  if (!(await orders.runs(id))) await checkPlan(engine, pipeline, hash, () => undefined);
  const started = await runs.startBackfill({
    ...asked,
    plan: hash,
    ...definedMembers({ parallel, canary }),
  });
  return { id: started, path };
}

/**
 * Tells a backfill that runs what to do; returns what it answers. `NOT_FOUND` when it does not run.
 */
export async function orderOnBackfill(
  orders: Orders,
  request: FastifyRequest,
  place: BackfillPlace,
  action: z.output<typeof backfillAction>['action'],
  { reason: why, parallel, decision }: z.output<typeof backfillActionBody>,
): Promise<{ readonly id: string; readonly answer: unknown }> {
  const { id } = placeOf(place);
  const { pipeline } = place;
  const by = await orders.note(request, {
    action: `backfill/${action}`,
    target: id,
    pipeline,
    reason: why,
  });
  const inputs = {
    resize: { parallel },
    decide: { decision, reason: why, by },
    pause: { reason: why, by },
    cancel: { reason: why, by },
  };
  return {
    id,
    answer: await orders.update(id, action, action === 'resume' ? undefined : inputs[action]),
  };
}

const BACKFILLS_LISTED = 200;

/** A backfill as the list shows it; instants are ISO. */
export interface ListedBackfill {
  /** Of the workflow: `backfill/<pipeline>/<from>_<to>/<hash>`. */
  readonly id: string;
  readonly run: string;
  /** Temporal's word. */
  readonly status: string;
  readonly started_at: string;
  readonly ended_at: string | null;
}

/** The newest first, those that Temporal remembers, at most two hundred. */
export async function listBackfills(client: Client): Promise<ListedBackfill[]> {
  const found: ListedBackfill[] = [];
  for await (const run of client.workflow.list({ query: 'WorkflowId STARTS_WITH "backfill/"' })) {
    const { workflowId, runId, status, startTime, closeTime } = run;
    found.push({
      id: workflowId,
      run: runId,
      status: status.name,
      started_at: startTime.toISOString(),
      ended_at: closeTime?.toISOString() ?? null,
    });
    if (found.length === BACKFILLS_LISTED) break;
  }
  return found;
}
