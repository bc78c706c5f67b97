import { readFileSync } from 'node:fs';
import { LOOPBACK_HOSTS } from '../../api/security/guards.ts';
import type { ApiSettings } from '../../api/shared/context.ts';
import type { Settings } from '../../config/settings.ts';
import { roleProblem, signInOf } from '../../config/sign-in.ts';
import { PipelineError } from '../../errors.ts';
import { definedMembers } from '../../given.ts';

/** Who can reach the API, and what protects it there. */

/** As it is asked for on the command line. */
export interface AskedReach {
  readonly host: string;
  /** The https address under which others reach it. */
  readonly publicUrl?: string | undefined;
  /** Nobody signs in: it is for programs, and for who has a link. */
  readonly keysOnly?: boolean | undefined;
}

/** What the server is told about it. */
export type Reach = Pick<
  ApiSettings,
  'loopback' | 'hosts' | 'publicUrl' | 'tls' | 'proxies' | 'signIn' | 'sessionMs'
>;

const HOUR_MS = 3_600_000;

/**
 * Either this machine alone, or others by https: by a certificate of our own, or through proxies
 * that are named; and then people sign in by an issuer, unless there shall be none.
 * `CONFIG_INVALID` says what is missing for that.
 */
export function reachOf(
  asked: AskedReach,
  settings: Settings,
  pipelines: readonly string[],
): Reach {
  const { host, publicUrl, keysOnly = false } = asked;
  const sessionMs = settings.QUOTIDIEN_SESSION_HOURS * HOUR_MS;
  if (publicUrl === undefined) {
    if (LOOPBACK_HOSTS.includes(host === '::1' ? '[::1]' : host))
      return { loopback: true, hosts: LOOPBACK_HOSTS, sessionMs };
    throw refusal(
      host,
      'name the https address under which others reach it by --public-url https://…, or listen on 127.0.0.1',
    );
  }
  const url = originOf(publicUrl);
  const tls = certificateOf(settings);
  const proxies = settings.QUOTIDIEN_TRUSTED_PROXIES?.ranges;
  if ((tls === undefined) === (proxies === undefined))
    throw refusal(
      host,
      tls === undefined
        ? 'say who speaks https: a certificate (QUOTIDIEN_TLS_CERT, QUOTIDIEN_TLS_KEY), or the address of the proxy that does ' +
            '(QUOTIDIEN_TRUSTED_PROXIES, 127.0.0.1 for one on this machine)'
        : 'it has a certificate and names proxies: remove QUOTIDIEN_TLS_CERT and QUOTIDIEN_TLS_KEY, or QUOTIDIEN_TRUSTED_PROXIES',
    );
  const signIn = keysOnly ? undefined : signInOf(settings);
  if (signIn === undefined && !keysOnly)
    throw refusal(
      host,
      'say how people sign in (QUOTIDIEN_OIDC_ISSUER, QUOTIDIEN_OIDC_CLIENT_ID, QUOTIDIEN_OIDC_ROLES), ' +
        'or start it by --keys-only for programs and for who has a link of "quotidien console"',
    );
  const problem = signIn === undefined ? undefined : roleProblem(signIn, pipelines);
  if (problem !== undefined) throw new PipelineError('CONFIG_INVALID', problem);
  const hosts = [...LOOPBACK_HOSTS, url.hostname];
  return {
    loopback: false,
    hosts,
    publicUrl: url.origin,
    sessionMs,
    ...definedMembers({ tls, proxies, signIn }),
  };
}

function refusal(host: string, next: string): PipelineError {
  return new PipelineError(
    'CONFIG_INVALID',
    `the API on ${host} is for others than this machine, by https alone: ${next}`,
  );
}

/**
 * Cookies and the way back from the issuer are of an origin: a path before ours would be another's.
 */
function originOf(publicUrl: string): URL {
  const url = URL.canParse(publicUrl) ? new URL(publicUrl) : undefined;
  if (url?.protocol === 'https:' && url.href === `${url.origin}/`) return url;
  throw new PipelineError(
    'CONFIG_INVALID',
    `--public-url takes an https address without a path, such as https://days.example.org, not ${publicUrl}`,
  );
}

function certificateOf(settings: Settings): Reach['tls'] {
  const { QUOTIDIEN_TLS_CERT: cert, QUOTIDIEN_TLS_KEY: key } = settings;
  if (cert === undefined || key === undefined) return undefined;
  return { cert: textOf('QUOTIDIEN_TLS_CERT', cert), key: textOf('QUOTIDIEN_TLS_KEY', key) };
}

function textOf(name: string, file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new PipelineError('CONFIG_INVALID', `${name}: ${(error as Error).message}`, {
      cause: error,
    });
  }
}
