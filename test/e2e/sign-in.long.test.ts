import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { lastAudit } from '../../src/api/shared/audit.ts';
import { startApi } from '../../src/cli/services/api-server.ts';
import type { RunningApi } from '../../src/cli/services/api-server.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { accessibilityFaults, hasBrowser, openBrowser } from '../fixtures/browser.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { startHttpsProxy } from '../fixtures/https-proxy.ts';
import type { HttpsProxy } from '../fixtures/https-proxy.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { startOidcIssuer } from '../fixtures/oidc-issuer.ts';
import type { OidcIssuer } from '../fixtures/oidc-issuer.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

/**
 * The console for others, in Debian's Chromium: a proxy that speaks https, the program's server
 * behind it, an issuer beside it.
 */

let publisher: TinyPublisher;
let installation: Installation;
let proxy: HttpsProxy;
let issuer: OidcIssuer;
let api: RunningApi;
let browser: Browser;

describe.skipIf(!hasBrowser)('the console for others, in a browser', () => {
  beforeAll(async () => {
    publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-01-10'));
    proxy = await startHttpsProxy();
    const groups = { alice: ['grid'], bob: ['staff'], carol: [] };
    issuer = await startOidcIssuer({ publicUrl: proxy.url, groups });
    installation = await openInstallation({
      datasets: { tiny: tinyDataset({ baseUrl: publisher.url }) },
      settings: { QUOTIDIEN_HTTP_IDLE_MS: '60000' },
    });
    const { engine, home, address } = installation;
    const context = testContext(
      { ...engine, home },
      {
        TEMPORAL_ADDRESS: address,
        QUOTIDIEN_OIDC_ISSUER: issuer.url,
        QUOTIDIEN_OIDC_CLIENT_ID: issuer.clientId,
        QUOTIDIEN_OIDC_CLIENT_SECRET: issuer.clientSecret,
        QUOTIDIEN_OIDC_ROLES: 'grid=operator; staff=reader',
        QUOTIDIEN_TRUSTED_PROXIES: '127.0.0.1',
      },
    );
    api = await startApi(context, { host: '127.0.0.1', port: 0, publicUrl: proxy.url });
    proxy.passTo(api.listensOn);
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await proxy.close();
    await api.close();
    await issuer.close();
    await installation.close();
    await publisher.close();
  });

  /** A browser of somebody, with what its pages complained of. */
  async function openContext(javaScriptEnabled = true): Promise<{ page: Page; faults: string[] }> {
    const context = await browser.newContext({ ignoreHTTPSErrors: true, javaScriptEnabled });
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error' && message.location().url.startsWith(proxy.url))
        faults.push(message.text());
    });
    return { page, faults };
  }

  async function signIn(
    page: Page,
    name: string,
    from = '/console/tiny/2024-01-02?lang=en',
  ): Promise<void> {
    await page.goto(proxy.url + from);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.locator('input[name="login"]').fill(name);
    await page.locator('input[name="password"]').fill('any');
    await page.locator('button[type="submit"]').click();
    await page.waitForURL((url) => url.origin === proxy.url);
  }

  it.each([true, false])(
    'signs an operator in, who acts and leaves; scripts: %s',
    async (javaScriptEnabled) => {
      const { page, faults } = await openContext(javaScriptEnabled);
      await signIn(page, 'alice');
      expect(page.url()).toBe(`${proxy.url}/console/tiny/2024-01-02?lang=en`);
      expect(await page.locator('form.who').innerText()).toContain('oidc:alice@grid · operator');
      const cookies = await page.context().cookies(proxy.url);
      expect(
        cookies.map(({ name, secure, httpOnly, sameSite }) => [name, secure, httpOnly, sameSite]),
      ).toEqual([['__Host-quotidien-session', true, true, 'Lax']]);
      // The first page was refused, which the browser itself remarks.
      faults.length = 0;
      const date = javaScriptEnabled ? '2024-01-03' : '2024-01-04';
      await page.goto(`${proxy.url}/console/tiny/${date}?lang=en`);
      await page.locator('form[action*="/run"] input[name="reason"]').fill('because of a test');
      await page.locator('form[action*="/run"] button').click();
      await page.getByRole('status').waitFor();
      await expect
        .poll(
          async () => {
            await page.goto(`${proxy.url}/console/tiny/${date}?lang=en`);
            return page.getByRole('link', { name: 'html' }).count();
          },
          { timeout: 30_000 },
        )
        .toBeGreaterThan(0);
      await page.locator('form.who button').click();
      await page.waitForURL((url) => url.origin === issuer.url);
      await page.locator('button[name="logout"], button[type="submit"]').first().click();
      await page.waitForURL((url) => url.origin === proxy.url);
      expect(new URL(page.url()).pathname).toBe('/console');
      await page
        .getByRole('link', { name: 'Sign in' })
        .or(page.getByRole('link', { name: 'Se connecter' }))
        .waitFor();
      expect(await page.context().cookies(proxy.url)).toEqual([]);
      // The page after leaving is refused, as every page is to who is not signed in.
      expect(faults.filter((fault) => !fault.includes('401'))).toEqual([]);
      const { engine } = installation;
      const lines = await lastAudit(engine.documents, engine.now(), 20);
      const done = lines.filter(({ by }) => by === 'oidc:alice@grid').map(({ action }) => action);
      expect(done.slice(0, 3)).toEqual(['leave', 'run', 'sign-in']);
    },
  );

  it('shows a reader no forms, and somebody without a role the way out', async () => {
    const reader = await openContext();
    await signIn(reader.page, 'bob');
    expect(await reader.page.locator('form.who').innerText()).toContain('oidc:bob@grid · reader');
    expect(await reader.page.locator('form[action*="/run"]').count()).toBe(0);
    const stranger = await openContext();
    await signIn(stranger.page, 'carol');
    expect(await stranger.page.locator('main').innerText()).toContain(
      'oidc:carol@grid has no role here',
    );
    expect(await accessibilityFaults(stranger.page)).toEqual([]);
  });

  it('is reached by the proxy alone', async () => {
    const direct = await fetch(`${api.listensOn}/console/style.css`);
    expect(direct.status).toBe(403);
  });
});
