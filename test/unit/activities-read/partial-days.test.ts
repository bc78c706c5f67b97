import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { calendarOfDays } from '../../../src/engine/look/day-calendar.ts';
import { planBackfill } from '../../../src/engine/plan/plan-backfill.ts';
import { planFromStores } from '../../../src/engine/plan/plan-run.ts';
import { saveFreshness, watchPublisher } from '../../../src/engine/watch/watch-publisher.ts';
import { cityflow } from '../../../src/datasets/cityflow/index.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { addDays, datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { StepAction } from '../../../src/pipelines/planned-step.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';

const closing: (() => Promise<void>)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
});

function closeLater<T extends { close(): Promise<void> }>(opened: T): T {
  closing.push(() => opened.close());
  return opened;
}

async function actionsOf(
  engine: TestEngine,
  pipeline: string,
  date: string,
): Promise<Record<string, StepAction>> {
  const { plans } = await planFromStores(engine, engine.datasets[pipeline]!.definition, [date], {});
  return Object.fromEntries(plans[0]!.steps.map(({ step, action }) => [step, action]));
}

const CITY_DAY = '2026-05-05';

/** A city whose publishers are late: their clock is not that of the engine. */
async function openCity() {
  const clock = {
    publisher: new Date('2026-05-05T14:00:00Z'),
    ours: new Date('2026-05-06T00:00:00Z'),
  };
  const portal: Portal = closeLater(await startPortal({ now: () => clock.publisher }));
  const host = { url: portal.url, requestsPerSecond: 1_000, key: 'k' };
  const hosts = { paris: host, idfm: host, 'visual-crossing': host, 'open-meteo': host };
  const datasets = Object.values(configuredDatasets({ cityflow }, hosts));
  const engine = closeLater(await openTestEngine(datasets, { now: () => clock.ours }));
  const share = async (part: string): Promise<number> => {
    const file = path.join(
      engine.home,
      'store',
      'processed',
      'metrics',
      `${part}_metrics_${CITY_DAY}.json`,
    );
    return (JSON.parse(await readFile(file, 'utf8')) as { coverage: { taux: number } }).coverage
      .taux;
  };
  return { clock, portal, engine, share };
}

describe('a city day of which the publishers had only the first hours', () => {
  it('is asked for again by the afternoon run, and has all of them', async () => {
    const { clock, engine, share } = await openCity();
    await runDay(engine, 'cityflow', CITY_DAY);
    expect(await share('bikes')).toBeLessThan(0.8);
    expect(await share('comptages')).toBeLessThan(0.8);
    clock.publisher = new Date('2026-05-06T12:00:00Z');
    clock.ours = new Date('2026-05-06T14:00:00Z');
    const { plan } = await runDay(engine, 'cityflow', CITY_DAY);
    const asked = plan.steps.filter(
      ({ step, action }) => step.startsWith('download/') && action === 'recheck',
    );
    expect(asked.map(({ step }) => step)).toEqual(['download/bikes', 'download/comptages']);
    expect(await share('bikes')).toBeGreaterThan(0.95);
    expect(await share('comptages')).toBeGreaterThan(0.85);
  });

  it('is due for the watch while it lacks hours, and not any more when it has them', async () => {
    const { clock, engine } = await openCity();
    await runDay(engine, 'cityflow', CITY_DAY);
    const due = async () =>
      (await watchPublisher(engine, testControl(), 'cityflow')).windows.flat();
    expect(await due()).toEqual([]);
    clock.ours = new Date('2026-05-06T07:00:00Z');
    // Also while the freshness values stand: what came was not all of the day.
    expect(await due()).toEqual([CITY_DAY]);
    clock.publisher = new Date('2026-05-06T07:00:00Z');
    await runDay(engine, 'cityflow', CITY_DAY);
    clock.ours = new Date('2026-05-06T14:00:00Z');
    expect(await due()).toEqual([]);
  });

  it('is asked for once more after its cut-off, says then that it is definitive, and costs a backfill nothing', async () => {
    const { clock, engine, portal } = await openCity();
    await runDay(engine, 'cityflow', CITY_DAY);
    const revision = async () =>
      (await calendarOfDays(engine, 'cityflow', [CITY_DAY], new Map()))[0]?.revision;
    expect(await revision()).toBe('provisional');
    clock.publisher = clock.ours = new Date('2026-05-20T10:00:00Z');
    expect(await revision()).toBe('definitive');
    expect(await actionsOf(engine, 'cityflow', CITY_DAY)).toMatchObject({
      'download/bikes': 'recheck',
      'download/comptages': 'recheck',
      'download/open-meteo': 'reuse',
    });
    await runDay(engine, 'cityflow', CITY_DAY);
    clock.ours = new Date('2027-05-20T10:00:00Z');
    const asked = portal.requests.length;
    const range = { pipeline: 'cityflow', from: CITY_DAY, to: CITY_DAY };
    expect((await planBackfill(engine, range)).plan).toMatchObject({
      days: 0,
      complete: 1,
      requests: {},
    });
    expect((await watchPublisher(engine, testControl(), 'cityflow')).revisions).toEqual({
      definitive: 1,
    });
    expect(portal.requests.slice(asked).every(({ endpoint }) => endpoint !== 'export')).toBe(true);
  });
});

describe('an export that ended after a row', () => {
  it('is asked for without conditions, because the publisher calls its whole answer the one that we have', async () => {
    const now = () => new Date('2024-06-01T12:00:00Z');
    const portal = closeLater(await startPortal({ now }));
    const odre = { url: portal.url, requestsPerSecond: 1_000 };
    const engine = closeLater(
      await openTestEngine(Object.values(configuredDatasets({ eco2mix }, { odre })), { now }),
    );
    const day = '2023-12-15';
    const coverage = async () =>
      (await calendarOfDays(engine, 'eco2mix', [day], new Map()))[0]?.coverage;
    const match = { dataset: 'eco2mix-national-cons-def', endpoint: 'export' } as const;
    const undo = portal.behave({ kind: 'truncated', framing: 'chunked', end: 'row', match });
    await runDays(engine, 'eco2mix', [day]);
    undo();
    expect(await coverage()).toBeLessThan(1);
    // What `gaps` proposes for it: `backfill … --all`.
    await runDays(engine, 'eco2mix', [day], { recheck: true });
    expect(await coverage()).toBe(1);
    const asked = portal.requests.length;
    await runDays(engine, 'eco2mix', [day], { recheck: true });
    const again = portal.requests
      .slice(asked)
      .filter(({ dataset, endpoint }) => dataset === match.dataset && endpoint === 'export');
    expect(again.map(({ status }) => status)).toEqual([304]);
  });

  it('is asked for so too when it had nothing of a day', async () => {
    const publisher = closeLater(await startTinyPublisher(['2024-03-04']));
    const now = () => new Date('2024-03-10T12:00:00Z');
    const engine = closeLater(
      await openTestEngine([tinyDataset({ baseUrl: publisher.url })], { now }),
    );
    await runDay(engine, 'tiny', '2024-03-05');
    const conditions = publisher.conditions.length;
    await runDay(engine, 'tiny', '2024-03-05', { recheck: true });
    expect(publisher.conditions.slice(conditions)).toEqual([undefined, undefined]);
  });
});

describe('the watch', () => {
  it('asks for days that were fresh when the publisher changed, as soon as they are no longer', async () => {
    const start = Date.parse('2024-03-10T12:00:00Z');
    let minutes = 0;
    const now = () => new Date(start + minutes * 60_000);
    const dates = datesBetween('2024-03-01', '2024-03-05');
    const publisher = closeLater(await startTinyPublisher(dates));
    const engine = closeLater(
      await openTestEngine([tinyDataset({ baseUrl: publisher.url })], { now }),
    );
    const watch = async () => {
      const seen = await watchPublisher(engine, testControl(), 'tiny');
      await saveFreshness(engine, 'tiny', seen.freshness);
      return seen;
    };
    await runDays(engine, 'tiny', dates);
    publisher.publish('2024-03-03', { add: 7 });
    minutes = 20;
    expect(await watch()).toMatchObject({ moved: ['readings', 'forecast'], windows: [] });
    minutes = 70;
    expect(await watch()).toMatchObject({ moved: [], windows: [dates] });
    await runDays(engine, 'tiny', dates);
    minutes = 200;
    expect(await watch()).toMatchObject({ moved: [], windows: [] });
  });
});

describe('a partly delivered day of a pipeline whose days are final after the cut-off', () => {
  it('is asked for again by its own measure before, and never after it was seen then', async () => {
    const day = '2024-03-05';
    const publisher = closeLater(await startTinyPublisher([day]));
    publisher.publish(day, { hours: { 3: null } });
    let at = new Date(`${addDays(day, 1)}T02:00:00Z`);
    const options = {
      baseUrl: publisher.url,
      freshForMinutes: 1_000,
      partialForMinutes: 30,
      finalAtCutOff: true,
    };
    const engine = closeLater(await openTestEngine([tinyDataset(options)], { now: () => at }));
    const readings = async () => (await actionsOf(engine, 'tiny', day))['download/readings'];
    await runDay(engine, 'tiny', day);
    expect(await readings()).toBe('reuse');
    at = new Date(`${addDays(day, 1)}T02:31:00Z`);
    expect(await readings()).toBe('recheck');
    at = new Date(`${addDays(day, 4)}T02:00:00Z`);
    expect(await readings()).toBe('recheck');
    await runDay(engine, 'tiny', day);
    at = new Date(`${addDays(day, 400)}T02:00:00Z`);
    expect(await readings()).toBe('reuse');
  });
});
