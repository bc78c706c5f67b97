import {
  MongoNetworkError,
  MongoNetworkTimeoutError,
  MongoParseError,
  MongoServerError,
  MongoServerSelectionError,
} from 'mongodb';
import { describe, expect, it } from 'vitest';
import { PipelineError } from '../../../src/errors.ts';
import { isDuplicateKey, mongoError, placeOfUrl } from '../../../src/storage/mongo/mongo-errors.ts';

const PLACE = 'ledger:a:b in mongodb://host/quotidien';

const answer = (code: number, errorLabels: string[] = []): MongoServerError =>
  new MongoServerError({ message: `as the server said ${code}`, code, errorLabels });

/** As the driver makes it when no server can be used. */
function notSelected(cause: Error): Error {
  return Object.assign(new Error('no server'), { name: 'MongoServerSelectionError', cause });
}

const refused = Object.assign(new MongoNetworkError('connect ECONNREFUSED'), {
  cause: Object.assign(new Error('connect'), { code: 'ECONNREFUSED' }),
});

describe('mongoError', () => {
  it.each<[string, Error, string, RegExp]>([
    ['a wrong password', answer(18), 'STORE_DENIED', /login is not accepted/],
    ['a wrong password at Atlas', answer(8000), 'STORE_DENIED', /login is not accepted/],
    ['a missing permission', answer(13), 'STORE_DENIED', /permission is missing/],
    ['a missing collection', answer(26), 'STORE_DENIED', /does not exist.*quotidien storage init/],
    ['a full disk', answer(14031), 'STORE_DENIED', /disk is full/],
    ['an index of another form', answer(86), 'STORE_DENIED', /index/],
    [
      'an untrusted certificate',
      notSelected(Object.assign(new Error('x'), { code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })),
      'STORE_DENIED',
      /certificate/,
    ],
    ['no server', notSelected(refused), 'STORE_UNAVAILABLE', /does not answer/],
    [
      'an unknown host',
      notSelected(Object.assign(new Error('x'), { code: 'ENOTFOUND' })),
      'STORE_UNAVAILABLE',
      /name of its host/,
    ],
    [
      'a broken connection',
      new MongoNetworkError('connection 3 closed'),
      'STORE_UNAVAILABLE',
      /broke/,
    ],
    [
      'a time-out',
      new MongoNetworkTimeoutError('timed out'),
      'STORE_UNAVAILABLE',
      /does not answer/,
    ],
    [
      'a cleared pool',
      Object.assign(new Error('x'), { name: 'MongoPoolClearedError' }),
      'STORE_UNAVAILABLE',
      /does not answer/,
    ],
    [
      'no free connection',
      Object.assign(new Error('x'), { name: 'MongoWaitQueueTimeoutError' }),
      'STORE_UNAVAILABLE',
      /concurrency/,
    ],
    ['a stepped-down primary', answer(189), 'STORE_UNAVAILABLE', /no primary/],
    ['a shutdown', answer(91), 'STORE_UNAVAILABLE', /shutting down/],
    ['a slow operation', answer(50), 'STORE_UNAVAILABLE', /too long/],
    ['a slow majority', answer(64), 'STORE_UNAVAILABLE', /majority/],
    ['throttling', answer(16500), 'STORE_UNAVAILABLE', /slow down/],
    [
      'an overloaded server',
      answer(999, ['SystemOverloadedError']),
      'STORE_UNAVAILABLE',
      /slow down/,
    ],
    [
      'what the server calls retryable',
      answer(998, ['RetryableWriteError']),
      'STORE_UNAVAILABLE',
      /primary/,
    ],
    ['a taken _id', answer(11_000), 'STORE_CONFLICT', /another writer/],
    ['a write conflict', answer(112), 'STORE_CONFLICT', /another writer/],
    ['a document that is too large', answer(17280), 'INPUT_INVALID', /larger/],
    [
      'an answer of a wrong size',
      new MongoParseError('Message size cannot be negative: -7'),
      'STORE_UNAVAILABLE',
      /is not the store/,
    ],
    [
      'an answer that is no BSON',
      Object.assign(new Error('x'), { name: 'BSONError' }),
      'STORE_UNAVAILABLE',
      /garbled/,
    ],
    [
      'a wrong URL',
      new MongoParseError('option foo is not supported'),
      'CONFIG_INVALID',
      /URL.*foo/,
    ],
    ['something new', answer(424_242), 'INTERNAL', /424242/],
    [
      'a bug',
      new TypeError('undefined is not a function'),
      'INTERNAL',
      /undefined is not a function/,
    ],
  ])('classifies %s', (_, thrown, code, words) => {
    const error = mongoError(thrown, 'write', PLACE);
    expect(error.code).toBe(code);
    expect(error.message).toMatch(words);
    expect(error.message).toContain(`cannot write ${PLACE}: `);
  });

  it('takes the code of a failed write concern', () => {
    const error = Object.assign(new Error('x'), { writeConcernError: { code: 64 } });
    expect(mongoError(error, 'write', PLACE)).toMatchObject({
      code: 'STORE_UNAVAILABLE',
      context: { number: 64 },
    });
  });

  it('says when to try again after throttling alone', () => {
    expect(mongoError(answer(16500), 'write', PLACE).retryAfterMs).toBe(2_000);
    expect(mongoError(answer(189), 'write', PLACE).retryAfterMs).toBeUndefined();
  });

  it('tells no password that the driver repeats', () => {
    const error = new MongoParseError(
      'Invalid connection string "mongodb://user:top-secret@host/x"',
    );
    expect(
      mongoError(error, 'use', placeOfUrl('mongodb://user:top-secret@host/x?a=b')).message,
    ).not.toContain('secret');
  });

  it('lets what is classified already pass', () => {
    const own = new PipelineError('STORE_CORRUPT', 'damaged');
    expect(mongoError(own, 'read', PLACE)).toBe(own);
  });
});

describe('placeOfUrl', () => {
  it.each([
    ['mongodb://127.0.0.1:27017', 'mongodb://127.0.0.1:27017'],
    ['mongodb://user:p%40ss@a:1,b:2/db?authSource=admin', 'mongodb://a:1,b:2'],
    ['mongodb+srv://user:p@ss@cluster.example/?w=1', 'mongodb+srv://cluster.example'],
    ['host', 'mongodb://host'],
  ])('shows %s without its secrets', (url, place) => {
    expect(placeOfUrl(url)).toBe(place);
  });
});

describe('isDuplicateKey', () => {
  it('knows a taken _id', () => {
    expect(isDuplicateKey(answer(11_000))).toBe(true);
    expect(isDuplicateKey(answer(112))).toBe(false);
    expect(isDuplicateKey(new MongoServerSelectionError('x', {} as never))).toBe(false);
  });
});
