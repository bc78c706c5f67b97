import { DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../../src/errors.ts';
import { dynamoDbError } from '../../../src/storage/aws/dynamodb-errors.ts';

const PLACE = 'ledger:a:b in the DynamoDB table quotidien-operations';

function answer(
  name: string,
  message = 'as DynamoDB said',
  status = 400,
): DynamoDBServiceException {
  return new DynamoDBServiceException({
    name,
    $fault: 'client',
    message,
    $metadata: { httpStatusCode: status },
  });
}

describe('dynamoDbError', () => {
  it.each<[string, Error, string, RegExp]>([
    [
      'a missing table',
      answer('ResourceNotFoundException'),
      'STORE_DENIED',
      /table does not exist.*quotidien storage init/,
    ],
    [
      'other keys',
      answer('ValidationException', 'The provided key element does not match the schema'),
      'STORE_DENIED',
      /other keys/,
    ],
    [
      'fewer keys',
      answer('ValidationException', 'The number of conditions on the keys is invalid'),
      'STORE_DENIED',
      /other keys/,
    ],
    [
      'a missing key',
      answer('ValidationException', 'Missing the key id in the item'),
      'STORE_DENIED',
      /other keys/,
    ],
    [
      'a missing permission',
      answer('AccessDeniedException'),
      'STORE_DENIED',
      /permission is missing/,
    ],
    [
      'an unknown access key',
      answer('UnrecognizedClientException'),
      'STORE_DENIED',
      /credentials are not accepted/,
    ],
    [
      'a wrong secret',
      answer('InvalidSignatureException', 'no match\nThe Canonical String was secret'),
      'STORE_DENIED',
      /credentials/,
    ],
    ['an expired token', answer('ExpiredTokenException'), 'STORE_DENIED', /renew/],
    [
      'a disabled encryption key',
      answer('InaccessibleEncryptionCredentialsException'),
      'STORE_DENIED',
      /encryption key/,
    ],
    [
      'used-up throughput',
      answer('ProvisionedThroughputExceededException'),
      'STORE_UNAVAILABLE',
      /throughput/,
    ],
    ['throttling', answer('ThrottlingException'), 'STORE_UNAVAILABLE', /slow down/],
    ['too many requests', answer('RequestLimitExceeded'), 'STORE_UNAVAILABLE', /slow down/],
    [
      'a table that changes',
      answer('ResourceInUseException'),
      'STORE_UNAVAILABLE',
      /being changed/,
    ],
    [
      'an internal error',
      answer('InternalServerError', 'oops', 500),
      'STORE_UNAVAILABLE',
      /failed/,
    ],
    [
      'an unavailable service',
      answer('ServiceUnavailable', 'oops', 503),
      'STORE_UNAVAILABLE',
      /failed/,
    ],
    [
      'a refused connection',
      Object.assign(new Error('x'), { code: 'ECONNREFUSED' }),
      'STORE_UNAVAILABLE',
      /does not answer/,
    ],
    [
      'a time-out',
      Object.assign(new Error('x'), { name: 'TimeoutError' }),
      'STORE_UNAVAILABLE',
      /does not answer/,
    ],
    ['a lost race', answer('ConditionalCheckFailedException'), 'STORE_CONFLICT', /another writer/],
    [
      'a transaction in the way',
      answer('TransactionConflictException'),
      'STORE_CONFLICT',
      /another writer/,
    ],
    [
      'a wrong request',
      answer('ValidationException', 'Invalid KeyConditionExpression'),
      'INTERNAL',
      /KeyCondition/,
    ],
    [
      'a bug',
      new TypeError('undefined is not a function'),
      'INTERNAL',
      /undefined is not a function/,
    ],
  ])('classifies %s', (_, thrown, code, words) => {
    const error = dynamoDbError(thrown, 'write', PLACE);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
    expect(error.message).toContain(`cannot write ${PLACE}: `);
    expect(error.message).not.toContain('Canonical');
  });

  it('says when to try again after throttling alone', () => {
    for (const name of [
      'ProvisionedThroughputExceededException',
      'ThrottlingException',
      'LimitExceededException',
    ]) {
      expect(dynamoDbError(answer(name), 'write', PLACE)).toMatchObject({
        retryable: true,
        retryAfterMs: 2_000,
      });
    }
    expect(
      dynamoDbError(answer('InternalServerError'), 'write', PLACE).retryAfterMs,
    ).toBeUndefined();
  });

  it('lets what is classified already pass', () => {
    const own = new PipelineError('STORE_CORRUPT', 'damaged');
    expect(dynamoDbError(own, 'read', PLACE)).toBe(own);
  });
});
