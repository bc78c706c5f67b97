import type { FastifyReply, FastifyRequest } from 'fastify';
import { sessionSecretOf, setSessionCookie } from '../api/security/session-cookie.ts';
import { beginSession, endSession } from '../api/security/sessions.ts';
import type { Person } from '../api/security/sessions.ts';
import { writeAudit } from '../api/shared/audit.ts';
import type { ApiContext } from '../api/shared/context.ts';
import { definedMembers } from '../given.ts';

/** Where a sign-in ends well, whatever showed who somebody is. */

type Needed = Pick<ApiContext, 'engine' | 'settings'>;

/** What is kept of a sign-in besides the person. */
export interface SignInNote {
  /** For the audit. */
  readonly how: string;
  /** `rulesHash`, where an issuer's word is behind it. */
  readonly rules?: string;
}

/**
 * Begins a session with a secret that the server chooses now, ends the one that the browser was in,
 * and writes down who signed in. The audit comes first: nobody is in who is not in it.
 */
export async function startSession(
  { engine, settings }: Needed,
  request: FastifyRequest,
  reply: FastifyReply,
  person: Person,
  { how, rules }: SignInNote,
): Promise<void> {
  const { documents } = engine;
  await noteSignIn({ engine }, person.name, 'sign-in', `${rolesIn(person)}, ${how}`);
  const terms = definedMembers({ rules, lifeMs: settings.sessionMs });
  const secret = await beginSession(documents, person, engine.now(), terms);
  const old = sessionSecretOf(request, settings);
  if (old !== undefined) await endSession(documents, old);
  setSessionCookie(reply, secret, settings);
}

function rolesIn({ role, grants = [{ role }] }: Person): string {
  return grants
    .map((one) => (one.pipeline === undefined ? one.role : `${one.role}:${one.pipeline}`))
    .join(' ');
}

/** A line of the audit about somebody who comes, goes, or was refused. */
export async function noteSignIn(
  { engine }: Pick<ApiContext, 'engine'>,
  by: string,
  action: 'sign-in' | 'sign-in/refused' | 'leave',
  reason: string,
): Promise<void> {
  const at = engine.now().toISOString();
  await writeAudit(engine.documents, { at, by, action, target: 'console', reason });
}
