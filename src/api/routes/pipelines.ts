import { z } from 'zod';
import { datasetOf } from '../../engine/engine.ts';
import { failedDays } from '../../engine/look/failed-days.ts';
import { rangeOfDays } from '../../engine/look/range-of-days.ts';
import { staleDays } from '../../engine/look/stale-days.ts';
import { findUnfinished } from '../../engine/look/unfinished.ts';
import { stalePeriods } from '../../engine/derive/stale-periods.ts';
import {
  calendarTotals,
  GAP_KINDS,
  gapsOf,
  publishersOf,
  rangesOf,
} from '../../pipelines/calendar-of-days.ts';
import type { CalendarDay } from '../../pipelines/calendar-of-days.ts';
import type { Dataset } from '../../pipelines/dataset.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import { requireScope } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { pipelineName, pipelineParams, rangeQuery } from '../shared/fields.ts';
import { anyRecord, bounded, problems } from '../shared/responses.ts';

/** Pipelines, how their days stand, and what is not as it should be. */

const tags = ['pipelines'];
const ofPipeline = z.strictObject({ pipeline: pipelineName.optional(), ...rangeQuery.shape });

/** Pipelines, their calendars and what is missing in them. */
export function addPipelineRoutes(app: ApiApp, context: ApiContext): void {
  const { engine, known } = context;
  app.get(
    '/pipelines',
    {
      schema: {
        tags,
        summary: 'Every pipeline',
        response: { 200: z.object({ pipelines: z.array(anyRecord) }), ...problems },
      },
    },
    async () => ({
      pipelines: await Promise.all(
        Object.values(engine.datasets).map(async (dataset) =>
          described(dataset, await known.span(dataset.definition.name)),
        ),
      ),
    }),
  );
  app.get(
    '/pipelines/:pipeline',
    {
      schema: {
        tags,
        summary: 'One pipeline',
        params: pipelineParams,
        response: { 200: anyRecord, ...problems },
      },
    },
    async ({ params: { pipeline } }) => {
      const dataset = datasetOf(engine, pipeline);
      const { parts, steps, rollups, schedules, publication } = dataset.definition;
      return {
        ...described(dataset, await known.span(pipeline)),
        parts,
        steps,
        rollups,
        schedules,
        publication,
      };
    },
  );
  app.get(
    '/pipelines/:pipeline/calendar',
    {
      schema: {
        tags,
        summary: 'How the days of a range stand; the last year without one',
        params: pipelineParams,
        querystring: rangeQuery,
        response: { 200: anyRecord, ...problems, ...bounded },
      },
    },
    async (request) => {
      const { pipeline } = request.params;
      const days = await daysOf(context, pipeline, request.query);
      return { pipeline, totals: calendarTotals(days), days };
    },
  );
  addLacks(app, context);
}

function described(
  { definition, tables, questions }: Dataset,
  span: object | undefined,
): Record<string, unknown> {
  const { name, title, zone } = definition;
  return {
    name,
    title,
    zone,
    since: firstDayOf(definition),
    known: span ?? null,
    tables: (tables ?? []).map(({ id }) => id),
    questions: (questions ?? []).map(({ id }) => id),
  };
}

interface Range {
  readonly from?: string | undefined;
  readonly to?: string | undefined;
}

async function daysOf(
  { engine, calendar, running }: ApiContext,
  pipeline: string,
  range: Range,
): Promise<CalendarDay[]> {
  const dates = rangeOfDays(engine, pipeline, range);
  return calendar.of(pipeline, dates, await running(pipeline));
}

/** The pipeline that is named, or all. */
function named({ engine }: ApiContext, pipeline: string | undefined): string[] {
  if (pipeline === undefined) return Object.keys(engine.datasets);
  return [datasetOf(engine, pipeline).definition.name];
}

function addLacks(app: ApiApp, context: ApiContext): void {
  const { engine } = context;
  const schema = {
    tags,
    querystring: ofPipeline,
    response: { 200: anyRecord, ...problems, ...bounded },
  };
  app.get(
    '/gaps',
    { schema: { ...schema, summary: 'Days that are not ok and whole, by kind' } },
    async (request) => {
      const { pipeline, ...range } = request.query;
      const gaps = [];
      for (const name of named(context, pipeline)) {
        const days = await daysOf(context, name, range);
        for (const kind of GAP_KINDS) {
          const own = days.filter((day) => gapsOf(day).includes(kind));
          const dates = own.map(({ date }) => date);
          const publishers = publishersOf(own);
          if (own.length > 0)
            gaps.push({
              pipeline: name,
              kind,
              days: own.length,
              ranges: rangesOf(dates),
              publishers,
            });
        }
      }
      return { gaps };
    },
  );
  app.get(
    '/stale',
    { schema: { ...schema, summary: 'Finished days and periods that are out of date' } },
    async (request) => {
      const { pipeline, ...range } = request.query;
      const stale = [];
      for (const name of named(context, pipeline)) {
        const dates = rangeOfDays(engine, name, range);
        const { days } = await staleDays(engine, name, dates);
        const periods = await stalePeriods(engine, name, dates);
        stale.push({
          pipeline: name,
          days,
          periods,
          unfinished: await findUnfinished(engine, name),
        });
      }
      return { stale };
    },
  );
  app.get(
    '/failures',
    { schema: { ...schema, summary: 'Days whose last run failed, by code' } },
    async (request) => {
      requireScope(request, 'ops:read');
      const { pipeline, ...range } = request.query;
      const failures = await failedDays(engine, named(context, pipeline), range);
      return { failures, codes: countBy(failures.map(({ code }) => code)) };
    },
  );
}

function countBy(names: readonly string[]): Record<string, number> {
  const counts: Record<string, number> = {};
  for (const name of names) counts[name] = (counts[name] ?? 0) + 1;
  return counts;
}
