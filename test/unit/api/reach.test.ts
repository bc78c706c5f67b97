import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:https';
import type { AddressInfo } from 'node:net';
import { connect } from 'node:net';
import os from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiSettings } from '../../../src/api/shared/context.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { createLink } from '../../../src/api/security/sessions.ts';
import { reachOf } from '../../../src/cli/services/api-reach.ts';
import type { AskedReach } from '../../../src/cli/services/api-reach.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { makeCertificate } from '../../fixtures/https-proxy.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';

const URL = 'https://days.example';
const OIDC = {
  QUOTIDIEN_OIDC_ISSUER: 'https://issuer.example',
  QUOTIDIEN_OIDC_CLIENT_ID: 'quotidien',
  QUOTIDIEN_OIDC_ROLES: 'grid=operator:tiny; *=reader',
};
const PROXY = { QUOTIDIEN_TRUSTED_PROXIES: '127.0.0.1, 10.0.0.0/24' };

let folder: string;
let tls: ReturnType<typeof makeCertificate>;
let engine: TestEngine;

beforeAll(async () => {
  folder = mkdtempSync(path.join(os.tmpdir(), 'quotidien-reach-'));
  tls = makeCertificate('days.example');
  for (const [name, text] of Object.entries(tls))
    writeFileSync(path.join(folder, `${name}.pem`), text);
  engine = await openTestEngine([tinyDataset({ baseUrl: 'http://127.0.0.1:1' })]);
});

afterAll(async () => {
  await engine.close();
  rmSync(folder, { recursive: true });
});

function settings(env: Readonly<Record<string, string>> = {}) {
  return loadConfig({ env, cwd: folder, hosts: [] }).settings;
}

function reach(asked: Partial<AskedReach>, env: Readonly<Record<string, string>> = {}) {
  return reachOf({ host: '127.0.0.1', ...asked }, settings(env), ['tiny', 'eco2mix']);
}

describe('a server that is started', () => {
  it.each(['127.0.0.1', 'localhost', '::1'])('on %s is for this machine alone', (host) => {
    expect(reach({ host }, { ...OIDC, ...PROXY })).toMatchObject({ loopback: true });
    expect(reach({ host }, OIDC)).not.toHaveProperty('signIn');
  });

  it('for others has https and a sign-in', () => {
    expect(
      reach({ host: '0.0.0.0', publicUrl: `${URL}:8443/` }, { ...OIDC, ...PROXY }),
    ).toMatchObject({
      loopback: false,
      publicUrl: `${URL}:8443`,
      hosts: expect.arrayContaining(['days.example']) as unknown,
      proxies: ['127.0.0.1', '10.0.0.0/24'],
      signIn: {
        issuer: { url: 'https://issuer.example', clientId: 'quotidien' },
        roleClaim: 'groups',
      },
      sessionMs: 12 * 3_600_000,
    });
    expect(reach({ publicUrl: URL, keysOnly: true }, PROXY)).not.toHaveProperty('signIn');
  });

  it.each<readonly [string, Partial<AskedReach>, Record<string, string>, RegExp]>([
    [
      'without an address of its own',
      { host: '0.0.0.0' },
      {},
      /on 0\.0\.0\.0 .*--public-url https/,
    ],
    ['by http', { publicUrl: 'http://days.example' }, OIDC, /https address without a path/],
    [
      'below the path of another',
      { publicUrl: `${URL}/days` },
      { ...OIDC, ...PROXY },
      /https address without a path/,
    ],
    [
      'without who speaks https',
      { publicUrl: URL },
      OIDC,
      /QUOTIDIEN_TLS_CERT.*QUOTIDIEN_TRUSTED_PROXIES, 127\.0\.0\.1/,
    ],
    ['without a sign-in', { publicUrl: URL }, PROXY, /QUOTIDIEN_OIDC_ISSUER.*--keys-only/],
    [
      'with a role at a pipeline that is none',
      { publicUrl: URL },
      { ...OIDC, ...PROXY, QUOTIDIEN_OIDC_ROLES: 'grid=reader:eco2mox' },
      /no pipeline eco2mox; the nearest is eco2mix/,
    ],
  ])('%s is refused with what to do', (_, asked, env, told) => {
    expect(() => reach(asked, env)).toThrow(expect.objectContaining({ code: 'CONFIG_INVALID' }));
    expect(() => reach(asked, env)).toThrow(told);
  });

  it('speaks https by the files of a certificate, or says which it lacks', () => {
    const files = {
      QUOTIDIEN_TLS_CERT: path.join(folder, 'cert.pem'),
      QUOTIDIEN_TLS_KEY: path.join(folder, 'key.pem'),
    };
    expect(reach({ publicUrl: URL }, { ...OIDC, ...files }).tls).toEqual(tls);
    expect(() => reach({ publicUrl: URL }, { ...OIDC, ...files, ...PROXY })).toThrow(
      /names proxies/,
    );
    expect(() =>
      reach({ publicUrl: URL }, { ...OIDC, ...files, QUOTIDIEN_TLS_KEY: '/nowhere' }),
    ).toThrow(/QUOTIDIEN_TLS_KEY: .*ENOENT/);
  });
});

describe('the settings of a sign-in', () => {
  it.each([
    [{ QUOTIDIEN_OIDC_ISSUER: 'http://issuer.example' }, /QUOTIDIEN_OIDC_ISSUER .*https/],
    [
      { QUOTIDIEN_OIDC_ISSUER: 'https://issuer.example' },
      /needs QUOTIDIEN_OIDC_CLIENT_ID and QUOTIDIEN_OIDC_ROLES/,
    ],
    [{ ...OIDC, QUOTIDIEN_OIDC_ROLES: 'grid=owner' }, /QUOTIDIEN_OIDC_ROLES .*team=operator/],
    [{ ...OIDC, QUOTIDIEN_OIDC_ROLES: ' ; ' }, /gives nobody a role/],
    [{ ...OIDC, QUOTIDIEN_OIDC_SCOPES: 'profile' }, /needs openid/],
    [{ QUOTIDIEN_TLS_CERT: 'cert.pem' }, /needs QUOTIDIEN_TLS_KEY/],
    [{ QUOTIDIEN_TRUSTED_PROXIES: 'proxy.example' }, /10\.0\.0\.0\/24, not proxy\.example/],
    [{ QUOTIDIEN_TRUSTED_PROXIES: '0.0.0.0/0' }, /not 0\.0\.0\.0\/0/],
    [{ QUOTIDIEN_TRUSTED_PROXIES: '10.0.0.0/33' }, /not 10\.0\.0\.0\/33/],
  ])('%j are refused', (env, told) => {
    expect(() => settings(env as Record<string, string>)).toThrow(told);
  });

  it('take an issuer of this machine by http, and names of a directory with equals signs', () => {
    const { QUOTIDIEN_OIDC_ROLES: roles } = settings({
      ...OIDC,
      QUOTIDIEN_OIDC_ISSUER: 'http://127.0.0.1:9000',
      QUOTIDIEN_OIDC_ROLES: 'CN=grid,OU=teams=operator:tiny;\n realm admins = admin',
    });
    expect(roles?.rules).toEqual([
      { value: 'CN=grid,OU=teams', role: 'operator', pipeline: 'tiny' },
      { value: 'realm admins', role: 'admin' },
    ]);
  });
});

async function withApi<T>(
  own: Partial<ApiSettings>,
  work: (api: ApiApp) => Promise<T>,
): Promise<T> {
  const api = await openTestApi(engine, {
    loopback: false,
    hosts: ['days.example'],
    publicUrl: URL,
    ...own,
  });
  try {
    return await work(api);
  } finally {
    await api.close();
  }
}

describe('a server behind a proxy', () => {
  it.each([
    ['127.0.0.1', { 'x-forwarded-proto': 'https' }, true],
    ['::ffff:10.0.0.7', { 'x-forwarded-proto': 'https' }, true],
    ['10.0.1.7', { 'x-forwarded-proto': 'https' }, false],
    ['::1', { 'x-forwarded-proto': 'https' }, false],
    ['127.0.0.1', {}, false],
    ['127.0.0.1', { 'x-forwarded-proto': 'http' }, false],
    ['127.0.0.1', { 'x-forwarded-proto': 'https, http' }, false],
  ])('answers %s with %j: %s', async (remoteAddress, headers, isAnswered) => {
    await withApi({ proxies: ['127.0.0.1', '10.0.0.0/24'] }, async (api) => {
      const url = '/console/style.css';
      const { statusCode } = await api.inject({
        url,
        remoteAddress,
        headers: { host: 'days.example', ...headers },
      });
      expect(statusCode).toBe(isAnswered ? 200 : 403);
    });
  });

  it('counts requests by who asks the proxy, and not by what they say of themselves', async () => {
    await withApi({ proxies: ['127.0.0.1'], quota: { perMinute: 2, burst: 2 } }, async (api) => {
      const ask = async (forwarded: string): Promise<number> => {
        const headers = {
          host: 'days.example',
          'x-forwarded-proto': 'https',
          'x-forwarded-for': forwarded,
        };
        return (await api.inject({ url: '/console/style.css', headers })).statusCode;
      };
      const asked = [
        await ask('192.0.2.1'),
        await ask('192.0.2.9, 192.0.2.1'),
        await ask('192.0.2.1'),
      ];
      expect([...asked, await ask('192.0.2.2')]).toEqual([200, 200, 429, 200]);
    });
  });
});

describe('a request', () => {
  it.each([
    ['days.example', 200],
    ['DAYS.example:8443', 200],
    ['evil.example', 403],
    ['days.example.evil.example', 403],
    ['days.example@evil.example', 403],
    ['evil.example#days.example', 403],
    ['', 403],
  ])('to the host %j is answered by %s', async (host, status) => {
    await withApi({}, async (api) => {
      expect((await api.inject({ url: '/console/style.css', headers: { host } })).statusCode).toBe(
        status,
      );
    });
  });

  it.each([
    [URL, 303],
    ['https://days.example:8443', 403],
    ['http://days.example', 403],
    ['https://evil.example', 403],
    ['null', 403],
  ])('that changes something from the origin %s is answered by %s', async (origin, status) => {
    await withApi({}, async (api) => {
      const link = await createLink(engine.documents, { name: 'a', role: 'admin' }, engine.now());
      const headers = { host: 'days.example' };
      const entered = await api.inject({ url: `/console/enter?link=${link}`, headers });
      const cookie = String(entered.headers['set-cookie']).split(';')[0] ?? '';
      const left = await api.inject({
        method: 'POST',
        url: '/console/leave',
        headers: { ...headers, origin, cookie, 'sec-fetch-site': 'same-origin' },
      });
      expect(left.statusCode).toBe(status);
    });
  });

  it.each(['https://evil.example', 'null', URL])(
    'of a page of %s may not read with a session',
    async (origin) => {
      await withApi({ corsOrigins: ['https://grid.example'] }, async (api) => {
        for (const method of ['GET', 'OPTIONS'] as const) {
          const asked = { origin, 'access-control-request-method': 'POST' };
          const answer = await api.inject({
            method,
            url: '/api/v1/pipelines',
            headers: { host: 'days.example', ...asked },
          });
          expect(answer.headers['access-control-allow-origin']).toBeUndefined();
          expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
        }
      });
    },
  );
});

describe('a server with a certificate', () => {
  it('speaks https and nothing else', async () => {
    await withApi({ tls }, async (api) => {
      await api.listen({ host: '127.0.0.1', port: 0 });
      const { port } = api.server.address() as AddressInfo;
      const answer = await new Promise<{ status?: number | undefined; hsts: unknown }>(
        (done, fail) => {
          const options = {
            port,
            host: '127.0.0.1',
            servername: 'days.example',
            ca: tls.cert,
            agent: false,
          } as const;
          request(
            { ...options, path: '/console/style.css', headers: { host: 'days.example' } },
            (response) => {
              response.resume();
              done({
                status: response.statusCode,
                hsts: response.headers['strict-transport-security'],
              });
            },
          )
            .on('error', fail)
            .end();
        },
      );
      expect(answer).toEqual({ status: 200, hsts: expect.stringContaining('max-age=') as string });
      const plain = await new Promise<string>((done) => {
        let told = '';
        const socket = connect(port, '127.0.0.1', () =>
          socket.write('GET / HTTP/1.1\r\nHost: days.example\r\n\r\n'),
        );
        socket.on('data', (data) => (told += data.toString('latin1')));
        socket.on('error', () => undefined);
        socket.on('close', () => {
          done(told);
        });
      });
      expect(plain).not.toContain('200');
      api.server.closeAllConnections();
    });
  });
});
