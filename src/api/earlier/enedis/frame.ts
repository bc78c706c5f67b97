import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { redactText } from '../../../redaction.ts';
import { pipelineErrorOf, statusOf } from '../../shared/problems.ts';
import { answerAs, anyRecord, plainText, problems, unchanged } from '../../shared/responses.ts';

/** What all routes of the earlier billing system have in common. */

/** Of every route here. */
export const tags = ['Enedis (earlier)'];

const TRY_AGAIN_S = 10;

/**
 * The form of errors of the earlier system, `{detail}`; what is not valid is 422 as it was there.
 */
export function sendDetail(
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
): FastifyReply {
  const known = pipelineErrorOf(error);
  const status = statusOf(known) === 400 ? 422 : statusOf(known);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (status === 503 || status === 429)
    reply.header('retry-after', Math.ceil((known.retryAfterMs ?? TRY_AGAIN_S * 1000) / 1000));
  // They tell of what would have been sent.
  for (const name of ['etag', 'content-disposition']) reply.removeHeader(name);
  if (status === 500) request.log.error({ err: error }, 'a request failed');
  const detail = known.code === 'INTERNAL' ? 'la requête a échoué' : redactText(known.message);
  return reply
    .code(status)
    .type('application/json')
    .header('cache-control', 'no-store')
    .send({ detail });
}

const told = z
  .object({ detail: z.string() })
  .describe('What went wrong, in the form of the earlier system');

/**
 * For `response` of every route, beside what it sends; what no route can take is refused in the
 * form of the server.
 */
export const details = {
  400: problems[400],
  431: problems[431],
  default: { description: 'What went wrong', content: { 'application/json': { schema: told } } },
};

/** For `response` of routes that send one JSON value. */
export const asJson = {
  200: answerAs('The answer', { 'application/json': anyRecord }),
  ...unchanged,
  ...details,
};

/** JSON lines, under the name that the earlier system gave them. */
export const LINES_TYPE = 'application/x-ndjson';

/** For `response` of routes that send JSON lines. */
export const asLines = {
  200: answerAs('A JSON value a line', { [LINES_TYPE]: plainText }),
  ...unchanged,
  ...details,
};
