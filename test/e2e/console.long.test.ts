import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createLink } from '../../src/api/security/sessions.ts';
import { startApi } from '../../src/cli/services/api-server.ts';
import type { RunningApi } from '../../src/cli/services/api-server.ts';
import { applySchedules } from '../../src/schedules/apply-schedules.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { accessibilityFaults, hasBrowser, openBrowser, tabTo } from '../fixtures/browser.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { runDay } from '../fixtures/run-day.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

/** The console as a person uses it, in Debian's Chromium. */

let publisher: TinyPublisher;
let installation: Installation;
let api: RunningApi;
let browser: Browser;

describe.skipIf(!hasBrowser)('the console in a browser', () => {
  beforeAll(async () => {
    publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-01-31'));
    installation = await openInstallation({
      datasets: { tiny: tinyDataset({ baseUrl: publisher.url }) },
      settings: { QUOTIDIEN_HTTP_IDLE_MS: '60000' },
    });
    const { engine, home, address } = installation;
    const context = testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address });
    api = await startApi(context, { host: '127.0.0.1', port: 0 });
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await api.close();
    await installation.close();
    await publisher.close();
  });

  /** A page of a browser that has followed the link, with what went wrong in it. */
  async function openPage(options: {
    readonly javaScriptEnabled: boolean;
  }): Promise<{ page: Page; faults: string[] }> {
    const context = await browser.newContext(options);
    onTestFinished(() => context.close());
    const page = await context.newPage();
    const faults: string[] = [];
    page.on('pageerror', (error) => faults.push(error.message));
    page.on('console', (message) => {
      if (message.type() === 'error') faults.push(message.text());
    });
    const { engine } = installation;
    const link = await createLink(
      engine.documents,
      { name: 'alice@host', role: 'operator' },
      engine.now(),
    );
    await page.goto(`${api.url}/console/enter?link=${link}`);
    await page.waitForURL(/\/console$/);
    return { page, faults };
  }

  it('shows a day that was committed without being asked again, and keeps where the keyboard is', async () => {
    const { page, faults } = await openPage({ javaScriptEnabled: true });
    await page.goto(`${api.url}/console/tiny/2024?lang=en`);
    const day = page.locator('a[href^="/console/tiny/2024-01-02"]');
    await day.focus();
    expect(await day.locator('..').getAttribute('class')).toBe('missing');
    await runDay(installation.engine, 'tiny', '2024-01-02');
    await page.locator('li.ok a[href^="/console/tiny/2024-01-02"]').waitFor({ timeout: 20_000 });
    expect(await page.evaluate('document.activeElement.getAttribute("href")')).toContain(
      '/console/tiny/2024-01-02',
    );
    expect(faults).toEqual([]);
  });

  it('leaves a form alone in which somebody types, and follows a run that is under way', async () => {
    const date = '2024-01-05';
    const { page, faults } = await openPage({ javaScriptEnabled: true });
    const held = publisher.holdNext('readings');
    await page.goto(`${api.url}/console/tiny/${date}?lang=en`);
    await page.locator('form[action*="/run"] input[name="reason"]').fill('because of a test');
    await page.locator('form[action*="/run"] button').click();
    await page.getByRole('status').waitFor();
    await held.arrived;
    await page.reload();
    await page.getByRole('heading', { name: 'A run is under way' }).waitFor();
    held.release();
    await page
      .getByText('report.html')
      .or(page.getByRole('link', { name: 'html' }))
      .first()
      .waitFor({ timeout: 30_000 });
    await page
      .getByRole('heading', { name: 'A run is under way' })
      .waitFor({ state: 'detached', timeout: 30_000 });
    const reason = page.locator('form[action*="/verify"] input[name="reason"]');
    await reason.fill('typed so far');
    await runDay(installation.engine, 'tiny', '2024-01-06');
    await page.waitForResponse((response) => response.url().includes(`/console/tiny/${date}`), {
      timeout: 20_000,
    });
    expect(await reason.inputValue()).toBe('typed so far');
    expect(faults).toEqual([]);
  });

  it('has a backfill planned, started, paused, resumed and finished by the keyboard alone, without scripts', async () => {
    const { page } = await openPage({ javaScriptEnabled: false });
    await page.goto(`${api.url}/console/backfills?lang=en`);
    await tabTo(page, 'input[name="from"]');
    await page.keyboard.type('01102024');
    await tabTo(page, 'input[name="to"]');
    await page.keyboard.type('01142024');
    await tabTo(page, 'form[action*="/plan"] button');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/console\/plans\/tiny\//);
    const held = publisher.holdNext('readings');
    await tabTo(page, 'form[action*="/start"] input[name="reason"]');
    await page.keyboard.type('because of a test');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/console\/backfills\/tiny\//);
    await held.arrived;
    await tabTo(page, 'form[action*="/pause"] input[name="reason"]');
    await page.keyboard.type('a look at it');
    await page.keyboard.press('Enter');
    await page.waitForURL(/done=pause/);
    held.release();
    await tabTo(page, 'form[action*="/resume"] input[name="reason"]');
    await page.keyboard.type('looks good');
    await page.keyboard.press('Enter');
    await page.waitForURL(/done=resume/);
    const id = decodeURIComponent(new URL(page.url()).pathname).replace(
      '/console/backfills/',
      'backfill/',
    );
    await installation.client.workflow.getHandle(id).result();
    await page.goto(page.url());
    await page.getByText('5 / 5').waitFor();
  });

  it('has nothing wrong in its pages with forms and runs, on a telephone and on a dark screen', async () => {
    const { engine, client } = installation;
    await applySchedules(client, engine.datasets, 'quotidien');
    const { page } = await openPage({ javaScriptEnabled: true });
    const held = publisher.holdNext('readings');
    await page.goto(`${api.url}/console/tiny/2024-01-20?lang=en`);
    await page.locator('form[action*="/run"] input[name="reason"]').fill('because of a test');
    await page.locator('form[action*="/run"] button').click();
    await held.arrived;
    const faults: string[] = [];
    for (const path of [
      '/console/schedules',
      '/console/tiny/2024-01-20',
      '/console/tiny/years',
      '/console/backfills',
    ]) {
      await page.setViewportSize({ width: 390, height: 900 });
      await page.emulateMedia({ colorScheme: 'light' });
      await page.goto(`${api.url}${path}?lang=fr`);
      faults.push(...(await accessibilityFaults(page)).map((fault) => `${path} 390 ${fault}`));
      await page.setViewportSize({ width: 1280, height: 900 });
      await page.emulateMedia({ colorScheme: 'dark' });
      faults.push(...(await accessibilityFaults(page)).map((fault) => `${path} 1280 ${fault}`));
      await page.screenshot({
        path: `/tmp/console-${path.replaceAll('/', '-')}.png`,
        fullPage: true,
      });
    }
    held.release();
    expect(faults).toEqual([]);
  });
});
