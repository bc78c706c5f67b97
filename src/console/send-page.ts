import type { FastifyReply, FastifyRequest } from 'fastify';
import { h } from 'preact';
import { requireScope } from '../api/security/callers.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { pipelineErrorOf, statusOf } from '../api/shared/problems.ts';
import { OF_THIS_VISIT } from './form.ts';
import { renderPage } from './layout.tsx';
import type { Page, PageContext } from './layout.tsx';
import { languageOf, WORDS } from './words.ts';

/** Makes a page for a request; what it throws becomes a page that says so. */
export type Make = (page: PageContext, request: FastifyRequest) => Promise<Page> | Page;

/** Adds pages by their paths. */
export interface AddPage {
  /** For who may look at the pipeline of the path, or at everything. */
  (path: string, make: Make): void;
  /** For who may look at anything: what is made leaves the rest out, or refuses it. */
  readonly seen: (path: string, make: Make) => void;
}

/** Language, caller and address of a request. */
export function pageContext(
  { settings }: Pick<ApiContext, 'settings'>,
  request: FastifyRequest,
): PageContext {
  const [path = '/console', given = ''] = request.url.split('?');
  const query = new URLSearchParams(given);
  const language = languageOf(query.get('lang'), request.headers['accept-language']);
  const done = query.get('done');
  for (const name of OF_THIS_VISIT) query.delete(name);
  return {
    language,
    words: WORDS[language],
    address: query.size === 0 ? path : `${path}?${query.toString()}`,
    nameHome: settings.nameHome ?? ((text: string) => text),
    caller: request.caller,
    signsInHere: settings.signIn !== undefined,
    done,
  };
}

function requireLooking(request: FastifyRequest, isSeen: boolean): void {
  const { pipeline } = request.params as { readonly pipeline?: string };
  const { scopes } = request.caller;
  if (!isSeen || !scopes.some((scope) => scope.startsWith('ops:read:')))
    requireScope(request, 'ops:read', pipeline);
}

/**
 * Sends the page, or one that says why there is none, with the status of that. Reading the console
 * needs `ops:read`.
 */
export async function sendPage(
  context: Pick<ApiContext, 'settings'>,
  request: FastifyRequest,
  reply: FastifyReply,
  { make, isSeen = false }: { readonly make: Make; readonly isSeen?: boolean },
): Promise<FastifyReply> {
  const page = pageContext(context, request);
  try {
    requireLooking(request, isSeen);
    return await asHtml(reply).send(renderPage(page, await make(page, request)));
  } catch (error) {
    return sendProblemPage(page, error, request, reply);
  }
}

/** A page that says what went wrong, and where to go from there. */
export function sendProblemPage(
  page: PageContext,
  error: unknown,
  request: FastifyRequest,
  reply: FastifyReply,
  back?: string,
): FastifyReply {
  const known = pipelineErrorOf(error);
  if (known.code === 'INTERNAL') request.log.error({ err: error }, 'a page failed');
  const told =
    known.code === 'INTERNAL' ? known.code : page.nameHome(`${known.code}: ${known.message}`);
  const link = back === undefined ? null : h('p', null, h('a', { href: back }, page.words.back));
  const content = h('div', null, h('p', null, told), link);
  return asHtml(reply)
    .code(statusOf(known))
    .send(renderPage(page, { title: page.words.problem, content }));
}

/** Pages are for one person and one moment. */
export function asHtml(reply: FastifyReply): FastifyReply {
  return reply
    .type('text/html; charset=utf-8')
    .header('vary', 'accept-language, cookie')
    .header('cache-control', 'no-store');
}
