import type { FastifyReply, FastifyRequest } from 'fastify';
import { nameOf, personOf, rulesHash } from '../api/security/claims.ts';
import type { Claims } from '../api/security/claims.ts';
import type { Issuer } from '../api/security/issuer.ts';
import { keepSignIn, takeSignIn } from '../api/security/sign-in-cookie.ts';
import type { Person } from '../api/security/sessions.ts';
import type { ApiApp } from '../api/shared/app.ts';
import type { ApiContext } from '../api/shared/context.ts';
import type { SignInSettings } from '../config/sign-in.ts';
import { asPipelineError, PipelineError } from '../errors.ts';
import { required } from '../given.ts';
import { noteSignIn, startSession } from './begin-session.ts';
import { pageContext, sendProblemPage } from './send-page.ts';

/** Signing in by an OpenID Connect issuer. */

/** Where the issuer sends the browser back to; it has to be registered there. */
const BACK_PATH = '/console/signed-in';

type Needed = Pick<ApiContext, 'engine' | 'settings'>;

/**
 * `/console/sign-in` leads to the issuer, `/console/signed-in` takes what it says. Neither is asked
 * by HEAD: both do something.
 */
export function addSignIn(app: ApiApp, context: Needed, issuer: Issuer): void {
  const { engine, settings } = context;
  const signIn = required(settings.signIn, 'how people sign in');
  const back = new URL(BACK_PATH, required(settings.publicUrl, 'the public address'));
  const add = (
    path: string,
    act: (request: FastifyRequest, reply: FastifyReply) => Promise<string>,
  ): void => {
    app.get(path, { schema: { hide: true }, exposeHeadRoute: false }, async (request, reply) => {
      try {
        const address = await act(request, reply);
        return await reply.header('cache-control', 'no-store').redirect(address, 303);
      } catch (error) {
        // Links of the page must not lead back to what is in this address.
        const page = { ...pageContext(context, request), address: '/console' };
        return sendProblemPage(page, error, request, reply);
      }
    });
  };
  add('/console/sign-in', async (request, reply) => {
    const { next } = request.query as { next?: unknown };
    const { address, pending } = await issuer.begin(back.href);
    const at = engine.now().toISOString();
    keepSignIn(request, reply, { ...pending, next: ownPage(next), at }, settings);
    return address.href;
  });
  add(BACK_PATH, async (request, reply) => {
    const { state } = request.query as { state?: unknown };
    const given = typeof state === 'string' ? state : '';
    const begun = takeSignIn(request, reply, given, settings, engine.now());
    if (begun === undefined)
      throw new PipelineError(
        'AUTH_REQUIRED',
        'this sign-in was not begun in this browser within the last ten minutes: begin it again',
      );
    const address = new URL(back);
    address.search = request.url.slice(request.url.indexOf('?'));
    let by = request.ip;
    try {
      const claims = await issuer.finish(address, begun, signIn.roleClaim);
      by = nameOf(claims, signIn.nameClaim);
      const how = `by ${signIn.issuer.url} as ${claims.sub}`;
      await startSession(context, request, reply, knownPerson(claims, signIn), {
        how,
        rules: rulesHash(signIn),
      });
    } catch (error) {
      const { code, message } = asPipelineError(error);
      await noteSignIn(context, by, 'sign-in/refused', `${code}: ${message}`);
      throw error;
    }
    return ownPage(begun.next);
  });
}

function knownPerson(claims: Claims, signIn: SignInSettings): Person {
  const person = personOf(claims, signIn);
  if (person !== undefined) return person;
  throw new PipelineError(
    'AUTH_DENIED',
    `${nameOf(claims, signIn.nameClaim)} has no role here: no value of the claim ${signIn.roleClaim} is in QUOTIDIEN_OIDC_ROLES`,
  );
}

/**
 * An address of the console on this server; whatever else somebody put into a link leads to its
 * first page.
 */
function ownPage(given: unknown): string {
  const base = 'https://own.invalid';
  if (typeof given !== 'string' || given.length > 1_000 || !URL.canParse(given, base))
    return '/console';
  const { origin, pathname, search } = new URL(given, base);
  const isPage =
    /^\/console(?:\/|$)/.test(pathname) &&
    !/^\/console\/(?:sign-in|signed-in|enter)$/.test(pathname);
  return origin === base && isPage ? `${pathname}${search}` : '/console';
}
