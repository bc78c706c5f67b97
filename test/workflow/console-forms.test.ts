import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createLink } from '../../src/api/security/sessions.ts';
import { startApi } from '../../src/cli/services/api-server.ts';
import type { RunningApi } from '../../src/cli/services/api-server.ts';
import { datesBetween } from '../../src/pipelines/civil-date.ts';
import { testContext } from '../fixtures/cli-context.ts';
import { openInstallation } from '../fixtures/installation.ts';
import type { Installation } from '../fixtures/installation.ts';
import { PlainBrowser } from '../fixtures/plain-browser.ts';
import type { PlainPage } from '../fixtures/plain-browser.ts';
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
    datasets: { tiny: tinyDataset({ baseUrl: publisher.url, holdAbove: 9_000 }) },
  });
  const { engine, home, address } = installation;
  api = await startApi(testContext({ ...engine, home }, { TEMPORAL_ADDRESS: address }), { host: '127.0.0.1', port: 0 });
  browser = new PlainBrowser(api.url);
  const link = await createLink(engine.documents, { name: 'alice@host', role: 'operator' }, engine.now());
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
  const shows = (): boolean => (typeof text === 'string' ? page.html.includes(text) : text.test(page.html));
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
    expect([started.status, started.url]).toEqual([200, '/console/tiny/2024-01-02?done=run&lang=en']);
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
    const retried = await browser.submit(running, '/retryStep', { reason, step: 'download/forecast' });
    expect(retried.html).toContain('The step is tried again.');
    const skipped = await browser.submit(running, '/skipPart', { reason, step: 'download/forecast' });
    expect(skipped.html).toContain('The day goes on without the part.');
    const asked = await browser.submit(running, '/unskipPart', { reason, step: 'download/forecast' });
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

  it('shows no form to a reader, and refuses one that is sent all the same', async () => {
    const reader = new PlainBrowser(api.url);
    const page = await reader.open('/console/tiny/2024-01-02?lang=en');
    expect(page.html).not.toContain('<form');
    const sent = await reader.submit({ ...page, html: (await day('2024-01-02')).html }, '/verify', { reason });
    expect(sent.status).toBe(401);
  });
});
