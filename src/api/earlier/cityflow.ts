import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { textBefore } from '../../given.ts';
import { STUDY_METRICS } from '../../datasets/cityflow/studies/bikes.ts';
import type { BikeStudy } from '../../datasets/cityflow/studies/bikes.ts';
import { openContent } from '../../engine/content-store.ts';
import { untilEnd } from '../../engine/held-objects.ts';
import { errorCodeOf, PipelineError } from '../../errors.ts';
import { isCivilDate, toEpochDay } from '../../pipelines/civil-date.ts';
import type { KnownVersion } from '../../engine/look/known-versions.ts';
import { datesBetween } from '../../pipelines/civil-date.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import { readFile } from 'node:fs/promises';
import { requireScope } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { anything } from '../shared/responses.ts';
import { pipelineErrorOf, statusOf } from '../shared/problems.ts';

/**
 * The endpoints of the earlier CityFlow and of its rewrite, at the root and under `/api`, in their
 * shapes; errors are `{error, message, statusCode}`. Paths that both have are told apart by whether
 * the last part is a date.
 */

const TYPES = ['bikes', 'traffic', 'weather', 'comptages', 'chantiers', 'referentiel'] as const;
type MetricType = (typeof TYPES)[number];
const DEFAULT_LISTED = 30;
const MAX_LISTED = 200;

const listQuery = z.strictObject({
  limit: z.coerce.number().int().min(1).max(MAX_LISTED).default(DEFAULT_LISTED),
});
const reportQuery = z.strictObject({ report_type: z.enum(['daily']).default('daily') });

const cityError = z
  .object({ error: z.string(), message: z.string(), statusCode: z.int() })
  .describe('What went wrong, in the form of the earlier system');

/** Of every route here. */
const schema = {
  tags: ['CityFlow (earlier)'],
  response: {
    200: anything,
    default: {
      description: 'What went wrong',
      content: { 'application/json': { schema: cityError } },
    },
  },
};

/**
 * Under both prefixes that readers of the earlier server use, with errors in its form. Nothing
 * without this pipeline.
 */
export function addCityRoutes(app: ApiApp, context: ApiContext): void {
  if (!('cityflow' in context.engine.datasets)) return;
  for (const prefix of ['', '/api']) {
    app.register(
      (scope, _, done) => {
        scope.setErrorHandler((error, __, reply) => sendCityError(error, reply));
        addRoutes(scope, new City(context), context);
        done();
      },
      { prefix },
    );
  }
}

function sendCityError(error: unknown, reply: FastifyReply): FastifyReply {
  const known = pipelineErrorOf(error);
  const { code, message } = known;
  const statusCode = statusOf(known);
  const told = code === 'INTERNAL' ? 'the request failed' : message;
  return reply.code(statusCode).send({ error: code, message: told, statusCode });
}

function addRoutes(app: ApiApp, city: City, { engine, settings }: ApiContext): void {
  const database = engine.documents.kind;
  app.get('/health', { schema }, () => ({
    status: 'healthy',
    service: 'CityFlow Analytics API',
    version: settings.version,
    database,
    environment: engine.host,
  }));
  app.addHook('preValidation', (request, _, done) => {
    if (!request.url.startsWith('/health') && !request.url.startsWith('/api/health'))
      requireScope(request, 'data:read', 'cityflow');
    done();
  });
  // In their shapes there is no place for it.
  app.addHook('preHandler', (request, reply) => city.tellVersion(request, reply));
  app.get('/stats', { schema }, async () => ({
    api_version: settings.version,
    database_type: database,
    environment: engine.host,
    timestamp: engine.now().toISOString(),
    metric_types_available: TYPES,
    database_stats: await city.counts(),
  }));
  addMetrics(app, city);
  app.get('/report/:date', { schema }, async (request) => {
    const date = dateOf((request.params as { date: string }).date);
    return { date, report: await city.report(date) };
  });
  app.get('/reports', { schema: { ...schema, querystring: listQuery } }, async (request) => {
    const { limit } = request.query;
    const days = await city.newest(limit, 'report/daily:report');
    return {
      count: days.length,
      reports: days.map(({ scope, version }) => ({ date: scope, version, report_type: 'daily' })),
    };
  });
  app.get(
    '/reports/:date',
    { schema: { ...schema, querystring: reportQuery } },
    async (request) => {
      const { report_type: type } = request.query;
      const date = dateOf((request.params as { date: string }).date);
      return { date, report_type: type, report: await city.report(date) };
    },
  );
  app.get('/correlations', { schema: { ...schema, querystring: listQuery } }, async (request) => {
    const { limit } = request.query;
    const days = await city.newest(limit, 'metrics/history:history');
    return { count: days.length, correlations: days.map(({ scope }) => ({ date: scope })) };
  });
  app.get('/correlations/:date', { schema }, async (request) => {
    const date = dateOf((request.params as { date: string }).date);
    return { date, correlations: await city.document(date, 'metrics/history:history') };
  });
}

function addMetrics(app: ApiApp, city: City): void {
  app.get('/metrics', { schema: { ...schema, querystring: listQuery } }, async (request) => {
    const { limit } = request.query;
    const days = await city.newest(limit, undefined);
    const metrics = days.flatMap(({ scope, outputs }) =>
      TYPES.filter((type) => outputs[outputOf(type)] !== undefined).map((type) => ({
        metric_type: type,
        date: scope,
      })),
    );
    return { count: Math.min(metrics.length, limit), metrics: metrics.slice(0, limit) };
  });
  app.get('/metrics/names', { schema }, () => ({ names: [...TYPES, ...STUDY_METRICS] }));
  app.get('/metrics/:date', { schema }, async (request) => {
    const date = dateOf((request.params as { date: string }).date);
    const metrics: Record<string, unknown> = {};
    for (const type of TYPES) {
      const data = await city.document(date, outputOf(type)).catch(ifThere);
      if (data !== undefined) metrics[type] = data;
    }
    const study = await city.study(date).catch(ifThere);
    if (study !== undefined) for (const name of STUDY_METRICS) metrics[name] = study[name];
    if (Object.keys(metrics).length === 0)
      throw new PipelineError('NOT_FOUND', `no metrics for ${date}`);
    return { date, metrics };
  });
  // `/metrics/{type}/{date}` of the one, `/metrics/{date}/{name}` of the other.
  app.get('/metrics/:first/:second', { schema }, async (request) => {
    const { first, second } = request.params as { first: string; second: string };
    const [type, day] = isDateLike(first) ? [second, first] : [first, second];
    const date = dateOf(day);
    const studied = STUDY_METRICS.find((one) => one === type);
    if (studied !== undefined)
      return { metric_type: studied, date, data: (await city.study(date))[studied] };
    const known = TYPES.find((one) => one === type);
    if (known === undefined) {
      const names = [...TYPES, ...STUDY_METRICS].join(', ');
      throw new PipelineError('INPUT_INVALID', `metric type must be one of ${names}`);
    }
    return { metric_type: known, date, data: await city.document(date, outputOf(known)) };
  });
}

/** What is not there is left out; a store that is away is no reason to say so. */
function ifThere(error: unknown): undefined {
  if (errorCodeOf(error) !== 'NOT_FOUND') throw error;
}

function outputOf(type: MetricType): string {
  return `metrics/${type}:metrics`;
}

function isDateLike(text: string): boolean {
  return /^\d{4}-/.test(text);
}

function dateOf(text: string): string {
  if (isCivilDate(text)) return text;
  throw new PipelineError('INPUT_INVALID', `${text} is no date; use YYYY-MM-DD`);
}

/** The documents of city days, as they are kept. */
class City {
  readonly #context: ApiContext;

  constructor(context: ApiContext) {
    this.#context = context;
  }

  async report(date: string): Promise<unknown> {
    return this.document(date, 'report/daily:report');
  }

  /** The metrics of the rewrite. */
  async study(date: string): Promise<BikeStudy> {
    return (await this.document(date, 'metrics/bike-study:study')) as BikeStudy;
  }

  /** Of an answer about a day: its coverage and version, and where that is proven. */
  async tellVersion({ params }: FastifyRequest, reply: FastifyReply): Promise<void> {
    const date = Object.values(params as Readonly<Record<string, string>>).find(isCivilDate);
    const found =
      date === undefined
        ? undefined
        : (await this.#context.known.newest('cityflow', [date])).get(date);
    if (found === undefined) return;
    const { scope, version, facts } = found;
    const { coverage } = facts;
    if (typeof coverage === 'number') reply.header('quotidien-coverage', coverage);
    reply.header('quotidien-version', version);
    reply.header(
      'link',
      `</api/v1/pipelines/cityflow/days/${scope}/versions/${version}>; rel="describedby"`,
    );
  }

  async document(date: string, output: string): Promise<unknown> {
    const version = (await this.#context.known.newest('cityflow', [date])).get(date);
    const ref = version?.outputs[output];
    if (ref === undefined)
      throw new PipelineError(
        'NOT_FOUND',
        `nothing is known of ${textBefore(output, ':')} for ${date}`,
      );
    return JSON.parse(await this.#text(ref)) as unknown;
  }

  /** The newest days first; with an output, only those that have it. */
  async newest(limit: number, output: string | undefined): Promise<KnownVersion[]> {
    const span = await this.#context.known.span('cityflow');
    if (span === undefined) return [];
    const newest = await this.#context.known.newest('cityflow', datesBetween(span.from, span.to));
    const days = [...newest.values()].filter(
      ({ outputs }) => output === undefined || outputs[output] !== undefined,
    );
    return days.sort((a, b) => toEpochDay(b.scope) - toEpochDay(a.scope)).slice(0, limit);
  }

  async counts(): Promise<{ readonly metrics_count: number; readonly reports_count: number }> {
    const days = await this.newest(Number.MAX_SAFE_INTEGER, undefined);
    const metrics = days.reduce(
      (sum, { outputs }) =>
        sum + TYPES.filter((type) => outputs[outputOf(type)] !== undefined).length,
      0,
    );
    return {
      metrics_count: metrics,
      reports_count: days.filter(({ outputs }) => 'report/daily:report' in outputs).length,
    };
  }

  async #text(ref: ArtefactRef): Promise<string> {
    return untilEnd(async (until) => {
      const path = await openContent(this.#context.engine.objects, ref, { until });
      if (path === undefined) throw new PipelineError('STORE_CORRUPT', `${ref.key} is not there`);
      return readFile(path, 'utf8');
    });
  }
}
