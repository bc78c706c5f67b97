import type * as openid from 'openid-client';
import type { Configuration } from 'openid-client';
import type { IssuerSettings } from '../../config/sign-in.ts';
import { PipelineError } from '../../errors.ts';
import { firstOf } from '../../given.ts';
import type { Claims } from './claims.ts';

/**
 * The OpenID Connect issuer by which people sign in: authorization code with PKCE (S256), state and
 * nonce. What it sends is checked by `openid-client`: issuer, audience, times, nonce and the
 * signature of the id token, and `iss` of the answer (RFC 9207).
 */

/** What a browser keeps while its person is at the issuer. */
export interface PendingSignIn {
  readonly state: string;
  readonly nonce: string;
  /** Of PKCE. */
  readonly verifier: string;
}

type Library = typeof openid;

/** What the issuer says of itself is asked for again after this. */
const KNOWN_MS = 3_600_000;
const ANSWER_WITHIN_S = 10;

/** Finds the issuer when it is first needed, so that a server starts without it. */
export class Issuer {
  readonly #settings: IssuerSettings;
  #found: Promise<Configuration> | undefined;
  #foundAt = 0;

  constructor(settings: IssuerSettings) {
    this.#settings = settings;
  }

  /**
   * Where to send a browser, and what it keeps meanwhile. `ISSUER_UNAVAILABLE` when the issuer does
   * not answer.
   */
  async begin(
    redirectUri: string,
  ): Promise<{ readonly address: URL; readonly pending: PendingSignIn }> {
    const library = await import('openid-client');
    const config = await this.#configuration(library);
    const { randomState, randomNonce, randomPKCECodeVerifier } = library;
    const pending = {
      state: randomState(),
      nonce: randomNonce(),
      verifier: randomPKCECodeVerifier(),
    };
    const address = library.buildAuthorizationUrl(config, {
      redirect_uri: redirectUri,
      scope: this.#settings.scopes,
      code_challenge: await library.calculatePKCECodeChallenge(pending.verifier),
      code_challenge_method: 'S256',
      state: pending.state,
      nonce: pending.nonce,
    });
    return { address, pending };
  }

  /**
   * Who has come back, by the address that the browser came to. `needs` is a claim that the user
   * information is asked for when the id token lacks it. `AUTH_REQUIRED` when something does not
   * fit, `AUTH_DENIED` when the issuer refused the person, `CONFIG_INVALID` when it refused us,
   * `ISSUER_UNAVAILABLE` when it did not answer.
   */
  async finish(
    address: URL,
    { state, nonce, verifier }: PendingSignIn,
    needs: string,
  ): Promise<Claims> {
    const library = await import('openid-client');
    const config = await this.#configuration(library);
    try {
      const tokens = await library.authorizationCodeGrant(config, address, {
        expectedState: state,
        expectedNonce: nonce,
        pkceCodeVerifier: verifier,
        idTokenExpected: true,
      });
      const claims = tokens.claims();
      if (claims === undefined)
        throw new PipelineError('AUTH_REQUIRED', 'the issuer sent no id token');
      const hasAll =
        Object.hasOwn(claims, needs) || Object.hasOwn(claims, firstOf(needs.split('.')));
      if (hasAll || config.serverMetadata().userinfo_endpoint === undefined) return claims;
      return {
        ...(await library.fetchUserInfo(config, tokens.access_token, claims.sub)),
        ...claims,
      };
    } catch (error) {
      throw asRefusal(library, error);
    }
  }

  /**
   * Where a person signs out at the issuer too; undefined when it has no such place, or does not
   * answer.
   */
  async leaveAddress(back: string): Promise<URL | undefined> {
    const library = await import('openid-client');
    const config = await this.#configuration(library).catch(() => undefined);
    if (config?.serverMetadata().end_session_endpoint === undefined) return undefined;
    return library.buildEndSessionUrl(config, { post_logout_redirect_uri: back });
  }

  async #configuration(library: Library): Promise<Configuration> {
    if (Date.now() - this.#foundAt > KNOWN_MS) this.#found = undefined;
    if (this.#found === undefined) {
      this.#foundAt = Date.now();
      this.#found = discoverIssuer(library, this.#settings);
    }
    const asked = this.#found;
    try {
      return await asked;
    } catch (error) {
      if (this.#found === asked) this.#found = undefined;
      throw error;
    }
  }
}

/** Asks the issuer what it is. `ISSUER_UNAVAILABLE` says why that is not known. */
export async function discoverIssuer(
  library: Library,
  { url, clientId, clientSecret, clientAuth }: IssuerSettings,
): Promise<Configuration> {
  const { None, ClientSecretBasic, ClientSecretPost } = library;
  const proof = clientAuth === 'post' ? ClientSecretPost : ClientSecretBasic;
  const address = new URL(url);
  // Settings take http for an issuer of this machine alone.
  // oxlint-disable-next-line typescript/no-deprecated -- marked so that it stands out, and meant for this
  const insecure = address.protocol === 'http:' ? [library.allowInsecureRequests] : [];
  try {
    return await library.discovery(
      address,
      clientId,
      undefined,
      clientSecret === undefined ? None() : proof(clientSecret),
      { execute: [...insecure, library.enableNonRepudiationChecks], timeout: ANSWER_WITHIN_S },
    );
  } catch (error) {
    throw new PipelineError(
      'ISSUER_UNAVAILABLE',
      `${address.origin} does not say what it is (${reasonOf(error)})`,
      {
        cause: error,
      },
    );
  }
}

/**
 * A word for what went wrong: codes of the protocol alone, because a message may quote what a
 * stranger sent.
 */
function reasonOf(error: unknown): string {
  const {
    error: told,
    code,
    cause,
  } = error as { error?: unknown; code?: unknown; cause?: unknown };
  if (typeof told === 'string')
    return /^[a-z_]{1,40}$/.test(told) ? told : 'an error without a name';
  if (typeof code === 'string') return code;
  return cause instanceof Error ? reasonOf(cause) : 'no answer';
}

const AWAY = [
  'OAUTH_TIMEOUT',
  'OAUTH_ABORT',
  'OAUTH_RESPONSE_IS_NOT_CONFORM',
  'OAUTH_RESPONSE_IS_NOT_JSON',
];

function asRefusal(library: Library, error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  const reason = reasonOf(error);
  const options = { cause: error };
  if (error instanceof library.AuthorizationResponseError)
    return new PipelineError('AUTH_DENIED', `the issuer did not sign you in (${reason})`, options);
  if (error instanceof library.ResponseBodyError && reason !== 'invalid_grant')
    return new PipelineError(
      'CONFIG_INVALID',
      `the issuer refuses this server as its client (${reason})`,
      options,
    );
  // What `fetch` throws when nobody answers.
  if (AWAY.includes(reason) || (error instanceof TypeError && error.message === 'fetch failed'))
    return new PipelineError(
      'ISSUER_UNAVAILABLE',
      `the issuer did not answer as it has to (${reason})`,
      options,
    );
  return new PipelineError(
    'AUTH_REQUIRED',
    `what came from the issuer does not fit this sign-in (${reason})`,
    options,
  );
}
