import type { FastifyReply, FastifyRequest } from 'fastify';
import { PipelineError } from '../../errors.ts';
import type { ApiSettings } from '../shared/context.ts';

/** The cookie of a session: no script reads it, and requests from pages of other sites come without it. */

type Reached = Pick<ApiSettings, 'loopback'>;

/** Behind https the name binds it to this origin alone (RFC 6265bis, `__Host-`). */
function nameOf({ loopback }: Reached): string {
  return loopback ? 'quotidien-session' : '__Host-quotidien-session';
}

/** The secret of the session that a request is in; undefined without one. */
export function sessionSecretOf({ headers }: FastifyRequest, settings: Reached): string | undefined {
  const start = `${nameOf(settings)}=`;
  const found = headers.cookie?.split(/;\s*/).find((pair) => pair.startsWith(start));
  return found?.slice(start.length);
}

/** Has the browser keep the session until it is closed, or forget it. */
export function setSessionCookie(reply: FastifyReply, secret: string | undefined, settings: Reached): void {
  const how = `Path=/; HttpOnly; SameSite=Lax${settings.loopback ? '' : '; Secure'}`;
  const value = secret === undefined ? `; ${how}; Max-Age=0` : `${secret}; ${how}`;
  reply.header('set-cookie', `${nameOf(settings)}=${value}`);
}

/**
 * A browser sends the cookie also when another page has it send a form. So whoever changes something by a session must say where the request is
 * from, and that must be a page of ours; what the headers say was compared before (`checkOrigin`).
 */
export function requireOwnPage({ method, headers }: FastifyRequest): void {
  if (method === 'GET' || method === 'HEAD' || method === 'OPTIONS') return;
  const site = headers['sec-fetch-site'];
  if (site === 'same-origin' || (site === undefined && headers.origin !== undefined)) return;
  throw new PipelineError('AUTH_DENIED', 'only a page of this server may change anything in a session');
}
