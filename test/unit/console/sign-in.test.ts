import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { parseRoleRules } from '../../../src/config/role-rules.ts';
import type { SignInSettings } from '../../../src/config/sign-in.ts';
import { lastAudit } from '../../../src/api/shared/audit.ts';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { signInAtIssuer, startOidcIssuer } from '../../fixtures/oidc-issuer.ts';
import type { OidcIssuer } from '../../fixtures/oidc-issuer.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { InjectedBrowser, PUBLIC_URL } from '../../fixtures/injected-browser.ts';

/** Signing in by an issuer as others run it. */

const GROUPS = { alice: ['grid', 'staff'], bob: ['staff'], carol: ['elsewhere'], root: ['admins'] };
const RULES = 'admins=admin; grid=operator; staff=reader:tiny';

let engine: TestEngine;
let issuer: OidcIssuer;
let api: ApiApp;
let now = Date.now();

function settingsFor({ url, clientId, clientSecret }: OidcIssuer, rules = RULES): SignInSettings {
  const asked = {
    url,
    clientId,
    clientSecret,
    clientAuth: 'basic',
    scopes: 'openid profile',
  } as const;
  const claims = { roleClaim: 'groups', nameClaim: 'preferred_username' };
  return { issuer: asked, ...claims, rules: parseRoleRules(rules).rules };
}

function openApi(signIn: SignInSettings): Promise<ApiApp> {
  const hosts = [new URL(PUBLIC_URL).hostname];
  return openTestApi(engine, { loopback: false, hosts, publicUrl: PUBLIC_URL, signIn });
}

beforeAll(async () => {
  const tiny = tinyDataset({ baseUrl: 'http://127.0.0.1:1' });
  engine = await openTestEngine([tiny], { now: () => new Date(now) });
  issuer = await startOidcIssuer({ publicUrl: PUBLIC_URL, groups: GROUPS });
  api = await openApi(settingsFor(issuer));
});

afterEach(() => {
  now = Date.now();
});

afterAll(async () => {
  await api.close();
  await issuer.close();
  await engine.close();
});

async function signIn(
  name: string,
  browser = new InjectedBrowser(api),
  next = '/console',
): Promise<InjectedBrowser> {
  const { location } = await browser.open(`/console/sign-in?next=${encodeURIComponent(next)}`);
  const back = await signInAtIssuer(location!, name);
  await browser.open(back.pathname + back.search);
  return browser;
}

/** Who did what, and how. */
async function audit(): Promise<(readonly [string, string, string])[]> {
  const lines = await lastAudit(engine.documents, new Date(), 1_000);
  return lines.map(({ by, action, reason }) => [by, action, reason] as const);
}

describe('signing in by an issuer', () => {
  it('leads there with a challenge, a state and a nonce, and nothing of a secret', async () => {
    const { status, location } = await new InjectedBrowser(api).open('/console/sign-in');
    const address = new URL(location!);
    expect([status, address.origin]).toEqual([303, issuer.url]);
    const asked = Object.fromEntries(address.searchParams);
    expect(asked).toMatchObject({
      client_id: 'quotidien',
      response_type: 'code',
      scope: 'openid profile',
      redirect_uri: `${PUBLIC_URL}/console/signed-in`,
      code_challenge_method: 'S256',
    });
    for (const name of ['code_challenge', 'state', 'nonce'])
      expect(asked[name]).toMatch(/^[\w-]{43}$/);
    expect(location).not.toContain(issuer.clientSecret);
  });

  it('begins a session with the name and the role of the claims, in a cookie of this origin alone', async () => {
    const browser = new InjectedBrowser(api);
    const { location } = await browser.open('/console/sign-in?next=%2Fconsole%2Fgaps%3Flang%3Den');
    const kept = browser.received.join('\n');
    expect(kept).toMatch(
      /^__Host-quotidien-sign-in-[\w-]{12}=[\w-]+; Path=\/; HttpOnly; SameSite=Lax; Secure; Max-Age=600$/,
    );
    const back = await signInAtIssuer(location!, 'alice');
    const landed = await browser.open(back.pathname + back.search);
    expect([landed.status, landed.location]).toEqual([303, '/console/gaps?lang=en']);
    const [forgotten, session] = browser.received;
    expect(forgotten).toMatch(/^__Host-quotidien-sign-in-[\w-]{12}=; .*Max-Age=0$/);
    expect(session).toMatch(
      /^__Host-quotidien-session=[\w-]{43}; Path=\/; HttpOnly; SameSite=Lax; Secure$/,
    );
    const { html } = await browser.open('/console?lang=en');
    expect(html).toContain('oidc:alice@grid · operator');
  });

  it('is written down with who it was at the issuer, and as what', async () => {
    await signIn('alice');
    const reason = `operator reader:tiny, by ${issuer.url} as alice`;
    expect(await audit()).toContainEqual(['oidc:alice@grid', 'sign-in', reason]);
  });

  it('reads the claims of the user information where the id token has none', async () => {
    const other = await startOidcIssuer({
      publicUrl: PUBLIC_URL,
      groups: GROUPS,
      byUserInfo: true,
    });
    const own = await openApi(settingsFor(other));
    const browser = await signIn('root', new InjectedBrowser(own));
    expect((await browser.open('/console?lang=en')).html).toContain(
      'oidc:root@grid · administrator',
    );
    await own.close();
    await other.close();
  });

  it('refuses who has no role here, and says so in the audit', async () => {
    const browser = new InjectedBrowser(api);
    const { location } = await browser.open('/console/sign-in');
    const back = await signInAtIssuer(location!, 'carol');
    const { status, html } = await browser.open(back.pathname + back.search);
    expect([status, html]).toEqual([
      403,
      expect.stringContaining('oidc:carol@grid has no role here'),
    ]);
    expect((await browser.open('/console')).status).toBe(401);
    expect(await audit()).toContainEqual([
      'oidc:carol@grid',
      'sign-in/refused',
      expect.stringContaining('AUTH_DENIED'),
    ]);
  });

  it('takes a new secret in place of one that the browser had, whose session ends', async () => {
    const browser = new InjectedBrowser(api);
    browser.set('__Host-quotidien-session', 'A'.repeat(43));
    await signIn('alice', browser);
    const first = browser.cookie('__Host-quotidien-session');
    expect(first).not.toBe('A'.repeat(43));
    await signIn('alice', browser);
    expect(browser.cookie('__Host-quotidien-session')).not.toBe(first);
    const old = new InjectedBrowser(api);
    old.set('__Host-quotidien-session', first!);
    expect((await old.open('/console')).status).toBe(401);
  });

  it('works in two tabs at once', async () => {
    const browser = new InjectedBrowser(api);
    const tabs = [
      await browser.open('/console/sign-in?next=/console/gaps'),
      await browser.open('/console/sign-in'),
    ];
    const [first, second] = await Promise.all(
      tabs.map(({ location }) => signInAtIssuer(location!, 'alice')),
    );
    const ends = await Promise.all(
      [first!, second!].map((back) => browser.open(back.pathname + back.search)),
    );
    expect(ends.map(({ status, location }) => [status, location])).toEqual([
      [303, '/console/gaps'],
      [303, '/console'],
    ]);
    expect((await browser.open('/console?lang=en')).html).toContain('oidc:alice@grid');
  });

  it('keeps at most four that were begun, however often a page has it begun', async () => {
    const browser = new InjectedBrowser(api);
    for (let count = 0; count < 8; count += 1) await browser.open('/console/sign-in');
    expect(browser.names.filter((name) => name.includes('sign-in'))).toHaveLength(4);
  });

  it('leaves no trace in the stores of who only begins it', async () => {
    const before = await audit();
    for (let count = 0; count < 3; count += 1)
      await new InjectedBrowser(api).open('/console/sign-in');
    await new InjectedBrowser(api).open('/console/signed-in?code=x&state=y');
    expect(await audit()).toEqual(before);
  });
});

describe('what came back from the issuer', () => {
  it('is good once', async () => {
    const browser = new InjectedBrowser(api);
    const { location } = await browser.open('/console/sign-in');
    const kept = browser.copy();
    const back = await signInAtIssuer(location!, 'alice');
    const path = back.pathname + back.search;
    expect((await browser.open(path)).status).toBe(303);
    expect((await browser.open(path)).status).toBe(401);
    // The same with what the browser has forgotten by now: the issuer knows its code.
    const { status, html } = await kept.open(path);
    expect([status, html]).toEqual([401, expect.stringContaining('invalid_grant')]);
    expect((await kept.open('/console')).status).toBe(401);
  });

  it('is of no use in another browser', async () => {
    const { location } = await new InjectedBrowser(api).open('/console/sign-in');
    const back = await signInAtIssuer(location!, 'alice');
    const other = new InjectedBrowser(api);
    await other.open('/console/sign-in');
    const { status, html } = await other.open(back.pathname + back.search);
    expect([status, html]).toEqual([401, expect.stringContaining('not begun in this browser')]);
  });

  it('is of no use with the verifier of another sign-in', async () => {
    const victim = new InjectedBrowser(api);
    const back = await signInAtIssuer((await victim.open('/console/sign-in')).location!, 'alice');
    const attacker = new InjectedBrowser(api);
    await attacker.open('/console/sign-in');
    const own = JSON.parse(
      Buffer.from(attacker.cookie(attacker.names[0]!)!, 'base64url').toString(),
    ) as object;
    const state = back.searchParams.get('state')!;
    const forged = Buffer.from(JSON.stringify({ ...own, state })).toString('base64url');
    attacker.set(`__Host-quotidien-sign-in-${state.slice(0, 12)}`, forged);
    const { status, html } = await attacker.open(back.pathname + back.search);
    expect([status, html]).toEqual([401, expect.stringContaining('invalid_grant')]);
  });

  it('is too late after ten minutes', async () => {
    const browser = new InjectedBrowser(api);
    const back = await signInAtIssuer((await browser.open('/console/sign-in')).location!, 'alice');
    now += 601_000;
    expect((await browser.open(back.pathname + back.search)).status).toBe(401);
  });
});

describe('a session that an issuer began', () => {
  it('ends with its hours, and when who is what is decided by other rules', async () => {
    const browser = await signIn('alice');
    const other = await openApi(settingsFor(issuer, 'admins=admin; grid=reader'));
    expect((await browser.at(other).open('/console')).status).toBe(401);
    expect((await browser.open('/console')).status).toBe(200);
    now += 12 * 3_600_000;
    expect((await browser.open('/console')).status).toBe(401);
    await other.close();
  });

  it('ends when its person leaves, who is led to the sign-out of the issuer', async () => {
    const browser = await signIn('alice');
    const kept = browser.copy();
    const left = await browser.send('/console/leave?lang=en');
    expect([left.status, left.html]).toEqual([200, expect.stringContaining('You have left')]);
    const address = new URL(String(left.refresh).replace('0; url=', ''));
    expect(address.href.startsWith(`${issuer.url}/session/end?`)).toBe(true);
    expect(Object.fromEntries(address.searchParams)).toEqual({
      client_id: 'quotidien',
      post_logout_redirect_uri: `${PUBLIC_URL}/console`,
    });
    expect([(await kept.open('/console')).status, (await browser.open('/console')).status]).toEqual(
      [401, 401],
    );
    expect(await audit()).toContainEqual(['oidc:alice@grid', 'leave', 'left']);
  });
});

describe('an issuer that does not answer', () => {
  it('is told of, and leaves alone who is signed in', async () => {
    const gone = await startOidcIssuer({ publicUrl: PUBLIC_URL, groups: GROUPS });
    const own = await openApi(settingsFor(gone));
    const browser = await signIn('alice', new InjectedBrowser(own));
    const begun = new InjectedBrowser(own);
    const back = await signInAtIssuer((await begun.open('/console/sign-in')).location!, 'alice');
    await gone.close();
    expect((await browser.open('/console')).status).toBe(200);
    const { status, html } = await begun.open(back.pathname + back.search);
    expect([status, html]).toEqual([503, expect.stringContaining('ISSUER_UNAVAILABLE')]);
    const fresh = await openApi(settingsFor(gone));
    expect((await new InjectedBrowser(fresh).open('/console/sign-in')).status).toBe(503);
    await fresh.close();
    await own.close();
  });
});
