import type { RequestListener } from 'node:http';
import { createServer as createHttpsServer } from 'node:https';
import { Readable } from 'node:stream';
import { constants } from 'node:zlib';
import compress from '@fastify/compress';
import cors from '@fastify/cors';
import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import fastify from 'fastify';
import type {
  FastifyReply,
  FastifyRequest,
  FastifyServerFactory,
  onSendHookHandler,
  RouteOptions,
} from 'fastify';
import {
  jsonSchemaTransform,
  jsonSchemaTransformObject,
  serializerCompiler,
  validatorCompiler,
} from 'fastify-type-provider-zod';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { OpenAPIV3_1 } from 'openapi-types';
import { definedMembers, matchOf, textBefore } from '../given.ts';
import { addConsole } from '../console/console-routes.ts';
import { ERROR_TABLE } from '../errors.ts';
import { KnownTags } from './answers/known-tags.ts';
import { RepeatedAnswers } from './answers/repeated-answers.ts';
import { addEarlierApi, addEarlierPaths } from './earlier/earlier-systems.ts';
import { addActionRoutes } from './routes/actions.ts';
import { addChangeRoutes } from './routes/changes.ts';
import { addDayRoutes } from './routes/days.ts';
import { addDepositRoute } from './routes/deposits.ts';
import { addHeldRoutes } from './routes/held.ts';
import { addMcpRoute } from './routes/mcp.ts';
import { addOperationRoutes } from './routes/operations.ts';
import { addPipelineRoutes } from './routes/pipelines.ts';
import { addPublished, addReportLinks } from './routes/published.ts';
import { addQuestionRoutes } from './routes/questions.ts';
import { addTableRoutes } from './routes/tables.ts';
import { Verifier } from './routes/verify-order.ts';
import { NOBODY, requireReading } from './security/callers.ts';
import type { Caller } from './security/callers.ts';
import { checkOrigin } from './security/guards.ts';
import { securityHeaders } from './security/headers.ts';
import { callerOfKey } from './security/keys.ts';
import { rulesHash } from './security/claims.ts';
import { inRanges, proxyCheck } from './security/proxies.ts';
import { Quotas } from './security/quotas.ts';
import { SharedCounts } from './security/shared-counts.ts';
import { requireOwnPage, sessionSecretOf } from './security/session-cookie.ts';
import { callerOfSession } from './security/sessions.ts';
import type { ApiApp } from './shared/app.ts';
import type { ApiContext } from './shared/context.ts';
import { clientErrorHandler, refuseExpectation } from './shared/malformed.ts';
import { noQuery } from './shared/fields.ts';
import { sendProblemInTime } from './shared/held-refusals.ts';
import { untilHungUp } from './shared/hung-up.ts';
import { PathMethods } from './shared/other-methods.ts';
import { notFound, sendProblem } from './shared/problems.ts';
import { dropStalled } from './shared/stalled-readers.ts';

/** The largest body of a request: orders are small. */
const BODY_BYTES = 64 * 1024;
/** Who sends a request more slowly than this gives its connection back: orders are small. */
const REQUEST_WITHIN_MS = 30_000;
const HTTP_OPTIONS = {
  headersTimeout: 10_000,
  connectionsCheckingInterval: 5_000,
  requireHostHeader: false,
};
/** Larger answers are worth the time that packing takes. */
const COMPRESS_FROM_BYTES = 1_024;
const BROTLI_QUALITY = 4;

/** The two places of a key; a session is for people. */
const SECURITY_SCHEMES = {
  key: { type: 'http', scheme: 'bearer' },
  header: { type: 'apiKey', in: 'header', name: 'X-API-Key' },
} as const;
const KEYS = Object.keys(SECURITY_SCHEMES).map((name) => ({ [name]: [] }));

/** The server with all routes, not listening yet. */
export async function createServer(context: ApiContext): Promise<ApiApp> {
  const headers = securityHeaders(context.settings);
  const app = openServer(context.settings, headers);
  const methods = new PathMethods();
  methods.watch(app);
  const tags = new KnownTags(context.known);
  const quotas = new Quotas(context.settings.quota, sharedCounts(context));
  const verifier = new Verifier(context.engine);
  addGuards(app, context, { tags, quotas, headers });
  dropStalledReaders(app, context.settings);
  await addDocuments(app, context);
  if (context.settings.loopback)
    repeatAnswers(app, new RepeatedAnswers(context.known, quotas), tags);
  await addApi(app, context, tags, verifier);
  addEarlierPaths(app, context);
  addMcpRoute(app, context);
  addPublished(app, context);
  addConsole(app, context, verifier);
  addErrorPage(app);
  // Some of the routes are added in scopes of their own.
  await app.after();
  methods.refuseOthers(app);
  return app;
}

/**
 * Where others can connect there may be several servers of one installation. They count in the
 * store itself: while it is away nothing waits in the journal to be counted later.
 */
function sharedCounts({ engine, settings }: ApiContext): SharedCounts | undefined {
  if (settings.loopback) return undefined;
  return new SharedCounts(engine.fallback?.primary.documents ?? engine.documents, () =>
    engine.now(),
  );
}

/** Without a route; whatever is refused, by whatever part, is refused by a problem. */
function openServer(
  settings: ApiContext['settings'],
  headers: Readonly<Record<string, string>>,
): ApiApp {
  const { proxies } = settings;
  const app: ApiApp = fastify({
    bodyLimit: BODY_BYTES,
    requestTimeout: REQUEST_WITHIN_MS,
    // A request without the name of a host is refused with a problem, as others are.
    http: HTTP_OPTIONS,
    clientErrorHandler: clientErrorHandler(headers),
    logger: { level: 'error' },
    routerOptions: { ignoreTrailingSlash: true },
    // The address of who asks is that of the connection, unless one of our proxies says otherwise.
    trustProxy: proxies === undefined ? false : inRanges(proxies),
    ...definedMembers({ serverFactory: ownHttps(settings) }),
    // Paths that no route can take, such as a `%` alone: fastify refuses them before any handler.
    frameworkErrors: (error, request, reply) => void sendProblem(error, request, reply),
  }).withTypeProvider<ZodTypeProvider>();
  app.setValidatorCompiler(validatorCompiler);
  app.setSerializerCompiler(serializerCompiler);
  app.setErrorHandler(sendProblemInTime);
  app.setNotFoundHandler((request, reply) =>
    sendProblem(notFound(`resource ${textBefore(request.url, '?')}`), request, reply),
  );
  app.server.on('checkExpectation', refuseExpectation(headers));
  return app;
}

/** Unknown members are refused, also where none is known; what acts needs a key, or a session. */
function tellRest(route: RouteOptions): void {
  const acts = route.method === 'POST' ? { security: KEYS } : {};
  route.schema = { querystring: noQuery, ...acts, ...route.schema };
}

/** The routes below `/api/v1`. */
async function addApi(
  app: ApiApp,
  context: ApiContext,
  tags: KnownTags,
  verifier: Verifier,
): Promise<void> {
  const prefix = '/api/v1';
  await app.register(
    (scope, _, done) => {
      const api = scope.withTypeProvider<ZodTypeProvider>();
      api.addHook('onRoute', tellRest);
      api.addHook('preValidation', (request, __, next) => {
        requireReading(request);
        next();
      });
      addPipelineRoutes(api, context);
      addDayRoutes(api, context);
      addTableRoutes(api, context, tags);
      addQuestionRoutes(api, context);
      addChangeRoutes(api, context);
      addOperationRoutes(api, context);
      addActionRoutes(api, context, verifier);
      addHeldRoutes(api, context);
      addReportLinks(api, context);
      done();
    },
    { prefix },
  );
  await app.register(
    (scope, _, done) => {
      const api = scope.withTypeProvider<ZodTypeProvider>();
      api.addHook('onRoute', tellRest);
      addDepositRoute(api, context);
      // Each asks for its own pipeline, so that a key of that one is enough.
      addEarlierApi(api, context);
      done();
    },
    { prefix },
  );
}

/**
 * A server that speaks https itself, where there is a certificate; in all else like the one of
 * fastify.
 */
function ownHttps({ tls }: ApiContext['settings']): FastifyServerFactory | undefined {
  if (tls === undefined) return undefined;
  const options = {
    ...tls,
    ...HTTP_OPTIONS,
    requestTimeout: REQUEST_WITHIN_MS,
    minVersion: 'TLSv1.2',
  } as const;
  return (handler) =>
    createHttpsServer(options, (request, reply) => {
      handler(request, reply);
    });
}

/**
 * The OpenAPI document, as it is committed: of a server that is ready. The version of the code is
 * no part of it.
 */
export function openApiOf(app: ApiApp): string {
  const document = app.swagger();
  return `${JSON.stringify({ ...document, info: { ...document.info, version: '1' } }, null, 2)}\n`;
}

function dropStalledReaders(app: ApiApp, { stallMs }: ApiContext['settings']): void {
  app.addHook('onSend', (_, reply, payload, done) => {
    if (payload instanceof Readable) dropStalled(reply.raw, stallMs);
    done(null, payload);
  });
}

/**
 * Short answers are given again before fastify looks at the request; they are kept as they are
 * sent, after all other hooks.
 */
function repeatAnswers(app: ApiApp, answers: RepeatedAnswers, tags: KnownTags): void {
  app.addHook('onRoute', (route) => {
    const keep: onSendHookHandler = (request, reply, payload, done) => {
      answers.keep(request, reply, payload, tags);
      done(null, payload);
    };
    if (route.url.startsWith('/api/v1/tables/'))
      route.onSend = [...[route.onSend ?? []].flat(), keep];
  });
  const usual = app.server.listeners('request') as RequestListener[];
  app.server.removeAllListeners('request');
  app.server.on('request', (request, response) => {
    void answers.answer(request, response).then((isAnswered) => {
      if (!isAnswered) for (const listener of usual) listener(request, response);
    });
  });
}

interface Guards {
  readonly tags: KnownTags;
  readonly quotas: Quotas;
  readonly headers: Readonly<Record<string, string>>;
}

function addGuards(app: ApiApp, context: ApiContext, { tags, quotas, headers }: Guards): void {
  const { settings } = context;
  const checkProxy = proxyCheck(settings);
  const rules = settings.signIn === undefined ? undefined : rulesHash(settings.signIn);
  app.decorateRequest('caller');
  app.addHook('onRequest', async (request, reply) => {
    reply.headers(headers);
    // Before anything that may fail: a refusal has a caller too.
    request.caller = NOBODY;
    checkProxy(request);
    checkOrigin(request, settings);
    request.caller = await callerOf(context, request, rules);
    // What a session may see is not for caches on the way.
    if (request.caller.role !== undefined) reply.header('cache-control', 'private');
    await quotas.take(request.caller, (header, value) => reply.header(header, value));
    if (await tags.isUnchanged(request, reply)) return reply.send();
    if (context.untilRoom === undefined) return undefined;
    const gone = untilHungUp(reply.raw);
    await context.untilRoom(gone);
    return gone.aborted ? reply.hijack() : undefined;
  });
}

/**
 * A key, else a session; without either who is on this machine may read what is open, and nobody
 * else anything.
 */
async function callerOf(
  { engine, settings }: ApiContext,
  request: FastifyRequest,
  rules: string | undefined,
): Promise<Caller> {
  const { headers, ip } = request;
  const key = keyIn(headers.authorization) ?? headers['x-api-key'];
  if (typeof key === 'string') return callerOfKey(engine.documents, key, engine.now());
  const secret = sessionSecretOf(request, settings);
  const person =
    secret === undefined
      ? undefined
      : await callerOfSession(engine.documents, secret, engine.now(), rules);
  if (person !== undefined) {
    requireOwnPage(request);
    return person;
  }
  const scopes = settings.loopback ? ['data:read', 'ops:read'] : [];
  return { name: ip, scopes, anonymous: true };
}

/**
 * As a bearer, or as the password of whoever: senders of notifications take it in their address and
 * nowhere else.
 */
function keyIn(authorization: string | undefined): string | undefined {
  const [, scheme = '', value = ''] = matchOf(/^(Bearer|Basic) (\S+)$/i, authorization) ?? [];
  if (scheme.toLowerCase() !== 'basic') return value === '' ? undefined : value;
  return /^[^:]*:(.+)$/.exec(Buffer.from(value, 'base64').toString())?.[1];
}

async function addDocuments(app: ApiApp, { settings }: ApiContext): Promise<void> {
  if (settings.corsOrigins.length > 0)
    await app.register(cors, {
      origin: [...settings.corsOrigins],
      methods: ['GET', 'HEAD'],
      credentials: false,
    });
  await app.register(compress, {
    threshold: COMPRESS_FROM_BYTES,
    encodings: ['br', 'gzip'],
    // Each piece of a stream is sent as it comes, not when all is packed.
    brotliOptions: { params: { 1: BROTLI_QUALITY }, flush: constants.BROTLI_OPERATION_FLUSH },
    zlibOptions: { flush: constants.Z_SYNC_FLUSH },
    // Reports are artefacts with a digest of their bytes.
    customTypes: /^(text\/(csv|html)|application\/(json|x-ndjson|problem\+json))/,
  });
  // After the packing, which is a hook of each route.
  app.addHook('onRoute', (route) => {
    route.onSend = [...[route.onSend ?? []].flat(), tagCoding];
  });
  await app.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'Quotidien',
        version: settings.version,
        description: 'Daily public-utility data as verified days.',
      },
      components: { securitySchemes: SECURITY_SCHEMES },
      // Reading is open on this machine.
      security: [...KEYS, {}],
    },
    transform: jsonSchemaTransform,
    transformObject: withSchemas,
  });
  await app.register(swaggerUi, { routePrefix: '/api/docs', staticCSP: true });
}

/**
 * With the schemas that have names: those of answers alone, because requests have theirs in place.
 */
const withSchemas: typeof jsonSchemaTransformObject = (document) => {
  const { components, ...rest } = jsonSchemaTransformObject(
    document,
  ) as Partial<OpenAPIV3_1.Document>;
  const schemas = Object.entries(components?.schemas ?? {}).filter(
    ([name]) => !name.endsWith('Input'),
  );
  return { ...rest, components: { ...components, schemas: Object.fromEntries(schemas) } };
};

/** A strong tag names bytes as they are sent: another coding has another tag. */
function tagCoding(
  _: FastifyRequest,
  reply: FastifyReply,
  payload: unknown,
  done: (error: null, payload: unknown) => void,
): void {
  const coding = reply.getHeader('content-encoding');
  const tag = reply.getHeader('etag');
  if (typeof coding === 'string' && typeof tag === 'string' && reply.statusCode === 200) {
    if (!tag.endsWith(`-${coding}"`)) reply.header('etag', `${tag.slice(0, -1)}-${coding}"`);
    // A digest would be one of other bytes, and a range one of other places.
    reply.removeHeader('repr-digest').removeHeader('accept-ranges');
  }
  done(null, payload);
}

/** Where `type` of a problem leads. */
function addErrorPage(app: ApiApp): void {
  const rows = Object.entries(ERROR_TABLE).map(
    ([code, { meaning, remedy }]) =>
      `<dt id="${code}"><code>${code}</code></dt><dd>${meaning} ${remedy}</dd>`,
  );
  const head =
    '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1"><title>Errors</title>' +
    '<link rel="icon" href="data:,"><link rel="stylesheet" href="/console/style.css">';
  const page = `<!doctype html><html lang="en"><head>${head}</head><body><main><h1>Errors</h1><dl>${rows.join('')}</dl></main></body></html>`;
  app.get('/api/errors', { schema: { hide: true } }, (_, reply) =>
    reply.type('text/html; charset=utf-8').send(page),
  );
}
