import { definedMembers } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { UNREADABLE, networkErrorRow, shortMessage } from '../shared/network-errors.ts';
import type { StoreErrorRow } from '../shared/network-errors.ts';

const SLOW_DOWN_MS = 2_000;

const BAD_CREDENTIALS: StoreErrorRow = {
  code: 'STORE_DENIED',
  means: 'the login is not accepted; correct user, password and authSource of the URL',
};
const FORBIDDEN: StoreErrorRow = {
  code: 'STORE_DENIED',
  means: 'the permission is missing; give the user the role readWrite on the database',
};
const NO_PRIMARY: StoreErrorRow = {
  code: 'STORE_UNAVAILABLE',
  means: 'it has no primary at the moment, or is shutting down; try again',
};
const NO_ANSWER: StoreErrorRow = {
  code: 'STORE_UNAVAILABLE',
  means: 'it does not answer; check that it runs and can be reached from here, then try again',
};
const TOO_SLOW: StoreErrorRow = { code: 'STORE_UNAVAILABLE', means: 'it took too long; try again' };
const OVERLOADED: StoreErrorRow = {
  code: 'STORE_UNAVAILABLE',
  means: 'it asks to slow down; try again later',
  retryAfterMs: SLOW_DOWN_MS,
};
const BEATEN: StoreErrorRow = {
  code: 'STORE_CONFLICT',
  means: 'another writer was first; read it again',
};
const DISK_FULL: StoreErrorRow = {
  code: 'STORE_DENIED',
  means: 'its disk is full; free some space, then try again',
};
const TOO_LARGE: StoreErrorRow = {
  code: 'INPUT_INVALID',
  means: 'the document is larger than the server takes',
};
const NO_COLLECTION: StoreErrorRow = {
  code: 'STORE_DENIED',
  means:
    'the database or collection does not exist; create it with `quotidien storage init`, or correct the name',
};

/**
 * By the number a server answers with,
 * https://github.com/mongodb/mongo/blob/master/src/mongo/base/error_codes.yml.
 */
const SERVER_ERRORS: Readonly<Record<number, StoreErrorRow>> = {
  6: NO_ANSWER,
  7: NO_ANSWER,
  11: BAD_CREDENTIALS,
  13: FORBIDDEN,
  18: BAD_CREDENTIALS,
  24: TOO_SLOW,
  26: NO_COLLECTION,
  31: FORBIDDEN,
  33: BAD_CREDENTIALS,
  50: TOO_SLOW,
  64: {
    code: 'STORE_UNAVAILABLE',
    means: 'it did not copy the write to a majority in time; try again',
  },
  79: { code: 'STORE_DENIED', means: 'it knows no such write concern; remove it from the URL' },
  85: {
    code: 'STORE_DENIED',
    means: 'an index of the same name is of another form; remove that one',
  },
  86: {
    code: 'STORE_DENIED',
    means: 'an index of the same name is of another form; remove that one',
  },
  89: NO_ANSWER,
  91: NO_PRIMARY,
  112: BEATEN,
  133: NO_PRIMARY,
  189: NO_PRIMARY,
  202: TOO_SLOW,
  262: TOO_SLOW,
  291: {
    code: 'STORE_DENIED',
    means: 'it is set to refuse queries without an index; run `quotidien storage init`',
  },
  462: OVERLOADED,
  8000: BAD_CREDENTIALS,
  9001: NO_ANSWER,
  10107: NO_PRIMARY,
  10334: TOO_LARGE,
  11000: BEATEN,
  11600: NO_PRIMARY,
  11602: NO_PRIMARY,
  13388: NO_PRIMARY,
  13435: NO_PRIMARY,
  13436: NO_PRIMARY,
  14031: DISK_FULL,
  16500: OVERLOADED,
  17280: TOO_LARGE,
};

/** By the class of an error of the driver itself. */
const DRIVER_ERRORS: Readonly<Record<string, StoreErrorRow>> = {
  MongoServerSelectionError: NO_ANSWER,
  MongoNetworkError: { code: 'STORE_UNAVAILABLE', means: 'the connection broke; try again' },
  MongoNetworkTimeoutError: NO_ANSWER,
  MongoOperationTimeoutError: TOO_SLOW,
  MongoPoolClearedError: NO_ANSWER,
  PoolClearedOnNetworkError: NO_ANSWER,
  MongoWaitQueueTimeoutError: {
    code: 'STORE_UNAVAILABLE',
    means: 'all connections were busy for too long; lower the concurrency',
  },
  WaitQueueTimeoutError: {
    code: 'STORE_UNAVAILABLE',
    means: 'all connections were busy for too long; lower the concurrency',
  },
  MongoUnexpectedServerResponseError: UNREADABLE,
  MongoDecompressionError: UNREADABLE,
  BSONError: UNREADABLE,
  BSONOffsetError: UNREADABLE,
  BSONRuntimeError: UNREADABLE,
  BSONVersionError: UNREADABLE,
  MongoStalePrimaryError: NO_PRIMARY,
  MongoMissingCredentialsError: BAD_CREDENTIALS,
  MongoCompatibilityError: {
    code: 'STORE_DENIED',
    means: 'the server is too old for this driver; update it',
  },
  MongoParseError: { code: 'CONFIG_INVALID', means: 'the URL cannot be read; correct it' },
};

/**
 * A failed operation of the driver as `PipelineError`; what is not known is `INTERNAL`. `doing`
 * names the operation as in "write", `place` the document or database, without a password.
 */
export function mongoError(error: unknown, doing: string, place: string): PipelineError {
  if (error instanceof PipelineError) return error;
  const name = error instanceof Error ? error.name : 'unknown error';
  const number = serverCodeOf(error);
  const row = rowOf(error, name, number);
  const reason = row === undefined ? '' : `${row.means} `;
  const said = `${number === undefined ? name : `${name} ${number}`}: ${withoutCredentials(shortMessage(error))}`;
  return new PipelineError(
    row?.code ?? 'INTERNAL',
    `cannot ${doing} ${place}: ${reason}(${said})`,
    {
      context: { place, error: name, number },
      cause: error,
      ...definedMembers({ retryAfterMs: row?.retryAfterMs }),
    },
  );
}

/** Whether an insert found its `_id` taken. */
export function isDuplicateKey(error: unknown): boolean {
  return serverCodeOf(error) === 11_000;
}

/** Whether a server of the protocol says that it lacks a feature. */
export function isNotImplemented(error: unknown): boolean {
  return serverCodeOf(error) === 238;
}

/** The URL of a server with what a message may show of it: no user, no password, no options. */
export function placeOfUrl(url: string): string {
  const [, scheme = 'mongodb://', hosts = ''] = /^([a-z+]+:\/\/)?(?:.*@)?([^/?]*)/.exec(url) ?? [];
  return scheme + hosts;
}

function rowOf(
  error: unknown,
  name: string,
  number: number | undefined,
): StoreErrorRow | undefined {
  const known = number === undefined ? undefined : SERVER_ERRORS[number];
  if (known !== undefined) return known;
  // The driver has one name for a URL and for an answer that it cannot read.
  if (name === 'MongoParseError' && /message size/i.test(shortMessage(error))) return UNREADABLE;
  if (hasLabel(error, 'SystemOverloadedError')) return OVERLOADED;
  const row =
    networkErrorRow(error) ??
    (Object.hasOwn(DRIVER_ERRORS, name) ? DRIVER_ERRORS[name] : undefined);
  return row ?? (hasLabel(error, 'RetryableWriteError') ? NO_PRIMARY : undefined);
}

function serverCodeOf(error: unknown): number | undefined {
  const { code, writeConcernError } = (error ?? {}) as {
    code?: unknown;
    writeConcernError?: { code?: unknown };
  };
  if (typeof code === 'number') return code;
  return typeof writeConcernError?.code === 'number' ? writeConcernError.code : undefined;
}

function hasLabel(error: unknown, label: string): boolean {
  const { errorLabels } = (error ?? {}) as { errorLabels?: unknown };
  return Array.isArray(errorLabels) && errorLabels.includes(label);
}

function withoutCredentials(message: string): string {
  return message.replace(/\/\/[^\s"']*@/g, '//');
}
