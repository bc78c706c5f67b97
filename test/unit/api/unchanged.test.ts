import { get } from 'node:http';
import type { IncomingHttpHeaders } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { createKey } from '../../../src/api/security/keys.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import type { Engine } from '../../../src/engine/engine.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const MONTH = datesBetween('2026-02-01', '2026-02-28');
const WHOLE = '/api/v1/tables/eco2mix_national/rows?from=2026-02-01&to=2026-02-28&limit=1';

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;
let clock = new Date('2026-06-20T10:00:00Z');
let reads = 0;

/** The engine, with the readings of its documents counted. */
function counted(base: Engine): Engine {
  const { documents } = base;
  const counting: Engine['documents'] = Object.create(documents) as Engine['documents'];
  counting.get = (...key) => ((reads += 1), documents.get(...key)) as never;
  counting.query = (...range) => ((reads += 1), documents.query(...range)) as never;
  return { ...base, documents: counting };
}

beforeAll(async () => {
  portal = await startPortal({ now: () => new Date('2026-06-20T10:00:00Z') });
  const datasets = Object.values(configuredDatasets({ eco2mix }, { odre: { url: portal.url } }));
  engine = await openTestEngine(datasets, { now: () => clock });
  await runDays(engine, 'eco2mix', MONTH);
  await rollUpDays(engine, 'eco2mix', MONTH);
  api = await openTestApi(counted(engine));
});

afterAll(async () => {
  await api.close();
  await engine.close();
  await portal.close();
});

async function ask(
  tag?: string,
  server = api,
  headers: Record<string, string> = { host: '127.0.0.1' },
) {
  const known = tag === undefined ? {} : { 'if-none-match': tag };
  return server.inject({ url: WHOLE, headers: { ...headers, ...known } });
}

describe('an answer that the caller has already', () => {
  it('is told by its tag without asking any store, and with the headers of every answer', async () => {
    const first = await ask();
    const tag = String(first.headers.etag);
    const second = await ask(tag);
    reads = 0;
    const third = await ask(tag);
    expect([second.statusCode, third.statusCode, reads]).toEqual([304, 304, 0]);
    expect(third.body).toBe('');
    for (const name of [
      'content-security-policy',
      'x-content-type-options',
      'etag',
      'vary',
      'ratelimit-policy',
    ])
      expect(third.headers[name], name).toEqual(second.headers[name]);
    expect((await ask('"another"')).statusCode).toBe(200);
  });

  it('is no longer told once another process has committed one of its days', async () => {
    const tag = String((await ask()).headers.etag);
    await ask(tag);
    expect((await ask(tag)).statusCode).toBe(304);
    clock = new Date(clock.getTime() + 600_000);
    portal.revise({
      dataset: 'eco2mix-national-cons-def',
      from: '2026-02-10',
      to: '2026-02-10',
      salt: 3,
    });
    portal.revise({
      dataset: 'eco2mix-national-tr',
      from: '2026-02-10',
      to: '2026-02-10',
      salt: 3,
    });
    expect((await ask(tag)).statusCode).toBe(304);
    expect((await runDay(engine, 'eco2mix', '2026-02-10', { recheck: true })).version).toBe(2);
    // The change is looked for again after a second.
    clock = new Date(clock.getTime() + 1_500);
    const changed = await ask(tag);
    expect(changed.statusCode).toBe(200);
    expect(changed.headers.etag).not.toBe(tag);
  });

  it('is told to nobody who may not read it', async () => {
    const server = await openTestApi(engine, { loopback: false, hosts: ['api.example'] });
    const key = async (scope: string) =>
      (
        await createKey(
          engine.documents,
          { owner: 'someone', scopes: [scope], days: 1, by: 'test' },
          clock,
        )
      ).key;
    const as = async (scope: string) => ({
      host: 'api.example',
      authorization: `Bearer ${await key(scope)}`,
    });
    const reader = await as('data:read:eco2mix');
    const tag = String((await ask(undefined, server, reader)).headers.etag);
    for (let times = 0; times < 3; times += 1)
      expect((await ask(tag, server, reader)).statusCode).toBe(304);
    expect((await ask(tag, server, await as('data:read:cityflow'))).statusCode).toBe(403);
    expect((await ask(tag, server, { host: 'api.example' })).statusCode).toBe(401);
    expect((await ask(tag, server, { ...reader, host: 'other.example' })).statusCode).toBe(403);
    await server.close();
  });
});

describe('an answer over a connection', () => {
  let address: string;
  let sessions = 0;
  let own: ApiApp;

  beforeAll(async () => {
    const session: NonNullable<TestEngine['sql']>['session'] = (work, options) => {
      sessions += 1;
      return engine.sql!.session(work, options);
    };
    own = await openTestApi(counted({ ...engine, sql: { session } }));
    address = await own.listen({ host: '127.0.0.1', port: 0 });
  });

  afterAll(async () => {
    own.server.closeAllConnections();
    await own.close();
  });

  /** By node's own client, whose requests have no headers but these and the name of the host. */
  function over(path: string, headers: Record<string, string> = {}) {
    return new Promise<{ status: number | undefined; headers: IncomingHttpHeaders; body: string }>(
      (resolve, reject) => {
        get(address + path, { headers }, (response) => {
          let body = '';
          response.setEncoding('utf8').on('data', (text: string) => (body += text));
          response.once('end', () => {
            resolve({ status: response.statusCode, headers: response.headers, body });
          });
        }).once('error', reject);
      },
    );
  }

  it('is given again from memory: the same bytes and headers, counted for the quota, without the engine or a store', async () => {
    // The versions that it reads first are known from the second time on.
    await over(WHOLE);
    const first = await over(WHOLE);
    [sessions, reads] = [0, 0];
    const second = await over(WHOLE);
    expect([second.status, sessions, reads]).toEqual([200, 0, 0]);
    expect(second.body).toBe(first.body);
    const { ratelimit, date: _, ...headers } = second.headers;
    const { ratelimit: before, date: __, ...firstHeaders } = first.headers;
    expect(headers).toEqual(firstHeaders);
    const leftOf = (header: unknown): number => Number(/r=(\d+)/.exec(String(header))?.[1]);
    expect(leftOf(ratelimit)).toBe(leftOf(before) - 1);
    expect((await over(WHOLE, { 'if-none-match': String(first.headers.etag) })).status).toBe(304);
    const unchanged = await over(WHOLE, { 'if-none-match': String(first.headers.etag) });
    expect([unchanged.status, unchanged.body, reads]).toEqual([304, '', 0]);
  });

  it('is not taken from memory for who says who he is, comes by another name, or asks in another way', async () => {
    await over(WHOLE);
    expect((await over(WHOLE, { authorization: 'Bearer nonsense' })).status).toBe(401);
    expect((await over(WHOLE, { host: 'elsewhere.example' })).status).toBe(403);
    expect((await over(`${WHOLE}&unknown=1`)).status).toBe(400);
    expect((await over(WHOLE, { accept: 'text/csv' })).headers['content-type']).toContain(
      'text/csv',
    );
    sessions = 0;
    expect((await over(WHOLE, { cookie: 'a=b' })).status).toBe(200);
    expect(sessions).toBe(1);
  });

  it('is another one once a day of it was committed', async () => {
    const before = await over(WHOLE);
    clock = new Date(clock.getTime() + 600_000);
    portal.revise({
      dataset: 'eco2mix-national-cons-def',
      from: '2026-02-01',
      to: '2026-02-01',
      salt: 9,
    });
    portal.revise({
      dataset: 'eco2mix-national-tr',
      from: '2026-02-01',
      to: '2026-02-01',
      salt: 9,
    });
    await runDay(engine, 'eco2mix', '2026-02-01', { recheck: true });
    clock = new Date(clock.getTime() + 1_500);
    const after = await over(WHOLE);
    expect(after.status).toBe(200);
    expect(after.headers.etag).not.toBe(before.headers.etag);
  });
});
