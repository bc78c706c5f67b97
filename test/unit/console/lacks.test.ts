import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { ApiApp } from '../../../src/api/shared/app.ts';
import { recordFailure } from '../../../src/engine/records/failures.ts';
import { keepRevision, saveFreshness } from '../../../src/engine/watch/watch-publisher.ts';
import { openTestApi } from '../../fixtures/api-server.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DAY = '2024-01-15';

let publisher: TinyPublisher;
let engine: TestEngine;
let api: ApiApp;

beforeAll(async () => {
  publisher = await startTinyPublisher([DAY]);
  const now = (): Date => new Date('2024-01-20T10:00:00Z');
  const dataset = (transformVersion: number) =>
    tinyDataset({ baseUrl: publisher.url, freshForMinutes: 0, transformVersion });
  engine = await openTestEngine([dataset(1)], { now });
  await runDay(engine, 'tiny', DAY);
  publisher.publish(DAY, { add: 5 });
  await runDay(engine, 'tiny', DAY, { recheck: true });
  await keepRevision(engine, testControl(), 'tiny', DAY);
  await saveFreshness(engine, 'tiny', { readings: 'tag-7', forecast: null });
  const failure = {
    step: 'rollup/month',
    code: 'DATA_CHECK_FAILED',
    message: 'a rule is broken',
  } as const;
  await recordFailure(engine, testControl(), 'tiny', '2024-01', failure);
  api = await openTestApi(engine.withDatasets([dataset(2)]));
});

afterAll(async () => {
  await api.close();
  await engine.close();
  await publisher.close();
});

async function open(url: string): Promise<{ status: number; html: string }> {
  const { statusCode, body } = await api.inject({ url, headers: { host: 'localhost' } });
  return { status: statusCode, html: body };
}

describe('the page of what is out of date', () => {
  it('tells the days of a chosen pipeline with steps and reasons, the same that the API returns, and leads to a plan', async () => {
    const { html } = await open(
      '/console/stale?pipeline=tiny&from=2024-01-10&to=2024-01-18&lang=en',
    );
    expect(html).toContain(`<a href="/console/tiny/${DAY}?lang=en">${DAY}</a>`);
    expect(html).toContain('step version 1 became 2');
    expect(html).toContain(`pipeline=tiny&amp;from=${DAY}&amp;to=${DAY}&amp;select=stale`);
    const { body } = await api.inject({
      url: '/api/v1/stale?pipeline=tiny&from=2024-01-10&to=2024-01-18',
      headers: { host: 'localhost' },
    });
    const { stale } = JSON.parse(body) as { stale: { days: { date: string }[] }[] };
    expect(stale[0]?.days.map(({ date }) => date)).toEqual([DAY]);
  });

  it('plans nothing before a pipeline is chosen, and tells what could not be made of changed days', async () => {
    const { html } = await open('/console/stale?lang=en');
    expect(html).toContain('Choose a pipeline');
    expect(html).toContain('<a href="/console/tiny/periods/2024-01?lang=en">2024-01</a>');
    expect(html).toContain('rollup/month: DATA_CHECK_FAILED: a rule is broken');
    expect((await open('/console/tiny/periods/2024-01?lang=en')).html).toContain(
      'Nothing has been made of this period',
    );
    expect((await open('/console/stale?pipeline=none')).status).toBe(404);
    expect((await open('/console/stale?pipelines=tiny')).status).toBe(400);
    expect((await open('/console/tiny/periods/2024-13')).status).toBe(400);
  });
});

describe('the page of the watch', () => {
  it('tells what each publisher says of its data, when it was asked, and which days it revised', async () => {
    const { html } = await open('/console/watch?lang=en');
    expect(html).toContain('<td>readings</td><td>tag-7</td><td>2024-01-20T10:00:00.000Z</td>');
    expect(html).toContain('says nothing: the data themselves are asked for');
    expect(html).toContain(`href="/api/v1/pipelines/tiny/days/${DAY}/diff?versions=1..2"`);
    expect(html).toContain('transform/readings');
    expect(html).not.toContain('<form method="post"');
    expect((await open('/console/watch?lang=fr')).html).toContain('Interrogé');
  });
});
