import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawDays } from '../../../src/engine/verify/draw-days.ts';
import { calendarOfDays } from '../../../src/engine/look/day-calendar.ts';
import { status } from '../../../src/cli/look/status.ts';
import { gaps, gapsOfKind, stale } from '../../../src/cli/look/gaps.ts';
import { verify } from '../../../src/cli/look/verify.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

let publisher: TinyPublisher;
let engine: TestEngine;

beforeAll(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-01-01', '2024-01-20'));
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url, failAbove: 9_000 })]);
  publisher.publish('2024-01-08', { add: 10_000 });
  await runDays(engine, 'tiny', datesBetween('2024-01-01', '2024-01-05'));
  await runDays(engine, 'tiny', datesBetween('2024-01-09', '2024-01-12'));
  await runDay(engine, 'tiny', '2024-01-08');
  await rollUpDays(engine, 'tiny', datesBetween('2024-01-01', '2024-01-12'));
});

afterAll(async () => {
  await engine.close();
  await publisher.close();
});

const range = { pipeline: 'tiny', from: '2024-01-01', to: '2024-01-12' };

describe('quotidien gaps', () => {
  it('names the missing and the failed days, and the backfills that would close them', async () => {
    const context = testContext(engine);
    expect(await gaps(context, range)).toBe(3);
    expect(context.terminal.values).toMatchObject([
      {
        gaps: [
          {
            kind: 'missing',
            days: 2,
            backfill: 'quotidien backfill tiny 2024-01-06 2024-01-07 --missing',
          },
          {
            kind: 'failed',
            days: 1,
            backfill: 'quotidien backfill tiny 2024-01-08 2024-01-08 --failed',
          },
        ],
      },
    ]);
  });

  it('leaves out the days before the first one that was made, which nobody asked for', async () => {
    const context = testContext(engine);
    expect(await gaps(context, { ...range, from: '2023-12-20', to: '2024-01-05' })).toBe(0);
    const told = testContext(engine);
    await status(told, { pipeline: 'tiny', period: '2023-12' });
    expect(told.terminal.text()).toContain('31 not asked for');
  });

  it('proposes nothing for a degraded day of which nothing is left to make', async () => {
    const { definition } = tinyDataset({ baseUrl: publisher.url });
    const closed = {
      ...definition,
      parts: definition.parts.map((part) => ({ ...part, closed: 'no key' })),
    };
    const dataset = tinyDataset({ baseUrl: publisher.url });
    const without = engine.withDatasets([{ ...dataset, definition: closed }]);
    const days = await calendarOfDays(without, 'tiny', ['2024-01-02'], new Map());
    const lacking = days.map((day) => ({
      ...day,
      lacks: [{ part: 'readings', share: 0.5, least: 1 }],
    }));
    expect(await gapsOfKind(without, 'tiny', 'incomplete', lacking)).toMatchObject([
      { days: 1, backfill: null },
    ]);
    expect(await gapsOfKind(engine, 'tiny', 'incomplete', lacking)).toMatchObject([
      { backfill: 'quotidien backfill tiny 2024-01-02 2024-01-02 --all' },
    ]);
    const degraded = days.map((day) => ({ ...day, standing: 'degraded' as const }));
    expect(await gapsOfKind(engine, 'tiny', 'degraded', degraded)).toMatchObject([
      { days: 1, backfill: null },
    ]);
  });

  it('says when there is none', async () => {
    const context = testContext(engine);
    expect(await gaps(context, { ...range, to: '2024-01-05' })).toBe(0);
    expect(context.terminal.text()).toBe('no gap in 5 days');
  });
});

describe('quotidien stale', () => {
  it('finds nothing while everything is as it was made', async () => {
    const context = testContext(engine);
    expect(await stale(context, { ...range, to: '2024-01-05' })).toBe(0);
  });

  it('lists the days that a change of code made stale, with the reason', async () => {
    const newer = tinyDataset({ baseUrl: publisher.url, transformVersion: 2 });
    const context = testContext(engine.withDatasets([newer]));
    expect(await stale(context, { ...range, to: '2024-01-05' })).toBe(3);
    expect(context.terminal.text()).toContain('step version 1 became 2');
    expect(context.terminal.text()).toContain(
      '5 days out of date: quotidien backfill tiny 2024-01-01 2024-01-05 --stale',
    );
  });

  it('lists the periods that are not what their days give now, in order, with the reasons', async () => {
    const context = testContext(engine);
    await runDay(engine, 'tiny', '2024-01-13');
    expect(await stale(context, { ...range, from: '2024-01-09', to: '2024-01-13' })).toBe(3);
    expect(context.terminal.values.at(-1)).toMatchObject({
      days: [],
      periods: [
        {
          period: '2024-01',
          step: 'rollup/month',
          reason: 'input days changed (1 of 10 differ)',
          date: '2024-01-09',
        },
        { period: 'all', step: 'rollup/history', reason: 'after rollup/month of 2024-01' },
      ],
    });
    expect(context.terminal.text()).toContain('"pending":["2024-01-09"]');
  });
});

describe('quotidien verify --sample', () => {
  it('draws finished days only, each once', async () => {
    const drawn = await drawDays(engine, 'tiny', datesBetween('2024-01-01', '2024-01-12'), 4);
    expect(new Set(drawn).size).toBe(4);
    const all = await drawDays(engine, 'tiny', datesBetween('2024-01-01', '2024-01-12'), 100);
    expect(all).toEqual([
      ...datesBetween('2024-01-01', '2024-01-05'),
      ...datesBetween('2024-01-09', '2024-01-12'),
    ]);
  });

  it('verifies as many days as asked for', async () => {
    const context = testContext(engine);
    expect(await verify(context, { ...range, sample: '2' })).toBe(0);
    expect(context.terminal.values).toMatchObject([{ totals: { identical: 2 } }]);
  });
});
