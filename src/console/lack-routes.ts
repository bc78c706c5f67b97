import { h } from 'preact';
import { z } from 'zod';
import { reason } from '../api/routes/day-orders.ts';
import type { Orders } from '../api/routes/orders.ts';
import { orderWatch } from '../api/routes/upkeep-orders.ts';
import { requireScope, seenBy } from '../api/security/callers.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { pipelineName, pipelineParams, rangeQuery } from '../api/shared/fields.ts';
import { datasetOf } from '../engine/engine.ts';
import { stalePeriods } from '../engine/derive/stale-periods.ts';
import { heldScopes } from '../engine/look/held-scopes.ts';
import type { HeldScope } from '../engine/look/held-scopes.ts';
import { rangeOfDays } from '../engine/look/range-of-days.ts';
import { staleDays } from '../engine/look/stale-days.ts';
import { findUnfinished } from '../engine/look/unfinished.ts';
import { foundRevisions, watchedParts } from '../engine/watch/watched.ts';
import { GAP_KINDS, gapsOf } from '../pipelines/calendar-of-days.ts';
import { GapsPage } from './calendar-page.tsx';
import type { GapRow } from './calendar-page.tsx';
import { askedOf, readForm } from './form.ts';
import type { FormRoute } from './form-route.ts';
import type { PageContext } from './layout.tsx';
import type { AddPage } from './send-page.ts';
import { StalePage } from './stale-page.tsx';
import { WatchPage } from './watch-page.tsx';

/**
 * Pages of what is not as it should be, or may not be for long: gaps, what is out of date, and what
 * publishers revised.
 */

const chosenRange = z.strictObject({ pipeline: pipelineName.optional(), ...rangeQuery.shape });

/** They read what the routes of the API and the commands of the same names read. */
export function addLackPages(add: AddPage, context: ApiContext): void {
  const { engine, known } = context;
  const seenOn = ({ caller }: PageContext): string[] =>
    seenBy(caller, Object.keys(engine.datasets));
  add.seen('/console/gaps', async (page) => {
    const gaps: GapRow[] = [];
    const held: HeldScope[] = [];
    for (const pipeline of seenOn(page)) {
      const dates = rangeOfDays(engine, pipeline, {});
      const days = await context.calendar.of(pipeline, dates, await context.running(pipeline));
      for (const kind of GAP_KINDS) {
        const found = days.filter((day) => gapsOf(day).includes(kind)).map(({ date }) => date);
        if (found.length > 0) gaps.push({ pipeline, kind, dates: found });
      }
      held.push(...(await heldScopes(engine, known, pipeline)));
    }
    return { title: page.words.gaps, content: h(GapsPage, { page, gaps, held }) };
  });
  add.seen('/console/stale', async (page, request) => {
    const pipelines = seenOn(page);
    const { pipeline, from, to } = readForm(chosenRange, askedOf(page.address));
    const unfinished = await Promise.all(
      pipelines.map(async (name) => [name, await findUnfinished(engine, name)] as const),
    );
    if (pipeline !== undefined)
      requireScope(request, 'ops:read', datasetOf(engine, pipeline).definition.name);
    const stale = pipeline === undefined ? null : await staleOf(context, pipeline, { from, to });
    const chosen = { pipeline, from, to };
    return {
      title: page.words.stale,
      content: h(StalePage, { page, pipelines, chosen, stale, unfinished }),
    };
  });
  add.seen('/console/watch', async (page) => {
    const watched = await Promise.all(
      seenOn(page).map(async (pipeline) => ({
        pipeline,
        parts: await watchedParts(engine, pipeline),
        revisions: await foundRevisions(engine, pipeline),
      })),
    );
    return { title: page.words.watched, content: h(WatchPage, { page, watched }) };
  });
}

async function staleOf(
  { engine }: ApiContext,
  pipeline: string,
  range: z.output<typeof rangeQuery>,
) {
  const dates = rangeOfDays(engine, pipeline, range);
  const { days } = await staleDays(engine, pipeline, dates);
  return { days, periods: await stalePeriods(engine, pipeline, dates) };
}

/** Asks a publisher at once. */
export function watchForm(context: ApiContext, orders: Orders): FormRoute {
  return {
    path: '/console/watch/:pipeline',
    back: () => '/console/watch',
    act: async (request) => {
      const { pipeline } = readForm(pipelineParams, request.params);
      await orderWatch(
        context,
        orders,
        request,
        pipeline,
        readForm(z.strictObject({ reason }), request.body),
      );
      return '/console/watch?done=watch';
    },
  };
}
