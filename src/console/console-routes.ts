import type { FastifyRequest } from 'fastify';
import { h } from 'preact';
import { z } from 'zod';
import { Orders } from '../api/routes/orders.ts';
import { reportIn } from '../api/routes/report-formats.ts';
import type { Verifier } from '../api/routes/verify-order.ts';
import { mayReadOutput, seenBy } from '../api/security/callers.ts';
import type { ApiApp } from '../api/shared/app.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { periodParams } from '../api/shared/fields.ts';
import { datasetOf } from '../engine/engine.ts';
import { lastVerification, readVersions } from '../engine/look/day-dossier.ts';
import { standingsOfDays } from '../engine/look/standings.ts';
import { planRun } from '../engine/plan/plan-run.ts';
import { datesBetween, parseCivilDate } from '../pipelines/civil-date.ts';
import type { Dataset } from '../pipelines/dataset.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import { firstDayOf } from '../pipelines/part-days.ts';
import { civilDateAt } from '../pipelines/zoned-day.ts';
import { NamedList } from './answer-page.tsx';
import { addAnswers } from './answer-routes.ts';
import { ARROW_KEYS_SCRIPT } from './arrow-keys-script.ts';
import { addBackfillPages } from './backfill-routes.ts';
import { CalendarPage } from './calendar-page.tsx';
import { DayPage } from './day-page.tsx';
import { readForm } from './form.ts';
import { addExplorer } from './explorer-routes.ts';
import { addForms } from './form-routes.ts';
import type { Page, PageContext } from './layout.tsx';
import { addLackPages } from './lack-routes.ts';
import { LIVE_SCRIPT } from './live-script.ts';
import { PeriodPage } from './period-page.tsx';
import { PipelinesPage } from './pipelines-page.tsx';
import type { PipelineRow } from './pipelines-page.tsx';
import { addSchedulesPage } from './schedule-routes.ts';
import { sendPage } from './send-page.ts';
import type { AddPage, Make } from './send-page.ts';
import { seenVersions } from './seen-versions.ts';
import { addSessionRoutes } from './session-routes.ts';
import { STYLE } from './style.ts';
import { addUpkeepPages } from './upkeep-routes.ts';
import { SHOWN_STANDINGS, YearsPage } from './years-page.tsx';

/**
 * The console: pages made on the server, which read without scripts. What they show is what the API
 * returns.
 */

const EMPTY = z.looseObject({});
const ARROW_KEYS = '/console/arrow-keys.js';
const SCRIPTS = { '/console/live.js': LIVE_SCRIPT, [ARROW_KEYS]: ARROW_KEYS_SCRIPT };

/**
 * Pages for people, hidden from the OpenAPI document. An unknown member of the query is refused.
 */
export function addConsole(app: ApiApp, context: ApiContext, verifier: Verifier): void {
  app.get('/', { schema: { hide: true } }, (_, reply) => reply.redirect('/console'));
  app.get('/console/style.css', { schema: { hide: true } }, (_, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'max-age=300').send(STYLE),
  );
  for (const [path, script] of Object.entries(SCRIPTS)) {
    app.get(path, { schema: { hide: true } }, (_, reply) =>
      reply
        .type('text/javascript; charset=utf-8')
        .header('cache-control', 'max-age=300')
        .send(script),
    );
  }
  const adding =
    (isSeen: boolean) =>
    (path: string, make: Make): void => {
      app.get(path, { schema: { hide: true, querystring: EMPTY } }, (request, reply) =>
        sendPage(context, request, reply, { make, isSeen }),
      );
    };
  const add: AddPage = Object.assign(adding(false), { seen: adding(true) });
  addSessionRoutes(app, context);
  addForms(app, context, verifier);
  addLists(add, context);
  addAnswers(add, context);
  addLackPages(add, context);
  addBackfillPages(add, context);
  addExplorer(app, add, context);
  addSchedulesPage(add, context);
  addUpkeepPages(add, context);
  add('/console/:pipeline/periods/:period', async (page, request) => {
    const { pipeline, period } = readForm(periodParams, request.params);
    const { definition } = datasetOf(context.engine, pipeline);
    const manifests = seenVersions(
      page,
      definition,
      await readVersions(context.engine, pipeline, period),
    );
    const content = h(PeriodPage, { page, pipeline, period, manifests });
    return { title: `${definition.title}: ${period}`, content };
  });
  add('/console/:pipeline/:scope', (page, request) => {
    const { pipeline, scope } = request.params as { pipeline: string; scope: string };
    if (scope === 'years') return yearsPage(context, page, pipeline, request);
    return /^\d{4}$/.test(scope)
      ? calendarPage(context, page, pipeline, Number(scope))
      : dayPage(context, page, pipeline, parseCivilDate(scope));
  });
}

function addLists(add: AddPage, context: ApiContext): void {
  const { engine } = context;
  const seenIn = ({ caller }: PageContext): Dataset[] =>
    seenBy(caller, Object.keys(engine.datasets)).map((name) => datasetOf(engine, name));
  add.seen('/console', async (page) => {
    const rows = await Promise.all(
      seenIn(page).map(({ definition }) => pipelineRow(context, page, definition)),
    );
    return { title: page.words.pipelines, content: h(PipelinesPage, { page, rows }) };
  });
  add.seen('/console/questions', (page) => {
    const items = seenIn(page).flatMap(({ questions = [] }) =>
      questions.map(({ id, title, description }) => ({
        path: `/console/questions/${id}`,
        title: title[page.language],
        text: description[page.language],
      })),
    );
    return { title: page.words.questions, content: h(NamedList, { page, items }) };
  });
  add.seen('/console/tables', (page) => {
    const items = seenIn(page).flatMap(({ tables = [] }) =>
      tables.map(({ id, title, description }) => ({
        path: `/console/tables/${id}`,
        title: title[page.language],
        text: description[page.language],
      })),
    );
    return { title: page.words.tables, content: h(NamedList, { page, items }) };
  });
}

async function pipelineRow(
  { engine, known }: ApiContext,
  { caller }: PageContext,
  definition: PipelineDefinition,
): Promise<PipelineRow> {
  const { name, title } = definition;
  const span = await known.span(name);
  const year = (span?.to ?? engine.now().toISOString()).slice(0, 4);
  const version = span && (await known.newest(name, [span.to])).get(span.to);
  const page = reportIn(definition, 'html', version);
  const isThere = page !== undefined && version?.outputs[page.id] !== undefined;
  const reportOf = isThere && mayReadOutput(caller, definition, page.output) ? span?.to : undefined;
  return { name, title, year, span, reportOf };
}

async function yearsPage(
  { engine, known, running }: ApiContext,
  page: PageContext,
  pipeline: string,
  request: FastifyRequest,
): Promise<Page> {
  const { definition } = datasetOf(engine, pipeline);
  const { only } = request.query as { only?: unknown };
  const dates = datesBetween(firstDayOf(definition), civilDateAt(engine.now(), definition.zone));
  const standings = await standingsOfDays(engine, known, pipeline, dates, await running(pipeline));
  const chosen = SHOWN_STANDINGS.find((standing) => standing === only);
  const content = h(YearsPage, { page, pipeline, standings, only: chosen });
  return { title: `${definition.title}: ${page.words.allYears}`, content, scripts: [ARROW_KEYS] };
}

async function calendarPage(
  context: ApiContext,
  page: PageContext,
  pipeline: string,
  year: number,
): Promise<Page> {
  const { engine, calendar, running } = context;
  const { definition } = datasetOf(engine, pipeline);
  const dates = datesBetween(`${year}-01-01`, `${year}-12-31`);
  const days = await calendar.of(pipeline, dates, await running(pipeline));
  const content = h(CalendarPage, { page, pipeline, year, days });
  return { title: `${definition.title} ${year}`, content, scripts: [ARROW_KEYS] };
}

async function dayPage(
  context: ApiContext,
  page: PageContext,
  pipeline: string,
  date: string,
): Promise<Page> {
  const { engine } = context;
  const { definition } = datasetOf(engine, pipeline);
  const [versions, { plans }, running, verification] = await Promise.all([
    readVersions(engine, pipeline, date),
    planRun(engine, definition, [date], { days: 1 }),
    context.running(pipeline),
    lastVerification(engine.documents, pipeline, date),
  ]);
  const manifests = seenVersions(page, definition, versions);
  const plan = plans[0]?.steps ?? [];
  const run = running.get(date);
  // A window that holds the day takes no orders for it.
  const isOwn = run?.workflowId === `day/${pipeline}/${date}`;
  const now = isOwn ? await new Orders(context).dayNow(run.workflowId) : undefined;
  const day = { pipeline, date, manifests, plan, definition, run, now, isOwn, verification };
  return { title: `${definition.title} ${date}`, content: h(DayPage, { page, day }) };
}
