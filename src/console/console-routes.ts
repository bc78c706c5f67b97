import type { FastifyRequest } from 'fastify';
import { h } from 'preact';
import { z } from 'zod';
import { Orders } from '../api/routes/orders.ts';
import type { Verifier } from '../api/routes/verify-order.ts';
import { mayReadTable, seenBy } from '../api/security/callers.ts';
import type { ApiApp } from '../api/shared/app.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { periodParams } from '../api/shared/fields.ts';
import { notFound } from '../api/shared/problems.ts';
import { datasetOf } from '../engine/engine.ts';
import { askQuestion, questionsOf, readParameters } from '../engine/look/ask-question.ts';
import { lastVerification, readVersions } from '../engine/look/day-dossier.ts';
import { heldScopes } from '../engine/look/held-scopes.ts';
import type { HeldScope } from '../engine/look/held-scopes.ts';
import { rangeOfDays } from '../engine/look/range-of-days.ts';
import { standingsOfDays } from '../engine/look/standings.ts';
import { tablesOf } from '../engine/look/table-cut.ts';
import { planRun } from '../engine/plan/plan-run.ts';
import { GAP_KINDS, gapsOf } from '../pipelines/calendar-of-days.ts';
import { datesBetween, parseCivilDate } from '../pipelines/civil-date.ts';
import type { Dataset } from '../pipelines/dataset.ts';
import { firstDayOf } from '../pipelines/part-days.ts';
import { civilDateAt } from '../pipelines/zoned-day.ts';
import { AnswerView, NamedList, QuestionForm } from './answer-page.tsx';
import { addBackfillPages } from './backfill-routes.ts';
import { CalendarPage, GapsPage } from './calendar-page.tsx';
import type { GapRow } from './calendar-page.tsx';
import { DayPage } from './day-page.tsx';
import { readForm } from './form.ts';
import { addExplorer } from './explorer-routes.ts';
import { addForms } from './form-routes.ts';
import type { Page, PageContext } from './layout.tsx';
import { LIVE_SCRIPT } from './live-script.ts';
import { PeriodPage } from './period-page.tsx';
import { addSchedulesPage } from './schedule-routes.ts';
import { sendPage } from './send-page.ts';
import type { AddPage, Make } from './send-page.ts';
import { addSessionRoutes } from './session-routes.ts';
import { STYLE } from './style.ts';
import { addUpkeepPages } from './upkeep-routes.ts';
import { SHOWN_STANDINGS, YearsPage } from './years-page.tsx';

/** The console: pages made on the server, which read without scripts. What they show is what the API returns. */

const EMPTY = z.looseObject({});

/**
 * Pages for people, hidden from the OpenAPI document. An unknown member of the query is refused.
 */
export function addConsole(app: ApiApp, context: ApiContext, verifier: Verifier): void {
  app.get('/', { schema: { hide: true } }, (_, reply) => reply.redirect('/console'));
  app.get('/console/style.css', { schema: { hide: true } }, (_, reply) =>
    reply.type('text/css; charset=utf-8').header('cache-control', 'max-age=300').send(STYLE),
  );
  app.get('/console/live.js', { schema: { hide: true } }, (_, reply) =>
    reply.type('text/javascript; charset=utf-8').header('cache-control', 'max-age=300').send(LIVE_SCRIPT),
  );
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
  addBackfillPages(add, context);
  addExplorer(app, add, context);
  addSchedulesPage(add, context);
  addUpkeepPages(add, context);
  add('/console/:pipeline/periods/:period', async (page, request) => {
    const { pipeline, period } = readForm(periodParams, request.params);
    const { definition } = datasetOf(context.engine, pipeline);
    const manifests = await readVersions(context.engine, pipeline, period);
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
  const { engine, known } = context;
  const seenIn = ({ caller }: PageContext): Dataset[] =>
    seenBy(caller, Object.keys(engine.datasets)).map((name) => datasetOf(engine, name));
  add.seen('/console', async (page) => {
    const items = await Promise.all(
      seenIn(page).map(async ({ definition: { name, title } }) => {
        const span = await known.span(name);
        const year = (span?.to ?? engine.now().toISOString()).slice(0, 4);
        const text = span === undefined ? '' : `${page.words.known}: ${span.from} … ${span.to}`;
        return { path: `/console/${name}/${year}`, title, text };
      }),
    );
    return { title: page.words.pipelines, content: h(NamedList, { page, items }) };
  });
  add.seen('/console/gaps', async (page) => {
    const gaps: GapRow[] = [];
    const held: HeldScope[] = [];
    for (const pipeline of seenBy(page.caller, Object.keys(engine.datasets))) {
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

function addAnswers(add: AddPage, context: ApiContext): void {
  const { engine, known } = context;
  const questions = questionsOf(engine.datasets);
  const tables = tablesOf(engine.datasets);
  const dashboardsOf = (pipelines: readonly string[]) =>
    pipelines.flatMap((pipeline) => datasetOf(engine, pipeline).dashboards ?? []);
  const all = Object.keys(engine.datasets);
  const answered = async (page: PageContext, request: FastifyRequest, id: string, given: Record<string, unknown>) => {
    const placed = questions.get(id);
    if (placed === undefined) throw notFound(`question ${JSON.stringify(id)}`);
    for (const name of placed.question.tables) {
      const table = tables.get(name);
      if (table !== undefined) mayReadTable(request, table);
    }
    const answer = await askQuestion(engine, known, placed, readParameters(placed, given));
    const link = `/api/v1/questions/${id}?${new URLSearchParams(given as Record<string, string>).toString()}`;
    return { placed, view: h(AnswerView, { page, answer, link }) };
  };
  add.seen('/console/questions/:id', async (page, request) => {
    const { id } = request.params as { id: string };
    const given = filledIn(request.query as Record<string, unknown>);
    const { placed, view } = await answered(page, request, id, given);
    const form = h(QuestionForm, { page, question: placed.question, given });
    const title = placed.question.title[page.language];
    return { title, content: h('div', null, h('p', null, placed.question.description[page.language]), form, view) };
  });
  add.seen('/console/pages', (page) => {
    const items = dashboardsOf(seenBy(page.caller, all)).map(({ id, title }) => ({
      path: `/console/pages/${id}`,
      title: title[page.language],
      text: '',
    }));
    return { title: page.words.pages, content: h(NamedList, { page, items }) };
  });
  add.seen('/console/pages/:id', async (page, request) => {
    const { id } = request.params as { id: string };
    const dashboard = dashboardsOf(all).find((one) => one.id === id);
    if (dashboard === undefined) throw notFound(`page ${JSON.stringify(id)}`);
    const sections = [];
    for (const { title, question, parameters } of dashboard.charts) {
      const { view } = await answered(page, request, question, { ...parameters });
      sections.push(h('section', { key: `${question}/${title.en}` }, h('h2', null, title[page.language]), view));
    }
    return { title: dashboard.title[page.language], content: h('div', null, sections) };
  });
}

/** Fields that were left empty are not asked for. */
function filledIn(query: Record<string, unknown>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(query).filter(([name, value]) => name !== 'lang' && value !== ''));
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
  return { title: `${definition.title}: ${page.words.allYears}`, content };
}

async function calendarPage(context: ApiContext, page: PageContext, pipeline: string, year: number): Promise<Page> {
  const { engine, calendar, running } = context;
  const { definition } = datasetOf(engine, pipeline);
  const dates = datesBetween(`${year}-01-01`, `${year}-12-31`);
  const days = await calendar.of(pipeline, dates, await running(pipeline));
  return { title: `${definition.title} ${year}`, content: h(CalendarPage, { page, pipeline, year, days }) };
}

async function dayPage(context: ApiContext, page: PageContext, pipeline: string, date: string): Promise<Page> {
  const { engine } = context;
  const { definition } = datasetOf(engine, pipeline);
  const [manifests, { plans }, running, verification] = await Promise.all([
    readVersions(engine, pipeline, date),
    planRun(engine, definition, [date], { days: 1 }),
    context.running(pipeline),
    lastVerification(engine.documents, pipeline, date),
  ]);
  const plan = plans[0]?.steps ?? [];
  const run = running.get(date);
  // A window that holds the day takes no orders for it.
  const isOwn = run?.workflowId === `day/${pipeline}/${date}`;
  const now = isOwn ? await new Orders(context).dayNow(run.workflowId) : undefined;
  const day = { pipeline, date, manifests, plan, definition, run, now, isOwn, verification };
  return { title: `${definition.title} ${date}`, content: h(DayPage, { page, day }) };
}
