import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { ApiSettings } from '../shared/context.ts';
import { cookieName, cookiesOf, cookieTerms } from './session-cookie.ts';

/**
 * What a browser keeps while its person is at the issuer, in a cookie for each sign-in: two tabs
 * that sign in at once do not disturb each other, and strangers who begin sign-ins write nothing to
 * the stores. Nobody else learns the nonce and the verifier, so that a code is of use in the
 * browser alone that asked for it.
 */

const kept = z.strictObject({
  state: z.string(),
  nonce: z.string(),
  verifier: z.string(),
  /** The page of the console that comes next. */
  next: z.string(),
  /** ISO instant. */
  at: z.string(),
});

/** A sign-in that a browser has begun. */
export type KeptSignIn = z.output<typeof kept>;

type Reached = Pick<ApiSettings, 'loopback'>;

const NAME = 'quotidien-sign-in-';
const STATE_SHOWN = 12;
const KEPT_S = 600;
/** The oldest go: a browser sends all of them with each request. */
const MAX_KEPT = 4;

function nameOf(state: string, settings: Reached): string {
  return cookieName(NAME + state.slice(0, STATE_SHOWN), settings);
}

/** Has the browser keep a sign-in for ten minutes, and at most four of them. */
export function keepSignIn(
  request: FastifyRequest,
  reply: FastifyReply,
  begun: KeptSignIn,
  settings: Reached,
): void {
  const start = cookieName(NAME, settings);
  const earlier = [...cookiesOf(request).keys()].filter((name) => name.startsWith(start));
  for (const name of earlier.slice(0, Math.max(0, earlier.length - MAX_KEPT + 1)))
    reply.header('set-cookie', `${name}=; ${cookieTerms(settings)}; Max-Age=0`);
  const value = Buffer.from(JSON.stringify(begun)).toString('base64url');
  const terms = `${cookieTerms(settings)}; Max-Age=${KEPT_S}`;
  reply.header('set-cookie', `${nameOf(begun.state, settings)}=${value}; ${terms}`);
}

/**
 * The sign-in of a state, which the browser forgets now; undefined when it has none that is young
 * enough.
 */
export function takeSignIn(
  request: FastifyRequest,
  reply: FastifyReply,
  state: string,
  settings: Reached,
  now: Date,
): KeptSignIn | undefined {
  const name = nameOf(state, settings);
  const value = cookiesOf(request).get(name);
  if (value === undefined) return undefined;
  reply.header('set-cookie', `${name}=; ${cookieTerms(settings)}; Max-Age=0`);
  const read = kept.safeParse(parsed(value));
  if (!read.success || now.getTime() - Date.parse(read.data.at) > KEPT_S * 1000) return undefined;
  return read.data;
}

function parsed(value: string): unknown {
  try {
    return JSON.parse(Buffer.from(value, 'base64url').toString());
  } catch {
    return undefined;
  }
}
