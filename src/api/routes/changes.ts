import { setTimeout as delay } from 'node:timers/promises';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { datasetOf } from '../../engine/engine.ts';
import { committedChanges, toldChanges } from '../../engine/publish/changes.ts';
import { changeKey } from '../../pipelines/change.ts';
import type { Change } from '../../pipelines/change.ts';
import { requireScope } from '../security/callers.ts';
import type { ApiApp } from '../shared/app.ts';
import type { ApiContext } from '../shared/context.ts';
import { instant, pipelineName } from '../shared/fields.ts';
import { untilHungUp } from '../shared/hung-up.ts';
import { answerAs, anyRecord, plainText, problems } from '../shared/responses.ts';
import { PipelineError } from '../../errors.ts';

/**
 * What was committed: by pages, and as events (server-sent) while a connection lasts. Both tell
 * each change at least once: a change carries its pipeline, scope and version, by which a
 * repetition is known.
 */

const tags = ['changes'];
const PAGE = 500;
/**
 * A change is told before its version is there, and by the clock of another host: a cursor stays
 * this far behind.
 */
const SETTLED_MS = 10_000;
const LOOK_EVERY_MS = 1_000;
/**
 * Readers see a change so much later at the most, for which a thousand of them look twice a second,
 * not a thousand times.
 */
const SHARED_MS = 500;
const MAX_LISTENERS = 1_000;
/** What a reader may have unread; one that is slower is let go, and comes back with its last id. */
const MAX_UNREAD_BYTES = 256 * 1024;

const changesQuery = z.strictObject({
  pipeline: pipelineName.optional(),
  since: z.string().max(100).optional().describe('`next` of the page before, or an instant'),
  limit: z.coerce.number().int().min(1).max(PAGE).default(PAGE),
});

interface Told {
  readonly change: Change;
  readonly id: string;
}

/** The feed of committed versions, page by page and as a stream of events. */
export function addChangeRoutes(app: ApiApp, context: ApiContext): void {
  app.get(
    '/changes',
    {
      schema: {
        tags,
        summary: 'Committed versions, oldest first',
        querystring: changesQuery,
        response: { 200: anyRecord, ...problems },
      },
    },
    async ({ query }) => {
      if (query.since !== undefined && !isCursor(query.since))
        throw new PipelineError(
          'INPUT_INVALID',
          'since takes an instant, or `next` of the page before',
        );
      const told = await changesOf(context, query.pipeline, fromOf(query.since), query.limit);
      const settled = new Date(context.engine.now().getTime() - SETTLED_MS).toISOString();
      const next = told.findLast(({ change }) => change.committedAt < settled)?.id;
      return {
        changes: told.map(({ change }) => change),
        next: next === undefined ? (query.since ?? null) : `${next}~`,
      };
    },
  );
  const listeners: Listeners = { count: 0, looks: new Looks(context) };
  app.get(
    '/events',
    {
      schema: {
        tags,
        summary: 'Changes as they come (text/event-stream)',
        querystring: z.strictObject({ pipeline: pipelineName.optional() }),
        response: {
          200: answerAs('Events, one for each change', { 'text/event-stream': plainText }),
          ...problems,
        },
      },
    },
    (request, reply) => sendEvents(context, request.query.pipeline, request, reply, listeners),
  );
}

function isCursor(text: string): boolean {
  return instant.safeParse(text.split('/')[0]).success;
}

/**
 * Where the feed goes on: its keys begin with instants in UTC with milliseconds, and are compared
 * as texts.
 */
function fromOf(since: string | undefined): string | undefined {
  return since === undefined || since.includes('/') ? since : new Date(since).toISOString();
}

async function changesOf(
  { engine }: ApiContext,
  pipeline: string | undefined,
  since: string | undefined,
  limit: number,
): Promise<Told[]> {
  const names =
    pipeline === undefined
      ? Object.keys(engine.datasets)
      : [datasetOf(engine, pipeline).definition.name];
  const pages = await Promise.all(
    names.map((name) => toldChanges(engine.documents, name, { since, limit })),
  );
  const all = pages.flat().map((change) => ({ change, id: changeKey(change).sort }));
  all.sort((a, b) => (a.id < b.id ? -1 : 1));
  const page = all.slice(0, limit);
  const committed = new Set(
    await committedChanges(
      engine.documents,
      page.map(({ change }) => change),
    ),
  );
  return page.filter(({ change }) => committed.has(change));
}

/** Looks of one second are of the same place in the feed, so that readers can share them. */
function secondOf(instant: Date): string {
  return `${instant.toISOString().slice(0, 19)}.000Z`;
}

/**
 * What all readers of events look for: those who ask for the same within half a second look
 * together.
 */
class Looks {
  readonly #context: ApiContext;
  readonly #looks = new Map<string, { readonly atMs: number; readonly look: Promise<Told[]> }>();

  constructor(context: ApiContext) {
    this.#context = context;
  }

  of(pipeline: string | undefined, from: string): Promise<Told[]> {
    const now = performance.now();
    for (const [name, { atMs }] of this.#looks)
      if (now - atMs >= SHARED_MS) this.#looks.delete(name);
    const name = JSON.stringify([pipeline, from]);
    const known = this.#looks.get(name);
    if (known !== undefined) return known.look;
    const look = changesOf(this.#context, pipeline, from, PAGE);
    this.#looks.set(name, { atMs: now, look });
    return look;
  }
}

interface Listeners {
  count: number;
  readonly looks: Looks;
}

interface Listener {
  readonly reply: FastifyReply;
  readonly looks: Looks;
  readonly signal: AbortSignal;
}

async function sendEvents(
  context: ApiContext,
  pipeline: string | undefined,
  request: FastifyRequest,
  reply: FastifyReply,
  listeners: Listeners,
): Promise<FastifyReply> {
  requireScope(request, 'data:read', pipeline);
  if (listeners.count >= MAX_LISTENERS)
    throw new PipelineError('BUSY', `${MAX_LISTENERS} readers listen already`);
  listeners.count += 1;
  const gone = untilHungUp(reply.raw);
  const last = request.headers['last-event-id'];
  reply.hijack();
  for (const [name, value] of Object.entries(reply.getHeaders()))
    if (value !== undefined) reply.raw.setHeader(name, value);
  reply.raw.writeHead(200, { 'content-type': 'text/event-stream', 'cache-control': 'no-store' });
  reply.raw.write('retry: 2000\n\n');
  try {
    await tell(
      context,
      { pipeline, since: typeof last === 'string' && isCursor(last) ? last : undefined },
      { reply, looks: listeners.looks, signal: gone },
    );
  } catch (error) {
    if (!gone.aborted) request.log.warn({ err: error }, 'events ended');
  } finally {
    listeners.count -= 1;
    reply.raw.end();
  }
  return reply;
}

async function tell(
  context: ApiContext,
  {
    pipeline,
    since,
  }: { readonly pipeline: string | undefined; readonly since: string | undefined },
  { reply, looks, signal }: Listener,
): Promise<void> {
  const told = new Set<string>();
  let from = fromOf(since) ?? secondOf(context.engine.now());
  while (!signal.aborted && reply.raw.writableLength < MAX_UNREAD_BYTES) {
    const page = await looks.of(pipeline, from);
    for (const { change, id } of page) {
      const name = `${change.pipeline}/${id}`;
      if (told.has(name)) continue;
      told.add(name);
      reply.raw.write(`id: ${id}\nevent: change\ndata: ${JSON.stringify(change)}\n\n`);
    }
    // What was told long ago is not asked for again; what is young may still lack the change before
    // it.
    const settled = secondOf(new Date(context.engine.now().getTime() - SETTLED_MS));
    const full = page.length === PAGE;
    if (full) from = page.at(-1)?.id ?? from;
    else if (settled > from) from = settled;
    if (told.size > 10 * PAGE) told.clear();
    if (!full) await delay(LOOK_EVERY_MS, undefined, { signal });
  }
}
