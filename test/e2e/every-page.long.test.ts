import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { QuestionDefinition } from '../../src/pipelines/tables.ts';
import { hasBrowser, openBrowser } from '../fixtures/browser.ts';
import { ARCHIVE_DAY, DAY, openEveryPage } from '../fixtures/every-page.ts';
import type { EveryPage } from '../fixtures/every-page.ts';
import { pageFaults, WIDTHS } from '../fixtures/page-faults.ts';
import type { LookedAt } from '../fixtures/page-faults.ts';

/**
 * Every page of the console and every page that is published, in both languages, on a telephone and
 * on a desk, light and dark: nothing that axe-core finds wrong, nothing wider than the window,
 * nobody else asked, nothing that moves by itself, no complaint of the browser.
 */

const LANGUAGES = ['fr', 'en'] as const;

/** Routes of the console that are no page. */
const NO_PAGE = [
  '/console/style.css',
  '/console/live.js',
  '/console/arrow-keys.js',
  '/console/explorer.js',
  '/console/uplot.js',
  '/console/uplot.css',
  '/console/tables/:id/chart.json',
];

/** Where a page of the console is opened, and how its answer begins. */
interface Opened {
  readonly address: string;
  /** 200 where nothing is said. */
  readonly status?: number;
  /** By whoever has not signed in. */
  readonly byNobody?: true;
}

const PIPELINES = ['cityflow', 'eco2mix', 'eco2mix-regional', 'enedis', 'parc', 'smart-meter'];

/** By the route of the console: a route without a row fails. */
const ROWS: Readonly<Record<string, (every: EveryPage) => readonly Opened[]>> = {
  '/console': () => [{ address: '/console' }, { address: '/console', byNobody: true }],
  '/console/enter': () => [{ address: '/console/enter?link=none', status: 401, byNobody: true }],
  '/console/pages': () => [{ address: '/console/pages' }],
  '/console/pages/:id': ({ datasets }) =>
    Object.values(datasets).flatMap(({ dashboards = [] }) =>
      dashboards.map(({ id }) => ({ address: `/console/pages/${id}` })),
    ),
  '/console/questions': () => [{ address: '/console/questions' }],
  '/console/questions/:id': ({ datasets }) =>
    Object.values(datasets).flatMap(({ questions = [] }) => {
      // One for each way of drawing of each pipeline; they are all made by one page.
      const kinds = new Map(questions.map((question) => [drawnAs(question), question.id]));
      return [...kinds.values()].map((id) => ({ address: `/console/questions/${id}` }));
    }),
  '/console/tables': () => [{ address: '/console/tables' }],
  '/console/tables/:id': ({ datasets }) =>
    Object.values(datasets).flatMap(({ tables: [table] = [] }) =>
      table === undefined ? [] : [{ address: `/console/tables/${table.id}` }],
    ),
  '/console/gaps': () => [{ address: '/console/gaps' }],
  '/console/stale': () => [
    { address: '/console/stale' },
    { address: `/console/stale?pipeline=eco2mix&from=${DAY}` },
  ],
  '/console/watch': () => [{ address: '/console/watch' }],
  '/console/failures': () => [{ address: '/console/failures' }],
  '/console/backfills': () => [{ address: '/console/backfills' }],
  '/console/plans/:pipeline/:hash': ({ backfill }) => [{ address: backfill.plan }],
  '/console/backfills/:pipeline/:range/:hash': ({ backfill }) => [{ address: backfill.run }],
  '/console/schedules': () => [{ address: '/console/schedules' }],
  '/console/stores': () => [{ address: '/console/stores' }],
  '/console/keys': () => [
    { address: '/console/keys' },
    { address: '/console/keys', status: 401, byNobody: true },
  ],
  '/console/:pipeline/periods/:period': () => [
    { address: '/console/eco2mix/periods/2026-05' },
    { address: '/console/enedis/periods/2025-10' },
  ],
  '/console/:pipeline/:scope': () => [
    ...PIPELINES.flatMap((pipeline) => [
      { address: `/console/${pipeline}/2026` },
      { address: `/console/${pipeline}/years` },
      { address: `/console/${pipeline}/${pipeline === 'enedis' ? ARCHIVE_DAY : DAY}` },
    ]),
    { address: '/console/eco2mix/2019-01-01' },
    { address: `/console/eco2mix/${DAY}`, byNobody: true },
    { address: '/console/none/2026', status: 404 },
  ],
};

/** How its answer is drawn when nothing is chosen. */
function drawnAs({ parameters, chart }: QuestionDefinition): string {
  const chosen = parameters.safeParse({});
  return chosen.success ? (chart?.(chosen.data).kind ?? 'table') : 'form';
}

/** What the days and months of every pipeline publish, and what commands write. */
const FILES = [
  'calendar/cityflow/*.html',
  'calendar/eco2mix-regional/*.html',
  'calendar/eco2mix/*.html',
  'calendar/enedis/*.html',
  'calendar/parc/*.html',
  'calendar/smart-meter/*.html',
  'contrat.html',
  'index.html',
  'meter.html',
  'processed/reports/daily_report_*.html',
  'processed/reports/meter_quality_*.html',
  'processed/reports/meter_report_*.html',
  'reports/eco2mix-regional/daily_report_*.html',
  'reports/eco2mix/daily_report_*.html',
  'reports/enedis/daily_report_*.html',
  'reports/enedis/monthly_report.html',
  'reports/parc/daily_report_*.html',
];

let every: EveryPage;
let browser: Browser;

/** At every width; the languages at the same time. */
async function faultsOf(pages: readonly LookedAt[]): Promise<string[]> {
  const found = await Promise.all(
    pages.map(async (page) => {
      const faults: string[] = [];
      for (const width of WIDTHS) faults.push(...(await pageFaults(browser, page, width)));
      return faults;
    }),
  );
  return found.flat();
}

describe.skipIf(!hasBrowser)('every page in a browser', () => {
  beforeAll(async () => {
    every = await openEveryPage();
    browser = await openBrowser();
  }, 300_000);
  afterAll(async () => {
    await browser.close();
    await every.close();
  });

  it('is looked at: no route of the console and no published page is left out', () => {
    const routes = every.routes.filter((route) => route.startsWith('/console'));
    expect([...routes].sort()).toEqual([...Object.keys(ROWS), ...NO_PAGE].sort());
    expect([...every.files.keys()].sort()).toEqual(FILES);
    expect(Object.keys(every.datasets).sort()).toEqual(PIPELINES);
  });

  it.each(Object.keys(ROWS))('has nothing wrong: %s', { timeout: 600_000 }, async (route) => {
    const faults: Record<string, string[]> = {};
    for (const { address, status = 200, byNobody } of ROWS[route]!(every)) {
      const asked = `${every.origin}${address}${address.includes('?') ? '&' : '?'}lang=`;
      const cookie = byNobody === true ? undefined : every.cookie;
      const found = await faultsOf(
        LANGUAGES.map((language) => ({ address: asked + language, language, status, cookie })),
      );
      if (found.length > 0) faults[address] = found;
    }
    expect(faults).toEqual({});
  });

  it.each(FILES)('has nothing wrong: %s', { timeout: 120_000 }, async (kind) => {
    const address = `file://${every.files.get(kind)}`;
    expect(await faultsOf([{ address, language: 'fr' }])).toEqual([]);
  });

  it('has nothing wrong: codes of errors', { timeout: 120_000 }, async () => {
    expect(await faultsOf([{ address: `${every.origin}/api/errors`, language: 'en' }])).toEqual([]);
  });
});
