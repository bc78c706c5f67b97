import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { askQuestion, cutsOf, questionsOf } from '../../engine/look/ask-question.ts';
import type { PlacedQuestion } from '../../engine/look/ask-question.ts';
import { tablesOf } from '../../engine/look/table-cut.ts';
import type { PlacedTable } from '../../engine/look/table-cut.ts';
import { canonicalJson } from '../../canonical-json.ts';
import type { JsonValue } from '../../ports/json.ts';
import { answerDocument } from '../answers/answer-document.ts';
import { csvHeader, csvRows } from '../answers/csv.ts';
import { chooseFormat, FORMATS } from '../answers/formats.ts';
import { standingOf, tellStandings } from '../answers/standing.ts';
import { isKnown, tagOf } from '../answers/tags.ts';
import { whyNotAsk } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import {
  answerAs,
  anyRecord,
  bounded,
  negotiated,
  plainText,
  problems,
  unchanged,
} from '../shared/responses.ts';

/** Declared questions: a list of them, and their answers. */

const tags = ['questions'];
const answered = {
  200: answerAs('The answer with what it stands on, or its rows alone', {
    'application/json': anyRecord,
    'text/csv': plainText,
  }),
  ...problems,
  ...unchanged,
  ...negotiated,
  ...bounded,
};

/**
 * One route for every question that a dataset declares; its parameters are checked by its own
 * schema.
 */
export function addQuestionRoutes(app: ApiApp, context: ApiContext): void {
  const questions = questionsOf(context.engine.datasets);
  const tables = tablesOf(context.engine.datasets);
  app.get(
    '/questions',
    {
      schema: {
        tags,
        summary: 'Every question',
        response: { 200: z.object({ questions: z.array(anyRecord) }), ...problems },
      },
    },
    () => ({ questions: [...questions.values()].map(describedQuestion) }),
  );
  for (const [id, placed] of questions) {
    const { title, description, parameters } = placed.question;
    const own = {
      tags,
      summary: title.en,
      description: description.en,
      querystring: parameters,
      response: answered,
    };
    const answer = answerer(context, tables, placed);
    app.get(`/questions/${id}`, { schema: own }, (request, reply) => answer(request, reply));
    // As `accept` has it: for links.
    app.get(`/questions/${id}.csv`, { schema: { ...own, hide: true } }, (request, reply) =>
      answer(request, reply, 'csv'),
    );
  }
}

/** Answers one question; its parameters were read by the schema of the route. */
function answerer(
  context: ApiContext,
  tables: ReadonlyMap<string, PlacedTable>,
  placed: PlacedQuestion,
) {
  const { id } = placed.question;
  return async (
    request: FastifyRequest,
    reply: FastifyReply,
    suffix?: string,
  ): Promise<FastifyReply> => {
    const refusal = whyNotAsk(request.caller, tables, placed);
    if (refusal !== undefined) throw refusal;
    const parameters = request.query as Readonly<Record<string, unknown>>;
    const format = chooseFormat(suffix, request.headers.accept, ['json', 'csv']);
    const { cuts, sql } = await cutsOf(context.engine, context.known, placed, parameters);
    const asked = JSON.parse(canonicalJson(parameters)) as JsonValue;
    reply.header('vary', 'accept');
    if (isKnown(request, reply, tagOf([id, asked, sql, format, ...cuts.map(({ hash }) => hash)])))
      return reply.send();
    const answer = await askQuestion(context.engine, context.known, placed, parameters);
    tellStandings(
      reply,
      answer.cuts.map((cut) => standingOf(cut)),
    );
    if (format === 'csv')
      return reply
        .type(FORMATS.csv)
        .send(
          csvHeader(answer.columns, 'standard') + csvRows(answer.columns, answer.rows, 'standard'),
        );
    return reply.send(answerDocument(answer));
  };
}

function describedQuestion({ pipeline, question }: PlacedQuestion): Record<string, unknown> {
  const { id, title, description, parameters, tables } = question;
  return {
    id,
    pipeline,
    title,
    description,
    tables,
    parameters: z.toJSONSchema(parameters, { io: 'input', unrepresentable: 'any' }),
  };
}
