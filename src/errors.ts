import { definedMembers } from './given.ts';
/**
 * The error table and the one error class of Quotidien.
 *
 * A code says what kind of thing went wrong, whether trying again can help, and what a person
 * should do. Codes are compared as strings, because a class does not survive a process boundary; a
 * code is never given a second meaning. `docs/errors.md` describes each code for operators and is
 * tested against this table.
 */

interface ErrorRow {
  /** Whether the same call may succeed later without anybody changing anything. */
  readonly retryable: boolean;
  /** What happened, in general. */
  readonly meaning: string;
  /** What a person does next when retrying did not help. */
  readonly remedy: string;
}

/** Every code once, in the order of `docs/errors.md`; a code never changes its meaning. */
export const ERROR_TABLE = {
  SRC_UNAVAILABLE: {
    retryable: true,
    meaning: 'The publisher did not answer, or answered with a server error.',
    remedy:
      'Wait, or check the publisher’s status page and the configured base URL; then re-run the day.',
  },
  SRC_RATE_LIMITED: {
    retryable: true,
    meaning: 'The publisher asked us to slow down.',
    remedy: 'Nothing, the wait it asked for is kept; lower the request rate if this happens often.',
  },
  SRC_NOT_PUBLISHED: {
    retryable: false,
    meaning: 'The publisher has not released this day yet.',
    remedy:
      'Wait for the next try of the publication calendar; after the cut-off, re-run the day once it is published.',
  },
  SRC_AUTH: {
    retryable: false,
    meaning: 'The publisher refused our credentials.',
    remedy: 'Set or renew the key named in the message, then re-run the day.',
  },
  SRC_SHAPE_CHANGED: {
    retryable: false,
    meaning: 'What the publisher sent is not what its format promises.',
    remedy:
      'Look at the kept raw file; when the publisher changed the format, extend the reader, then re-run the day.',
  },
  SRC_TRUNCATED: {
    retryable: true,
    meaning: 'The publisher’s answer ended too early.',
    remedy: 'Nothing, it is fetched again; when it persists, look at the kept part file.',
  },
  SRC_TOO_LARGE: {
    retryable: false,
    meaning: 'The publisher’s answer is larger than the limit of its source.',
    remedy:
      'Look at what the address delivers; when it is meant, raise QUOTIDIEN_<HOST>_MAX_MB, then re-run the day.',
  },
  SRC_UNSAFE_ADDRESS: {
    retryable: false,
    meaning:
      'The publisher’s address, or where it sends us, is one that is not asked, or not with its key.',
    remedy:
      'Check the address in the message; when it is meant, name it in QUOTIDIEN_<HOST>_URL, with https where a key is sent.',
  },
  DATA_CHECK_FAILED: {
    retryable: false,
    meaning: 'The data break a rule that must hold.',
    remedy:
      'Look at the failing rows in the message; correct the source or the rule, then re-run the day.',
  },
  STORE_UNAVAILABLE: {
    retryable: true,
    meaning: 'A store did not answer.',
    remedy: 'Bring the store back; `quotidien doctor` shows which one and why.',
  },
  STORE_CONFLICT: {
    retryable: true,
    meaning: 'Somebody else wrote the same record first.',
    remedy:
      'Nothing, it is read again; when it persists, compare the two writers named in the message.',
  },
  STORE_CORRUPT: {
    retryable: false,
    meaning: 'Stored bytes do not match their recorded hash.',
    remedy:
      'Do not overwrite: keep the file aside, check the disk, then re-run the day to rebuild the artefact.',
  },
  STORE_DENIED: {
    retryable: false,
    meaning: 'A store refused the operation, or lacks the place to write to.',
    remedy: 'Correct the permission, the bucket, the table or the disk named in the message.',
  },
  PLAN_INVALID: {
    retryable: false,
    meaning: 'The request cannot be turned into a plan.',
    remedy: 'Correct the step, date or option named in the message.',
  },
  PIPELINE_UNKNOWN: {
    retryable: false,
    meaning: 'No pipeline has this name.',
    remedy: 'Use one of the names in the message.',
  },
  INPUT_INVALID: {
    retryable: false,
    meaning: 'A given value or file is not usable.',
    remedy: 'Correct the value named in the message.',
  },
  CONFIG_INVALID: {
    retryable: false,
    meaning: 'The configuration contradicts itself or cannot be read.',
    remedy: 'Correct every setting listed in the message.',
  },
  CANCELLED: {
    retryable: false,
    meaning: 'Somebody cancelled or terminated the run.',
    remedy: 'Start the same day or backfill again: finished steps are reused.',
  },
  AUTH_REQUIRED: {
    retryable: false,
    meaning: 'The request needs a key or a sign-in, and has none that is good.',
    remedy:
      'Send a key as `Authorization: Bearer`, or sign in at the console or by the link of `quotidien console`; `quotidien keys` makes, lists and rotates keys.',
  },
  AUTH_DENIED: {
    retryable: false,
    meaning: 'The key or role does not allow this.',
    remedy:
      'Ask with a key that has the scope named in the message, or from the page or host that it names.',
  },
  NOT_FOUND: {
    retryable: false,
    meaning: 'There is nothing under this name.',
    remedy: 'Correct the name; the message or the list above it says which names there are.',
  },
  NOT_ACCEPTABLE: {
    retryable: false,
    meaning: 'None of the wanted formats is one of this resource.',
    remedy: 'Ask for one of the formats in the message, by `Accept` or by the suffix of the path.',
  },
  RANGE_TOO_LARGE: {
    retryable: false,
    meaning: 'The request covers more than one answer may have.',
    remedy: 'Ask for less at a time, page by page, or for the file.',
  },
  RATE_LIMITED: {
    retryable: true,
    meaning: 'The key or address has used up its requests for the moment.',
    remedy: 'Wait as long as `Retry-After` says.',
  },
  ISSUER_UNAVAILABLE: {
    retryable: true,
    meaning: 'The issuer by which people sign in did not answer as it has to.',
    remedy:
      '`quotidien doctor` asks it and says why; sessions that have begun, keys and the link of `quotidien console` work without it.',
  },
  BUSY: {
    retryable: true,
    meaning: 'The server has as much work as it takes.',
    remedy: 'Wait as long as `Retry-After` says.',
  },
  INTERNAL: {
    retryable: false,
    meaning: 'Quotidien found a case that its code does not expect.',
    remedy: 'Report it with the message and the run id; the day can be re-run once it is mended.',
  },
} as const satisfies Record<string, ErrorRow>;

/** Also the type of Temporal's failures. */
export type ErrorCode = keyof typeof ERROR_TABLE;

/**
 * Facts about the failure that are safe to show and log: never a secret, never more than a few
 * kilobytes.
 */
export type ErrorContext = Readonly<Record<string, string | number | boolean | null | undefined>>;

/** What a person or a retry needs beyond the message. */
export interface PipelineErrorOptions {
  readonly context?: ErrorContext;
  readonly cause?: unknown;
  /** The earliest useful next try, in milliseconds from now; only for retryable codes. */
  readonly retryAfterMs?: number;
}

/**
 * The only error that crosses a folder of this project on purpose. Its message says what happened
 * and where.
 */
export class PipelineError extends Error {
  readonly code: ErrorCode;
  readonly context: ErrorContext;
  readonly retryAfterMs: number | undefined;

  constructor(code: ErrorCode, message: string, options: PipelineErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'PipelineError';
    this.code = code;
    this.context = options.context ?? {};
    this.retryAfterMs = options.retryAfterMs;
  }

  /** Whether Temporal tries the same step again by itself. */
  get retryable(): boolean {
    return ERROR_TABLE[this.code].retryable;
  }

  /** What a person does about it; stands behind the message. */
  get remedy(): string {
    return ERROR_TABLE[this.code].remedy;
  }
}

/** Reads the code of anything that was thrown, also of an error that lost its class on the way. */
export function errorCodeOf(error: unknown): ErrorCode | undefined {
  const code = (error as { code?: unknown } | null | undefined)?.code;
  return typeof code === 'string' && Object.hasOwn(ERROR_TABLE, code)
    ? (code as ErrorCode)
    : undefined;
}

/**
 * How a failed run says its code to readers who are shown messages alone, as by Temporal's command
 * line.
 */
export function messageWithCode(code: string, message: string): string {
  return message.startsWith(`${code}: `) ? message : `${code}: ${message}`;
}

/** The same without the code, for readers who are told it beside the message. */
export function messageWithoutCode(code: string | null | undefined, message: string): string {
  if (!code) return message;
  const prefix = `${code}: `;
  return message.startsWith(prefix) ? message.slice(prefix.length) : message;
}

/**
 * What the system says of a disk that takes no more: it means the same wherever it appears, also at
 * scratch files and downloads.
 */
const FULL_DISK: ReadonlySet<unknown> = new Set(['ENOSPC', 'EDQUOT']);

/** Whether a file could not be written because its disk, or the quota of its owner, is used up. */
export function isFullDisk(error: unknown): boolean {
  return FULL_DISK.has((error as { code?: unknown } | null | undefined)?.code);
}

/**
 * Anything thrown, as a `PipelineError`; what was not classified where it happened is `INTERNAL`,
 * unless the disk is full.
 */
export function asPipelineError(error: unknown): PipelineError {
  if (error instanceof PipelineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  if (isFullDisk(error)) {
    return new PipelineError(
      'STORE_DENIED',
      `the disk of this host is full (${message}); free some space`,
      {
        cause: error,
      },
    );
  }
  // One of another copy of this class, such as that of a dataset module, keeps what it says.
  const { context, retryAfterMs } = error as Partial<PipelineError>;
  const code = errorCodeOf(error);
  if (code === undefined) return new PipelineError('INTERNAL', message, { cause: error });
  return new PipelineError(code, message, {
    cause: error,
    ...definedMembers({ context, retryAfterMs }),
  });
}
