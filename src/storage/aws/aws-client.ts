import { definedMembers } from '../../given.ts';
/** How a client reaches an AWS service, or a server that speaks its protocol. */
export interface AwsClientOptions {
  readonly region: string;
  /** Base URL of another server; without it AWS itself. */
  readonly endpoint?: string;
  /** Without them the SDK's own search: environment, profile, container, instance. */
  readonly credentials?: AwsCredentials;
  /** Tries of one request, waits with growing pauses between them; 4 unless given. */
  readonly attempts?: number;
  /** Longest wait for a connection; 5,000 unless given. */
  readonly connectTimeoutMs?: number;
  /** Longest silence of a connection, also before its answer begins; 30,000 unless given. */
  readonly answerTimeoutMs?: number;
}

/**
 * Given keys; without them the SDK looks where AWS says: environment, profile, role of the machine.
 */
export interface AwsCredentials {
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  readonly sessionToken?: string;
}

/**
 * Longest time to send a request and hear the head of its answer, when the line is slow but not
 * silent: 8 MiB at 70 KB/s.
 */
const SLOWEST_REQUEST_MS = 120_000;

/** Requests at the same time of one client. */
const MAX_SOCKETS = 64;

/**
 * The configuration that all clients share. Every wait is bounded: the SDK's own default is to wait
 * for an answer without end, and an activity that hangs blocks its day.
 */
export function awsClientConfig(options: AwsClientOptions) {
  const answerTimeoutMs = options.answerTimeoutMs ?? 30_000;
  return {
    region: options.region,
    ...definedMembers({ endpoint: options.endpoint, credentials: options.credentials }),
    retryMode: 'standard',
    maxAttempts: options.attempts ?? 4,
    requestHandler: {
      connectionTimeout: options.connectTimeoutMs ?? 5_000,
      requestTimeout: SLOWEST_REQUEST_MS,
      // Without this the SDK only writes a warning when the time is over.
      throwOnRequestTimeout: true,
      socketTimeout: answerTimeoutMs,
      httpAgent: { maxSockets: MAX_SOCKETS },
      httpsAgent: { maxSockets: MAX_SOCKETS },
    },
  };
}
