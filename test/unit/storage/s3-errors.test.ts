import { S3ServiceException } from '@aws-sdk/client-s3';
import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../../src/errors.ts';
import { isLostRace, isMissingObject, s3Error } from '../../../src/storage/aws/s3-errors.ts';

const PLACE = 's3://bucket/days/2024-01-15.json';

function answer(
  name: string,
  status: number,
  headers: Record<string, string> = {},
): S3ServiceException {
  const error = new S3ServiceException({
    name,
    $fault: 'client',
    message: 'as S3 said\nwith a token',
    $metadata: { httpStatusCode: status, requestId: 'R1' },
  });
  return Object.assign(error, { $response: { headers } });
}

const network = (code: string): Error => Object.assign(new Error(`connect ${code}`), { code });

describe('s3Error', () => {
  it.each<[string, Error, string, RegExp]>([
    [
      'a missing bucket',
      answer('NoSuchBucket', 404),
      'STORE_DENIED',
      /bucket does not exist.*quotidien storage init/,
    ],
    ['a missing permission', answer('AccessDenied', 403), 'STORE_DENIED', /permission is missing/],
    ['a HEAD that is forbidden', answer('Unknown', 403), 'STORE_DENIED', /permission is missing/],
    [
      'an unknown access key',
      answer('InvalidAccessKeyId', 403),
      'STORE_DENIED',
      /credentials are not accepted/,
    ],
    [
      'a wrong secret',
      answer('SignatureDoesNotMatch', 403),
      'STORE_DENIED',
      /credentials are not accepted/,
    ],
    ['an expired token', answer('ExpiredToken', 400), 'STORE_DENIED', /renew/],
    [
      'no credentials',
      Object.assign(new Error('none'), { name: 'CredentialsProviderError' }),
      'STORE_UNAVAILABLE',
      /AWS_ACCESS_KEY_ID/,
    ],
    ['a wrong clock', answer('RequestTimeTooSkewed', 403), 'STORE_DENIED', /clock/],
    ['another region', answer('PermanentRedirect', 301), 'STORE_DENIED', /region/],
    ['a HEAD in another region', answer('Unknown', 301), 'STORE_DENIED', /region/],
    ['an archived object', answer('InvalidObjectState', 403), 'STORE_DENIED', /archive/],
    ['a disabled key', answer('KMS.DisabledException', 400), 'STORE_DENIED', /encryption key/],
    ['a full store', answer('QuotaExceeded', 403), 'STORE_DENIED', /space/],
    [
      'an untrusted certificate',
      network('SELF_SIGNED_CERT_IN_CHAIN'),
      'STORE_DENIED',
      /certificate/,
    ],
    ['http for https', network('EPROTO'), 'STORE_DENIED', /TLS/],
    ['throttling', answer('SlowDown', 503), 'STORE_UNAVAILABLE', /slow down/],
    ['throttling without a name', answer('Unknown', 503), 'STORE_UNAVAILABLE', /slow down/],
    ['an internal error', answer('InternalError', 500), 'STORE_UNAVAILABLE', /failed/],
    ['an unknown 5xx', answer('Unknown', 502), 'STORE_UNAVAILABLE', /failed/],
    ['a refused connection', network('ECONNREFUSED'), 'STORE_UNAVAILABLE', /does not answer/],
    ['an unknown host', network('ENOTFOUND'), 'STORE_UNAVAILABLE', /name of its host/],
    ['a broken connection', network('ECONNRESET'), 'STORE_UNAVAILABLE', /broke/],
    [
      'a time-out',
      Object.assign(new Error('too long'), { name: 'TimeoutError' }),
      'STORE_UNAVAILABLE',
      /does not answer/,
    ],
    [
      'a wrapped broken connection',
      new Error('stream', { cause: network('EPIPE') }),
      'STORE_UNAVAILABLE',
      /broke/,
    ],
    ['garbled bytes', answer('BadDigest', 400), 'STORE_UNAVAILABLE', /garbled/],
    ['a lost race', answer('PreconditionFailed', 412), 'STORE_CONFLICT', /another writer/],
    [
      'two writers at once',
      answer('ConditionalRequestConflict', 409),
      'STORE_CONFLICT',
      /another writer/,
    ],
    [
      'a nested key',
      answer('ObjectParentIsFile', 409),
      'INPUT_INVALID',
      /folder of another object/,
    ],
    ['a key that is too long', answer('KeyTooLongError', 400), 'INPUT_INVALID', /1,024/],
    ['something new', answer('BrandNew', 400), 'INTERNAL', /BrandNew: as S3 said/],
    [
      'a bug',
      new TypeError('undefined is not a function'),
      'INTERNAL',
      /undefined is not a function/,
    ],
  ])('classifies %s', (_, thrown, code, words) => {
    const error = s3Error(thrown, 'write', PLACE);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
    expect(error.message).toContain(`cannot write ${PLACE}: `);
    expect(error.message).not.toContain('token');
    expect(error.cause).toBe(thrown);
  });

  it('keeps the wait that S3 asks for, and has one of its own', () => {
    expect(
      s3Error(answer('SlowDown', 503, { 'retry-after': '7' }), 'write', PLACE).retryAfterMs,
    ).toBe(7_000);
    expect(s3Error(answer('SlowDown', 503), 'write', PLACE).retryAfterMs).toBe(2_000);
    expect(s3Error(answer('InternalError', 500), 'write', PLACE).retryAfterMs).toBeUndefined();
  });

  it('lets what is classified already pass, and notes the request for AWS support', () => {
    const own = new PipelineError('SRC_TRUNCATED', 'cut off');
    expect(s3Error(own, 'write', PLACE)).toBe(own);
    expect(s3Error(answer('InternalError', 500), 'write', PLACE).context).toEqual({
      place: PLACE,
      error: 'InternalError',
      status: 500,
      requestId: 'R1',
    });
  });
});

describe('isMissingObject and isLostRace', () => {
  it('tell a missing object from a missing bucket, and a lost race from a refusal', () => {
    expect(isMissingObject(answer('NoSuchKey', 404))).toBe(true);
    // So the SDK calls every 404 of which it cannot read more, also those of a proxy.
    expect(isMissingObject(answer('NotFound', 404))).toBe(false);
    expect(isMissingObject(answer('NoSuchBucket', 404))).toBe(false);
    expect(isMissingObject(answer('AccessDenied', 403))).toBe(false);
    expect(isLostRace(answer('PreconditionFailed', 412))).toBe(true);
    expect(isLostRace(answer('Unknown', 412))).toBe(true);
    expect(isLostRace(answer('OperationAborted', 409))).toBe(false);
  });
});
