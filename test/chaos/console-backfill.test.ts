import path from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLink } from '../../src/api/security/sessions.ts';
import { startApi } from '../../src/cli/services/api-server.ts';
import type { RunningApi } from '../../src/cli/services/api-server.ts';
import { loadConfig } from '../../src/config/load-config.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { openEngine } from '../../src/workers/open-engine.ts';
import type { OpenEngine } from '../../src/workers/open-engine.ts';
import { hasBrowser, openBrowser, tabTo } from '../fixtures/browser.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { killWorker } from './day-worker.ts';
import { openTinyStage } from './tiny-stage.ts';
import type { TinyStage } from './tiny-stage.ts';

const QUEUE = 'console';

let stage: TinyStage;
let engine: OpenEngine;
let api: RunningApi;
let browser: Browser;

describe.skipIf(!hasBrowser)('a person at the keyboard, without scripts', () => {
  beforeAll(async () => {
    stage = await openTinyStage(datesBetween('2024-01-01', '2024-01-31'));
    const home = path.join(stage.folder, 'home');
    const { address } = stage;
    const env = {
      QUOTIDIEN_TINY_URL: stage.publisher.url,
      QUOTIDIEN_TASK_QUEUE: QUEUE,
      TEMPORAL_ADDRESS: address,
    };
    engine = await openEngine(loadConfig({ env, cwd: home, home, hosts: ['tiny'] }), {
      tiny: tinyDataset({ baseUrl: stage.publisher.url }),
    });
    api = await startApi(testContext({ ...engine, home }, env), { host: '127.0.0.1', port: 0 });
    browser = await openBrowser();
  });

  afterAll(async () => {
    await browser.close();
    await api.close();
    await engine.close();
    await stage.close();
  });

  async function signIn(): Promise<Page> {
    const page = await (await browser.newContext({ javaScriptEnabled: false })).newPage();
    const link = await createLink(
      engine.documents,
      { name: 'alice@host', role: 'operator' },
      engine.now(),
    );
    await page.goto(`${api.url}/console/enter?link=${link}`);
    return page;
  }

  it('plans, starts, pauses, resumes and finishes a backfill whose worker is killed and started again meanwhile', async () => {
    const home = path.join(stage.folder, 'home');
    const victim = await stage.startWorker(home, QUEUE);
    const page = await signIn();
    await page.goto(`${api.url}/console/backfills?lang=en`);
    await tabTo(page, 'input[name="from"]');
    await page.keyboard.type('01102024');
    await tabTo(page, 'input[name="to"]');
    await page.keyboard.type('01142024');
    await tabTo(page, 'form[action*="/plan"] button');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/console\/plans\/tiny\//);
    const held = stage.publisher.holdNext('readings');
    await tabTo(page, 'form[action*="/start"] input[name="reason"]');
    await page.keyboard.type('because of a test');
    await page.keyboard.press('Enter');
    await page.waitForURL(/\/console\/backfills\/tiny\//);
    await held.arrived;
    await killWorker(victim);
    held.release();
    const address = page.url();
    await page.goto(address, { timeout: 30_000 });
    await page.getByText('No worker answers').waitFor();
    await stage.startWorker(home, QUEUE);
    await page.goto(address, { timeout: 30_000 });
    await tabTo(page, 'form[action*="/pause"] input[name="reason"]');
    await page.keyboard.type('a look at it');
    await page.keyboard.press('Enter');
    await page.waitForURL(/done=pause/, { timeout: 60_000 });
    await tabTo(page, 'form[action*="/resume"] input[name="reason"]');
    await page.keyboard.type('looks good');
    await page.keyboard.press('Enter');
    await page.waitForURL(/done=resume/, { timeout: 60_000 });
    const id = decodeURIComponent(new URL(address).pathname).replace(
      '/console/backfills/',
      'backfill/',
    );
    expect(await stage.client.workflow.getHandle(id).result()).toMatchObject({
      done: 5,
      failedDays: 0,
    });
    await page.goto(address);
    await page.getByText('5 / 5').waitFor();
  }, 180_000);
});
