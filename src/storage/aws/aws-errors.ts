import { UNREADABLE, networkErrorRow } from '../shared/network-errors.ts';
import type { StoreErrorRow } from '../shared/network-errors.ts';

/**
 * The wait after a service asked to slow down and did not say for how long; the driver has then
 * waited several times already.
 */
const SLOW_DOWN_MS = 2_000;

const DENIED: StoreErrorRow = {
  code: 'STORE_DENIED',
  means: 'the permission is missing; let the role or user of this process do it',
};
const BAD_CREDENTIALS: StoreErrorRow = {
  code: 'STORE_DENIED',
  means:
    'the credentials are not accepted; correct or renew the access key, role or profile of this process',
};
/**
 * Not a refusal: the host goes on with what it has until somebody gives it some, as the earlier
 * system's simulation did.
 */
const NO_CREDENTIALS: StoreErrorRow = {
  code: 'STORE_UNAVAILABLE',
  means:
    'there are no credentials; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, a profile, or a role',
};
const WRONG_CLOCK: StoreErrorRow = {
  code: 'STORE_DENIED',
  means: 'the clock of this machine is wrong by minutes; set it right',
};
const SLOW_DOWN: StoreErrorRow = {
  code: 'STORE_UNAVAILABLE',
  means: 'it asks to slow down; try again later',
};
const BROKEN: StoreErrorRow = { code: 'STORE_UNAVAILABLE', means: 'the service failed; try again' };

/** What all AWS services say in the same words, by the name of the error. */
const AWS_ERRORS: Readonly<Record<string, StoreErrorRow>> = {
  AccessDenied: DENIED,
  AccessDeniedException: DENIED,
  NotAuthorized: DENIED,
  UnauthorizedOperation: DENIED,
  OptInRequired: DENIED,
  ExpiredToken: BAD_CREDENTIALS,
  ExpiredTokenException: BAD_CREDENTIALS,
  IncompleteSignature: BAD_CREDENTIALS,
  IncompleteSignatureException: BAD_CREDENTIALS,
  InvalidAccessKeyId: BAD_CREDENTIALS,
  InvalidClientTokenId: BAD_CREDENTIALS,
  InvalidSignatureException: BAD_CREDENTIALS,
  InvalidToken: BAD_CREDENTIALS,
  MissingAuthenticationToken: BAD_CREDENTIALS,
  MissingAuthenticationTokenException: BAD_CREDENTIALS,
  SignatureDoesNotMatch: BAD_CREDENTIALS,
  UnrecognizedClientException: BAD_CREDENTIALS,
  CredentialsProviderError: NO_CREDENTIALS,
  TokenProviderError: NO_CREDENTIALS,
  RequestExpired: WRONG_CLOCK,
  RequestTimeTooSkewed: WRONG_CLOCK,
  BandwidthLimitExceeded: SLOW_DOWN,
  RequestLimitExceeded: SLOW_DOWN,
  RequestThrottled: SLOW_DOWN,
  RequestThrottledException: SLOW_DOWN,
  SlowDown: SLOW_DOWN,
  Throttling: SLOW_DOWN,
  ThrottlingException: SLOW_DOWN,
  ThrottledException: SLOW_DOWN,
  TooManyRequestsException: SLOW_DOWN,
  InternalError: BROKEN,
  InternalFailure: BROKEN,
  InternalServerError: BROKEN,
  RequestTimeout: BROKEN,
  ServiceUnavailable: BROKEN,
  // The SDK could not read an answer that should be JSON.
  SyntaxError: UNREADABLE,
};

/** What the SDK tells of a failed request. */
export interface AwsFault {
  readonly name: string;
  readonly status: number | undefined;
  readonly requestId: string | undefined;
}

/**
 * The name by which AWS documents the error, and what its support asks for; undefined where no
 * answer came.
 */
export function awsFault(error: unknown): AwsFault {
  const { name, Code, $metadata } = (error ?? {}) as {
    name?: unknown;
    Code?: unknown;
    $metadata?: { httpStatusCode?: number; requestId?: string };
  };
  // Services that the SDK has no class for keep their word in `Code`.
  const known =
    typeof Code === 'string' && (typeof name !== 'string' || name === 'Error') ? Code : name;
  return {
    name: typeof known === 'string' ? known : 'unknown error',
    status: $metadata?.httpStatusCode,
    requestId: $metadata?.requestId,
  };
}

/**
 * What a failed request to any AWS service means: by its own table first, then by the words that
 * all services share, the network, and the HTTP status; `undefined` when nothing is known of it.
 */
export function awsErrorRow(
  error: unknown,
  own: Readonly<Record<string, StoreErrorRow>>,
): StoreErrorRow | undefined {
  const { name, status } = awsFault(error);
  const row =
    rowNamed(own, name) ??
    rowNamed(AWS_ERRORS, name) ??
    networkErrorRow(error) ??
    rowByStatus(status);
  return row === SLOW_DOWN ? { ...row, retryAfterMs: retryAfterMs(error) ?? SLOW_DOWN_MS } : row;
}

/** Throttling under a name of the service's own. */
export function slowDown(means: string): StoreErrorRow {
  return { code: 'STORE_UNAVAILABLE', means, retryAfterMs: SLOW_DOWN_MS };
}

function rowNamed(
  rows: Readonly<Record<string, StoreErrorRow>>,
  name: string,
): StoreErrorRow | undefined {
  return Object.hasOwn(rows, name) ? rows[name] : undefined;
}

/** An answer to HEAD has no body, so its status is all that is known. */
function rowByStatus(status: number | undefined): StoreErrorRow | undefined {
  if (status === undefined) return undefined;
  if (status === 401 || status === 403) return DENIED;
  if (status === 429 || status === 503) return SLOW_DOWN;
  // It went well, and cannot be read.
  if (status >= 200 && status < 300) return UNREADABLE;
  return status >= 500 ? BROKEN : undefined;
}

function retryAfterMs(error: unknown): number | undefined {
  const { $response } = (error ?? {}) as {
    $response?: { headers?: Readonly<Record<string, string>> };
  };
  const seconds = Number($response?.headers?.['retry-after']);
  return Number.isFinite(seconds) && seconds > 0 ? Math.min(seconds, 3_600) * 1_000 : undefined;
}
