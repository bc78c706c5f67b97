import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { definedMembers } from '../../given.ts';
import { datasetOf } from '../../engine/engine.ts';
import { planRun } from '../../engine/plan/plan-run.ts';
import { checkRequest } from '../../engine/plan/resolve-plan.ts';
import { PipelineError } from '../../errors.ts';
import type { PlannedStep } from '../../pipelines/planned-step.ts';
import { STAGES } from '../../pipelines/vocabulary.ts';
import type { StepId } from '../../pipelines/vocabulary.ts';
import { requireScope } from '../security/callers.ts';
import type { ApiContext } from '../shared/context.ts';
import { dayParams } from '../shared/fields.ts';
import type { Orders } from './orders.ts';

/** What people order of one day, the same over the API and from a form. */

/** Why something is done; kept with what is done and in the audit. */
export const reason = z
  .string()
  .max(500)
  .regex(/^\s*\S[\s\S]+\S\s*$/, 'a reason has at least three characters')
  .trim()
  .describe('Why; kept with the day');

const step = z
  .string()
  .max(80)
  .regex(/^[a-z]+\/[a-z0-9-]+$/)
  .describe('Such as download/tr');

/** The body of a run. */
export const runBody = z.strictObject({
  reason,
  from_step: z
    .string()
    .max(80)
    .optional()
    .describe('Execute this step or stage, and what follows, again'),
  recheck: z
    .boolean()
    .optional()
    .describe('Ask the publisher even where its last answer counts as fresh'),
  force: z.boolean().optional().describe('Execute every step again; needs the scope admin'),
  until: z.enum(STAGES).optional(),
});

/** The parameters of an action on a day that runs. */
export const dayAction = z.strictObject({
  ...dayParams.shape,
  action: z.enum(['retryStep', 'skipPart', 'unskipPart', 'decide']),
});

/** The body of such an action. */
export const dayActionBody = z.strictObject({
  reason,
  step: step.optional(),
  decision: z.enum(['accept', 'reject', 'retry']).optional().describe('Of `decide`'),
});

interface Day {
  readonly pipeline: string;
  readonly date: string;
}

/**
 * Runs a day or joins its run; returns the id of the run and what is going to be done. Needs
 * `ops:write`, `force` needs `admin`.
 */
export async function orderRun(
  context: ApiContext,
  orders: Orders,
  request: FastifyRequest,
  { pipeline, date }: Day,
  { reason: why, from_step: from, recheck, force, until }: z.output<typeof runBody>,
): Promise<{ readonly id: string; readonly plan: readonly PlannedStep[] }> {
  const { engine } = context;
  const { definition } = datasetOf(engine, pipeline);
  const fromStep = force === true ? STAGES[0] : (from as StepId | undefined);
  checkRequest(definition, { dates: [date], options: definedMembers({ fromStep }) });
  if (force === true) requireScope(request, 'admin', pipeline);
  const by = await orders.note(request, {
    action: 'run',
    target: `${pipeline}/${date}`,
    pipeline,
    reason: why,
  });
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
  return { id, plan: plans[0]?.steps ?? [] };
}

/** Tells a day that runs what to do; returns what it answers. `NOT_FOUND` when it does not run. */
export async function orderDay(
  orders: Orders,
  request: FastifyRequest,
  { pipeline, date }: Day,
  action: z.output<typeof dayAction>['action'],
  { reason: why, step: named, decision }: z.output<typeof dayActionBody>,
): Promise<{ readonly id: string; readonly answer: unknown }> {
  const id = `day/${pipeline}/${date}`;
  if (action === 'decide' ? decision === undefined : named === undefined)
    throw new PipelineError(
      'INPUT_INVALID',
      `${action} needs ${action === 'decide' ? 'decision' : 'step'}`,
    );
  const by = await orders.note(request, { action, target: id, pipeline, reason: why });
  const input = { reason: why, by, ...definedMembers({ step: named, decision }) };
  return { id, answer: await orders.update(id, action, input) };
}
