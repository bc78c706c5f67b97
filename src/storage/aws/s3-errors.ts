import { definedMembers } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { awsErrorRow, awsFault } from './aws-errors.ts';
import { UNREADABLE, shortMessage } from '../shared/network-errors.ts';
import type { StoreErrorRow } from '../shared/network-errors.ts';

const OTHER_REGION: StoreErrorRow = {
  code: 'STORE_DENIED',
  means: 'the bucket lies in another region; correct the region or the endpoint',
};
const GARBLED: StoreErrorRow = {
  code: 'STORE_UNAVAILABLE',
  means: 'the bytes were garbled on the way and nothing was stored; try again',
};
const NESTED_KEY: StoreErrorRow = {
  code: 'INPUT_INVALID',
  means: 'the key is the folder of another object or lies below one; choose another key',
};
const BEATEN: StoreErrorRow = {
  code: 'STORE_CONFLICT',
  means: 'another writer was first; read it again',
};

/** What is special to S3, by the name of the error; the rest is in `aws-errors.ts`. */
const S3_ERRORS: Readonly<Record<string, StoreErrorRow>> = {
  NoSuchBucket: {
    code: 'STORE_DENIED',
    means:
      'the bucket does not exist; create it with `quotidien storage init`, or correct its name',
  },
  AccessDenied: {
    code: 'STORE_DENIED',
    means:
      'the permission is missing; let the role or user of this process do it (without s3:ListBucket, S3 says this of missing keys too)',
  },
  AllAccessDisabled: {
    code: 'STORE_DENIED',
    means: 'the bucket is disabled; ask the owner of the account',
  },
  AccountProblem: { code: 'STORE_DENIED', means: 'the account has a problem; ask its owner' },
  NotSignedUp: { code: 'STORE_DENIED', means: 'the account does not have S3; ask its owner' },
  InvalidBucketName: { code: 'STORE_DENIED', means: 'the bucket’s name is not usable; correct it' },
  InvalidObjectState: {
    code: 'STORE_DENIED',
    means: 'the object was moved to an archive; restore it there first',
  },
  QuotaExceeded: {
    code: 'STORE_DENIED',
    means: 'the space of the store is used up; free or add some',
  },
  XMinioStorageFull: {
    code: 'STORE_DENIED',
    means: 'the space of the store is used up; free or add some',
  },
  'KMS.DisabledException': {
    code: 'STORE_DENIED',
    means: 'the bucket’s encryption key is disabled; enable it',
  },
  'KMS.NotFoundException': {
    code: 'STORE_DENIED',
    means: 'the bucket’s encryption key does not exist; correct it',
  },
  AuthorizationHeaderMalformed: OTHER_REGION,
  IllegalLocationConstraintException: OTHER_REGION,
  PermanentRedirect: OTHER_REGION,
  TemporaryRedirect: OTHER_REGION,
  PreconditionFailed: BEATEN,
  ConditionalRequestConflict: BEATEN,
  OperationAborted: {
    code: 'STORE_UNAVAILABLE',
    means: 'another operation on the bucket is going on; try again',
  },
  NoSuchUpload: {
    code: 'STORE_UNAVAILABLE',
    means: 'the upload was ended by somebody else; try again',
  },
  BadDigest: GARBLED,
  IncompleteBody: GARBLED,
  XAmzContentSHA256Mismatch: GARBLED,
  KeyTooLongError: {
    code: 'INPUT_INVALID',
    means: 'prefix and key together are longer than 1,024 bytes',
  },
  ExistingObjectIsDirectory: NESTED_KEY,
  ObjectParentIsFile: NESTED_KEY,
};

/**
 * A failed request to S3 as `PipelineError`; what is not known is `INTERNAL`. `doing` names the
 * operation as in "write", `place` the object as `s3://bucket/key`.
 */
export function s3Error(error: unknown, doing: string, place: string): PipelineError {
  if (error instanceof PipelineError) return error;
  const { name, status, requestId } = awsFault(error);
  const row = awsErrorRow(error, S3_ERRORS) ?? rowOfStatus(status);
  const reason = row === undefined ? '' : `${row.means} `;
  const said = `${name}: ${shortMessage(error)}`;
  return new PipelineError(
    row?.code ?? 'INTERNAL',
    `cannot ${doing} ${place}: ${reason}(${said})`,
    {
      context: { place, error: name, status, requestId },
      cause: error,
      ...definedMembers({ retryAfterMs: row?.retryAfterMs }),
    },
  );
}

/** S3 names what it does not find; a 404 of another name comes from something on the way. */
function rowOfStatus(status: number | undefined): StoreErrorRow | undefined {
  if (status === 301) return OTHER_REGION;
  return status === 404 ? UNREADABLE : undefined;
}

/**
 * Whether S3 itself said that there is no such object. An answer to HEAD has no body to say so: see
 * `s3-missing.ts`.
 */
export function isMissingObject(error: unknown): boolean {
  return awsFault(error).name === 'NoSuchKey';
}

/**
 * Whether a create-only write found another writer, or may have found its own first try whose
 * answer was lost.
 */
export function isLostRace(error: unknown): boolean {
  const { name, status } = awsFault(error);
  return (
    ['PreconditionFailed', 'ConditionalRequestConflict', 'NoSuchUpload'].includes(name) ||
    status === 412
  );
}

/**
 * Whether a create may have ended otherwise than its error says: a lost race, or a connection that
 * broke under the answer.
 */
export function isUnsettled(error: unknown): boolean {
  const { code } = (error ?? {}) as { code?: unknown };
  return isLostRace(error) || code === 'ECONNRESET' || code === 'EPIPE';
}
