import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { enedis } from '../../../datasets/enedis/index.ts';
import { PipelineError } from '../../../errors.ts';
import type { FetchInput } from '../../../workflows/fetch.ts';
import { Orders } from '../../routes/orders.ts';
import { requireScope } from '../../security/callers.ts';
import type { ApiApp } from '../../shared/app.ts';
import type { ApiContext } from '../../shared/context.ts';
import { fetchJob, fetchJobs } from './fetch-jobs.ts';
import type { FetchJob } from './fetch-jobs.ts';
import { noQuery } from '../../shared/fields.ts';
import { details, tags } from './frame.ts';

/**
 * Fetching the distributor's files, as the earlier system started and told it; its clients send no
 * reason and confirm nothing.
 */

const PIPELINE = 'enedis';
const WHOLE = ['test', 'all', 'rebuild', 'resync'] as const;

/** The parts of each flux; both flux of affairs were one. */
const AFFAIRS = { name: 'affaires', parts: ['x12', 'x13'] };
const FLUX: ReadonlyMap<string, readonly string[]> = new Map([
  ...enedis.definition.parts
    .filter(({ id, source }) => source === 'folder' && !AFFAIRS.parts.includes(id))
    .map(({ id }): [string, string[]] => [id, [id]]),
  [AFFAIRS.name, AFFAIRS.parts],
]);
const FLUX_NAMES = [...FLUX.keys()].sort();

const DEFAULT_LISTED = 20;
const MAX_LISTED = 50;
const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(MAX_LISTED).default(DEFAULT_LISTED),
});

const order = z.strictObject({
  mode: z
    .string()
    .max(200)
    .default('test')
    .describe(`${WHOLE.join(', ')}, or a list of flux such as "r151 c15"`),
});

const job = z
  .object({
    id: z.string(),
    mode: z.string(),
    status: z.enum(['running', 'completed', 'failed']),
    started_at: z.iso.datetime(),
    finished_at: z.iso.datetime().nullable(),
    error: z.string().nullable(),
    output: z.string().nullable().describe('Null while it runs'),
  })
  .describe('A fetch');

/** `run` needs `ops:write` beside the right to read. */
export function addIngestionRoutes(app: ApiApp, context: ApiContext): void {
  const orders = new Orders(context);
  app.post(
    '/ingestion/run',
    { schema: { tags, querystring: noQuery, body: order, response: { 202: job, ...details } } },
    async (request, reply) => {
      const started = await runFetch(context, orders, request, request.body.mode);
      return reply.code(202).header('location', `/ingestion/jobs/${started.id}`).send(started);
    },
  );
  const flux = { tags, querystring: noQuery, response: { 200: z.array(z.string()), ...details } };
  app.get('/ingestion/flux', { schema: flux }, () => FLUX_NAMES);
  const listed = { tags, querystring: listQuery, response: { 200: z.array(job), ...details } };
  app.get('/ingestion/jobs', { schema: listed }, (request) =>
    context.withClient((client) => fetchJobs(client, request.query.limit)),
  );
  const params = z.strictObject({ id: z.string().max(64) });
  const named = { tags, params, querystring: noQuery, response: { 200: job, ...details } };
  app.get('/ingestion/jobs/:id', { schema: named }, (request) =>
    jobNamed(context, request.params.id),
  );
}

async function runFetch(
  context: ApiContext,
  orders: Orders,
  request: FastifyRequest,
  asked: string,
): Promise<FetchJob> {
  requireScope(request, 'ops:write', PIPELINE);
  const { called, input } = fetchOf(asked);
  const reason = `POST /ingestion/run, mode ${called}`;
  await orders.note(request, { action: 'fetch', target: PIPELINE, pipeline: PIPELINE, reason });
  return jobNamed(context, await context.runs.startFetch(input, called));
}

/** What an order asks for, with the name that its job has. */
function fetchOf(asked: string): { readonly called: string; readonly input: FetchInput } {
  const words = asked.toLowerCase().split(/\s+/).filter(Boolean);
  const called = words.join(' ');
  const mode = WHOLE.find((name) => name === called);
  if (mode !== undefined) return { called, input: { pipeline: PIPELINE, mode } };
  if (words.length === 0 || !words.every((word) => FLUX.has(word)))
    throw new PipelineError(
      'INPUT_INVALID',
      `mode inconnu : « ${called} » ; acceptés : ${WHOLE.join(', ')}, ou une liste de flux parmi ${FLUX_NAMES.join(', ')}`,
    );
  const parts = [...new Set(words.flatMap((word) => FLUX.get(word) ?? []))].sort();
  return { called, input: { pipeline: PIPELINE, mode: 'all', parts } };
}

async function jobNamed(context: ApiContext, id: string): Promise<FetchJob> {
  const found = await context.withClient((client) => fetchJob(client, id));
  if (found === undefined) throw new PipelineError('NOT_FOUND', `job inconnu : ${id}`);
  return found;
}
