import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { datasetOf } from '../../engine/engine.ts';
import { newestManifests } from '../../engine/records/ledger-reader.ts';
import { definedMembers } from '../../given.ts';
import { datesOfPeriod } from '../../pipelines/period.ts';
import { WHOLE_HISTORY } from '../../pipelines/scope.ts';
import type { CivilDate, Period, Scope } from '../../pipelines/vocabulary.ts';
import type { ApiContext, ToldRun } from '../shared/context.ts';
import { notFound } from '../shared/problems.ts';
import { reason } from './day-orders.ts';
import { told } from './orders.ts';
import type { Orders } from './orders.ts';

/**
 * What people decide on single held units of days and periods, the same over the API, from a form
 * and by command.
 */

/** The body of a decision on one unit. */
export const unitDecisionBody = z.strictObject({
  reason,
  unit: z.string().min(1).max(200).describe('As the version of the day or period names it'),
  decision: z.enum(['accept', 'reject']),
  step: z
    .string()
    .max(80)
    .optional()
    .describe('Where several steps hold the unit: the one that is meant'),
});

type Asked = z.output<typeof unitDecisionBody>;

/** What the order works with. */
export interface UnitOrder {
  readonly context: Pick<ApiContext, 'engine' | 'runs'>;
  readonly orders: Orders;
  readonly request: FastifyRequest;
}

/**
 * Keeps the decision and has the day made again without asking its publisher. `PLAN_INVALID` when
 * it holds no such unit.
 */
export async function orderUnitOfDay(
  { context, orders, request }: UnitOrder,
  { pipeline, date }: { readonly pipeline: string; readonly date: CivilDate },
  asked: Asked,
): Promise<ToldRun> {
  datasetOf(context.engine, pipeline);
  const id = `day/${pipeline}/${date}`;
  const by = await orders.note(request, noteOf(pipeline, date, asked));
  await requireVersion(context, pipeline, date);
  return told(id, () => context.runs.decideUnit({ pipeline, date }, { ...given(asked), by }));
}

/**
 * Keeps the decision and has the period made again, with what is made from it. `PLAN_INVALID` when
 * it holds no such unit.
 */
export async function orderUnitOfPeriod(
  { context, orders, request }: UnitOrder,
  { pipeline, period }: { readonly pipeline: string; readonly period: Period },
  asked: Asked,
): Promise<ToldRun> {
  const { since } = datasetOf(context.engine, pipeline).definition;
  const first = period === WHOLE_HISTORY ? since : datesOfPeriod(period).from;
  const by = await orders.note(request, noteOf(pipeline, period, asked));
  await requireVersion(context, pipeline, period);
  const decision = { ...given(asked), by, period, date: first < since ? since : first };
  return told(`rollup/${pipeline}`, () => context.runs.decidePeriodUnit(pipeline, decision));
}

/**
 * The update starts what it is sent to: a scope without a version has nothing to decide on, and is
 * not started for it.
 */
async function requireVersion(
  { engine }: UnitOrder['context'],
  pipeline: string,
  scope: Scope,
): Promise<void> {
  const found = await newestManifests(engine.documents, pipeline, [scope]);
  if (!found.has(scope)) throw notFound(`version of ${pipeline} ${scope}`);
}

/** What is written down of it first. */
function noteOf(pipeline: string, scope: string, { unit, reason: why }: Asked) {
  return { action: 'decideUnit', target: `${pipeline}/${scope}/${unit}`, pipeline, reason: why };
}

function given({ reason: why, unit, decision, step }: Asked) {
  return { unit, decision, reason: why, ...definedMembers({ step }) };
}
