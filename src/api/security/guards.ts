import type { FastifyRequest } from 'fastify';
import { PipelineError } from '../../errors.ts';
import type { ApiSettings } from '../shared/context.ts';

/**
 * What a request must be before anybody looks at what it wants: addressed to this server by a name
 * that is its own (else a page of another site could reach a server on this machine under a name
 * that it has pointed here), and, where it changes something, sent by our own pages or by no page
 * at all.
 */
export function checkOrigin(
  request: FastifyRequest,
  { hosts, loopback, publicUrl }: Pick<ApiSettings, 'hosts' | 'loopback' | 'publicUrl'>,
): void {
  // RFC 9112, 3.2: one name of a host, no less and no more. Node keeps the first one alone.
  if (countOf(request.raw.rawHeaders, 'host') !== 1)
    throw new PipelineError(
      'INPUT_INVALID',
      'a request names one host: the header Host is there once',
    );
  const host = hostOf(request.headers.host);
  if (host === undefined || !hosts.includes(host))
    throw new PipelineError(
      'AUTH_DENIED',
      `this server is not called ${request.headers.host ?? '(nothing)'}`,
    );
  if (request.method === 'GET' || request.method === 'HEAD' || request.method === 'OPTIONS') return;
  const site = request.headers['sec-fetch-site'];
  if (site !== undefined && site !== 'same-origin' && site !== 'none')
    throw new PipelineError('AUTH_DENIED', 'a page of another site must not change anything here');
  const { origin } = request.headers;
  if (origin === undefined) return;
  // For others it is reached by https alone.
  if (origin !== (publicUrl ?? `${loopback ? 'http' : 'https'}://${request.headers.host}`))
    throw new PipelineError(
      'AUTH_DENIED',
      'a page of another origin must not change anything here',
    );
}

/** `rawHeaders` has names and values in turn. */
function countOf(rawHeaders: readonly string[], name: string): number {
  return rawHeaders.filter((text, index) => index % 2 === 0 && text.toLowerCase() === name).length;
}

function hostOf(header: string | undefined): string | undefined {
  if (header === undefined || !URL.canParse(`http://${header}`)) return undefined;
  const { hostname, username, pathname } = new URL(`http://${header}`);
  return username === '' && pathname === '/' ? hostname.toLowerCase() : undefined;
}

/** The names of this machine for itself. */
export const LOOPBACK_HOSTS: readonly string[] = ['127.0.0.1', 'localhost', '[::1]'];
