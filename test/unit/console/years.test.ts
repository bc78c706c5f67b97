import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { calendarOfDays } from '../../../src/engine/look/day-calendar.ts';
import { KnownVersions } from '../../../src/engine/look/known-versions.ts';
import { standingsOfDays } from '../../../src/engine/look/standings.ts';
import { recordFailure } from '../../../src/engine/records/failures.ts';
import { newestManifests } from '../../../src/engine/records/ledger-reader.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { manifestKey } from '../../../src/pipelines/manifest.ts';
import { VERDICTS } from '../../../src/pipelines/vocabulary.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const DAY = '2026-05-01';
const NOW = new Date('2026-05-20T10:00:00Z');
const FIRST = '2012-01-01';

let portal: Portal;
let engine: TestEngine;
let api: ApiApp;

/** Fifteen years of versions, each as large as that of a real day; every tenth day has none. */
beforeAll(async () => {
  portal = await startPortal({ now: () => NOW });
  const datasets = Object.values(configuredDatasets({ eco2mix }, { odre: { url: portal.url } }));
  engine = await openTestEngine(datasets, { now: () => NOW });
  await runDay(engine, 'eco2mix', DAY);
  const whole = (await newestManifests(engine.documents, 'eco2mix', [DAY], [])).get(DAY)!;
  const dates = datesBetween(FIRST, '2026-05-15').filter(
    (date, index) => index % 10 !== 0 && date !== DAY,
  );
  await engine.documents.createMany(
    dates.map((scope, index) => ({
      key: manifestKey('eco2mix', scope, 1),
      body: { ...whole, scope, version: 1, verdict: VERDICTS[index % VERDICTS.length] },
    })),
  );
  for (const date of ['2020-02-10', '2020-02-11']) {
    const failure = { step: 'download/tr', code: 'SRC_UNAVAILABLE', message: 'away' } as const;
    await recordFailure(engine, testControl(), 'eco2mix', date, failure);
  }
  api = await openTestApi(engine);
});

afterAll(async () => {
  await api.close();
  await engine.close();
  await portal.close();
});

async function open(path: string): Promise<{ html: string; cpuMs: number }> {
  const before = process.cpuUsage();
  const { statusCode, body } = await api.inject({ url: path, headers: { host: 'localhost' } });
  const { user, system } = process.cpuUsage(before);
  expect(statusCode).toBe(200);
  return { html: body, cpuMs: (user + system) / 1_000 };
}

describe('the calendar of all years', () => {
  it('shows every day of fifteen years with the standing that the calendar of its year has', async () => {
    const year = datesBetween('2020-01-01', '2020-12-31');
    const running = new Map([
      [
        '2020-03-01',
        { workflowId: 'day/eco2mix/2020-03-01', startedAt: NOW.toISOString(), held: false },
      ],
      [
        '2020-03-02',
        { workflowId: 'day/eco2mix/2020-03-02', startedAt: NOW.toISOString(), held: true },
      ],
    ]);
    const known = await standingsOfDays(
      engine,
      new KnownVersions(engine),
      'eco2mix',
      year,
      running,
    );
    const whole = await calendarOfDays(engine, 'eco2mix', year, running);
    expect([...known]).toEqual(whole.map(({ date, standing }) => [date, standing]));
    expect(new Set(known.values()).size).toBeGreaterThan(5);
    const { html } = await open('/console/eco2mix/years?lang=en');
    expect(html).toContain('aria-label="2020-02: ');
    expect(html.match(/aria-label="\d{4}-\d\d: /g)).toHaveLength(14 * 12 + 5);
  });

  it('shows the days of one standing alone', async () => {
    const { html } = await open('/console/eco2mix/years?lang=en&only=failed');
    const labels = [...html.matchAll(/aria-label="\d{4}-\d\d: ([^"]*)"/g)].map(([, told]) => told);
    expect(labels.every((told) => /^\d+ failed$/.test(told ?? ''))).toBe(true);
    expect(labels.length).toBeGreaterThan(100);
  });

  it('costs less than 1.5 s of a processor at first, 0.3 s after that, and 60 KB packed', async () => {
    const cold = await openTestApi(engine);
    const start = process.cpuUsage();
    await cold.inject({ url: '/console/eco2mix/years', headers: { host: 'localhost' } });
    const { user, system } = process.cpuUsage(start);
    await cold.close();
    const warm = await open('/console/eco2mix/years');
    expect((user + system) / 1_000).toBeLessThan(1_500);
    expect(warm.cpuMs).toBeLessThan(300);
    const { rawPayload } = await api.inject({
      url: '/console/eco2mix/years',
      headers: { host: 'localhost', 'accept-encoding': 'br' },
    });
    expect(rawPayload.length).toBeLessThan(60 * 1024);
  });
});
