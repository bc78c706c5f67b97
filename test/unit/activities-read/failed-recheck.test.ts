import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { calendarOfDays } from '../../../src/engine/look/day-calendar.ts';
import { readVersions } from '../../../src/engine/look/day-dossier.ts';
import { verifyDays } from '../../../src/engine/verify/verify-day.ts';
import { eco2mix } from '../../../src/datasets/eco2mix/index.ts';
import type { ReportModel } from '../../../src/datasets/eco2mix/report/model.ts';
import { startPortal } from '@quotidien/sample-portal/portal';
import type { Portal } from '@quotidien/sample-portal/portal';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { StepId } from '../../../src/pipelines/vocabulary.ts';
import { configuredDatasets } from '../../../src/workers/configured-datasets.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine, testControl } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

const DATE = '2024-03-05';
const NOW = new Date('2024-06-01T12:00:00Z');
const SINCE = '2024-06-01';

describe('a delivered day whose publisher refuses to be asked again', () => {
  let publisher: TinyPublisher;
  let engine: TestEngine;

  beforeEach(async () => {
    publisher = await startTinyPublisher(datesBetween('2024-02-25', '2024-03-31'));
    engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })], { now: () => NOW });
  });
  afterEach(async () => {
    await engine.close();
    await publisher.close();
  });

  async function newest(date = DATE) {
    return (await readVersions(engine, 'tiny', date)).at(-1)!;
  }

  async function keyOf(step: StepId): Promise<string | undefined> {
    const state = (await newest()).steps[step];
    return state?.state === 'done' ? state.key : undefined;
  }

  it.each(['forecast', 'readings'] as const)(
    'keeps its %s, is degraded, and says why and how old it is',
    async (part) => {
      await runDay(engine, 'tiny', DATE);
      const before = {
        slice: await keyOf(`download/${part}`),
        core: await keyOf('transform/readings'),
      };
      publisher.refuse(part, 403);
      const { outcome, version } = await runDay(engine, 'tiny', DATE, { recheck: true });
      expect(outcome).toEqual({ date: DATE, verdict: 'degraded' });
      expect(version).toBe(2);
      expect({
        slice: await keyOf(`download/${part}`),
        core: await keyOf('transform/readings'),
      }).toEqual(before);
      expect((await newest()).steps[`download/${part}`]).toMatchObject({
        state: 'done',
        kept: { code: 'SRC_AUTH', since: SINCE },
      });
      const [day] = await calendarOfDays(engine, 'tiny', [DATE], new Map());
      expect(day?.remarks).toContainEqual({
        kind: 'kept_delivery',
        text: expect.stringContaining(`delivered by ${SINCE}; SRC_AUTH`) as string,
      });
      const { days } = await verifyDays(engine, testControl(), { pipeline: 'tiny', dates: [DATE] });
      expect(days).toMatchObject([{ result: 'identical' }]);
    },
  );

  it('keeps it for every day of a window', async () => {
    const dates = datesBetween('2024-03-01', '2024-03-10');
    await runDays(engine, 'tiny', dates);
    publisher.refuse('forecast', 403);
    const outcomes = await runDays(engine, 'tiny', dates, { recheck: true });
    expect([...outcomes.values()].map(({ verdict }) => verdict)).toEqual(
      dates.map(() => 'degraded'),
    );
    for (const date of dates) {
      expect((await newest(date)).steps['download/forecast']).toMatchObject({
        state: 'done',
        kept: { code: 'SRC_AUTH' },
      });
    }
  });

  it('makes no further version while the same request fails again, and asks in every run', async () => {
    await runDay(engine, 'tiny', DATE);
    publisher.refuse('forecast', 403);
    await runDay(engine, 'tiny', DATE, { recheck: true });
    const again = await runDay(engine, 'tiny', DATE);
    expect(again.plan.steps.find(({ step }) => step === 'download/forecast')).toMatchObject({
      action: 'recheck',
    });
    expect(again.version).toBe(2);
  });

  it('carries the failure on in runs that do not ask', async () => {
    await runDay(engine, 'tiny', DATE);
    publisher.refuse('forecast', 403);
    await runDay(engine, 'tiny', DATE, { recheck: true });
    const offline = await runDay(engine, 'tiny', DATE, { offline: true });
    expect(offline).toMatchObject({
      plan: { upToDate: true },
      outcome: { verdict: 'degraded' },
      version: 2,
    });
  });

  it('is whole again as soon as the publisher answers', async () => {
    await runDay(engine, 'tiny', DATE);
    publisher.refuse('forecast', 403);
    await runDay(engine, 'tiny', DATE, { recheck: true });
    publisher.refuse('forecast', undefined);
    expect(await runDay(engine, 'tiny', DATE)).toMatchObject({
      outcome: { verdict: 'ok' },
      version: 3,
    });
    expect((await newest()).steps['download/forecast']).not.toHaveProperty('kept');
  });

  it('loses nothing either when its download was forced', async () => {
    await runDay(engine, 'tiny', DATE);
    publisher.refuse('readings', 403);
    expect((await runDay(engine, 'tiny', DATE, { fromStep: 'download' })).outcome.verdict).toBe(
      'degraded',
    );
  });

  it('fails when nothing was delivered before', async () => {
    publisher.refuse('readings', 403);
    expect((await runDay(engine, 'tiny', DATE)).outcome).toMatchObject({
      verdict: 'failed',
      failure: { step: 'download/readings', code: 'SRC_AUTH' },
    });
  });
});

describe('a definitive grid day whose publisher refuses to be asked again', () => {
  const day = '2023-12-15';
  let portal: Portal;
  let engine: TestEngine;

  beforeAll(async () => {
    portal = await startPortal({ now: () => NOW });
    const odre = { url: portal.url, requestsPerSecond: 1_000 };
    engine = await openTestEngine(Object.values(configuredDatasets({ eco2mix }, { odre })), {
      now: () => NOW,
    });
  });
  afterAll(async () => {
    await engine.close();
    await portal.close();
  });

  const model = async () =>
    JSON.parse(
      await readFile(
        path.join(engine.home, 'store', 'reports', 'eco2mix', `daily_report_${day}.json`),
        'utf8',
      ),
    ) as ReportModel;

  it('stays definitive, and its report names the part, the failure and the age of the data', async () => {
    await runDay(engine, 'eco2mix', day);
    const first = await model();
    expect(first).toMatchObject({ revision: 'definitive' });
    expect(first).not.toHaveProperty('notes');
    const undo = portal.behave({
      kind: 'status',
      status: 403,
      match: { dataset: 'eco2mix-national-cons-def' },
    });
    const { outcome } = await runDay(engine, 'eco2mix', day, { recheck: true });
    expect(outcome.verdict).toBe('degraded');
    expect(await model()).toMatchObject({
      revision: 'definitive',
      status: 'degraded',
      notes: [{ part: 'cons-def', code: 'SRC_AUTH', since: SINCE }],
    });
    const page = await readFile(
      path.join(engine.home, 'store', 'reports', 'eco2mix', `daily_report_${day}.html`),
      'utf8',
    );
    expect(page).toContain('la nouvelle demande a échoué (SRC_AUTH)');
    const verified = await verifyDays(engine, testControl(), { pipeline: 'eco2mix', dates: [day] });
    expect(verified.days).toMatchObject([{ result: 'identical' }]);
    undo();
    await runDay(engine, 'eco2mix', day);
    expect(await model()).toEqual(first);
  });
});
