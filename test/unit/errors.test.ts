import { readFile } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { ERROR_TABLE, PipelineError, asPipelineError, errorCodeOf } from '../../src/errors.ts';
import { toApplicationFailure } from '../../src/activities/failure.ts';

describe('the error table', () => {
  it('says the same as docs/errors.md, row by row', async () => {
    const page = await readFile(new URL('../../docs/errors.md', import.meta.url), 'utf8');
    const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (yes|no) \| (.+) \| (.+) \|$/gm)];
    const documented = rows.map(([, code, retried, meaning, remedy]) => ({
      code,
      retried,
      meaning,
      remedy,
    }));
    const declared = Object.entries(ERROR_TABLE).map(([code, row]) => ({
      code,
      retried: row.retryable ? 'yes' : 'no',
      meaning: row.meaning,
      remedy: row.remedy,
    }));
    expect(documented).toEqual(declared);
  });
});

describe('errorCodeOf', () => {
  it('reads the code of an error that lost its class on the way', () => {
    expect(errorCodeOf({ code: 'STORE_CONFLICT' })).toBe('STORE_CONFLICT');
  });

  it('knows no code of foreign errors, nor names that every object has', () => {
    for (const foreign of [
      new Error('x'),
      { code: 'ENOENT' },
      { code: 'toString' },
      null,
      undefined,
      'STORE_CONFLICT',
    ]) {
      expect(errorCodeOf(foreign)).toBeUndefined();
    }
  });
});

describe('toApplicationFailure', () => {
  it('carries code, remedy, context and the publisher’s wish for the next try', () => {
    const error = new PipelineError('SRC_RATE_LIMITED', 'http://x answered 429', {
      context: { status: 429 },
      retryAfterMs: 7_000,
    });
    const failure = toApplicationFailure(error);
    expect(failure).toMatchObject({
      type: 'SRC_RATE_LIMITED',
      nonRetryable: false,
      nextRetryDelay: 7_000,
    });
    expect(failure.details).toEqual([{ status: 429 }]);
    expect(failure.message).toContain(ERROR_TABLE.SRC_RATE_LIMITED.remedy);
  });

  it('does not let Temporal retry what trying again cannot help', () => {
    for (const [code, { retryable }] of Object.entries(ERROR_TABLE)) {
      const failure = toApplicationFailure(
        new PipelineError(code as keyof typeof ERROR_TABLE, 'x'),
      );
      expect(failure.nonRetryable, code).toBe(!retryable);
    }
  });

  it('calls a day that is not published yet benign', () => {
    expect(toApplicationFailure(new PipelineError('SRC_NOT_PUBLISHED', 'x')).category).toBe(
      'BENIGN',
    );
  });

  it('says of a file that could not be written that the disk is full, wherever it was', () => {
    const error = Object.assign(new Error('ENOSPC: no space left on device, write'), {
      code: 'ENOSPC',
      errno: -28,
    });
    const failure = toApplicationFailure(error);
    expect(failure).toMatchObject({ type: 'STORE_DENIED', nonRetryable: true });
    expect(failure.message).toMatch(/the disk of this host is full.*ENOSPC/);
  });

  it('makes INTERNAL of anything unclassified, and keeps its cause', () => {
    const cause = new TypeError('boom');
    expect(asPipelineError(cause)).toMatchObject({ code: 'INTERNAL', message: 'boom', cause });
    expect(toApplicationFailure('text')).toMatchObject({ type: 'INTERNAL', nonRetryable: true });
  });
});
