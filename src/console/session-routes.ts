import { sessionSecretOf, setSessionCookie } from '../api/security/session-cookie.ts';
import { endSession, enterByLink } from '../api/security/sessions.ts';
import { writeAudit } from '../api/shared/audit.ts';
import type { ApiApp } from '../api/shared/app.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { pageContext, sendProblemPage } from './send-page.ts';

/** Beginning and ending a session in the browser. */

/**
 * `/console/enter` takes the one-time link; `/console/leave` ends the session at every server. A link is used by its GET alone: what only looks
 * whether an address is there must not use it.
 */
export function addSessionRoutes(app: ApiApp, { engine, settings }: ApiContext): void {
  const { documents } = engine;
  app.get('/console/enter', { schema: { hide: true }, exposeHeadRoute: false }, async (request, reply) => {
    try {
      const { link } = request.query as { link?: unknown };
      const old = sessionSecretOf(request, settings);
      const secret = await enterByLink(documents, typeof link === 'string' ? link : '', engine.now());
      if (old !== undefined) await endSession(documents, old);
      setSessionCookie(reply, secret, settings);
      return await reply.header('cache-control', 'no-store').redirect('/console', 303);
    } catch (error) {
      return sendProblemPage(pageContext({ settings }, request), error, request, reply);
    }
  });
  app.post('/console/leave', { schema: { hide: true } }, async (request, reply) => {
    const secret = sessionSecretOf(request, settings);
    if (secret !== undefined) await endSession(documents, secret);
    if (request.caller.role !== undefined) {
      const at = engine.now().toISOString();
      await writeAudit(documents, { at, by: request.caller.name, action: 'leave', target: 'console', reason: 'left' });
    }
    setSessionCookie(reply, undefined, settings);
    return reply.redirect('/console', 303);
  });
}
