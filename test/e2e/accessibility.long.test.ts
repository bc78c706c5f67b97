import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLink } from '../../src/api/security/sessions.ts';
import type { ApiApp } from '../../src/api/shared/app.ts';
import { DATASETS } from '../../src/datasets/registry.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { octoberArchives } from '@quotidien/sample-portal/sftp/sample-archives';
import { KEY_16, KEY_32, keysText } from '@quotidien/sample-portal/sftp/archive-writer';
import { importFiles } from '../../src/engine/download/import-file.ts';
import { publishNewest } from '../../src/engine/publish/publish-versions.ts';
import { configuredDatasets, httpHosts } from '../../src/workers/configured-datasets.ts';
import { openTestApi } from '../fixtures/api-server.ts';
import { accessibilityFaults, hasBrowser, openBrowser } from '../fixtures/browser.ts';
import { put, withFolder } from '../fixtures/enedis-archives.ts';
import { TEST_SECRET, testMeters } from '../fixtures/meters.ts';
import { rollUpDays, runDay } from '../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../fixtures/test-engine.ts';
import type { TestEngine } from '../fixtures/test-engine.ts';

/** Every kind of page that is published, and every page of the console, as axe-core sees it in a browser: on a telephone, and on a dark screen. */

const NOW = new Date('2026-05-20T10:00:00Z');
const DAY = '2026-05-18';
const ARCHIVE_DAY = '2025-11-01';
const SIGHTS = [
  { width: 390, scheme: 'light' },
  { width: 1280, scheme: 'dark' },
] as const;

/** Answers of the console that other ones are drawn like. */
const CONSOLE = [
  '/console',
  '/console/pages',
  '/console/pages/eco2mix-home',
  '/console/questions',
  '/console/questions/get_peak',
  '/console/tables',
  '/console/tables/eco2mix',
  '/console/gaps',
  '/console/failures',
  '/console/backfills',
  '/console/schedules',
  '/console/stores',
  '/console/eco2mix/2026',
  '/console/eco2mix/years',
  `/console/eco2mix/${DAY}`,
  '/console/eco2mix/2019-01-01',
  '/console/none/2026',
  '/api/errors',
];

/** Pages with forms that act, as an administrator sees them. */
const SIGNED_IN = [`/console/eco2mix/${DAY}`, '/console/backfills', '/console/keys'];

const REGISTER = 'annee;parc_eolien;parc_nucleaire;parc_solaire\n2024;24500;63000;23000\n2025;25100;63000;27000\n';

const KINDS = [
  'calendar/cityflow/*.html',
  'calendar/eco2mix-regional/*.html',
  'calendar/eco2mix/*.html',
  'calendar/enedis/*.html',
  'calendar/parc/*.html',
  'calendar/smart-meter/*.html',
  'index.html',
  'processed/reports/daily_report_*.html',
  'processed/reports/meter_quality_*.html',
  'processed/reports/meter_report_*.html',
  'reports/eco2mix-regional/daily_report_*.html',
  'reports/eco2mix/daily_report_*.html',
  'reports/enedis/daily_report_*.html',
  'reports/enedis/monthly_report.html',
  'reports/parc/daily_report_*.html',
];

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;
let origin: string;
let browser: Browser;

describe.skipIf(!hasBrowser)('the pages in a browser', () => {
  beforeAll(async () => {
    portal = await startPortal({ now: () => NOW, meters: 40 });
    const hosts = Object.fromEntries(
      httpHosts(DATASETS).map((host) => [host, { url: portal.url, key: 'sample', requestsPerSecond: 1_000 }]),
    );
    const datasets = configuredDatasets({ ...DATASETS, 'smart-meter': testMeters }, hosts, {}, () =>
      Promise.resolve(TEST_SECRET),
    );
    engine = await openTestEngine(Object.values(datasets), { now: () => NOW });
    for (const pipeline of ['eco2mix', 'eco2mix-regional', 'cityflow', 'smart-meter'])
      await runDay(engine, pipeline, DAY);
    await withFolder(async (folder) => {
      const files = [];
      for (const { name, bytes } of octoberArchives()) files.push(await put(folder, name, bytes));
      const enedis = configuredDatasets(
        { enedis: DATASETS['enedis']! },
        { enedis: { fileKeys: keysText([KEY_16, KEY_32]) } },
      );
      await importFiles(engine.withDatasets(Object.values(enedis)), 'enedis', files, testControl());
    });
    await withFolder(async (folder) => {
      const register = await put(folder, 'parc-prod-par-filiere.csv', Buffer.from(REGISTER));
      const [outcome] = await importFiles(engine, 'parc', [register], testControl());
      expect(outcome).not.toHaveProperty('code');
    });
    await runDay(engine, 'parc', DAY, { offline: true });
    await runDay(engine, 'enedis', ARCHIVE_DAY, { offline: true });
    await rollUpDays(engine, 'enedis', [ARCHIVE_DAY]);
    await publishNewest(engine, datasets['eco2mix']!.definition, [DAY]);
    await rollUpDays(engine, 'eco2mix', [DAY]);
    api = await openTestApi(engine);
    origin = await api.listen({ port: 0, host: '127.0.0.1' });
    browser = await openBrowser();
  });
  afterAll(async () => {
    await browser.close();
    await api.close();
    await engine.close();
    await portal.close();
  });

  async function faultsOf(address: string, cookie?: string): Promise<string[]> {
    const faults: string[] = [];
    for (const { width, scheme } of SIGHTS) {
      const context = await browser.newContext({ viewport: { width, height: 900 }, colorScheme: scheme });
      if (cookie !== undefined) await context.setExtraHTTPHeaders({ cookie });
      const page = await context.newPage();
      await page.goto(address);
      faults.push(...(await accessibilityFaults(page)).map((fault) => `${width} ${scheme} ${fault}`));
      await context.close();
    }
    return faults;
  }

  it('has nothing wrong in any report and calendar that is published', { timeout: 300_000 }, async () => {
    const store = path.join(engine.home, 'store');
    const files = (await readdir(store, { recursive: true })).filter(
      (file) => file.endsWith('.html') && !/(^|\/)page\//.test(file) && !/[0-9a-f]{16,}\.html$/.test(file),
    );
    const kinds = new Map(files.map((file) => [file.replace(/\d{4}(-\d\d){0,2}/, '*'), file]));
    expect([...kinds.keys()].sort()).toEqual(KINDS);
    const faults: Record<string, string[]> = {};
    for (const [kind, file] of kinds) {
      const found = await faultsOf(`file://${path.join(store, file)}`);
      if (found.length > 0) faults[kind] = found;
    }
    expect(faults).toEqual({});
  });

  it('has nothing wrong in any page of the console with forms, in both languages', { timeout: 300_000 }, async () => {
    const link = await createLink(engine.documents, { name: 'alice@host', role: 'admin' }, engine.now());
    const { headers } = await fetch(`${origin}/console/enter?link=${link}`, { redirect: 'manual' });
    const cookie = headers.get('set-cookie')?.split(';')[0] ?? '';
    const planned = await fetch(`${origin}/console/backfills/plan`, {
      method: 'POST',
      body: new URLSearchParams({ pipeline: 'eco2mix', from: '2026-05-01', to: DAY }),
      headers: { cookie, origin },
      redirect: 'manual',
    });
    const plan = (planned.headers.get('location') ?? '').split('?')[0] ?? '';
    expect(plan).toContain('/console/plans/eco2mix/');
    const faults: Record<string, string[]> = {};
    for (const [index, address] of [...SIGNED_IN, plan].entries()) {
      const found = await faultsOf(`${origin}${address}?lang=${index % 2 === 0 ? 'fr' : 'en'}`, cookie);
      if (found.length > 0) faults[address] = found;
    }
    expect(faults).toEqual({});
  });

  it('has nothing wrong in any page of the console, in both languages', { timeout: 300_000 }, async () => {
    const faults: Record<string, string[]> = {};
    for (const [index, address] of CONSOLE.entries()) {
      const found = await faultsOf(`${origin}${address}?lang=${index % 2 === 0 ? 'fr' : 'en'}`);
      if (found.length > 0) faults[address] = found;
    }
    expect(faults).toEqual({});
  });
});
