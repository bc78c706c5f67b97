import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseRoleRules } from '../../../src/config/role-rules.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { startForgingIssuer } from '../../fixtures/forging-issuer.ts';
import type { Forgery, ForgingIssuer } from '../../fixtures/forging-issuer.ts';
import { InjectedBrowser, PUBLIC_URL } from '../../fixtures/injected-browser.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';

/** Signing in where what comes from the issuer is not what it has to be. */

const NAME = 'grid:console';
const SECRET = 'se cret';

let engine: TestEngine;
let issuer: ForgingIssuer;
let api: ApiApp;

function openApi(clientAuth: 'basic' | 'post' = 'post'): Promise<ApiApp> {
  const asked = {
    url: issuer.url,
    clientId: NAME,
    clientSecret: SECRET,
    clientAuth,
    scopes: 'openid',
  } as const;
  const { rules } = parseRoleRules('grid=operator');
  const signIn = { issuer: asked, roleClaim: 'groups', nameClaim: 'preferred_username', rules };
  return openTestApi(engine, {
    loopback: false,
    hosts: ['data.example'],
    publicUrl: PUBLIC_URL,
    signIn,
  });
}

beforeAll(async () => {
  engine = await openTestEngine([tinyDataset({ baseUrl: 'http://127.0.0.1:1' })]);
  issuer = await startForgingIssuer(NAME);
  api = await openApi();
});

afterAll(async () => {
  await api.close();
  await issuer.close();
  await engine.close();
});

interface Begun {
  readonly browser: InjectedBrowser;
  readonly state: string;
  readonly nonce: string;
}

async function begin(next = '/console', app = api): Promise<Begun> {
  const browser = new InjectedBrowser(app);
  const { location } = await browser.open(`/console/sign-in?next=${encodeURIComponent(next)}`);
  const { searchParams } = new URL(location!);
  return { browser, state: searchParams.get('state')!, nonce: searchParams.get('nonce')! };
}

async function comeBack(
  { browser, state }: Begun,
  answer: Readonly<Record<string, string>> = {},
): Promise<{ status: number; html: string; location: string | undefined; isIn: boolean }> {
  const query = new URLSearchParams({ code: 'c', state, iss: issuer.url, ...answer });
  const { status, html, location } = await browser.open(`/console/signed-in?${query.toString()}`);
  const isIn = (await browser.open('/console')).status === 200;
  return { status, html, location, isIn };
}

const ago = (seconds: number): number => Math.floor(Date.now() / 1000) - seconds;

const LIES: readonly (readonly [what: string, forgery: () => Forgery])[] = [
  ['a nonce of another sign-in', () => ({ claims: { nonce: 'n'.repeat(43) } })],
  ['no nonce', () => ({ claims: { nonce: undefined } })],
  ['another audience', () => ({ claims: { aud: 'another-console' } })],
  [
    'several audiences, and none that it was made for',
    () => ({ claims: { aud: [NAME, 'other'], azp: 'other' } }),
  ],
  ['another issuer', () => ({ claims: { iss: 'https://issuer.example' } })],
  ['an end in the past', () => ({ claims: { iat: ago(600), exp: ago(300) } })],
  ['no end', () => ({ claims: { exp: undefined } })],
  ['a beginning in the future', () => ({ claims: { nbf: ago(-300) } })],
  ['no person', () => ({ claims: { sub: undefined } })],
  ['the signature of another key', () => ({ signature: 'other key' })],
  ['no signature', () => ({ signature: 'none' })],
  ['nothing, because there is none', () => ({ withoutIdToken: true })],
  [
    'another person than the user information',
    () => ({ claims: { groups: undefined }, userInfo: { sub: 'mallory', groups: ['grid'] } }),
  ],
];

describe('an id token', () => {
  it('that is right signs in', async () => {
    const begun = await begin();
    issuer.forge(begun.nonce);
    expect(await comeBack(begun)).toMatchObject({ status: 303, isIn: true });
    expect(issuer.asked.get('redirect_uri')).toBe(`${PUBLIC_URL}/console/signed-in`);
    expect(issuer.asked.get('code_verifier')).toMatch(/^[\w-]{43}$/);
    expect(issuer.asked.get('client_secret')).toBe(SECRET);
  });

  it.each(LIES)('with %s is refused', async (_, forgery) => {
    const begun = await begin();
    issuer.forge(begun.nonce, forgery());
    expect(await comeBack(begun)).toMatchObject({ status: 401, isIn: false });
  });

  it('cannot give a name that is a key, a line or a page', async () => {
    const begun = await begin();
    issuer.forge(begun.nonce, { claims: { preferred_username: 'key:abc\n<script>\u202e' } });
    await comeBack(begun);
    const { html } = await begun.browser.open('/console');
    expect(html).toContain('oidc:key:abc&lt;script> ·');
  });

  it.each([['grid'], [['staff', 'grid']], [{ grid: { org: 1 } }]])(
    'may have the roles as %j',
    async (groups) => {
      const begun = await begin();
      issuer.forge(begun.nonce, { claims: { groups } });
      expect((await comeBack(begun)).isIn).toBe(true);
    },
  );

  it.each([
    ['gridlock'],
    [['GRID']],
    [{ other: 'grid' }],
    [null],
    [[['grid']]],
    ['grid staff'],
    [undefined],
  ])('with %j has no role', async (groups) => {
    const begun = await begin();
    issuer.forge(begun.nonce, { claims: { groups }, userInfo: { sub: 'alice' } });
    expect(await comeBack(begun)).toMatchObject({ status: 403, isIn: false });
  });
});

describe('the answer of the issuer in the address', () => {
  it.each([
    ['a state that no browser has', { state: 's'.repeat(43) }, 401],
    ['another issuer, as in a mix-up', { iss: 'https://issuer.example' }, 401],
    ['no issuer, which this one always names', { iss: '' }, 401],
    ['no code', { code: '' }, 401],
    ['a refusal', { code: '', error: 'access_denied' }, 403],
  ])('with %s is refused', async (_, answer, status) => {
    const begun = await begin();
    issuer.forge(begun.nonce);
    expect(await comeBack(begun, answer as Record<string, string>)).toMatchObject({
      status,
      isIn: false,
    });
  });

  it('with the beginning of a state and not the whole of it is refused', async () => {
    const begun = await begin();
    issuer.forge(begun.nonce);
    const state = begun.state.slice(0, 12) + 'x'.repeat(31);
    expect(await comeBack(begun, { state })).toMatchObject({ status: 401, isIn: false });
  });

  it('is not repeated on our page', async () => {
    const begun = await begin();
    const told = await comeBack(begun, {
      code: '',
      error: 'Call+0900',
      error_description: 'Call 0900',
    });
    expect(told).toMatchObject({ status: 403, isIn: false });
    expect(told.html).not.toContain('0900');
  });

  it('is not asked for by HEAD, nor is the sign-in', async () => {
    for (const url of ['/console/signed-in?state=x', '/console/sign-in'])
      expect(
        (await api.inject({ method: 'HEAD', url, headers: { host: 'data.example' } })).statusCode,
      ).toBe(404);
  });
});

describe('the page that follows a sign-in', () => {
  it.each([
    ['/console/tiny/2024?lang=fr', '/console/tiny/2024?lang=fr'],
    ['https://evil.example/console', '/console'],
    ['//evil.example/console', '/console'],
    ['/\\evil.example/console', '/console'],
    ['\t//evil.example/console', '/console'],
    ['https:evil.example/console', '/console'],
    ['javascript:alert(1)', '/console'],
    ['/console/../api/v1/pipelines', '/console'],
    ['/consolex', '/console'],
    ['/console@evil.example', '/console'],
    ['/console/sign-in', '/console'],
    ['/console/enter?link=x', '/console'],
    ['/console\r\nset-cookie: a=b', '/console'],
    [`/console/${'x'.repeat(2_000)}`, '/console'],
  ])('for %j is %s', async (given, expected) => {
    const begun = await begin(given);
    issuer.forge(begun.nonce);
    expect((await comeBack(begun)).location).toBe(expected);
  });

  it('is ours too where the browser has another one kept', async () => {
    const begun = await begin();
    issuer.forge(begun.nonce);
    const name = begun.browser.names[0]!;
    const kept = JSON.parse(
      Buffer.from(begun.browser.cookie(name)!, 'base64url').toString(),
    ) as object;
    const changed = JSON.stringify({ ...kept, next: 'https://evil.example/' });
    begun.browser.set(name, Buffer.from(changed).toString('base64url'));
    expect((await comeBack(begun)).location).toBe('/console');
  });
});

describe('the secret of the client', () => {
  it('is in the header where the issuer wants it there', async () => {
    const own = await openApi('basic');
    const begun = await begin('/console', own);
    issuer.forge(begun.nonce);
    expect((await comeBack(begun)).isIn).toBe(true);
    expect(issuer.asked.has('client_secret')).toBe(false);
    expect(issuer.authorization).toBe(
      `Basic ${Buffer.from('grid%3Aconsole:se+cret').toString('base64')}`,
    );
    await own.close();
  });
});
