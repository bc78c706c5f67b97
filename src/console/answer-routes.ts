import type { FastifyRequest } from 'fastify';
import { h } from 'preact';
import { seenBy, whyNotAsk } from '../api/security/callers.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { rangeQuery } from '../api/shared/fields.ts';
import { notFound } from '../api/shared/problems.ts';
import { datasetOf } from '../engine/engine.ts';
import { askQuestion, questionsOf, readParameters } from '../engine/look/ask-question.ts';
import type { Answer, PlacedQuestion } from '../engine/look/ask-question.ts';
import type { AskedRange } from '../engine/look/range-of-days.ts';
import { tablesOf } from '../engine/look/table-cut.ts';
import type { PlacedTable } from '../engine/look/table-cut.ts';
import { errorCodeOf, PipelineError } from '../errors.ts';
import { definedMembers } from '../given.ts';
import type { DashboardDefinition } from '../pipelines/tables.ts';
import { AnswerView, NamedList, QuestionForm } from './answer-page.tsx';
import { DashboardPage } from './dashboard-page.tsx';
import type { DashboardPart } from './dashboard-page.tsx';
import { askedOf, filledIn, readForm } from './form.ts';
import type { PageContext } from './layout.tsx';
import type { AddPage } from './send-page.ts';

/** Questions as forms, and dashboards, which are questions with their parameters. */

/** A chart that cannot be had leaves the others of its page. */
const TOLD_IN_PLACE: readonly (string | undefined)[] = [
  'AUTH_REQUIRED',
  'AUTH_DENIED',
  'NOT_FOUND',
  'RANGE_TOO_LARGE',
];

/** The pages of one question and of one dashboard. */
export function addAnswers(add: AddPage, context: ApiContext): void {
  const { engine } = context;
  const asker = new Asker(context);
  add.seen('/console/questions/:id', async (page, request) => {
    const placed = asker.question((request.params as { id: string }).id);
    const given = filledIn(request.query);
    const answer = await asker.ask(request, placed, given);
    const { question } = placed;
    const title = question.title[page.language];
    const form = h(QuestionForm, { page, question, given });
    const view = h(AnswerView, { page, answer, title, query: queryOf(given) });
    return {
      title,
      content: h('div', null, h('p', null, question.description[page.language]), form, view),
    };
  });
  const all = Object.keys(engine.datasets);
  const dashboardsOf = (pipelines: readonly string[]): DashboardDefinition[] =>
    pipelines.flatMap((pipeline) => datasetOf(engine, pipeline).dashboards ?? []);
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
    const range = readForm(rangeQuery, askedOf(page.address));
    const parts: DashboardPart[] = [];
    for (const chart of dashboard.charts)
      parts.push(await partOf(asker, page, request, chart, range));
    return {
      title: dashboard.title[page.language],
      content: h(DashboardPage, { page, dashboard, range, parts }),
    };
  });
}

function queryOf(given: Readonly<Record<string, unknown>>): string {
  return new URLSearchParams(given as Record<string, string>).toString();
}

/** Asks as whoever looks may. */
class Asker {
  readonly #context: ApiContext;
  readonly #questions: ReadonlyMap<string, PlacedQuestion>;
  readonly #tables: ReadonlyMap<string, PlacedTable>;

  constructor(context: ApiContext) {
    this.#context = context;
    this.#questions = questionsOf(context.engine.datasets);
    this.#tables = tablesOf(context.engine.datasets);
  }

  question(id: string): PlacedQuestion {
    const placed = this.#questions.get(id);
    if (placed === undefined) throw notFound(`question ${JSON.stringify(id)}`);
    return placed;
  }

  async ask(
    request: FastifyRequest,
    placed: PlacedQuestion,
    given: Record<string, unknown>,
  ): Promise<Answer> {
    const refusal = whyNotAsk(request.caller, this.#tables, placed);
    if (refusal !== undefined) throw refusal;
    const { engine, known } = this.#context;
    return askQuestion(engine, known, placed, readParameters(placed, given));
  }
}

/**
 * The days of the page go to the parameters `start` and `end` of a question that has them, where
 * the chart does not set them itself.
 */
async function partOf(
  asker: Asker,
  page: PageContext,
  request: FastifyRequest,
  chart: DashboardDefinition['charts'][number],
  { from, to }: AskedRange,
): Promise<DashboardPart> {
  let given: Record<string, unknown> = chart.parameters;
  try {
    const placed = asker.question(chart.question);
    const { shape } = placed.question.parameters;
    const days = Object.entries(definedMembers({ start: from, end: to })).filter(
      ([name]) => name in shape,
    );
    given = { ...Object.fromEntries(days), ...chart.parameters };
    return { chart, answer: await asker.ask(request, placed, given), query: queryOf(given) };
  } catch (error) {
    const code = errorCodeOf(error);
    if (!(error instanceof PipelineError) || !TOLD_IN_PLACE.includes(code)) throw error;
    const why =
      code?.startsWith('AUTH') === true ? page.words.needsSignIn : page.nameHome(error.message);
    return { chart, answer: why, query: queryOf(given) };
  }
}
