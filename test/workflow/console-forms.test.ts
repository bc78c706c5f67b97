import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLink } from '../../src/api/security/sessions.ts';
import { startApi } from '../../src/cli/services/api-server.ts';
import type { RunningApi } from '../../src/cli/services/api-server.ts';
import { applySchedules } from '../../src/schedules/apply-schedules.ts';
import { declaredSchedules } from '../../src/schedules/declared-schedules.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { PlainBrowser } from '../fixtures/plain-browser.ts';
import type { PlainPage } from '../fixtures/plain-browser.ts';
import { runDay } from '../fixtures/run-day.ts';
import { shardedDataset } from '../fixtures/sharded-dataset.ts';
import { tinyDataset } from '../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../fixtures/tiny-publisher.ts';

const reason = 'because of a test';

let publisher: TinyPublisher;
let installation: Installation;
let api: RunningApi;
let browser: PlainBrowser;

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-01-31'));
  installation = await openInstallation({
    datasets: {
      tiny: tinyDataset({ baseUrl: publisher.url, holdAbove: 9_000 }),
      units: shardedDataset({
        name: 'units',
        shards: 4,
        baseUrl: publisher.url,
        holdUnitsAbove: 9_000,
      }),
    },
    // A day whose publisher refuses goes on trying for as long as a page is looked at.
    settings: { QUOTIDIEN_RETRY_ATTEMPTS: '10000', QUOTIDIEN_HTTP_IDLE_MS: '60000' },
  });
  const { engine, home, address } = installation;
  api = await startApi(testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address }), {
    host: '127.0.0.1',
    port: 0,
  });
  browser = new PlainBrowser(api.url);
  const link = await createLink(
    engine.documents,
    { name: 'alice@host', role: 'operator' },
    engine.now(),
  );
  await browser.open(`/console/enter?link=${link}`);
});

afterAll(async () => {
  await api.close();
  await installation.close();
  await publisher.close();
});

function resultOf(date: string): Promise<{ verdict: string; version: number }> {
  return installation.client.workflow.getHandle(`day/tiny/${date}`).result() as Promise<{
    verdict: string;
    version: number;
  }>;
}

function day(date: string): Promise<PlainPage> {
  return browser.open(`/console/tiny/${date}?lang=en`);
}

/** The page of the day, as soon as it shows this. */
async function until(date: string, text: string | RegExp): Promise<PlainPage> {
  let page = await day(date);
  const shows = (): boolean =>
    typeof text === 'string' ? page.html.includes(text) : text.test(page.html);
  await expect
    .poll(
      async () => {
        page = await day(date);
        return shows();
      },
      { timeout: 50_000 },
    )
    .toBe(true);
  return page;
}

describe('the page of a day, without scripts', () => {
  it('runs the day and verifies it', async () => {
    const started = await browser.submit(await day('2024-01-02'), '/2024-01-02/run', { reason });
    expect([started.status, started.url]).toEqual([
      200,
      '/console/tiny/2024-01-02?done=run&lang=en',
    ]);
    expect(started.html).toContain('The run is started');
    expect(await resultOf('2024-01-02')).toMatchObject({ verdict: 'ok', version: 1 });
    const verified = await browser.submit(await day('2024-01-02'), '/verify', { reason });
    expect(verified.html).toContain('Result: identical');
  });

  it('says what is wrong with a form, leads back, and does nothing', async () => {
    const page = await day('2024-01-03');
    const refused = await browser.submit(page, '/2024-01-03/run', { reason: 'x' });
    expect(refused.status).toBe(400);
    expect(refused.html).toContain('reason:');
    expect(refused.html).toContain('href="/console/tiny/2024-01-03?lang=en"');
    expect((await day('2024-01-03')).html).toContain('No run of this day has finished yet.');
  });

  it('shows what a run that waits has done, retries a step, skips a part and asks for it again', async () => {
    const date = '2024-01-04';
    publisher.refuse('readings', 500);
    publisher.refuse('forecast', 403);
    await browser.submit(await day(date), `/${date}/run`, { reason });
    const running = await until(date, /download\/forecast<\/td><td>failed/);
    expect(running.html).toContain('A run is under way');
    const retried = await browser.submit(running, '/retryStep', {
      reason,
      step: 'download/forecast',
    });
    expect(retried.html).toContain('The step is tried again.');
    const skipped = await browser.submit(running, '/skipPart', {
      reason,
      step: 'download/forecast',
    });
    expect(skipped.html).toContain('The day goes on without the part.');
    const asked = await browser.submit(running, '/unskipPart', {
      reason,
      step: 'download/forecast',
    });
    expect(asked.html).toContain('The part is asked for again.');
    publisher.refuse('forecast', undefined);
    publisher.refuse('readings', undefined);
    expect(await resultOf(date)).toMatchObject({ verdict: 'ok' });
  });

  it('decides on a day that is held, in French', async () => {
    const date = '2024-01-20';
    publisher.publish(date, { add: 10_000 });
    await browser.submit(await day(date), `/${date}/run`, { reason });
    await until(date, '/decide?');
    const page = await browser.open(`/console/tiny/${date}?lang=fr`);
    expect(page.html).toContain('<option value="accept">accepter</option>');
    const decided = await browser.submit(page, '/decide', { reason, decision: 'accept' });
    expect(decided.html).toContain('La décision est conservée.');
    expect((await resultOf(date)).verdict).not.toBe('failed');
  });

  it('lists the units that a check holds with their evidence, and decides on each by itself', async () => {
    const date = '2024-01-30';
    publisher.publish(date, { hours: { 11: 70_000, 15: 80_000 } });
    await runDay(installation.engine, 'units', date);
    const gaps = await browser.open('/console/gaps?lang=en');
    expect(gaps.html).toContain(`href="/console/units/${date}?lang=en#held"`);
    const page = await browser.open(`/console/units/${date}?lang=en`);
    expect(page.html).toContain('Held units (2)');
    expect(page.html).toContain(`hour_at: ${date}T10:00:00Z, value: 70000`);
    const refused = await browser.submit(page, '/decideUnit', {
      unit: '10',
      reason: 'x',
      decision: 'accept',
    });
    expect(refused.status).toBe(400);
    const told = await browser.submit(page, '/decideUnit', {
      unit: '10',
      reason,
      decision: 'accept',
    });
    expect(told.html).toContain('The decision is kept, and what it changes is made again.');
    const handle = installation.client.workflow.getHandle(`day/units/${date}`);
    expect(await handle.result()).toMatchObject({ verdict: 'degraded', version: 2 });
    const left = await browser.open(`/console/units/${date}?lang=en`);
    expect(left.html).toContain('Held units (1)');
    await browser.submit(left, '/decideUnit', { unit: '14', reason, decision: 'reject' });
    expect(await handle.result()).toMatchObject({ verdict: 'ok', version: 3 });
    const settled = await browser.open(`/console/units/${date}?lang=fr`);
    expect(settled.html).toContain('Unités refusées');
    expect(settled.html).not.toContain('/decideUnit');
    const late = await browser.submit(left, '/decideUnit', {
      unit: '14',
      reason,
      decision: 'accept',
    });
    expect([late.status, late.html.includes('PLAN_INVALID')]).toEqual([200, false]);
  });

  it('shows no form to a reader, and refuses one that is sent all the same', async () => {
    const reader = new PlainBrowser(api.url);
    const page = await reader.open('/console/tiny/2024-01-02?lang=en');
    expect(page.html).not.toContain('<form');
    const sent = await reader.submit({ ...page, html: (await day('2024-01-02')).html }, '/verify', {
      reason,
    });
    expect(sent.status).toBe(401);
  });
});

describe('the pages of backfills, without scripts', () => {
  const plan = async (from: string, to: string): Promise<PlainPage> =>
    browser.submit(await browser.open('/console/backfills?lang=en'), '/plan', {
      pipeline: 'tiny',
      from,
      to,
    });

  it('plan, start exactly that plan once, pause, resize, go on, and show what was done beside the plan', async () => {
    const held = publisher.holdNext('readings');
    const planned = await plan('2024-01-08', '2024-01-12');
    const [, hash = ''] = /\/console\/plans\/tiny\/(\w+)/.exec(planned.url) ?? [];
    expect(hash).not.toBe('');
    expect(planned.html).toContain('run download/readings: ');
    const tabs = await Promise.all([
      browser.submit(planned, '/backfills/start', { reason, parallel: '2' }),
      browser.submit(planned, '/backfills/start', { reason, parallel: '2' }),
    ]);
    const path = `/console/backfills/tiny/2024-01-08_2024-01-12/${hash}`;
    expect(tabs.map(({ status, url }) => [status, url.split('?')[0]])).toEqual([
      [200, path],
      [200, path],
    ]);
    await held.arrived;
    const running = await browser.open(`${path}?lang=en`);
    expect(running.html).toContain('0 / 5');
    const paused = await browser.submit(running, '/pause', { reason });
    expect(paused.html).toContain(reason);
    const resized = await browser.submit(paused, '/resize', { reason, parallel: '3' });
    expect(resized.html).toContain('<dt>At the same time</dt><dd>3</dd>');
    const going = await browser.submit(resized, '/resume', { reason });
    expect(going.html).toContain('It goes on.');
    held.release();
    const handle = installation.client.workflow.getHandle(
      path.slice('/console/'.length).replace('backfills', 'backfill'),
    );
    await handle.result();
    const ended = await browser.open(`${path}?lang=en`);
    expect(ended.html).toContain('5 / 5');
    expect(ended.html).toContain('COMPLETED');
    expect(ended.html).not.toContain('/pause');
    expect((await browser.open('/console/backfills?lang=en')).html).toContain(
      `tiny/2024-01-08_2024-01-12/${hash}`,
    );
  });

  it('stop a backfill after what runs', async () => {
    const held = publisher.holdNext('readings');
    const started = await browser.submit(
      await plan('2024-01-13', '2024-01-15'),
      '/backfills/start',
      { reason },
    );
    await held.arrived;
    const stopping = await browser.submit(started, '/cancel', { reason });
    held.release();
    expect(stopping.html).toContain('Stopped');
  });

  it('say when the stores have moved since the plan, and refuse to start it', async () => {
    const planned = await plan('2024-01-16', '2024-01-17');
    await browser.submit(await day('2024-01-16'), '/2024-01-16/run', { reason });
    await resultOf('2024-01-16');
    const moved = await browser.open(planned.url);
    expect(moved.html).toContain('The stores have changed since this plan was made');
    expect(moved.html).not.toContain('/backfills/start');
    const refused = await browser.submit(planned, '/backfills/start', { reason });
    expect(refused.status).toBe(409);
    expect(refused.html).toContain('PLAN_INVALID');
  });

  it('show a plan to a reader, without the button', async () => {
    const reader = new PlainBrowser(api.url);
    const page = await reader.open('/console/backfills?lang=fr');
    const planned = await reader.submit(page, '/plan', {
      pipeline: 'tiny',
      from: '2024-01-18',
      to: '2024-01-19',
    });
    expect(planned.status).toBe(200);
    expect(planned.html).toContain('Durée prévue');
    expect(planned.html).not.toContain('/backfills/start');
  });
});

describe('the page of schedules, without scripts', () => {
  it('shows drift, pauses, resumes and triggers a schedule, and asks the publisher', async () => {
    const { engine, client } = installation;
    const before = await browser.open('/console/schedules?lang=en');
    expect(before.html).toContain('missing');
    await applySchedules(client, engine.datasets, 'quotidien');
    const { id } = declaredSchedules(engine.datasets, 'quotidien')[0]!;
    const page = await browser.open('/console/schedules?lang=en');
    expect(page.html).toContain('Every schedule is as declared.');
    const paused = await browser.submit(page, `/${id}/pause`, { reason });
    expect((await client.schedule.getHandle(id).describe()).state.paused).toBe(true);
    expect(paused.html).toContain(`Paused: ${reason}`);
    const resumed = await browser.submit(paused, `/${id}/resume`, { reason });
    expect((await client.schedule.getHandle(id).describe()).state.paused).toBe(false);
    const triggered = await browser.submit(resumed, `/${id}/trigger`, {
      reason,
      date: '2024-01-29',
    });
    expect(triggered.html).toContain('Done; Temporal has it.');
    const watched = await browser.submit(triggered, '/tiny/watch', { reason });
    expect(watched.html).toContain('The publisher is being asked.');
    expect((await new PlainBrowser(api.url).open('/console/schedules')).html).not.toContain(
      '<form method="post"',
    );
  });
});
