import type { IncomingMessage, ServerResponse } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { KnownVersions } from '../../engine/look/known-versions.ts';
import type { Quotas } from '../security/quotas.ts';
import type { KnownTags } from './known-tags.ts';

/** Longer answers are streamed, and not kept. */
const MAX_BODY_CHARACTERS = 256 * 1024;
/** Then all are forgotten: about 16 MB. */
const MAX_CHARACTERS = 16 * 1024 * 1024;
/** What an answer takes beside its body. */
const OWN_CHARACTERS = 2_048;

/**
 * Requests with any other header are answered in the usual way: it may say who asks, or what part
 * of an answer is wanted.
 */
const PLAIN_HEADERS = new Set([
  'host',
  'connection',
  'user-agent',
  'accept',
  'accept-encoding',
  'accept-language',
  'if-none-match',
  'sec-fetch-mode',
]);
/** Of each request its own. */
const COUNTED = 'ratelimit';

interface KeptAnswer {
  readonly pipeline: string;
  readonly state: object;
  readonly status: number;
  /** Names and values in turn. */
  readonly headers: readonly string[];
  readonly body: string;
}

/**
 * Short answers about tables, given again to the same request before any route is looked for.
 * Invariants:
 * 1. An answer stands only while the versions in memory are those that it was made of.
 * 2. It is for requests that are equal in everything that any part of the server looks at, and that
 *    say nothing of who asks. What is open is open to all who can send one: so there are none where
 *    others than this machine can.
 * 3. A repeated request counts as any other.
 */
export class RepeatedAnswers {
  readonly #known: KnownVersions;
  readonly #quotas: Quotas;
  readonly #answers = new Map<string, KeptAnswer>();
  #characters = 0;

  constructor(known: KnownVersions, quotas: Quotas) {
    this.#known = known;
    this.#quotas = quotas;
  }

  /** Whether the request was answered. */
  async answer(request: IncomingMessage, response: ServerResponse): Promise<boolean> {
    const asked = nameOf(request);
    const kept = asked === undefined ? undefined : this.#answers.get(asked);
    if (kept === undefined) return false;
    try {
      if (kept.state !== (await this.#known.state(kept.pipeline))) return false;
      const headers = [...kept.headers];
      const { remoteAddress: name } = request.socket;
      if (name === undefined) return false;
      await this.#quotas.take({ name }, (header, value) => headers.push(header, value));
      response.writeHead(kept.status, headers);
      response.end(kept.body);
      return true;
    } catch {
      // Whatever is wrong is told in the usual way.
      return false;
    }
  }

  /** Keeps what is about to be sent, where it is short and about a table. */
  keep(request: FastifyRequest, reply: FastifyReply, payload: unknown, tags: KnownTags): void {
    if (typeof payload !== 'string' && payload !== undefined && payload !== null) return;
    const body = typeof payload === 'string' ? payload : '';
    if (body.length > MAX_BODY_CHARACTERS || (reply.statusCode !== 200 && reply.statusCode !== 304))
      return;
    const name = nameOf(request.raw);
    const known = name === undefined ? undefined : tags.of(request);
    if (name === undefined || known === undefined) return;
    const before = this.#answers.get(name);
    if (before?.state === known.state) return;
    if (this.#characters > MAX_CHARACTERS) this.#forget();
    const told = Object.entries(reply.getHeaders()).filter(
      ([header]) => !header.startsWith(COUNTED),
    );
    const headers = told.flatMap(([header, value]) =>
      [value].flat().flatMap((one) => [header, String(one)]),
    );
    if (reply.statusCode === 200) headers.push('content-length', String(Buffer.byteLength(body)));
    this.#answers.set(name, { ...known, status: reply.statusCode, headers, body });
    this.#characters += body.length - (before?.body.length ?? -name.length - OWN_CHARACTERS);
  }

  #forget(): void {
    this.#answers.clear();
    this.#characters = 0;
  }
}

/** All of a request; undefined for one that is not plain. */
function nameOf({ method, url, rawHeaders, httpVersion }: IncomingMessage): string | undefined {
  if (method !== 'GET' || httpVersion !== '1.1') return undefined;
  let name = String(url);
  let hosts = 0;
  for (let index = 0; index < rawHeaders.length; index += 2) {
    const header = rawHeaders[index]?.toLowerCase();
    if (header === undefined || !PLAIN_HEADERS.has(header)) return undefined;
    if (header === 'host') hosts += 1;
    if (header !== 'connection' && header !== 'user-agent')
      name += `\n${header}: ${rawHeaders[index + 1]}`;
  }
  return hosts === 1 ? name : undefined;
}
