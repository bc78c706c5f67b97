import { textBefore } from '../../given.ts';
import type { ErrorCode } from '../../errors.ts';

/** How one failure of a remote store is classified. */
export interface StoreErrorRow {
  readonly code: ErrorCode;
  /** What happened, and what to do about it. */
  readonly means: string;
  /** The earliest useful next try in milliseconds. */
  readonly retryAfterMs?: number;
}

const NO_ANSWER: StoreErrorRow = {
  code: 'STORE_UNAVAILABLE',
  means: 'it does not answer; check that it runs and can be reached from here, then try again',
};
const NO_NAME: StoreErrorRow = {
  code: 'STORE_UNAVAILABLE',
  means:
    'the name of its host is not known; check the endpoint and the name server, then try again',
};
const CUT_OFF: StoreErrorRow = {
  code: 'STORE_UNAVAILABLE',
  means: 'the connection broke; try again',
};
/** Something between here and the store, or in its place, such as a proxy or a login page. */
export const UNREADABLE: StoreErrorRow = {
  code: 'STORE_UNAVAILABLE',
  means:
    'what answers is not the store, or its answer was garbled; check the endpoint and what lies on the way, then try again',
};
const BAD_CERTIFICATE: StoreErrorRow = {
  code: 'STORE_DENIED',
  means:
    'its certificate is not trusted; renew it, or give its authority to Node.js (NODE_EXTRA_CA_CERTS)',
};
const NO_TLS: StoreErrorRow = {
  code: 'STORE_DENIED',
  means: 'it does not speak TLS as asked; check http or https, and the port, of the endpoint',
};

/** By the `code` of Node's sockets, name resolution and TLS. */
const NETWORK_ERRORS: Readonly<Record<string, StoreErrorRow>> = {
  ECONNREFUSED: NO_ANSWER,
  EHOSTUNREACH: NO_ANSWER,
  EHOSTDOWN: NO_ANSWER,
  ENETUNREACH: NO_ANSWER,
  ENETDOWN: NO_ANSWER,
  ETIMEDOUT: NO_ANSWER,
  ENOTFOUND: NO_NAME,
  EAI_AGAIN: NO_NAME,
  ECONNRESET: CUT_OFF,
  ECONNABORTED: CUT_OFF,
  EPIPE: CUT_OFF,
  ERR_STREAM_PREMATURE_CLOSE: CUT_OFF,
  ERR_SOCKET_CONNECTION_TIMEOUT: NO_ANSWER,
  CERT_HAS_EXPIRED: BAD_CERTIFICATE,
  CERT_NOT_YET_VALID: BAD_CERTIFICATE,
  DEPTH_ZERO_SELF_SIGNED_CERT: BAD_CERTIFICATE,
  SELF_SIGNED_CERT_IN_CHAIN: BAD_CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT: BAD_CERTIFICATE,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: BAD_CERTIFICATE,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: BAD_CERTIFICATE,
  ERR_TLS_CERT_ALTNAME_INVALID: BAD_CERTIFICATE,
  EPROTO: NO_TLS,
  ERR_SSL_WRONG_VERSION_NUMBER: NO_TLS,
};

/** Drivers wrap what the socket said; deeper than this nothing is looked for. */
const DEEPEST_CAUSE = 5;

/**
 * What a failure of the network means, also when a driver has wrapped it; `undefined` when it is
 * none.
 */
export function networkErrorRow(error: unknown, depth = 0): StoreErrorRow | undefined {
  if (typeof error !== 'object' || error === null || depth > DEEPEST_CAUSE) return undefined;
  const { code, name, cause } = error as { code?: unknown; name?: unknown; cause?: unknown };
  const row =
    typeof code === 'string' && Object.hasOwn(NETWORK_ERRORS, code)
      ? NETWORK_ERRORS[code]
      : undefined;
  if (row !== undefined) return row;
  // Node's reader of HTTP.
  if (typeof code === 'string' && code.startsWith('HPE_')) return UNREADABLE;
  return name === 'TimeoutError' ? NO_ANSWER : networkErrorRow(cause, depth + 1);
}

/**
 * The first line of a driver's message, cut: some services append whole requests, with their
 * tokens.
 */
export function shortMessage(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return textBefore(message, '\n').slice(0, 300);
}
