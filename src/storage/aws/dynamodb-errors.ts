import { definedMembers } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import { awsErrorRow, awsFault, slowDown } from './aws-errors.ts';
import { shortMessage } from '../shared/network-errors.ts';
import type { StoreErrorRow } from '../shared/network-errors.ts';

const TOO_FAST = slowDown('the table’s throughput is used up; raise it, or wait');

/** What is special to DynamoDB, by the name of the error; the rest is in `aws-errors.ts`. */
const DYNAMODB_ERRORS: Readonly<Record<string, StoreErrorRow>> = {
  ResourceNotFoundException: {
    code: 'STORE_DENIED',
    means:
      'the table does not exist; create it with `quotidien storage init`, or correct region and table prefix',
  },
  TableNotFoundException: {
    code: 'STORE_DENIED',
    means:
      'the table does not exist; create it with `quotidien storage init`, or correct region and table prefix',
  },
  ResourceInUseException: {
    code: 'STORE_UNAVAILABLE',
    means: 'the table is being changed; try again',
  },
  LimitExceededException: slowDown('too many tables are being changed; try again'),
  ProvisionedThroughputExceededException: TOO_FAST,
  ReplicatedWriteConflictException: {
    code: 'STORE_CONFLICT',
    means: 'another region wrote it first; read it again',
  },
  TransactionConflictException: {
    code: 'STORE_CONFLICT',
    means: 'another writer was first; read it again',
  },
  ConditionalCheckFailedException: {
    code: 'STORE_CONFLICT',
    means: 'another writer was first; read it again',
  },
  ItemCollectionSizeLimitExceededException: {
    code: 'STORE_DENIED',
    means: 'the partition is full; ask for help',
  },
  InaccessibleEncryptionCredentialsException: {
    code: 'STORE_DENIED',
    means: 'the table’s encryption key cannot be used; enable it',
  },
};

/**
 * The service has one name for all that is wrong in a request; only its words tell a table of
 * another shape from a bug.
 */
const OTHER_SHAPE =
  /does not match the schema|missing the key|required keys was not given|type mismatch for key|missed key schema element|number of conditions on the keys is invalid/i;
const OTHER_KEYS: StoreErrorRow = {
  code: 'STORE_DENIED',
  means: 'the table has other keys than this store needs; choose another table or prefix',
};

/**
 * A failed request to DynamoDB as `PipelineError`; what is not known is `INTERNAL`. `doing` names
 * the operation as in "write", `place` the table or item.
 */
export function dynamoDbError(error: unknown, doing: string, place: string): PipelineError {
  if (error instanceof PipelineError) return error;
  const { name, status, requestId } = awsFault(error);
  const message = shortMessage(error);
  const row = OTHER_SHAPE.test(message) ? OTHER_KEYS : awsErrorRow(error, DYNAMODB_ERRORS);
  const reason = row === undefined ? '' : `${row.means} `;
  return new PipelineError(
    row?.code ?? 'INTERNAL',
    `cannot ${doing} ${place}: ${reason}(${name}: ${message})`,
    {
      context: { place, error: name, status, requestId },
      cause: error,
      ...definedMembers({ retryAfterMs: row?.retryAfterMs }),
    },
  );
}

/**
 * What DynamoDB itself does not refuse: a put into a table whose keys take two documents for one.
 */
export function otherKeysError(doing: string, place: string): PipelineError {
  return new PipelineError(OTHER_KEYS.code, `cannot ${doing} ${place}: ${OTHER_KEYS.means}`, {
    context: { place },
  });
}
