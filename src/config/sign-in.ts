import { definedMembers } from '../given.ts';
import { nearestName } from './nearest-name.ts';
import type { RoleRule } from './role-rules.ts';
import type { Settings } from './settings.ts';

/** How people sign in by an OpenID Connect issuer, as the settings say it together. */

/** The issuer, and as whom we are known there. */
export interface IssuerSettings {
  /** As the issuer names itself; https, or http on this machine. */
  readonly url: string;
  readonly clientId: string;
  /** A secret; a public client has none. */
  readonly clientSecret?: string;
  readonly clientAuth: 'basic' | 'post';
  /** With spaces between. */
  readonly scopes: string;
}

/** What a person is by what the issuer tells. */
export interface SignInSettings {
  readonly issuer: IssuerSettings;
  readonly roleClaim: string;
  readonly nameClaim: string;
  readonly rules: readonly RoleRule[];
}

const ISSUER = 'QUOTIDIEN_OIDC_ISSUER';
const NEEDED = [ISSUER, 'QUOTIDIEN_OIDC_CLIENT_ID', 'QUOTIDIEN_OIDC_ROLES'] as const;
const FILES = ['QUOTIDIEN_TLS_CERT', 'QUOTIDIEN_TLS_KEY'] as const;

/** Undefined without an issuer. */
export function signInOf(settings: Settings): SignInSettings | undefined {
  const url = settings.QUOTIDIEN_OIDC_ISSUER;
  const clientId = settings.QUOTIDIEN_OIDC_CLIENT_ID;
  const rules = settings.QUOTIDIEN_OIDC_ROLES?.rules;
  if (url === undefined || clientId === undefined || rules === undefined) return undefined;
  const issuer: IssuerSettings = {
    url,
    clientId,
    clientAuth: settings.QUOTIDIEN_OIDC_CLIENT_AUTH,
    scopes: settings.QUOTIDIEN_OIDC_SCOPES,
    ...definedMembers({ clientSecret: settings.QUOTIDIEN_OIDC_CLIENT_SECRET }),
  };
  const { QUOTIDIEN_OIDC_ROLE_CLAIM: roleClaim, QUOTIDIEN_OIDC_NAME_CLAIM: nameClaim } = settings;
  return { issuer, roleClaim, nameClaim, rules };
}

/** Settings that need each other and are not all there, in words. */
export function signInProblems(settings: Settings): string[] {
  return [...partly(settings, NEEDED), ...partly(settings, FILES)];
}

/**
 * A role at a pipeline that is none would be no role at all, without a word; in words, when there
 * is one.
 */
export function roleProblem(
  { rules }: SignInSettings,
  pipelines: readonly string[],
): string | undefined {
  const wrong = rules
    .map(({ pipeline }) => pipeline)
    .find((name) => name !== undefined && !pipelines.includes(name));
  if (wrong === undefined) return undefined;
  const nearest = nearestName(wrong, pipelines);
  const hint = nearest === undefined ? '' : `; the nearest is ${nearest}`;
  return `QUOTIDIEN_OIDC_ROLES: there is no pipeline ${wrong}${hint}`;
}

function partly(settings: Settings, names: readonly (keyof Settings)[]): string[] {
  const missing = names.filter((name) => settings[name] === undefined);
  if (missing.length === 0 || missing.length === names.length) return [];
  const given = names.filter((name) => settings[name] !== undefined);
  return [`${given.join(' and ')} needs ${missing.join(' and ')}, which is not set`];
}
