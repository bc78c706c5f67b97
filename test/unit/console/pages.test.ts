import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { rollUpDays, runDay } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const DAY = '2026-05-01';
const CALENDAR = ['<script type="module" src="/console/arrow-keys.js">'];
const EXPLORER = [
  '<script defer src="/console/uplot.js">',
  '<script type="module" src="/console/explorer.js">',
];

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  const now = (): Date => new Date('2026-05-20T10:00:00Z');
  portal = await startPortal({ now });
  engine = await openTestEngine(
    Object.values(configuredDatasets({ eco2mix }, { odre: { url: portal.url } })),
    { now },
  );
  await runDay(engine, 'eco2mix', DAY);
  await rollUpDays(engine, 'eco2mix', [DAY]);
  api = await openTestApi(engine);
});

afterAll(async () => {
  await api.close();
  await engine.close();
  await portal.close();
});

async function open(
  url: string,
  headers: Record<string, string> = {},
): Promise<{ status: number; html: string }> {
  const { statusCode, body } = await api.inject({
    url,
    headers: { host: 'localhost', ...headers },
  });
  return { status: statusCode, html: body };
}

/** Every page that a reader reaches by links from the first one, within the console. */
async function walk(start: string): Promise<Map<string, string>> {
  const pages = new Map<string, string>();
  const pending = [start];
  const seen = new Set(pending);
  for (let url = pending.pop(); url !== undefined; url = pending.pop()) {
    const { status, html } = await open(url);
    expect([url, status]).toEqual([url, 200]);
    pages.set(url, html);
    for (const [, href = ''] of html.matchAll(/href="(\/console[^"#]*)"/g)) {
      const next = href.replaceAll('&amp;', '&');
      const isDay = /\/\d{4}-\d\d-\d\d\?/.test(next) && !next.includes(DAY);
      const isYear = /\/20\d\d\?/.test(next) && !next.includes('/2026?');
      if (seen.has(next) || isDay || isYear || next.endsWith('.css')) continue;
      seen.add(next);
      pending.push(next);
    }
  }
  return pages;
}

/** Packed bytes of what a page loads, by the ending of its address. */
async function weightsOf(html: string): Promise<{ js: number; css: number }> {
  const weights = { js: 0, css: 0 };
  for (const [, path = '', kind = ''] of html.matchAll(/(?:src|href)="(\/[\w./-]+\.(js|css))"/g)) {
    const { rawPayload } = await api.inject({ url: path, headers: { host: 'localhost' } });
    weights[kind as 'js' | 'css'] += gzipSync(rawPayload).length;
  }
  return weights;
}

describe('the console', () => {
  it('has the report of the newest day of a pipeline one click away from its first page', async () => {
    const { html } = await open('/console?lang=fr');
    const [, href = '', said] = /<a href="(\/api[^"]+)">([^<]+)/.exec(html) ?? [];
    expect(said).toBe(`Rapport ${DAY}`);
    const there = await api.inject({ url: href, headers: { host: 'localhost' } });
    const { location } = there.headers;
    const report =
      location === undefined
        ? there
        : await api.inject({ url: location, headers: { host: 'localhost' } });
    expect(report.statusCode).toBe(200);
    expect(report.body).toContain('<svg');
  });

  it('leads from its first page to every other one, in both languages, without a script but our own or a foreign address', async () => {
    const pages = await walk('/console?lang=en');
    const paths = [...pages.keys()].map((url) => url.split('?')[0]);
    expect(paths).toEqual(
      expect.arrayContaining([
        '/console/eco2mix/2026',
        `/console/eco2mix/${DAY}`,
        '/console/questions/get_peak',
        '/console/tables/eco2mix_national',
        '/console/pages/eco2mix-consumption',
        '/console/gaps',
        '/console/stale',
        '/console/watch',
        '/console/failures',
        '/console/stores',
      ]),
    );
    for (const [url, html] of pages) {
      const scripts = html.match(/<script[^>]*>[^<]*/g);
      const own = url.startsWith('/console/tables/')
        ? EXPLORER
        : /^\/console\/eco2mix\/(2026|years)\?/.test(url)
          ? CALENDAR
          : [];
      expect([url, scripts]).toEqual([
        url,
        [...own, '<script type="module" src="/console/live.js">'],
      ]);
      expect([url, /<iframe|\son\w+=|\sstyle=/.test(html)]).toEqual([url, false]);
      expect([url, /(?:src|action)="https?:/.test(html)]).toEqual([url, false]);
      expect([
        url,
        /<html lang="(?:fr|en)">/.test(html),
        (html.match(/<h1>/g) ?? []).length,
      ]).toEqual([url, true, 1]);
      const { js, css } = await weightsOf(html);
      const isExplorer = url.startsWith('/console/tables/');
      expect([
        url,
        js > 0 && js <= (isExplorer ? 75 : 40) * 1024,
        css > 0 && css <= 15 * 1024,
      ]).toEqual([url, true, true]);
    }
    expect([...pages.keys()].some((url) => url.includes('lang=fr'))).toBe(true);
  });

  it('tells in the language of the page how days and steps stand', async () => {
    const day = {
      fr: ['<td>bon</td>', '<td>fait</td>', '<td>omis</td>'],
      en: ['<td>ok</td>', '<td>done</td>'],
    };
    for (const [language, told] of Object.entries(day)) {
      const { html } = await open(`/console/eco2mix/${DAY}?lang=${language}`);
      expect([language, told.filter((one) => !html.includes(one))]).toEqual([language, []]);
    }
    expect((await open('/console/eco2mix/2026?lang=fr')).html).toContain('1 bon');
    expect((await open('/console/gaps?lang=fr')).html).toContain('<td>manquant</td>');
    expect((await open('/console/eco2mix/years?lang=fr')).html).toContain(
      '<option value="no_data">sans données</option>',
    );
  });

  it('shows a day with its version, reasons, origins and report', async () => {
    const { html } = await open(`/console/eco2mix/${DAY}`);
    expect(html).toContain('report.html');
    expect(html).toContain('transform/national');
    expect(html).toContain('eco2mix-national-tr');
  });

  it('proposes commands that name the home where it is not that of the working folder', async () => {
    const nameHome = (text: string): string =>
      text.replace('quotidien run', 'quotidien run --home /srv/q');
    const named = await openTestApi(engine, { nameHome });
    const { body } = await named.inject({
      url: `/console/eco2mix/${DAY}`,
      headers: { host: 'localhost' },
    });
    await named.close();
    expect(body).toContain(`quotidien run --home /srv/q eco2mix ${DAY}`);
    expect((await open(`/console/eco2mix/${DAY}`)).html).toContain(
      `<pre>quotidien run eco2mix ${DAY}</pre>`,
    );
  });

  it('answers a question that was filled in, and draws it', async () => {
    const { html } = await open(
      `/console/questions/get_consommation?granularity=raw&start=${DAY}&end=${DAY}&top_n=`,
    );
    expect(html).toContain('96 values');
    expect(html).toContain('<svg');
    const { html: french } = await open('/console/questions/get_peak?n=2', {
      'accept-language': 'fr-FR,fr',
    });
    expect(french).toContain('pointe de');
  });

  it('says what is wrong on a page, with what was sent shown inert', async () => {
    const { status, html } = await open(
      '/console/questions/get_peak?n=%3Cscript%3Ealert(1)%3C/script%3E',
    );
    expect(status).toBe(400);
    expect(html).not.toContain('<script>');
    expect((await open('/console/none/2026')).status).toBe(404);
    expect((await open('/console/eco2mix/yesterday')).status).toBe(400);
  });

  it('weighs little', async () => {
    const { rawPayload } = await api.inject({
      url: '/console/eco2mix/2026',
      headers: { host: 'localhost', 'accept-encoding': 'br' },
    });
    expect(rawPayload.length).toBeLessThan(60 * 1024);
  });
});
