import { h } from 'preact';
import { NOBODY } from '../api/security/callers.ts';
import { Issuer } from '../api/security/issuer.ts';
import { sessionSecretOf, setSessionCookie } from '../api/security/session-cookie.ts';
import { endSession, takeLink } from '../api/security/sessions.ts';
import type { ApiApp } from '../api/shared/app.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { noteSignIn, startSession } from './begin-session.ts';
import { withForms } from './form-route.ts';
import { renderPage } from './layout.tsx';
import { asHtml, pageContext, sendProblemPage } from './send-page.ts';
import { addSignIn } from './sign-in-routes.ts';

/** Beginning and ending a session in the browser. */

/**
 * `/console/enter` takes the one-time link; `/console/leave` ends the session at every server, and
 * leads to the issuer's own sign-out where the session came from there. A link is used by its GET
 * alone: what only looks whether an address is there must not use it.
 */
export function addSessionRoutes(app: ApiApp, context: ApiContext): void {
  const { engine, settings } = context;
  const issuer = settings.signIn === undefined ? undefined : new Issuer(settings.signIn.issuer);
  if (issuer !== undefined) addSignIn(app, context, issuer);
  app.get(
    '/console/enter',
    { schema: { hide: true }, exposeHeadRoute: false },
    async (request, reply) => {
      try {
        const { link } = request.query as { link?: unknown };
        const person = await takeLink(
          engine.documents,
          typeof link === 'string' ? link : '',
          engine.now(),
        );
        await startSession(context, request, reply, person, {
          how: 'by a link of "quotidien console"',
        });
        return await reply.header('cache-control', 'no-store').redirect('/console', 303);
      } catch (error) {
        const page = { ...pageContext({ settings }, request), address: '/console' };
        return sendProblemPage(page, error, request, reply);
      }
    },
  );
  withForms(app, (scope) => {
    addLeave(scope, context, issuer);
  });
}

function addLeave(app: ApiApp, context: ApiContext, issuer: Issuer | undefined): void {
  const { engine, settings } = context;
  app.post('/console/leave', { schema: { hide: true } }, async (request, reply) => {
    const secret = sessionSecretOf(request, settings);
    const byIssuer = secret !== undefined && (await endSession(engine.documents, secret));
    if (request.caller.role !== undefined)
      await noteSignIn(context, request.caller.name, 'leave', 'left');
    setSessionCookie(reply, undefined, settings);
    const address = byIssuer
      ? await issuer?.leaveAddress(`${settings.publicUrl}/console`)
      : undefined;
    if (address === undefined) return reply.redirect('/console', 303);
    // No redirect: it would be one of a form, which our pages may send to this server alone.
    const page = { ...pageContext({ settings }, request), caller: NOBODY, address: '/console' };
    const link = h('a', { href: address.href }, page.words.leaveIssuer);
    reply.header('refresh', `0; url=${address.href}`);
    return asHtml(reply).send(
      renderPage(page, { title: page.words.left, content: h('p', null, link) }),
    );
  });
}
