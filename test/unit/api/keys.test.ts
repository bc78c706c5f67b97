import { createHash } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { beginSession } from '../../../src/api/security/sessions.ts';
import {
  callerOfKey,
  createKey,
  endKey,
  KEY_TABLE,
  listKeys,
} from '../../../src/api/security/keys.ts';
import { earlierKeys, keysImport } from '../../../src/cli/services/import-keys.ts';
import { keysCreate, keysList, keysRotate } from '../../../src/cli/services/keys.ts';
import { DATASETS } from '../../../src/datasets/registry.ts';
import { PipelineError } from '../../../src/errors.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { put, withFolder } from '../../fixtures/enedis-archives.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

let engine: TestEngine;
let api: ApiApp;
let clock = new Date('2026-05-01T00:00:00Z');

beforeAll(async () => {
  engine = await openTestEngine(Object.values(DATASETS), { now: () => clock });
  api = await openTestApi(engine, { loopback: false, hosts: ['api.example'] });
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

async function ask(
  key: string,
  url = '/api/v1/gaps?pipeline=eco2mix&from=2026-04-01&to=2026-04-02',
) {
  const { statusCode, body } = await api.inject({
    url,
    headers: { host: 'api.example', authorization: `Bearer ${key}` },
  });
  return { status: statusCode, code: (JSON.parse(body) as { code?: string }).code };
}

const make = (scopes: string[], days = 30) =>
  createKey(engine.documents, { owner: 'someone', scopes, days, by: 'test' }, clock);

describe('a key', () => {
  it('opens what its scopes say, and nothing of another pipeline', async () => {
    const { key } = await make(['data:read:eco2mix']);
    expect((await ask(key)).status).toBe(200);
    expect(await ask(key, '/api/v1/gaps?pipeline=cityflow&from=2026-04-01&to=2026-04-02')).toEqual({
      status: 403,
      code: 'AUTH_DENIED',
    });
    expect(await ask(key, '/api/v1/gaps')).toEqual({ status: 403, code: 'AUTH_DENIED' });
    expect(await ask(key, '/api/v1/stores')).toEqual({ status: 403, code: 'AUTH_DENIED' });
    const operator = await make(['ops:read']);
    expect((await ask(operator.key, '/api/v1/stores')).status).toBe(200);
  });

  it('that may act on one pipeline may look at that pipeline, and at no other', async () => {
    const gaps = (pipeline: string) =>
      `/api/v1/gaps?pipeline=${pipeline}&from=2026-04-01&to=2026-04-02`;
    for (const scope of ['ops:read', 'ops:write', 'admin']) {
      const { key } = await make([`${scope}:eco2mix`]);
      expect((await ask(key, gaps('eco2mix'))).status).toBe(200);
      expect(await ask(key, gaps('cityflow'))).toEqual({ status: 403, code: 'AUTH_DENIED' });
      expect(await ask(key, '/api/v1/stores')).toEqual({ status: 403, code: 'AUTH_DENIED' });
    }
    const { key, record } = await make(['ops:write:eco2mix', 'data:read:cityflow']);
    const { scopes } = await callerOfKey(engine.documents, key, clock);
    expect(record.scopes).toEqual(['ops:write:eco2mix', 'data:read:cityflow']);
    expect([...scopes].sort()).toEqual([
      'data:read:cityflow',
      'data:read:eco2mix',
      'ops:read:eco2mix',
      'ops:write:eco2mix',
    ]);
  });

  it('is kept as a hash alone', async () => {
    const { key, record } = await make(['data:read']);
    const kept = await engine.documents.get({
      table: KEY_TABLE,
      partition: 'keys',
      sort: record.id,
    });
    // Behind the prefix and the id, before the checksum; it may hold underscores itself.
    const secret = key.slice(17, 17 + 43);
    expect(key).toBe(`qtd_${record.id}_${secret}_${key.slice(-8)}`);
    expect(JSON.stringify(kept)).not.toContain(secret);
  });

  it('is not good truncated, changed, revoked, expired, or in the address', async () => {
    const { key, record } = await make(['data:read'], 1);
    expect((await ask(key)).status).toBe(200);
    for (const wrong of [
      key.slice(0, -1),
      key.replace(/.(?=_[0-9a-f]{8}$)/, '!'),
      `${key}0`,
      'qtd_',
      'x',
    ])
      expect((await ask(wrong)).status).toBe(401);
    const inQuery = await api.inject({
      url: `/api/v1/gaps?key=${key}`,
      headers: { host: 'api.example' },
    });
    expect(inQuery.statusCode).toBe(401);
    await endKey(engine.documents, record.id, clock);
    expect((await ask(key)).status).toBe(401);
    const late = await make(['data:read'], 1);
    clock = new Date(clock.getTime() + 2 * 86_400_000);
    expect((await ask(late.key)).status).toBe(401);
  });

  it('is rotated with an overlap', async () => {
    const context = testContext(engine);
    await keysCreate(context, { owner: 'grid', scope: ['data:read'], days: '30' });
    const { key, id } = context.terminal.values[0] as { key: string; id: string };
    await keysRotate(context, id, '7d');
    const { key: next } = context.terminal.values[1] as { key: string };
    expect([(await ask(key)).status, (await ask(next)).status]).toEqual([200, 200]);
    clock = new Date(clock.getTime() + 8 * 86_400_000);
    expect([(await ask(key)).status, (await ask(next)).status]).toEqual([401, 200]);
    await keysList(context);
    expect(context.terminal.text()).toContain(id);
    expect(JSON.stringify(context.terminal.values[2])).not.toContain('sha256');
  });

  it('has a quota that says when to come again', async () => {
    const small = await openTestApi(engine, { quota: { perMinute: 2, burst: 2 } });
    try {
      const call = () => small.inject({ url: '/api/v1/pipelines', headers: { host: 'localhost' } });
      await call();
      const second = await call();
      expect(second.headers['ratelimit']).toMatch(/^"minute";r=0;t=\d+$/);
      const third = await call();
      expect([third.statusCode, third.json()]).toMatchObject([429, { code: 'RATE_LIMITED' }]);
      expect(Number(third.headers['retry-after'])).toBeGreaterThan(0);
    } finally {
      await small.close();
    }
  });
});

describe('keys of an earlier system', () => {
  const SECRET = 'elf_live_0123456789abcdefghijklmnop';
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex');

  async function importKeys(text: string, scope = ['data:read:eco2mix']) {
    const context = testContext(engine);
    await withFolder(async (folder) => {
      const file = await put(folder, 'earlier.env', Buffer.from(text));
      await keysImport(context, { file, scope, days: '30' });
    });
    return context.terminal;
  }

  it('go on as they are, known by their hash, with the scopes that they are given', async () => {
    await importKeys(
      `API_KEYS="notebook:${sha256(SECRET)},other:${sha256('another key of somebody')}"\n`,
    );
    expect((await ask(SECRET)).status).toBe(200);
    expect((await ask(SECRET, '/api/v1/meta')).status).toBe(200);
    expect((await ask(SECRET, '/api/v1/gaps')).status).toBe(403);
    expect(await ask(`${SECRET}x`)).toEqual({ status: 401, code: 'AUTH_REQUIRED' });
    const key = (await listKeys(engine.documents)).find(({ owner }) => owner === 'notebook')!;
    await endKey(engine.documents, key.id, clock);
    expect((await ask(SECRET)).status).toBe(401);
    const again = await importKeys(`notebook:${sha256(SECRET)}`);
    expect([again.text(), (await ask(SECRET)).status]).toEqual(['notebook: is here already', 401]);
  });

  it('may be the settings of the earlier server, whose keys are kept as hashes alone', async () => {
    const secret = 'a-key-of-the-erp-that-is-long';
    const settings = [
      '# keys',
      'DUCKDB__CHEMIN=/data',
      `API__TROUSSEAU__erp__KEY='${secret}'`,
      '',
    ].join('\n');
    await importKeys(settings, ['data:read:enedis']);
    expect(
      (await ask(secret, '/api/v1/gaps?pipeline=enedis&from=2026-04-01&to=2026-04-02')).status,
    ).toBe(200);
    expect(JSON.stringify(await listKeys(engine.documents))).not.toContain(secret);
  });

  it('are refused where one can be guessed or is none, by its line and without its text', () => {
    expect(() => earlierKeys('\nAPI__TROUSSEAU__bot__KEY=short')).toThrow(
      /^line 2: the key of bot has fewer than 24/,
    );
    expect(() => earlierKeys('notebook:0123')).toThrow(/^line 1 is no key: label:sha256/);
    expect(() => earlierKeys('my-secret-key-without-a-label')).not.toThrow(/my-secret/);
    expect(() => earlierKeys('my-secret-key-without-a-label')).toThrow(/line 1/);
  });
});

describe('the quota of an owner', () => {
  const OUTSIDE = {
    loopback: false,
    hosts: ['api.example'],
    quota: { perMinute: 5, burst: 5 },
  } as const;
  const url = '/api/v1/tables';

  it('is one for all of their keys, at every server of the installation, and of nobody else', async () => {
    const servers = [await openTestApi(engine, OUTSIDE), await openTestApi(engine, OUTSIDE)];
    try {
      const keyOf = async (owner: string) =>
        (
          await createKey(
            engine.documents,
            { owner, scopes: ['data:read'], days: 30, by: 'test' },
            clock,
          )
        ).key;
      const keys = [await keyOf('two keys'), await keyOf('two keys')];
      // All at once: what two servers read before either has written is counted all the same.
      const answers = await Promise.all(
        Array.from({ length: 12 }, (_, at) =>
          servers[at % 2]!.inject({
            url,
            headers: { host: 'api.example', 'x-api-key': keys[(at >> 1) % 2] },
          }),
        ),
      );
      expect(answers.map(({ statusCode }) => statusCode).sort()).toEqual([
        ...Array.from({ length: 5 }, () => 200),
        ...Array.from({ length: 7 }, () => 429),
      ]);
      const other = await servers[0]!.inject({
        url,
        headers: { host: 'api.example', 'x-api-key': await keyOf('city') },
      });
      expect([other.statusCode, other.headers['ratelimit']]).toEqual([200, '"minute";r=4;t=60']);
      clock = new Date(clock.getTime() + 60_000);
      const later = await servers[1]!.inject({
        url,
        headers: { host: 'api.example', 'x-api-key': keys[0] },
      });
      expect(later.statusCode).toBe(200);
    } finally {
      for (const server of servers) await server.close();
    }
  });

  it('is counted by each server alone while the store is away, and strangers write nothing', async () => {
    const { key } = await make(['data:read']);
    const put = vi.spyOn(engine.documents, 'put');
    const server = await openTestApi(engine, OUTSIDE);
    try {
      const ask = async (headers: Record<string, string>) =>
        (await server.inject({ url, headers: { host: 'api.example', ...headers } })).statusCode;
      expect([await ask({}), put.mock.calls.length]).toEqual([401, 0]);
      put.mockRejectedValue(new PipelineError('STORE_UNAVAILABLE', 'away'));
      const statuses: number[] = [];
      for (let count = 0; count < 6; count += 1) statuses.push(await ask({ 'x-api-key': key }));
      expect(statuses).toEqual([200, 200, 200, 200, 200, 429]);
    } finally {
      put.mockRestore();
      await server.close();
    }
  });
});

describe('a person in a session', () => {
  it('may ask ten times as often as a program: a page is several requests', async () => {
    const small = await openTestApi(engine, { quota: { perMinute: 2, burst: 2 } });
    try {
      const secret = await beginSession(
        engine.documents,
        { name: 'alice@host', role: 'reader' },
        clock,
      );
      const headers = { host: 'localhost', cookie: `quotidien-session=${secret}` };
      const statuses: number[] = [];
      for (let count = 0; count < 21; count += 1)
        statuses.push((await small.inject({ url: '/console/style.css', headers })).statusCode);
      expect([statuses.filter((status) => status === 200).length, statuses.at(-1)]).toEqual([
        20, 429,
      ]);
    } finally {
      await small.close();
    }
  });
});

describe('pages of other sites', () => {
  it.each([
    { origin: 'https://evil.example' },
    { 'sec-fetch-site': 'cross-site' },
    { 'sec-fetch-site': 'same-site', origin: 'null' },
  ])('change nothing: %o', async (headers) => {
    const answer = await api.inject({
      method: 'POST',
      url: '/mcp',
      payload: {},
      headers: { host: 'api.example', ...headers },
    });
    expect(answer.json()).toMatchObject({ status: 403, code: 'AUTH_DENIED' });
  });

  it('get no permission to read, unless they are named', async () => {
    const named = await openTestApi(engine, { corsOrigins: ['https://grid.example'] });
    try {
      const from = async (origin: string) =>
        (await named.inject({ url: '/api/v1/pipelines', headers: { host: 'localhost', origin } }))
          .headers['access-control-allow-origin'];
      expect(await from('https://grid.example')).toBe('https://grid.example');
      expect(await from('https://evil.example')).toBeUndefined();
    } finally {
      await named.close();
    }
  });

  it('cannot run scripts of their own in ours', async () => {
    const { headers } = await api.inject({ url: '/api/errors', headers: { host: 'api.example' } });
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers['content-security-policy']).not.toContain('unsafe-inline');
  });
});
