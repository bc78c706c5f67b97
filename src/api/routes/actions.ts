import { z } from 'zod';
import { definedMembers } from '../../given.ts';
import { datasetOf } from '../../engine/engine.ts';
import { checkPlan, loadPlan, planBackfill, savePlan } from '../../engine/plan/plan-backfill.ts';
import { planRun } from '../../engine/plan/plan-run.ts';
import { checkRequest } from '../../engine/plan/resolve-plan.ts';
import { PipelineError } from '../../errors.ts';
import { SELECTIONS } from '../../pipelines/backfill.ts';
import { STAGES } from '../../pipelines/vocabulary.ts';
import type { StepId } from '../../pipelines/vocabulary.ts';
import { pauseSchedule, resumeSchedule, triggerSchedule } from '../../schedules/control-schedules.ts';
import { declaredSchedules } from '../../schedules/declared-schedules.ts';
import { requireScope } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { anyRecord, civilDate, dayParams, pipelineName, pipelineParams, problems } from '../shared/fields.ts';
import { notFound } from '../shared/problems.ts';
import { Orders } from './orders.ts';

/**
 * What operators do: each is a start, an update or a schedule call that Temporal has already, with a reason that is kept. Starting what runs
 * joins it, so that two who press the same button make one run.
 */

const tags = ['actions'];
const reason = z.string().trim().min(3).max(500).describe('Why; kept with the day');
const step = z
  .string()
  .max(80)
  .regex(/^[a-z]+\/[a-z0-9-]+$/)
  .describe('Such as download/tr');

const runBody = z.strictObject({
  reason,
  from_step: z.string().max(80).optional().describe('Execute this step or stage, and what follows, again'),
  recheck: z.boolean().optional().describe('Ask the publisher even where its last answer counts as fresh'),
  force: z.boolean().optional().describe('Execute every step again; needs the scope admin'),
  until: z.enum(STAGES).optional(),
});
const dayAction = z.strictObject({
  ...dayParams.shape,
  action: z.enum(['retryStep', 'skipPart', 'unskipPart', 'decide']),
});
const dayActionBody = z.strictObject({
  reason,
  step: step.optional(),
  decision: z.enum(['accept', 'reject', 'retry']).optional().describe('Of `decide`'),
});
const planBody = z.strictObject({
  pipeline: pipelineName,
  from: civilDate,
  to: civilDate,
  select: z.enum(SELECTIONS).default('open'),
  newest_first: z.boolean().optional(),
  until: z.enum(STAGES).optional(),
  pages: z.boolean().optional().describe('Also the pages of the days'),
});
const backfillBody = z.strictObject({
  pipeline: pipelineName,
  plan: z.string().min(4).max(64).describe('Hash of a plan'),
  reason,
  parallel: z.int().min(1).max(32).optional(),
  canary: z.int().min(1).max(400).optional(),
});
const backfillParams = z.strictObject({
  pipeline: pipelineName,
  range: z.string().regex(/^\d{4}-\d\d-\d\d_\d{4}-\d\d-\d\d$/),
  hash: z.string().max(64),
});
const backfillAction = z.strictObject({
  ...backfillParams.shape,
  action: z.enum(['pause', 'resume', 'resize', 'cancel', 'decide']),
});
const backfillActionBody = z.strictObject({
  reason,
  parallel: z.int().min(1).max(32).optional().describe('Of `resize`'),
  decision: z.enum(['accept', 'reject']).optional().describe('Of `decide`'),
});
const scheduleAction = z.strictObject({
  pipeline: pipelineName,
  schedule: z.string().max(40),
  action: z.enum(['trigger', 'pause', 'resume']),
});
const scheduleBody = z.strictObject({
  reason,
  date: civilDate.optional().describe('Of `trigger`: the tick of this data date'),
});

const accepted = { 202: anyRecord, ...problems };

/**
 * Everything that starts or changes a run; each needs `ops:write` and a reason, which the audit
 * keeps.
 */
export function addActionRoutes(app: ApiApp, context: ApiContext): void {
  const orders = new Orders(context);
  addDayActions(app, context, orders);
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
      const { pipeline } = request.params;
      datasetOf(context.engine, pipeline);
      await orders.note(request, { action: 'watch', target: pipeline, pipeline, reason: request.body.reason });
      reply.code(202);
      return { id: await context.runs.startWatch(pipeline) };
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
      const { pipeline, schedule, action } = request.params;
      const { reason: why, date } = request.body;
      const id = `${pipeline}/${schedule}`;
      const declared = declaredSchedules(context.engine.datasets, context.taskQueue).find((one) => one.id === id);
      if (declared === undefined) throw notFound(`schedule ${id}`);
      await orders.note(request, { action: `schedule/${action}`, target: id, pipeline, reason: why });
      await context.withClient((client) => {
        if (action === 'pause') return pauseSchedule(client, declared, why);
        return action === 'resume' ? resumeSchedule(client, declared, why) : triggerSchedule(client, declared, date);
      });
      reply.code(202);
      return { id, action };
    },
  );
}

function addDayActions(app: ApiApp, context: ApiContext, orders: Orders): void {
  const { engine } = context;
  app.post(
    '/pipelines/:pipeline/days/:date/runs',
    { schema: { tags, summary: 'Run a day, or join its run', params: dayParams, body: runBody, response: accepted } },
    async (request, reply) => {
      const { pipeline, date } = request.params;
      const { reason: why, from_step: from, recheck, force, until } = request.body;
      const { definition } = datasetOf(engine, pipeline);
      const fromStep = force === true ? STAGES[0] : (from as StepId | undefined);
      checkRequest(definition, { dates: [date], options: definedMembers({ fromStep }) });
      if (force === true) requireScope(request, 'admin', pipeline);
      const by = await orders.note(request, { action: 'run', target: `${pipeline}/${date}`, pipeline, reason: why });
      const { plans } = await planRun(engine, definition, [date], { days: 1 });
      const id = await context.runs.startDay({
        pipeline,
        date,
        why,
        by,
        ...definedMembers({ fromStep }),
        ...(recheck === true ? { recheck } : {}),
        ...definedMembers({ until }),
      });
      reply.code(202).header('location', `/api/v1/pipelines/${pipeline}/days/${date}`);
      return { id, plan: plans[0]?.steps ?? [] };
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
      const { pipeline, date, action } = request.params;
      const { reason: why, step: named, decision } = request.body;
      const id = `day/${pipeline}/${date}`;
      if (action === 'decide' ? decision === undefined : named === undefined)
        throw new PipelineError('INPUT_INVALID', `${action} needs ${action === 'decide' ? 'decision' : 'step'}`);
      const by = await orders.note(request, { action, target: id, pipeline, reason: why });
      const input = {
        reason: why,
        by,
        ...definedMembers({ step: named, decision }),
      };
      reply.code(202);
      return { id, answer: await orders.update(id, action, input) };
    },
  );
}

function addBackfills(app: ApiApp, context: ApiContext, orders: Orders): void {
  const { engine } = context;
  app.post(
    '/backfill-plans',
    {
      schema: {
        tags,
        summary: 'What a backfill would do, with the hash to start it by',
        body: planBody,
        response: { 200: anyRecord, ...problems },
      },
    },
    async (request) => {
      const { newest_first: newestFirst, until, pages, ...asked } = request.body;
      requireScope(request, 'ops:read', asked.pipeline);
      const detailed = await planBackfill(engine, {
        ...asked,
        ...(newestFirst === true ? { newestFirst } : {}),
        ...definedMembers({ until }),
        ...(pages === true ? { pages } : {}),
      });
      await savePlan(engine.documents, detailed.plan);
      return { ...detailed };
    },
  );
  app.post(
    '/backfills',
    { schema: { tags, summary: 'Start exactly a plan, or join it', body: backfillBody, response: accepted } },
    async (request, reply) => {
      const { pipeline, plan: hash, reason: why, parallel, canary } = request.body;
      datasetOf(engine, pipeline);
      const { request: asked } = await loadPlan(engine.documents, pipeline, hash);
      const id = `backfill/${pipeline}/${asked.from}_${asked.to}/${hash}`;
      await orders.note(request, { action: 'backfill', target: id, pipeline, reason: why });
      // One that runs has changed the stores itself: it is joined, not planned again.
      if (!(await orders.runs(id))) await checkPlan(engine, pipeline, hash, () => undefined);
      const started = await context.runs.startBackfill({
        ...asked,
        plan: hash,
        ...definedMembers({ parallel, canary }),
      });
      reply.code(202).header('location', `/api/v1/backfills/${pipeline}/${asked.from}_${asked.to}/${hash}`);
      return { id: started };
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
      const { pipeline, range, hash, action } = request.params;
      const { reason: why, parallel, decision } = request.body;
      const id = `backfill/${pipeline}/${range}/${hash}`;
      const by = await orders.note(request, { action: `backfill/${action}`, target: id, pipeline, reason: why });
      const inputs = {
        resize: { parallel },
        decide: { decision, reason: why, by },
        pause: { reason: why, by },
        cancel: { reason: why, by },
      };
      reply.code(202);
      return { id, answer: await orders.update(id, action, action === 'resume' ? undefined : inputs[action]) };
    },
  );
}
