import http from 'node:http';
import type { IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Readable, Transform } from 'node:stream';
import { createBrotliDecompress, createGunzip, createInflate } from 'node:zlib';
import { PipelineError, asPipelineError, isFullDisk } from '../../errors.ts';
import type { Credential } from '../../pipelines/source-declaration.ts';
import { REAL_NETWORK, isLoopback, namesPrivateHost, publicLookup } from './addresses.ts';
import type { Network } from './addresses.ts';

/**
 * One question to a publisher and its answer, redirects followed. A publisher's key goes to the
 * origin that was asked for and to no other, and only encrypted or within this machine. Private
 * addresses are asked only where the first URL or the configuration names one.
 */

/** One request, redirects included; a credential follows to the same origin only. */
export interface ExchangeRequest {
  readonly url: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly credential?: Credential | undefined;
  /** The configuration names the origin of `url`, which may so be on a private network. */
  readonly trusted?: boolean | undefined;
  readonly signal: AbortSignal;
  /** Default: the real one. */
  readonly network?: Network | undefined;
}

/** The answer's head is there, its body is not read yet. */
export interface Exchange {
  readonly status: number;
  header(name: string): string | null;
  /** Decoded; whoever does not read it to its end destroys it. */
  readonly body: Readable;
}

const REDIRECTS = [301, 302, 303, 307, 308];
const MAX_REDIRECTS = 5;

/**
 * Asks, and follows up to five redirects. Throws `SRC_UNSAFE_ADDRESS`, and what Node's own client
 * throws.
 */
export async function exchange(request: ExchangeRequest): Promise<Exchange> {
  const first = new URL(request.url);
  refuseOpenKey(first, request.credential);
  let url = first;
  for (let redirects = 0; ; redirects++) {
    const answer = await ask(request, url, url.origin === first.origin);
    const { location } = answer.headers;
    if (!REDIRECTS.includes(answer.statusCode ?? 0) || location === undefined)
      return decoded(answer);
    answer.destroy();
    if (redirects === MAX_REDIRECTS)
      throw unsafe(request.url, `sends us on more than ${MAX_REDIRECTS} times`);
    url = redirected(request, first, url, location);
  }
}

/** A key over a line that others can read is a key that others have. */
function refuseOpenKey(url: URL, credential: Credential | undefined): void {
  if (credential?.key === undefined || url.protocol === 'https:' || isLoopback(url)) return;
  throw unsafe(url.href, 'wants a key and is not https: its key is not sent over an open line');
}

function redirected(
  { url: asked, credential }: ExchangeRequest,
  first: URL,
  from: URL,
  location: string,
): URL {
  const next = URL.canParse(location, from.href) ? new URL(location, from.href) : undefined;
  if (next === undefined || !/^https?:$/.test(next.protocol))
    throw unsafe(asked, 'sends us to what is no web address');
  if (from.protocol === 'https:' && next.protocol === 'http:')
    throw unsafe(asked, `sends us from https to http at ${next.host}`);
  // Some publishers repeat the whole question, key included, in where they send us.
  if (next.origin !== first.origin) withoutKey(next, credential);
  return next;
}

function withoutKey(url: URL, credential: Credential | undefined): void {
  const { key } = credential ?? {};
  if (key === undefined) return;
  for (const [name, value] of [...url.searchParams])
    if (value === key) url.searchParams.delete(name);
  if (decodeURIComponent(url.href).includes(key))
    throw unsafe(url.origin, 'would be told our key by a redirect');
}

function ask(request: ExchangeRequest, url: URL, ownOrigin: boolean): Promise<IncomingMessage> {
  const network = request.network ?? REAL_NETWORK;
  const named = namesPrivateHost(url, network);
  const mayBePrivate = ownOrigin && (request.trusted === true || named);
  // An address that is written down is connected to without being looked up.
  if (!mayBePrivate && named)
    throw unsafe(request.url, `sends us to ${url.host}, a private address`);
  const { target, headers } = withCredential(url, ownOrigin ? request.credential : undefined);
  return new Promise((answer, fail) => {
    const { request: start } = target.protocol === 'https:' ? https : http;
    const options = {
      headers: { 'accept-encoding': 'gzip, deflate, br', ...request.headers, ...headers },
      signal: request.signal,
      lookup: mayBePrivate ? network.resolve : publicLookup(network),
      // A connection for each question: a kept one was looked at for another, and may be closed by
      // now.
      agent: false as const,
    };
    start(target, options, answer).on('error', fail).end();
  });
}

function withCredential(url: URL, credential: Credential | undefined) {
  if (credential?.key === undefined) return { target: url, headers: {} };
  if (credential.place === 'header')
    return { target: url, headers: { [credential.name]: credential.key } };
  const target = new URL(url);
  target.searchParams.set(credential.name, credential.key);
  return { target, headers: {} };
}

const DECODERS: Readonly<Record<string, () => Transform>> = {
  gzip: createGunzip,
  'x-gzip': createGunzip,
  deflate: createInflate,
  br: createBrotliDecompress,
};

function decoded(answer: IncomingMessage): Exchange {
  const encoding = (answer.headers['content-encoding'] ?? 'identity').trim().toLowerCase();
  const decoder = DECODERS[encoding]?.();
  if (decoder === undefined && encoding !== 'identity' && encoding !== '') {
    answer.destroy();
    throw new PipelineError(
      'SRC_SHAPE_CHANGED',
      `the answer is encoded as ${JSON.stringify(encoding)}, which was not asked for`,
    );
  }
  return {
    status: answer.statusCode ?? 0,
    header: (name) => {
      const value = answer.headers[name];
      return Array.isArray(value) ? value.join(', ') : (value ?? null);
    },
    body: decoder === undefined ? answer : chain(answer, decoder),
  };
}

/** Like `pipe`, and the end of either ends the other. */
function chain(answer: IncomingMessage, decoder: Transform): Transform {
  answer.on('error', (error) => decoder.destroy(error));
  decoder.on('close', () => answer.destroy());
  return answer.pipe(decoder);
}

function unsafe(url: string, what: string): PipelineError {
  return new PipelineError('SRC_UNSAFE_ADDRESS', `${url} ${what}`, { context: { url } });
}

/** A small body as text; `SRC_TOO_LARGE` when it is not small. */
export async function textOf(url: string, { body }: Exchange, maxBytes: number): Promise<string> {
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  try {
    for await (const chunk of body as AsyncIterable<Uint8Array>) {
      bytes += chunk.byteLength;
      if (bytes > maxBytes) throw tooLarge(url, maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    throw brokenOff(error, url);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** For answers that say their size, and for those that are counted. */
export function tooLarge(url: string, maxBytes: number): PipelineError {
  return new PipelineError(
    'SRC_TOO_LARGE',
    `the answer of ${url} is larger than its limit of ${maxBytes} bytes`,
    {
      context: { url, limitBytes: maxBytes },
    },
  );
}

/** An answer that has begun and stops, also in the middle of what is compressed, is truncated. */
export function brokenOff(error: unknown, url: string): PipelineError {
  if (error instanceof PipelineError) return error;
  if (isFullDisk(error)) return asPipelineError(error);
  const why = (error as { code?: string }).code ?? (error as Error).message;
  return new PipelineError('SRC_TRUNCATED', `the answer of ${url} ended too early (${why})`, {
    context: { url },
    cause: error,
  });
}
