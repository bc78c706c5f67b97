import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { sessionsEnd, sessionsList } from '../../../src/cli/services/sessions.ts';
import { openConsole } from '../../../src/cli/services/console.ts';
import { beginSession, createLink, SESSION_TABLE } from '../../../src/api/security/sessions.ts';
import type { Role } from '../../../src/config/role-rules.ts';
import { lastAudit } from '../../../src/api/shared/audit.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';

const HOUR_MS = 3_600_000;
const START = Date.parse('2024-03-01T08:00:00Z');

let engine: TestEngine;
let api: ApiApp;
let now = START;

beforeAll(async () => {
  engine = await openTestEngine([tinyDataset({ baseUrl: 'http://127.0.0.1:1' })], {
    now: () => new Date(now),
  });
  api = await openTestApi(engine);
});

afterEach(() => {
  now = START;
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

function link(role: Role = 'operator'): Promise<string> {
  return createLink(engine.documents, { name: 'alice@host', role }, engine.now());
}

async function enter(secret: string, cookie?: string) {
  const headers = { host: 'localhost', ...(cookie === undefined ? {} : { cookie }) };
  const answer = await api.inject({ url: `/console/enter?link=${secret}`, headers });
  return { status: answer.statusCode, given: String(answer.headers['set-cookie'] ?? '') };
}

async function session(role: Role = 'operator'): Promise<string> {
  return (await enter(await link(role))).given.split(';')[0] ?? '';
}

async function isSignedIn(cookie: string): Promise<boolean> {
  const { body } = await api.inject({ url: '/console', headers: { host: 'localhost', cookie } });
  return body.includes('alice@host');
}

describe('a session of the console', () => {
  it('begins by a link that is good once, also when two browsers open it at once', async () => {
    const secret = await link();
    const both = await Promise.all([enter(secret), enter(secret)]);
    expect(both.map(({ status }) => status).sort()).toEqual([303, 401]);
    const { given } = both.find(({ status }) => status === 303)!;
    expect(given).toMatch(/^quotidien-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax$/);
    expect(await isSignedIn(given.split(';')[0]!)).toBe(true);
    expect((await enter(secret)).status).toBe(401);
  });

  it('is not begun by who only looks whether the link is there, nor by an old or a made-up one', async () => {
    const secret = await link();
    const { statusCode } = await api.inject({
      method: 'HEAD',
      url: `/console/enter?link=${secret}`,
      headers: { host: 'localhost' },
    });
    expect(statusCode).toBe(404);
    now = START + 10 * 60_000;
    expect((await enter(secret)).status).toBe(401);
    now = START;
    expect((await enter(secret)).status).toBe(303);
    for (const wrong of ['', 'x'.repeat(43), '../sessions'])
      expect((await enter(wrong)).status).toBe(401);
  });

  it('has a secret that the server chose, in place of one that the browser had', async () => {
    const planted = `quotidien-session=${'A'.repeat(43)}`;
    const { given } = await enter(await link(), planted);
    expect(given).not.toContain('A'.repeat(43));
    expect(await isSignedIn(planted)).toBe(false);
    const first = given.split(';')[0]!;
    await enter(await link(), first);
    expect(await isSignedIn(first)).toBe(false);
  });

  it('ends an hour after the last request, and after twelve hours at any rate', async () => {
    const idle = await session();
    now = START + HOUR_MS;
    expect(await isSignedIn(idle)).toBe(false);
    now = START;
    const used = await session();
    for (let minutes = 50; minutes < 12 * 60; minutes += 50) {
      now = START + minutes * 60_000;
      expect([minutes, await isSignedIn(used)]).toEqual([minutes, true]);
    }
    now = START + 12 * HOUR_MS;
    expect(await isSignedIn(used)).toBe(false);
  });

  it('ends at every server when a person leaves', async () => {
    const cookie = await session();
    const other = await openTestApi(engine);
    const headers = { host: 'localhost', cookie };
    const outside = await api.inject({ method: 'POST', url: '/console/leave', headers });
    expect([outside.statusCode, await isSignedIn(cookie)]).toEqual([403, true]);
    const left = await api.inject({
      method: 'POST',
      url: '/console/leave',
      headers: { ...headers, 'sec-fetch-site': 'same-origin' },
    });
    expect([left.statusCode, left.headers['set-cookie']]).toEqual([
      303,
      expect.stringContaining('Max-Age=0'),
    ]);
    const { body } = await other.inject({ url: '/console', headers });
    expect(body).not.toContain('alice@host');
    await other.close();
  });

  it('is kept by the hash of its secret alone, and not for ever', async () => {
    const secret = await link();
    const cookie = (await enter(secret)).given.split(';')[0]!;
    const stored = async (): Promise<string> => {
      const rows: unknown[] = [];
      for await (const partition of engine.documents.partitions(SESSION_TABLE))
        for await (const row of engine.documents.query({ table: SESSION_TABLE, partition }))
          rows.push(row);
      return JSON.stringify(rows);
    };
    expect(await stored()).not.toContain(secret);
    expect(await stored()).not.toContain(cookie.split('=')[1]);
    now = START + 24 * HOUR_MS;
    await link();
    expect(JSON.parse(await stored())).toHaveLength(1);
  });

  it('is bound to https where the server is for others', async () => {
    const open = await openTestApi(engine, { loopback: false, hosts: ['data.example'] });
    const answer = await open.inject({
      url: `/console/enter?link=${await link()}`,
      headers: { host: 'data.example' },
    });
    expect(answer.headers['set-cookie']).toMatch(/^__Host-quotidien-session=.*Path=\/;.*; Secure$/);
    await open.close();
  });

  it.each([
    ['reader', 403],
    ['operator', 404],
    ['admin', 404],
  ] as const)('lets a %s do what the role may', async (role, status) => {
    const cookie = await session(role);
    const { statusCode } = await api.inject({
      method: 'POST',
      url: '/console/tiny/2024-01-02/verify',
      headers: {
        host: 'localhost',
        cookie,
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: 'reason=because',
    });
    expect(statusCode).toBe(status);
  });
});

const SITES: readonly (readonly [headers: Record<string, string>, isOurs: boolean])[] = [
  [{ 'sec-fetch-site': 'same-origin' }, true],
  [{ 'sec-fetch-site': 'same-origin', origin: 'http://localhost' }, true],
  [{ origin: 'http://localhost' }, true],
  [{}, false],
  [{ 'sec-fetch-site': 'none' }, false],
  [{ 'sec-fetch-site': 'same-site' }, false],
  [{ 'sec-fetch-site': 'cross-site' }, false],
  [{ origin: 'null' }, false],
  [{ origin: 'http://localhost:3000' }, false],
  [{ origin: 'https://localhost' }, false],
  [{ 'sec-fetch-site': 'same-origin', origin: 'http://evil.example' }, false],
];

describe('a form of another page', () => {
  it.each(SITES)('with %o is taken: %s', async (from, isOurs) => {
    const cookie = await session();
    const send = (url: string, type: string, payload: string) =>
      api.inject({
        method: 'POST',
        url,
        headers: { host: 'localhost', cookie, 'content-type': type, ...from },
        payload,
      });
    const form = await send(
      '/console/tiny/2024-01-02/verify',
      'application/x-www-form-urlencoded',
      'reason=because',
    );
    const order = await send(
      '/api/v1/pipelines/tiny/days/2024-01-02/actions/verify',
      'application/json',
      '{"reason":"because"}',
    );
    // There is no such day: whoever gets that far was let in.
    expect([form.statusCode, order.statusCode]).toEqual(isOurs ? [404, 404] : [403, 403]);
  });

  it('is no body for the API, whoever sends it', async () => {
    const { statusCode } = await api.inject({
      method: 'POST',
      url: '/api/v1/pipelines/tiny/days/2024-01-02/runs',
      headers: {
        host: 'localhost',
        cookie: await session('admin'),
        'sec-fetch-site': 'same-origin',
        'content-type': 'application/x-www-form-urlencoded',
      },
      payload: 'reason=because',
    });
    expect(statusCode).toBe(415);
  });
});

describe('quotidien sessions', () => {
  it('lists who is signed in and as what, and ends all of a person', async () => {
    const grants = [{ role: 'operator', pipeline: 'tiny' }, { role: 'reader' }] as const;
    const bob = { name: 'oidc:bob', role: 'operator', grants } as const;
    const cookies = await Promise.all(
      [bob, bob, { name: 'oidc:bobby', role: 'reader' } as const].map(
        async (person) =>
          `quotidien-session=${await beginSession(engine.documents, person, engine.now())}`,
      ),
    );
    const unused = await createLink(engine.documents, bob, engine.now());
    const context = testContext(engine);
    await sessionsList(context);
    expect(context.terminal.text()).toContain(
      'oidc:bob  operator:tiny reader  since 2024-03-01T08:00:00.000Z, until',
    );
    expect(await sessionsEnd(context, 'oidc:bob', 'left the team')).toBe(0);
    expect(context.terminal.values.at(-1)).toEqual({ name: 'oidc:bob', ended: 3 });
    const isIn = async (cookie: string) =>
      (await api.inject({ url: '/console', headers: { host: 'localhost', cookie } })).body.includes(
        'oidc:',
      );
    expect(await Promise.all(cookies.map(isIn))).toEqual([false, false, true]);
    expect((await enter(unused)).status).toBe(401);
    const audit = await lastAudit(engine.documents, engine.now(), 100);
    expect(audit).toContainEqual(
      expect.objectContaining({
        action: 'sessions/end',
        target: 'oidc:bob',
        reason: 'left the team',
      }),
    );
  });
});

describe('quotidien console', () => {
  it('gives a link that signs in as the role, once', async () => {
    const url = await api.listen({ host: '127.0.0.1', port: 0 });
    const context = testContext(engine);
    expect(await openConsole(context, { role: 'reader', url })).toBe(0);
    const [printed = ''] = context.terminal.lines;
    expect(printed.startsWith(`${url}/console/enter?link=`)).toBe(true);
    const answer = await fetch(printed, { redirect: 'manual' });
    expect([answer.status, answer.headers.get('location')]).toEqual([303, '/console']);
    expect((await fetch(printed, { redirect: 'manual' })).status).toBe(401);
  });

  it('refuses a role that there is not, and an address where nothing answers', async () => {
    const context = testContext(engine);
    await expect(openConsole(context, { role: 'operator' })).rejects.toMatchObject({
      code: 'CONFIG_INVALID',
    });
    const { url } = { url: api.listeningOrigin };
    await expect(openConsole(context, { role: 'root', url })).rejects.toMatchObject({
      code: 'INPUT_INVALID',
    });
  });
});
