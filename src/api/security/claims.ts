import { canonicalJson, sha256Hex } from '../../canonical-json.ts';
import { ROLES } from '../../config/role-rules.ts';
import type { Grant } from '../../config/role-rules.ts';
import type { SignInSettings } from '../../config/sign-in.ts';
import { definedMembers } from '../../given.ts';
import type { Person } from './sessions.ts';

/** What an issuer tells about a person, and what that is worth here. */

/**
 * Members of an id token and of the user information; `sub` names the person at the issuer for
 * ever.
 */
export interface Claims {
  readonly sub: string;
  readonly [name: string]: unknown;
}

const EVERYBODY = '*';
/** A name is shown and kept; longer ones tell nobody more. */
const NAME_LENGTH = 100;

/** The values of a claim, by its whole name or else by a path with dots; of an object its names. */
export function valuesOf(claims: Claims, name: string): string[] {
  const value = claims[name] ?? atPath(claims, name.split('.'));
  if (typeof value === 'string' || typeof value === 'number') return [String(value)];
  if (Array.isArray(value)) return value.filter((one) => typeof one === 'string');
  return typeof value === 'object' && value !== null ? Object.keys(value) : [];
}

function atPath(value: unknown, [name, ...rest]: readonly string[]): unknown {
  if (name === undefined) return value;
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return atPath((value as Record<string, unknown>)[name], rest);
}

/** Who the claims are about, and as what; undefined when no rule gives them a role. */
export function personOf(
  claims: Claims,
  { roleClaim, nameClaim, rules }: Pick<SignInSettings, 'roleClaim' | 'nameClaim' | 'rules'>,
): Person | undefined {
  const values = valuesOf(claims, roleClaim);
  const grants = rules
    .filter(({ value }) => value === EVERYBODY || values.includes(value))
    .map(({ role, pipeline }): Grant => ({ role, ...definedMembers({ pipeline }) }));
  const role = ROLES.findLast((one) => grants.some((grant) => grant.role === one));
  return role === undefined ? undefined : { name: nameOf(claims, nameClaim), role, grants };
}

/**
 * For the audit: `oidc:` and the claim, or what the issuer calls the person. The beginning keeps it
 * apart from keys and from names of this machine, whatever people call themselves.
 */
export function nameOf(claims: Claims, nameClaim: string): string {
  const [given = claims.sub] = valuesOf(claims, nameClaim);
  const shown = given.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, '').trim();
  return `oidc:${(shown === '' ? claims.sub : shown).slice(0, NAME_LENGTH)}`;
}

/** Of all that decides who is what: sessions that began under other rules have ended. */
export function rulesHash({ issuer, roleClaim, nameClaim, rules }: SignInSettings): string {
  const { url, clientId } = issuer;
  return sha256Hex(canonicalJson({ url, clientId, roleClaim, nameClaim, rules }));
}
