import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { calendarOfDays } from '../../../src/engine/look/day-calendar.ts';
import { percentOf } from '../../../src/datasets/kit/page/index.ts';
import { calendarTotals, percent, rangesOf } from '../../../src/pipelines/calendar-of-days.ts';
import type { CalendarDay, RunningDay } from '../../../src/pipelines/calendar-of-days.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import { runDay } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  publisher = await startTinyPublisher(datesBetween('2024-03-01', '2024-03-09'));
  const now = () => new Date('2024-03-10T12:00:00Z');
  engine = await openTestEngine([tinyDataset({ baseUrl: publisher.url })], { now });
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

async function look(
  from: string,
  to = from,
  running = new Map<string, RunningDay>(),
): Promise<CalendarDay[]> {
  return calendarOfDays(engine, 'tiny', datesBetween(from, to), running);
}

describe('calendarOfDays', () => {
  it('shows a finished day with version, revision and coverage', async () => {
    await runDay(engine, 'tiny', '2024-03-01');
    expect(await look('2024-03-01')).toEqual([
      {
        date: '2024-03-01',
        standing: 'ok',
        verdict: 'ok',
        version: 1,
        committedAt: '2024-03-10T12:00:00.000Z',
        revision: 'provisional',
        coverage: 1,
        lacks: [],
        askAgainAt: '2024-03-10T13:00:00.000Z',
        failure: null,
        running: null,
        remarks: [],
      },
    ]);
  });

  it('marks a finished day whose steps would run again, and says why', async () => {
    await runDay(engine, 'tiny', '2024-03-01');
    const newer = engine.withDatasets([
      tinyDataset({ baseUrl: publisher.url, transformVersion: 2 }),
    ]);
    const [day] = await calendarOfDays(newer, 'tiny', ['2024-03-01'], new Map());
    expect(day?.remarks).toEqual([
      {
        kind: 'stale',
        text: expect.stringContaining('transform/readings, step version 1 became 2') as string,
      },
    ]);
  });

  it('tells a missing day from one that is not due, by the publication calendar in the pipeline’s zone', async () => {
    const standings = (await look('2024-03-09', '2024-03-10')).map(({ standing }) => standing);
    expect(standings).toEqual(['missing', 'not_due']);
    // The day ends at 23:00 UTC and is expected an hour later.
    const at = async (now: string) => {
      const days = await calendarOfDays(
        { ...engine, now: () => new Date(now) },
        'tiny',
        ['2024-03-10'],
        new Map(),
      );
      return days[0]?.standing;
    };
    expect(await at('2024-03-10T23:59:59Z')).toBe('not_due');
    expect(await at('2024-03-11T00:00:00Z')).toBe('missing');
  });

  it('has no days before the pipeline’s first', async () => {
    expect((await look('2019-12-30', '2020-01-02')).map(({ date }) => date)).toEqual([
      '2020-01-01',
      '2020-01-02',
    ]);
  });

  it('remarks on gaps, failing checks and parts that failed', async () => {
    publisher.publish('2024-03-02', { hours: { 3: null } });
    publisher.refuse('forecast', 404);
    await runDay(engine, 'tiny', '2024-03-02');
    const [day] = await look('2024-03-02');
    expect(day).toMatchObject({ standing: 'degraded' });
    expect(day?.remarks.map(({ kind }) => kind)).toEqual([
      'failed_step',
      'publisher',
      'failed_check',
      'coverage',
    ]);
    expect(day?.remarks.map(({ text }) => text)[3]).toBe('readings: coverage 95.8 %');
  });

  it('shows a day as failed only while it has no good version', async () => {
    await runDay(engine, 'tiny', '2024-03-03');
    publisher.refuse('readings', 404);
    await runDay(engine, 'tiny', '2024-03-04');
    const strict = engine.withDatasets([tinyDataset({ baseUrl: publisher.url, failAbove: 10 })]);
    await runDay(strict, 'tiny', '2024-03-03', { offline: true });
    const [kept, failed] = await look('2024-03-03', '2024-03-04');
    expect(kept).toMatchObject({
      standing: 'ok',
      version: 1,
      failure: { code: 'DATA_CHECK_FAILED' },
    });
    expect(kept?.remarks[0]?.text).toMatch(
      /^last run failed at transform\/readings, .*; version 1 stays$/,
    );
    expect(failed).toMatchObject({ standing: 'failed', version: null });
  });

  it('shows a day without data, once its run has ended', async () => {
    publisher.withdraw('2024-03-05');
    await runDay(engine, 'tiny', '2024-03-05');
    expect(await look('2024-03-05')).toMatchObject([{ standing: 'no_data', version: 1 }]);
  });

  it('lets a run under way win over what is there, and a held one over that', async () => {
    await runDay(engine, 'tiny', '2024-03-06');
    const run = {
      workflowId: 'day/tiny/2024-03-06',
      startedAt: '2024-03-10T11:00:00Z',
      held: false,
    };
    const [running] = await look('2024-03-06', '2024-03-06', new Map([['2024-03-06', run]]));
    expect(running).toMatchObject({ standing: 'running', verdict: 'ok', running: run });
    const [held] = await look(
      '2024-03-06',
      '2024-03-06',
      new Map([['2024-03-06', { ...run, held: true }]]),
    );
    expect(held).toMatchObject({ standing: 'quarantined', remarks: [{ kind: 'held' }] });
  });
});

describe('calendarTotals', () => {
  it('counts what there is and joins missing days to stretches', async () => {
    await runDay(engine, 'tiny', '2024-03-03');
    const totals = calendarTotals(await look('2024-03-01', '2024-03-12'));
    expect(totals).toMatchObject({
      days: 12,
      standings: { ok: 1, not_asked: 2, missing: 6, not_due: 3 },
      revisions: { provisional: 1 },
    });
    expect(totals.missing).toEqual([{ from: '2024-03-04', to: '2024-03-09' }]);
  });
});

describe('rangesOf', () => {
  it('goes over the ends of months and leaves single days single', () => {
    expect(rangesOf(['2024-02-28', '2024-02-29', '2024-03-01', '2024-03-03'])).toEqual([
      { from: '2024-02-28', to: '2024-03-01' },
      { from: '2024-03-03', to: '2024-03-03' },
    ]);
    expect(rangesOf([])).toEqual([]);
  });
});

describe('percent', () => {
  it('says 100 % only when nothing is missing', () => {
    expect([percent(1), percent(0.99999), percent(0.958333), percent(0)]).toEqual([
      '100 %',
      '99.9 %',
      '95.8 %',
      '0 %',
    ]);
  });

  it('rounds as the pages of reports do', () => {
    for (const share of [
      0.88549, 0.8855, 0.88551, 0.0049, 0.3333, 0.99, 0.9995, 0.99999, 0.0004, 0,
    ]) {
      expect(percent(share).replace('.', ',')).toBe(
        percentOf(share).replace(/\s/g, ' ').replace(',0', ''),
      );
    }
  });
});
