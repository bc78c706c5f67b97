import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { dayResult, startDay } from '../../src/cli/temporal/runs.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import type { Portal, PortalFault, RequestMatch } from '@quotidien/sample-portal/portal';
import type { ErrorCode } from '../../src/errors.ts';
import type { Installation } from '../fixtures/installation.ts';
import { openPortalInstallation } from '../fixtures/portal-installation.ts';

/**
 * Every misbehaviour of the publisher ends in its documented code, with its documented number of
 * tries, told in words.
 */

const ATTEMPTS = 3;

let portal: Portal;
let installation: Installation;
let close: () => Promise<void>;

beforeAll(async () => {
  ({ portal, installation, close } = await openPortalInstallation({
    datasets: DATASETS,
    settings: { QUOTIDIEN_RETRY_ATTEMPTS: String(ATTEMPTS), QUOTIDIEN_HTTP_IDLE_MS: '400' },
  }));
});

afterAll(() => close());

const EXPORT = { endpoint: 'export', dataset: 'eco2mix-national-tr' } as const;

/** Runs a day with real-time data only, so that what happens to these happens to the day. */
async function runDay(date: string, input: object = {}) {
  return dayResult(await startDay(installation.target, { pipeline: 'eco2mix', date, ...input }));
}

function requestsOf(date: string) {
  return portal.requests.filter(
    (request) =>
      request.endpoint === 'export' &&
      request.dataset === EXPORT.dataset &&
      request.query['where']?.includes(date),
  );
}

interface Case {
  readonly name: string;
  readonly fault: PortalFault;
  readonly code: ErrorCode;
  readonly tries: number;
  readonly says: RegExp;
}

const CASES: readonly Case[] = [
  {
    name: '429',
    fault: { kind: 'status', status: 429, retryAfter: 0 },
    code: 'SRC_RATE_LIMITED',
    tries: ATTEMPTS,
    says: /answered 429/,
  },
  {
    name: '503',
    fault: { kind: 'status', status: 503 },
    code: 'SRC_UNAVAILABLE',
    tries: ATTEMPTS,
    says: /answered 503/,
  },
  {
    name: 'a reset before the answer',
    fault: { kind: 'reset', at: 'start' },
    code: 'SRC_UNAVAILABLE',
    tries: ATTEMPTS,
    says: /cannot be reached/,
  },
  {
    name: 'a reset in the body',
    fault: { kind: 'reset', at: 'body' },
    code: 'SRC_TRUNCATED',
    tries: ATTEMPTS,
    says: /ended too early/,
  },
  {
    name: 'a stalled body',
    fault: { kind: 'stall', afterBytes: 500 },
    code: 'SRC_UNAVAILABLE',
    tries: ATTEMPTS,
    says: /stopped answering/,
  },
  {
    name: 'a body shorter than announced',
    fault: { kind: 'truncated', framing: 'content-length' },
    code: 'SRC_TRUNCATED',
    tries: ATTEMPTS,
    says: /ended too early/,
  },
  {
    name: 'a body that ends inside a row',
    fault: { kind: 'truncated', framing: 'chunked' },
    code: 'SRC_TRUNCATED',
    tries: ATTEMPTS,
    says: /kept as raw\//,
  },
  {
    name: 'an HTML page with status 200',
    fault: { kind: 'html' },
    code: 'SRC_SHAPE_CHANGED',
    tries: 1,
    says: /HTML.*kept as raw\//s,
  },
  {
    name: 'a git-LFS pointer',
    fault: { kind: 'lfs-pointer' },
    code: 'SRC_SHAPE_CHANGED',
    tries: 1,
    says: /LFS.*kept as raw\//s,
  },
  {
    name: 'a missing required column',
    fault: { kind: 'header', change: { remove: 'consommation' } },
    code: 'SRC_SHAPE_CHANGED',
    tries: 1,
    says: /consommation.*kept as raw\//s,
  },
  {
    name: 'refused credentials',
    fault: { kind: 'status', status: 401 },
    code: 'SRC_AUTH',
    tries: 1,
    says: /answered 401/,
  },
];

describe('a publisher that answers with', () => {
  for (const [index, { name, fault, code, tries, says }] of CASES.entries()) {
    it(`${name} fails the day with ${code} after ${tries} tries`, async () => {
      const date = `2026-06-${String(index + 2).padStart(2, '0')}`;
      const match: RequestMatch = { ...EXPORT, where: new RegExp(date) };
      const undo = portal.behave({ ...fault, match });
      const handle = await startDay(installation.target, { pipeline: 'eco2mix', date });
      await expect(dayResult(handle)).rejects.toMatchObject({ code, message: says });
      expect(requestsOf(date)).toHaveLength(tries);
      undo();
      expect(await runDay(date)).toMatchObject({ verdict: 'ok' });
    });
  }
});

describe('a publisher that recovers', () => {
  it('is asked again no sooner than its Retry-After says', async () => {
    const date = '2026-05-02';
    portal.behave({
      kind: 'status',
      status: 429,
      retryAfter: 2,
      times: 1,
      match: { ...EXPORT, where: /2026-05-02/ },
    });
    expect(await runDay(date)).toMatchObject({ verdict: 'ok' });
    const [first, second] = requestsOf(date);
    expect(second!.elapsedMs - first!.elapsedMs).toBeGreaterThanOrEqual(1_990);
  });

  it('resumes a broken download where it stopped', async () => {
    const date = '2026-05-03';
    portal.behave({
      kind: 'stall',
      afterBytes: 4_000,
      times: 1,
      match: { ...EXPORT, where: /2026-05-03/ },
    });
    expect(await runDay(date)).toMatchObject({ verdict: 'ok' });
    const second = requestsOf(date)[1]!;
    expect(second.headers.range).toMatch(/^bytes=\d{3,}-$/);
    expect(second.status).toBe(206);
  });

  it('with new columns, or columns in another order, gives the same day', async () => {
    const date = '2026-05-04';
    portal.behave({
      kind: 'header',
      change: { add: 'hydrogene' },
      times: 1,
      match: { ...EXPORT, where: /2026-05-04/ },
    });
    expect(await runDay(date)).toMatchObject({ verdict: 'ok' });
    portal.behave({
      kind: 'header',
      change: { reorder: 'reverse' },
      times: 1,
      match: { ...EXPORT, where: /2026-05-05/ },
    });
    expect(await runDay('2026-05-05')).toMatchObject({ verdict: 'ok' });
  });

  it('and says "not modified" although its data moved is not believed', async () => {
    const date = '2026-05-06';
    expect(await runDay(date)).toMatchObject({ version: 1 });
    portal.revise({ dataset: EXPORT.dataset, from: date, to: date, salt: 7 });
    const undo = portal.behave({ kind: 'etag', mode: 'stale', match: EXPORT });
    expect(await runDay(date, { recheck: true })).toMatchObject({ version: 2 });
    undo();
  });

  it('and changes its ETag while the bytes stay makes no new version', async () => {
    const date = '2026-05-07';
    const undo = portal.behave({ kind: 'etag', mode: 'volatile', match: EXPORT });
    expect(await runDay(date)).toMatchObject({ version: 1 });
    expect(await runDay(date, { recheck: true })).toMatchObject({ version: 1 });
    undo();
  });
});
