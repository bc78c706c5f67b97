import { h } from 'preact';
import { backfillParams, listBackfills } from '../api/routes/backfill-orders.ts';
import { Orders } from '../api/routes/orders.ts';
import { hasScope, seenBy } from '../api/security/callers.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { notFound } from '../api/shared/problems.ts';
import { loadPlan, planBackfill } from '../engine/plan/plan-backfill.ts';
import { errorCodeOf } from '../errors.ts';
import { countReasons } from '../pipelines/backfill.ts';
import type { BackfillPlan } from '../pipelines/backfill.ts';
import { datesBetween } from '../pipelines/civil-date.ts';
import { BackfillPage, BackfillsPage, PlanPage } from './backfill-pages.tsx';
import type { PlanToday } from './backfill-pages.tsx';
import { readForm } from './form.ts';
import type { AddPage } from './send-page.ts';

/**
 * A longer range is not planned a second time when its plan is looked at: the start plans it again
 * at any rate.
 */
const MAX_DAYS_PLANNED_AGAIN = 400;

/** The pages of backfills: the form with the list, a plan, and a backfill that runs or ran. */
export function addBackfillPages(add: AddPage, context: ApiContext): void {
  const { engine, withClient } = context;
  const orders = new Orders(context);
  add.seen('/console/backfills', async (page, request) => {
    const pipelines = seenBy(page.caller, Object.keys(engine.datasets));
    const given = Object.entries(request.query as Record<string, unknown>);
    const chosen = Object.fromEntries(given.map(([name, value]) => [name, String(value)]));
    const all = await withClient(listBackfills).catch(() => null);
    const backfills =
      all?.filter(({ id }) => hasScope(page.caller, 'ops:read', id.split('/')[1])) ?? null;
    return {
      title: page.words.backfills,
      content: h(BackfillsPage, { page, pipelines, chosen, backfills }),
    };
  });
  add('/console/plans/:pipeline/:hash', async (page, request) => {
    const { pipeline, hash } = request.params as { pipeline: string; hash: string };
    const plan = await keptPlan(context, pipeline, hash);
    if (plan === undefined) throw notFound(`plan ${hash} of ${pipeline}`);
    const today = await planToday(context, plan);
    return {
      title: `${page.words.backfill} ${pipeline}`,
      content: h(PlanPage, { page, plan, today }),
    };
  });
  add('/console/backfills/:pipeline/:range/:hash', async (page, request) => {
    const place = readForm(backfillParams, request.params);
    const { pipeline, range, hash } = place;
    const run = await orders.progress(`backfill/${pipeline}/${range}/${hash}`);
    const plan = await keptPlan(context, pipeline, hash);
    const title = `${page.words.backfill} ${pipeline} ${range.replace('_', ' … ')}`;
    return { title, content: h(BackfillPage, { page, place, run, plan }) };
  });
}

async function keptPlan(
  { engine }: Pick<ApiContext, 'engine'>,
  pipeline: string,
  hash: string,
): Promise<BackfillPlan | undefined> {
  try {
    return await loadPlan(engine.documents, pipeline, hash);
  } catch (error) {
    if (errorCodeOf(error) === 'PLAN_INVALID') return undefined;
    throw error;
  }
}

async function planToday(
  { engine }: Pick<ApiContext, 'engine'>,
  plan: BackfillPlan,
): Promise<PlanToday> {
  const { from, to } = plan.request;
  if (datesBetween(from, to).length > MAX_DAYS_PLANNED_AGAIN) return { holds: null, reasons: [] };
  const again = await planBackfill(engine, plan.request);
  return { holds: again.plan.hash === plan.hash, reasons: countReasons(again.days) };
}
