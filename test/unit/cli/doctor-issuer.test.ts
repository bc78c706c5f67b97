import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, it, onTestFinished } from 'vitest';
import { examineIssuer } from '../../../src/cli/doctor/issuer.ts';
import type { Finding } from '../../../src/cli/doctor/finding.ts';
import { loadConfig } from '../../../src/config/load-config.ts';
import { closeServer } from '../../fixtures/issuer-parts.ts';
import { startOidcIssuer } from '../../fixtures/oidc-issuer.ts';

function examine(
  url: string | undefined,
  roles = 'grid=operator:tiny; *=reader',
): Promise<Finding[]> {
  const named = {
    QUOTIDIEN_OIDC_ISSUER: url,
    QUOTIDIEN_OIDC_CLIENT_ID: 'quotidien',
    QUOTIDIEN_OIDC_ROLES: roles,
  };
  return examineIssuer(
    loadConfig({ env: url === undefined ? {} : named, cwd: '/nowhere', hosts: [] }),
    ['tiny'],
  );
}

/** Answers each path by a JSON value, under a time of its own. */
async function serve(
  pages: (url: string) => Readonly<Record<string, object>>,
  date = new Date(),
): Promise<string> {
  const server = createServer((request, response) => {
    const page = pages(url)[request.url ?? ''];
    response.writeHead(page === undefined ? 404 : 200, {
      'content-type': 'application/json',
      date: date.toUTCString(),
    });
    response.end(JSON.stringify(page ?? {}));
  });
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  onTestFinished(() => closeServer(server));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return url;
}

const DISCOVERY = '/.well-known/openid-configuration';
const standing = (findings: readonly Finding[]) =>
  findings.map(({ subject, status }) => `${subject} ${status}`);

describe('the doctor, of the issuer', () => {
  it('says nothing where there is none', async () => {
    expect(await examine(undefined)).toEqual([]);
  });

  it('finds what it is, its keys, its time, and what its claims are worth', async () => {
    const issuer = await startOidcIssuer({ publicUrl: 'https://data.example', groups: {} });
    onTestFinished(() => issuer.close());
    const findings = await examine(issuer.url);
    expect(standing(findings)).toEqual(['issuer ok', 'keys ok', 'clock ok', 'roles ok']);
    expect(findings[0]).toMatchObject({
      detail: `${issuer.url} says what it is, and signs people out too`,
    });
    expect(findings[3]).toMatchObject({
      detail: 'groups: grid → operator (tiny), * → reader (all)',
    });
  });

  it('fails when nobody answers, or somebody who is called otherwise', async () => {
    const other = await serve((url) => ({
      [DISCOVERY]: { issuer: `${url}/realms/x`, jwks_uri: `${url}/keys` },
    }));
    for (const url of ['http://127.0.0.1:1', other]) {
      const [finding] = await examine(url);
      expect(finding).toMatchObject({
        status: 'fail',
        next: expect.stringContaining('QUOTIDIEN_OIDC_ISSUER') as string,
      });
    }
  });

  it('warns of a clock that differs, and of an issuer without PKCE, and fails without keys', async () => {
    const late = new Date(Date.now() - 120_000);
    const url = await serve((own) => {
      const said = {
        issuer: own,
        jwks_uri: `${own}/keys`,
        code_challenge_methods_supported: ['plain'],
      };
      return { [DISCOVERY]: said, '/keys': { keys: [] } };
    }, late);
    expect(standing(await examine(url))).toEqual([
      'issuer warn',
      'keys fail',
      'clock warn',
      'roles ok',
    ]);
  });

  it('fails for a role at a pipeline that is none', async () => {
    const findings = await examine('http://127.0.0.1:1', 'grid=reader:tinny');
    expect(findings.at(-1)).toMatchObject({
      status: 'fail',
      detail: expect.stringContaining('nearest is tiny') as string,
    });
  });
});
