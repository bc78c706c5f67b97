import type { FastifyReply, FastifyRequest } from 'fastify';
import { PipelineError } from '../../errors.ts';
import type { ApiSettings } from '../shared/context.ts';

/**
 * The cookie of a session: no script reads it, and requests from pages of other sites come without
 * it.
 */

type Reached = Pick<ApiSettings, 'loopback'>;

/** Behind https the name binds a cookie to this origin alone (RFC 6265bis, `__Host-`). */
export function cookieName(name: string, { loopback }: Reached): string {
  return loopback ? name : `__Host-${name}`;
}

/**
 * How all of our cookies are kept: for no script, and not for requests that pages of other sites
 * send.
 */
export function cookieTerms({ loopback }: Reached): string {
  return `Path=/; HttpOnly; SameSite=Lax${loopback ? '' : '; Secure'}`;
}

/** What a browser has kept for us, by name. */
export function cookiesOf({ headers }: FastifyRequest): ReadonlyMap<string, string> {
  const pairs = headers.cookie?.split(/;\s*/) ?? [];
  return new Map(
    pairs.flatMap((pair) => {
      const end = pair.indexOf('=');
      return end < 0 ? [] : [[pair.slice(0, end), pair.slice(end + 1)]];
    }),
  );
}

const SESSION = 'quotidien-session';

/** The secret of the session that a request is in; undefined without one. */
export function sessionSecretOf(request: FastifyRequest, settings: Reached): string | undefined {
  return cookiesOf(request).get(cookieName(SESSION, settings));
}

/** Has the browser keep the session until it is closed, or forget it. */
export function setSessionCookie(
  reply: FastifyReply,
  secret: string | undefined,
  settings: Reached,
): void {
  const how = cookieTerms(settings);
  const value = secret === undefined ? `; ${how}; Max-Age=0` : `${secret}; ${how}`;
  reply.header('set-cookie', `${cookieName(SESSION, settings)}=${value}`);
}

/**
 * A browser sends the cookie also when another page has it send a form. So whoever changes
 * something by a session must say where the request is from, and that must be a page of ours; what
 * the headers say was compared before (`checkOrigin`).
 */
export function requireOwnPage({ method, headers }: FastifyRequest): void {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return;
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin' || (site === undefined && headers.origin !== undefined)) return;
  throw new PipelineError(
    'AUTH_DENIED',
    'only a page of this server may change anything in a session',
  );
}
