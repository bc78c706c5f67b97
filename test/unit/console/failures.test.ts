import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { recordFailure } from '../../../src/engine/records/failures.ts';
import { ERROR_TABLE } from '../../../src/errors.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';

const FAILURES = [
  { date: '2026-05-01', code: 'SRC_AUTH', message: 'the key <old> is refused' },
  { date: '2026-05-02', code: 'SRC_UNAVAILABLE', message: 'away' },
  { date: '2026-05-03', code: 'SRC_UNAVAILABLE', message: 'still away' },
  { date: '2019-02-10', code: 'DATA_CHECK_FAILED', message: 'a rule is broken' },
] as const;

let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  engine = await openTestEngine([eco2mix], { now: () => new Date('2026-05-20T10:00:00Z') });
  for (const { date, code, message } of FAILURES)
    await recordFailure(engine, testControl(), 'eco2mix', date, {
      step: 'download/tr',
      code,
      message,
    });
  api = await openTestApi(engine);
});

afterAll(async () => {
  await api.close();
  await engine.close();
});

async function open(url: string): Promise<{ status: number; html: string }> {
  const { statusCode, body } = await api.inject({ url, headers: { host: 'localhost' } });
  return { status: statusCode, html: body };
}

describe('the failures of the console', () => {
  it('are by code, the one with the most days first, each with its remedy, its message and a link to the day', async () => {
    const { status, html } = await open('/console/failures?lang=en');
    expect(status).toBe(200);
    const codes = [...html.matchAll(/<h2 id="(\w+)">(.*?)<\/h2>/g)].map(([, id, text]) => [
      id,
      text,
    ]);
    expect(codes).toEqual([
      ['SRC_UNAVAILABLE', 'SRC_UNAVAILABLE (2)'],
      ['SRC_AUTH', 'SRC_AUTH (1)'],
    ]);
    expect(html).toContain(ERROR_TABLE.SRC_AUTH.remedy);
    expect(html).toContain('href="/api/errors#SRC_AUTH"');
    expect(html).toContain('the key &lt;old> is refused');
    expect(html).toContain('<a href="/console/eco2mix/2026-05-03?lang=en">2026-05-03</a>');
    expect((await open('/console/eco2mix/2026-05-03?lang=en')).status).toBe(200);
  });

  it('are those of the range that is asked for, in both languages', async () => {
    const { html } = await open('/console/failures?from=2019-02-01&to=2019-02-28&lang=fr');
    expect(html).toContain('DATA_CHECK_FAILED (1)');
    expect(html).not.toContain('SRC_AUTH');
    expect(html).toContain('Que faire');
    const { html: none } = await open('/console/failures?from=2018-01-01&to=2018-01-31&lang=en');
    expect(none).toContain('No day of this range failed');
    expect((await open('/console/failures?from=yesterday')).status).toBe(400);
    expect((await open('/console/failures?pipelines=all')).status).toBe(400);
  });

  it('are the same ones that the API returns', async () => {
    const { body } = await api.inject({ url: '/api/v1/failures', headers: { host: 'localhost' } });
    const { failures, codes } = JSON.parse(body) as {
      failures: { scope: string }[];
      codes: object;
    };
    expect(codes).toEqual({ SRC_AUTH: 1, SRC_UNAVAILABLE: 2 });
    const { html } = await open('/console/failures');
    const shown = [...html.matchAll(/<a href="\/console\/eco2mix\/(\d{4}-\d\d-\d\d)\?/g)].map(
      ([, date]) => date,
    );
    expect(shown.sort()).toEqual(failures.map(({ scope }) => scope).sort());
  });
});
