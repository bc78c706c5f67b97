import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { createKey } from '../../../src/api/security/keys.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { enedis } from '../../../src/datasets/enedis/index.ts';
import { publishDownloads } from '../../../src/engine/download/publish-downloads.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const [BEFORE, DAY] = ['2026-05-01', '2026-05-02'] as const;
const ORIGIN = 'http://localhost';

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  const now = (): Date => new Date('2026-05-20T10:00:00Z');
  portal = await startPortal({ now });
  engine = await openTestEngine(
    Object.values(configuredDatasets({ eco2mix, enedis }, { odre: { url: portal.url } })),
    {
      now,
    },
  );
  for (const date of [BEFORE, DAY]) await runDay(engine, 'eco2mix', date);
  await publishDownloads(engine, 'eco2mix');
  api = await openTestApi(engine);
});
afterAll(async () => {
  await api.close();
  await engine.close();
  await portal.close();
});

/** Follows redirections, as a browser does. */
async function open(
  address: string,
): Promise<{ at: string; status: number; type: string; body: string }> {
  const { pathname } = new URL(address);
  const {
    statusCode: status,
    headers,
    body,
  } = await api.inject({ url: pathname, headers: { host: 'localhost' } });
  if (status === 302) return open(new URL(String(headers.location), address).href);
  return { at: pathname, status, type: String(headers['content-type']), body };
}

function linksOf(html: string): string[] {
  return [...html.matchAll(/href="([^"#:]+)"/g)].map(([, href = '']) => href);
}

describe('a report that is read over HTTP', () => {
  it.each([
    `/api/v1/pipelines/eco2mix/days/${DAY}/report.html`,
    `/store/reports/eco2mix/daily_report_${DAY}.html`,
  ])(
    'of %s leads to its neighbours, its files, the calendar and the log, as one on a disk does',
    async (address) => {
      const { status, body } = await open(`${ORIGIN}${address}`);
      expect(status).toBe(200);
      const links = linksOf(body);
      const found = await Promise.all(
        links.map((href) => open(new URL(href, `${ORIGIN}${address}`).href)),
      );
      const told = new Map(links.map((href, index) => [href, found[index]!]));
      const next = `daily_report_2026-05-03.html`;
      expect([...told].filter(([, one]) => one.status !== 200).map(([href]) => href)).toEqual([
        next,
      ]);
      expect(told.get(`daily_report_${BEFORE}.html`)).toMatchObject({
        at: `/store/reports/eco2mix/daily_report_${BEFORE}.html`,
        type: 'text/html; charset=utf-8',
      });
      expect(told.get('../../index.html')?.body).toContain('Calendrier des journées');
      expect(told.get('../../logs/download_log.csv')?.body).toContain('log_datetime');
      expect(told.get(`daily_report_${DAY}.csv`)?.type).toContain('text/csv');
    },
  );

  it('of the grid is one link from the calendar, for who has not signed in', async () => {
    const calendar = `${ORIGIN}/store/index.html`;
    const report = linksOf((await open(calendar)).body).find((href) =>
      href.endsWith(`/daily_report_${DAY}.html`),
    );
    expect(await open(new URL(report!, calendar).href)).toMatchObject({
      status: 200,
      type: 'text/html; charset=utf-8',
    });
  });

  it('may show its own style, and nothing else', async () => {
    const { headers } = await api.inject({
      url: `/store/reports/eco2mix/daily_report_${DAY}.html`,
      headers: { host: 'localhost' },
    });
    expect(headers['content-security-policy']).toContain(
      "default-src 'none'; style-src 'unsafe-inline'",
    );
  });

  it.each([
    'documents.db',
    '../documents.db',
    'core/eco2mix/national/x.parquet',
    'reports/eco2mix/daily_report_x.html',
  ])('is no way to %s', async (key) => {
    const { statusCode } = await api.inject({
      url: `/store/${encodeURIComponent(key)}`,
      headers: { host: 'localhost' },
    });
    expect(statusCode).toBe(404);
  });

  it('needs what its pipeline needs from others than this machine', async () => {
    const remote = await openTestApi(engine, { loopback: false });
    const { statusCode } = await remote.inject({
      url: '/store/index.html',
      headers: { host: 'localhost' },
    });
    await remote.close();
    expect(statusCode).toBe(401);
  });

  it('has no table of persons for those who do not say who they are, on this machine either', async () => {
    const key = 'enedis/mois.parquet';
    await engine.objects.put(key, Buffer.from('PAR1'), {
      mediaType: 'application/vnd.apache.parquet',
      mode: 'replace',
    });
    const ask = (headers: Readonly<Record<string, string>> = {}) =>
      api.inject({ url: `/store/${key}`, headers: { host: 'localhost', ...headers } });
    expect((await ask()).statusCode).toBe(401);
    const created = await createKey(
      engine.documents,
      { owner: 'billing', scopes: ['data:read:enedis'], days: 1, by: 'ada' },
      engine.now(),
    );
    expect((await ask({ authorization: `Bearer ${created.key}` })).statusCode).toBe(200);
  });
});
