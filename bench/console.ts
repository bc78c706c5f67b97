import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import type { Browser, Page } from 'playwright-core';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { ApiApp } from '../src/api/shared/app.ts';
import { eco2mix } from '../src/datasets/eco2mix/index.ts';
import { newestManifests } from '../src/engine/records/ledger-reader.ts';
import { datesBetween } from '../src/pipelines/civil-date.ts';
import { manifestKey } from '../src/pipelines/manifest.ts';
import { configuredDatasets } from '../src/workers/configured-datasets.ts';
import { openTestApi } from '../test/fixtures/api-server.ts';
import { hasBrowser, openBrowser } from '../test/fixtures/browser.ts';
import { runDay } from '../test/fixtures/run-day.ts';
import { openTestEngine } from '../test/fixtures/test-engine.ts';
import type { TestEngine } from '../test/fixtures/test-engine.ts';
import { median, report } from './figures.ts';

/**
 * The console in Debian's Chromium on the same machine, with fifteen years of days: what pages cost
 * the server, when a browser of a quarter of the speed paints, how long an arrow key takes, and how
 * soon a change is seen. Not measured: a network.
 */

const BEGUN = Date.now();
/** Goes on, because what was told is looked for by the clock. */
const now = (): Date => new Date(Date.parse('2026-05-20T10:00:00Z') + Date.now() - BEGUN);
const DAY = '2026-05-01';
const CHANGED = '2026-05-16';
const ROUNDS = Number(process.env['BENCH_ROUNDS'] ?? 7);
const SLOWDOWN = 4;

async function processorMs(api: ApiApp, url: string): Promise<number> {
  const start = process.cpuUsage();
  const { statusCode } = await api.inject({ url, headers: { host: 'localhost' } });
  if (statusCode !== 200) throw new Error(`${url} gives ${statusCode}`);
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1_000;
}

/** As if each of fifteen years had been made. */
async function fillYears(engine: TestEngine): Promise<void> {
  await runDay(engine, 'eco2mix', DAY);
  const whole = (await newestManifests(engine.documents, 'eco2mix', [DAY])).get(DAY);
  if (whole === undefined) throw new Error('the day has no version');
  const dates = datesBetween('2012-01-01', '2026-05-15').filter((date) => date !== DAY);
  await engine.documents.createMany(
    dates.map((scope) => ({
      key: manifestKey('eco2mix', scope, 1),
      body: { ...whole, scope, version: 1 },
    })),
  );
}

async function serverSide(engine: TestEngine): Promise<void> {
  for (const [name, url, target] of [
    ['calendar of 15 years', '/console/eco2mix/years', 1_500],
    ['calendar of one year', '/console/eco2mix/2020', 1_500],
  ] as const) {
    const cold: number[] = [];
    const warm: number[] = [];
    for (let round = 0; round < ROUNDS; round += 1) {
      const api = await openTestApi(engine);
      cold.push(await processorMs(api, url));
      warm.push(await processorMs(api, url));
      await api.close();
    }
    report({
      name: `${name}, cold, server`,
      value: median(cold),
      unit: 'ms of a processor',
      target,
    });
    report({
      name: `${name}, warm, server`,
      value: median(warm),
      unit: 'ms of a processor',
      target: 300,
    });
  }
}

async function slowPage(browser: Browser): Promise<Page> {
  const page = await (
    await browser.newContext({ viewport: { width: 1280, height: 900 } })
  ).newPage();
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: SLOWDOWN });
  return page;
}

/** Waits for it: a page may be loaded before anything is painted. */
const PAINT = `new Promise((resolve) => {
  new PerformanceObserver((list) => {
    for (const { startTime } of list.getEntriesByName('first-contentful-paint')) resolve(startTime);
  }).observe({ type: 'paint', buffered: true });
})`;

/** From the key to the frame that shows the focus elsewhere. */
const ARROW = `globalThis.pressed = new Promise((resolve) => {
  addEventListener('keydown', (event) => {
    const from = event.timeStamp;
    requestAnimationFrame(() => requestAnimationFrame(() => resolve(performance.now() - from)));
  }, { once: true, capture: true });
}), 0`;

/** What the server takes until the first byte. */
const WAITED = `performance.getEntriesByType('navigation')[0].responseStart`;

/**
 * A page of one word from a bare server: what this machine, as busy as it is now, paints soonest.
 */
async function withBarePage(work: (address: string) => Promise<void>): Promise<void> {
  const server = createServer((_, answer) => {
    answer.setHeader('content-type', 'text/html; charset=utf-8');
    answer.end('<!doctype html><title>Empty</title><p>Empty</p>');
  });
  await new Promise<void>((listening) => server.listen(0, '127.0.0.1', listening));
  await work(`http://127.0.0.1:${(server.address() as AddressInfo).port}/`);
  server.closeAllConnections();
  server.close();
}

async function firstPaint(page: Page, address: string): Promise<number> {
  await page.goto(address, { waitUntil: 'load' });
  return page.evaluate<number>(PAINT);
}

async function inBrowser(browser: Browser, origin: string, bare: string): Promise<void> {
  for (const [name, path] of [
    ['calendar of 15 years', '/console/eco2mix/years'],
    ['calendar of one year', '/console/eco2mix/2026'],
  ] as const) {
    const [paints, floors, waits, keys]: [number[], number[], number[], number[]] = [
      [],
      [],
      [],
      [],
    ];
    for (let round = 0; round < ROUNDS; round += 1) {
      const empty = await slowPage(browser);
      floors.push(await firstPaint(empty, bare));
      await empty.context().close();
      const page = await slowPage(browser);
      paints.push(await firstPaint(page, origin + path));
      waits.push(await page.evaluate<number>(WAITED));
      await page.locator('.months a, .years td a').first().focus();
      await page.evaluate(ARROW);
      await page.keyboard.press('ArrowRight');
      keys.push(await page.evaluate<number>('globalThis.pressed'));
      await page.context().close();
    }
    const note = `of which ${Math.round(median(waits))} ms until the first byte; load ${loadavg()[0]?.toFixed(1)}`;
    const slow = `at 1/${SLOWDOWN} speed`;
    report({
      ...{ name: `${name}, first paint ${slow}`, value: median(paints), unit: 'ms', target: 600 },
      ...{ floor: median(floors), note },
    });
    report({ name: `${name}, arrow key ${slow}`, value: median(keys), unit: 'ms', target: 50 });
  }
}

async function changeSeen(browser: Browser, engine: TestEngine, origin: string): Promise<void> {
  const page = await (await browser.newContext()).newPage();
  const listening = page.waitForResponse((response) => response.url().includes('/events'));
  await page.goto(`${origin}/console/eco2mix/2026`);
  await listening;
  await runDay(engine, 'eco2mix', CHANGED);
  const start = performance.now();
  await page.locator(`li.ok a[href*="${CHANGED}"]`).waitFor();
  report({
    name: 'a change is seen after',
    value: (performance.now() - start) / 1_000,
    unit: 's',
    target: 2,
  });
  await page.context().close();
}

/** Everything of the console; without a browser the server alone. */
export async function run(): Promise<void> {
  const portal = await startPortal({ now });
  const datasets = Object.values(configuredDatasets({ eco2mix }, { odre: { url: portal.url } }));
  const engine = await openTestEngine(datasets, { now });
  try {
    await fillYears(engine);
    await serverSide(engine);
    if (!hasBrowser) return;
    const api = await openTestApi(engine);
    const origin = await api.listen({ port: 0, host: '127.0.0.1' });
    const browser = await openBrowser();
    await withBarePage((bare) => inBrowser(browser, origin, bare));
    await changeSeen(browser, engine, origin);
    await browser.close();
    api.server.closeAllConnections();
    await api.close();
  } finally {
    await engine.close();
    await portal.close();
  }
}
