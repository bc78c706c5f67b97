import { DefaultFailureConverter, DefaultPayloadConverter } from '@temporalio/common';
import { describe, expect, it } from 'vitest';
import { toApplicationFailure } from '../../../src/activities/failure.ts';
import { pino } from 'pino';
import { secretsOf } from '../../../src/config/secrets.ts';
import { PipelineError } from '../../../src/errors.ts';
import { isSecretName, redactText, redacted } from '../../../src/redaction.ts';
import { safeLog } from '../../../src/workers/logging.ts';

const KEY = 'k3y-0f-the-publisher';

/** What Temporal keeps of a failure, as text. */
function history(error: unknown, secrets: readonly string[] = []): string {
  const proto = new DefaultFailureConverter().errorToFailure(
    toApplicationFailure(error, secrets),
    new DefaultPayloadConverter(),
  );
  return JSON.stringify(proto, (_name, value: unknown) =>
    value instanceof Uint8Array ? Buffer.from(value).toString('utf8') : value,
  );
}

describe('names of secrets', () => {
  it('are known however they are written, and other names are not taken for them', () => {
    for (const name of [
      'apikey',
      'X-Api-Key',
      'api_key',
      'secretAccessKey',
      'refreshToken',
      'DB_PASSWORD',
      'Authorization',
    ])
      expect(isSecretName(name), name).toBe(true);
    for (const name of [
      'key',
      'sort',
      'stepKey',
      'keyColumns',
      'tokens_per_second',
      'sha256',
      'etag',
      'secretary_id',
    ])
      expect(isSecretName(name), name).toBe(false);
  });
});

describe('redactText', () => {
  it('takes passwords out of addresses, parameters and headers, and leaves the rest readable', () => {
    expect(redactText('mongodb://me:hunter2@db:27017/x refused')).toBe(
      'mongodb://[redacted]@db:27017/x refused',
    );
    expect(redactText('mongodb://me:p@ss@db/x')).toBe('mongodb://[redacted]@db/x');
    expect(redactText('https://x.org/a?day=1&apikey=abc123&n=2')).toBe(
      'https://x.org/a?day=1&apikey=[redacted]&n=2',
    );
    expect(redactText('authorization: Bearer abcdef.ghi')).not.toContain('abcdef');
    expect(redactText('{"password":"hunter2","rows":3}')).toBe(
      '{"password":"[redacted]","rows":3}',
    );
    expect(redactText('https://x.org/a?from=2024-01-15T00:00:00 answered 500')).toBe(
      'https://x.org/a?from=2024-01-15T00:00:00 answered 500',
    );
  });

  it('takes known values out wherever they stand, in their encoded form too', () => {
    expect(redactText('bad key pa ss/word, pa%20ss%2Fword', ['pa ss/word'])).toBe(
      'bad key [redacted], [redacted]',
    );
  });
});

describe('redacted', () => {
  it('reaches values of any depth, in lists, maps, errors and their causes', () => {
    let deep: unknown = { token: KEY };
    for (let level = 0; level < 40; level++) deep = level % 2 === 0 ? { inner: deep } : [deep];
    const cause = Object.assign(new Error(`GET https://u:${KEY}@x.org`), {
      config: { headers: { apikey: KEY } },
    });
    const error = new AggregateError([new Error('one', { cause })], 'all failed', { cause });
    const shown = JSON.stringify(
      redacted({ deep, error, map: new Map([['password', KEY]]), set: new Set([{ token: KEY }]) }),
    );
    expect(shown).not.toContain(KEY);
    expect(shown).toContain('all failed');
  });

  it('ends at a cycle and far below, and shows nothing of what is there', () => {
    const circle: Record<string, unknown> = { name: 'a' };
    circle['self'] = circle;
    expect(redacted(circle)).toEqual({ name: 'a', self: '[circular]' });
    let deep: unknown = KEY;
    for (let level = 0; level < 50_000; level++) deep = { inner: deep };
    expect(JSON.stringify(redacted(deep))).not.toContain(KEY);
  });
});

describe('a failure in Temporal’s history', () => {
  it('holds no secret of any cause, however deep', () => {
    let error: Error = Object.assign(new Error(`connect mongodb://me:${KEY}@db/x`), {
      apikey: KEY,
    });
    for (let level = 0; level < 10; level++) error = new Error(`level ${level}`, { cause: error });
    const kept = history(
      new PipelineError('STORE_UNAVAILABLE', 'the store is away', { cause: error }),
    );
    expect(kept).toContain('level 0');
    expect(kept).toContain('mongodb://[redacted]@db/x');
    expect(kept).not.toContain(KEY);
  });

  it('holds no value that is known to be secret, in message, details or cause', () => {
    const error = new PipelineError('SRC_AUTH', `${KEY} is not valid`, {
      context: { said: `no such key ${KEY}` },
      cause: new Error(KEY),
    });
    expect(history(error, [KEY])).not.toContain(KEY);
  });

  it('is finite when the causes go in a circle', () => {
    const first = new Error('first');
    first.cause = new Error('second', { cause: first });
    const kept = history(first);
    expect(kept).toContain('second');
    expect(kept).toContain('[circular]');
  });
});

describe('a log line', () => {
  it('holds no secret of the configuration, of a name, of an address or of a cause, at any depth', () => {
    let written = '';
    const logger = pino({ base: null }, { write: (line: string) => void (written += line) });
    const config = {
      env: {
        MONGODB_URL: 'mongodb://me:db%2Fword@a,b/x',
        AWS_SECRET_ACCESS_KEY: 'aws-secret-value',
      },
      hosts: { prim: { key: KEY } },
    };
    const log = safeLog(logger, secretsOf(config));
    const error = new Error(`asked with ${KEY}`, {
      cause: new Error('signed by aws-secret-value'),
    });
    const meta = {
      error,
      a: { b: [{ c: { headers: { apikey: 'other' } } }] },
      url: 'https://u:pw@x.org',
    };
    log({ level: 'ERROR', message: `failed with ${KEY}, db/word`, meta });
    expect(JSON.parse(written)).toMatchObject({
      a: { b: [{ c: { headers: { apikey: '[redacted]' } } }] },
    });
    for (const secret of [KEY, 'aws-secret-value', 'db/word', 'u:pw', 'other'])
      expect(written).not.toContain(secret);
    expect(written).toContain('asked with [redacted]');
  });
});
