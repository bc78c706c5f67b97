import type { Configuration } from 'openid-client';
import { discoverIssuer } from '../../api/security/issuer.ts';
import type { Config } from '../../config/load-config.ts';
import { roleProblem, signInOf } from '../../config/sign-in.ts';
import type { SignInSettings } from '../../config/sign-in.ts';
import { timed, whyFailed } from './finding.ts';
import type { Finding } from './finding.ts';
import { toldTime } from './store-clocks.ts';

/**
 * The issuer by which people sign in to the console, asked for what it is and for the keys that it
 * signs with.
 */

const ANSWER_WITHIN_MS = 5_000;
/** Id tokens are refused whose times are further off than this. */
const CLOCK_MS = 30_000;

/** Without an issuer there is nothing to find. */
export async function examineIssuer(
  { settings }: Pick<Config, 'settings'>,
  pipelines: readonly string[],
): Promise<Finding[]> {
  const signIn = signInOf(settings);
  if (signIn === undefined) return [];
  return [...(await tried(signIn)), rolesFinding(signIn, pipelines)];
}

async function tried({ issuer }: SignInSettings): Promise<Finding[]> {
  const common = { area: 'sign-in', subject: 'issuer' } as const;
  try {
    const library = await import('openid-client');
    const { value, durationMs } = await timed(() => discoverIssuer(library, issuer));
    const detail = `${issuer.url} says what it is${leaves(value) ? ', and signs people out too' : ''}`;
    const answers: Finding = knowsChallenges(value)
      ? { ...common, status: 'ok', detail, durationMs }
      : {
          ...common,
          status: 'warn',
          detail: `${issuer.url} does not name S256 among its challenges`,
          next: 'Turn PKCE on for the client: without it a code that somebody else reads is of use to them.',
        };
    return [answers, ...(await examineKeys(value))];
  } catch (error) {
    return [
      {
        ...common,
        status: 'fail',
        detail: whyFailed(error),
        next: 'Check the network and QUOTIDIEN_OIDC_ISSUER, which has to be what the issuer calls itself; until then nobody signs in.',
      },
    ];
  }
}

function leaves(config: Configuration): boolean {
  return config.serverMetadata().end_session_endpoint !== undefined;
}

/** One that says nothing of challenges may know them. */
function knowsChallenges(config: Configuration): boolean {
  return config.serverMetadata().code_challenge_methods_supported?.includes('S256') ?? true;
}

async function examineKeys(config: Configuration): Promise<Finding[]> {
  const url = config.serverMetadata().jwks_uri;
  const common = { area: 'sign-in', subject: 'keys' } as const;
  const next =
    'Look at the keys that the issuer publishes: what it signs cannot be checked without them.';
  if (url === undefined)
    return [{ ...common, status: 'fail', detail: 'the issuer names no keys', next }];
  try {
    const sentAt = Date.now();
    const answer = await fetch(url, { signal: AbortSignal.timeout(ANSWER_WITHIN_MS) });
    const here = (sentAt + Date.now()) / 2;
    const { keys } = (await answer.json()) as { keys?: readonly unknown[] };
    const detail = `${keys?.length ?? 0} at ${url}`;
    const found: Finding =
      answer.ok && keys !== undefined && keys.length > 0
        ? { ...common, status: 'ok', detail }
        : { ...common, status: 'fail', detail, next };
    return [found, ...clockFindings(toldTime(answer.headers.get('date')), here)];
  } catch (error) {
    return [{ ...common, status: 'fail', detail: `${url}: ${whyFailed(error)}`, next }];
  }
}

function clockFindings(there: number | undefined, here: number): Finding[] {
  if (there === undefined) return [];
  const offMs = Math.abs(here - there);
  const common = { area: 'sign-in', subject: 'clock' } as const;
  const detail = `${(offMs / 1000).toFixed(1)} s off the issuer’s time`;
  // It tells whole seconds.
  if (offMs < CLOCK_MS) return [{ ...common, status: 'ok', detail }];
  const next = 'Set both clocks and keep them set (NTP): who signs in is refused when they differ.';
  return [{ ...common, status: 'warn', detail, next }];
}

function rolesFinding(signIn: SignInSettings, pipelines: readonly string[]): Finding {
  const common = { area: 'sign-in', subject: 'roles' } as const;
  const problem = roleProblem(signIn, pipelines);
  if (problem !== undefined)
    return {
      ...common,
      status: 'fail',
      detail: problem,
      next: 'Correct it: the API does not start for others with it.',
    };
  const shown = signIn.rules.map(
    ({ value, role, pipeline = 'all' }) => `${value} → ${role} (${pipeline})`,
  );
  return { ...common, status: 'ok', detail: `${signIn.roleClaim}: ${shown.join(', ')}` };
}
