import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { redactText } from '../../../redaction.ts';
import { requireScope } from '../../security/callers.ts';
import type { ApiApp } from '../../shared/app.ts';
import type { ApiContext } from '../../shared/context.ts';
import { pipelineErrorOf, statusOf } from '../../shared/problems.ts';
import { addIngestionRoutes } from './ingestion.ts';

/**
 * The endpoints of the earlier ElectriCore, at the root, under their paths and in their shapes: what billing teams and their ERP read, French names as they know
 * them. Errors are `{detail}`; what is not valid is 422 as it was there.
 */

/** Nothing without this pipeline. */
export function addSupplierRoutes(app: ApiApp, context: ApiContext): void {
  if (!('enedis' in context.engine.datasets)) return;
  app.register((scope: ApiApp, _, done) => {
    scope.setErrorHandler(sendDetail);
    scope.addHook('preValidation', (request, __, next) => {
      requireScope(request, 'data:read', 'enedis');
      next();
    });
    addIngestionRoutes(scope, context);
    done();
  });
}

const TRY_AGAIN_S = 10;

function sendDetail(error: unknown, request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const known = pipelineErrorOf(error);
  const status = known.code === 'INPUT_INVALID' && statusOf(known) === 400 ? 422 : statusOf(known);
  if (status === 401) reply.header('www-authenticate', 'Bearer');
  if (status === 503 || status === 429)
    reply.header('retry-after', Math.ceil((known.retryAfterMs ?? TRY_AGAIN_S * 1000) / 1000));
  if (status === 500) request.log.error({ err: error }, 'a request failed');
  const detail = known.code === 'INTERNAL' ? 'la requête a échoué' : redactText(known.message);
  return reply.code(status).header('cache-control', 'no-store').send({ detail });
}

const told = z.object({ detail: z.string() }).describe('What went wrong, in the form of the earlier system');

/** For `response` of every route here, beside its 200. */
export const details = {
  default: { description: 'What went wrong', content: { 'application/json': { schema: told } } },
};
