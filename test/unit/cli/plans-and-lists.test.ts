import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { planBackfill } from '../../../src/engine/plan/plan-backfill.ts';
import { gaps, stale } from '../../../src/cli/look/gaps.ts';
import { plan } from '../../../src/cli/look/plan.ts';
import { status } from '../../../src/cli/look/status.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { CivilDate } from '../../../src/pipelines/vocabulary.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { rollUpDays, runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import type { TinyOptions } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyPublisher } from '../../fixtures/tiny-publisher.ts';

/** What plans and lists say of a day, and what its runs do, is one thing. */

const NO_VALUES = {
  hours: Object.fromEntries(Array.from({ length: 25 }, (_, hour) => [hour, null])),
};
const NEW_YEAR = datesBetween('2023-12-30', '2024-01-02');
const [FIRST, LAST] = ['2024-03-04', '2024-03-08'];
const DAYS = datesBetween(FIRST, LAST);

let now: Date;
let publisher: TinyPublisher;
let engine: TestEngine;

beforeEach(async () => {
  now = new Date('2024-04-01T12:00:00Z');
  publisher = await startTinyPublisher([...NEW_YEAR, ...DAYS]);
  engine = await openTestEngine([dataset()], { now: () => now });
});

afterEach(async () => {
  await engine.close();
  await publisher.close();
});

function dataset(options: TinyOptions = {}) {
  return tinyDataset({
    baseUrl: publisher.url,
    unpublishedWithoutValues: true,
    freshForMinutes: 60,
    ...options,
  });
}

interface PlanJson {
  readonly totals: { readonly run: number; readonly recheck: number };
  readonly days: readonly {
    readonly date: CivilDate;
    readonly steps: readonly { readonly step: string }[];
  }[];
}

async function planned(from: CivilDate, to?: CivilDate, on = engine): Promise<PlanJson> {
  const context = testContext(on);
  expect(await plan(context, { pipeline: 'tiny', from, to })).toBe(0);
  return context.terminal.values[0] as PlanJson;
}

async function staleDays(from: CivilDate, to: CivilDate, on = engine): Promise<CivilDate[]> {
  const context = testContext(on);
  await stale(context, { pipeline: 'tiny', from, to });
  const [told] = context.terminal.values as { days: { date: CivilDate }[] }[];
  return told!.days.map(({ date }) => date);
}

async function gapKinds(from: CivilDate, to: CivilDate, on = engine): Promise<string[]> {
  const context = testContext(on);
  await gaps(context, { pipeline: 'tiny', from, to });
  const [told] = context.terminal.values as { gaps: { kind: string; days: number }[] }[];
  return told!.gaps.map(({ kind, days }) => `${kind} ${days}`);
}

describe('a day of which nothing but placeholders is published', () => {
  beforeEach(async () => {
    publisher.publish(FIRST, NO_VALUES);
    expect(await runDay(engine, 'tiny', FIRST)).toMatchObject({
      outcome: { verdict: 'no_data' },
      version: 1,
    });
  });

  it('has no step that will run, is not out of date, and is a gap', async () => {
    expect((await planned(FIRST)).totals).toMatchObject({ run: 0, recheck: 0 });
    expect((await planned(FIRST, FIRST)).totals).toMatchObject({ run: 0, recheck: 0 });
    expect(await staleDays(FIRST, FIRST)).toEqual([]);
    expect(await gapKinds(FIRST, FIRST)).toEqual(['no_data 1']);
    expect(
      (await planBackfill(engine, { pipeline: 'tiny', from: FIRST, to: FIRST })).plan,
    ).toMatchObject({
      days: 0,
      complete: 1,
      noData: 1,
    });
  });

  it('is asked for again, and made when its values have come', async () => {
    now = new Date('2024-04-01T14:00:00Z');
    const { totals } = await planned(FIRST);
    expect(totals.run).toBe(0);
    expect(totals.recheck).toBeGreaterThan(2);
    publisher.publish(FIRST);
    expect(await runDay(engine, 'tiny', FIRST)).toMatchObject({
      outcome: { verdict: 'ok' },
      version: 2,
    });
    expect(await gapKinds(FIRST, FIRST)).toEqual([]);
  });
});

describe('quotidien plan of a range', () => {
  it('says nothing of steps that a range does not make, which the plan of a single day names', async () => {
    await runDays(engine, 'tiny', DAYS);
    const range = await planned(FIRST, LAST);
    expect(range.totals).toMatchObject({ run: 0, recheck: 0 });
    expect(range.days.flatMap(({ steps }) => steps.map(({ step }) => step))).not.toContain(
      'report/page',
    );
    expect((await planned(FIRST)).totals).toMatchObject({ run: 1 });
  });

  it('names the days that stale names, also behind the turn of a year', async () => {
    await runDays(engine, 'tiny', NEW_YEAR);
    await rollUpDays(engine, 'tiny', NEW_YEAR);
    now = new Date('2024-04-01T12:30:00Z');
    publisher.publish('2023-12-31', { add: 5 });
    await runDay(engine, 'tiny', '2023-12-30');
    // One that was fetched and not made yet: it and the day after it, of the next year, are out of
    // date.
    await runDay(engine.withDatasets([dataset({ failAbove: 1 })]), 'tiny', '2023-12-31', {
      recheck: true,
    });
    const range = await planned('2023-12-30', '2024-01-02');
    const running = range.days.filter(({ steps }) =>
      steps.some((step) => 'action' in step && step.action === 'run'),
    );
    expect(running.map(({ date }) => date)).toEqual(['2023-12-31', '2024-01-01']);
    expect(await staleDays('2023-12-30', '2024-01-02')).toEqual(['2023-12-31', '2024-01-01']);
    const request = {
      pipeline: 'tiny',
      from: '2023-12-30',
      to: '2024-01-02',
      select: 'stale',
    } as const;
    expect((await planBackfill(engine, request)).days.map(({ date }) => date)).toEqual([
      '2023-12-31',
      '2024-01-01',
    ]);
  });
});

describe('quotidien gaps', () => {
  it('holds the parts of a day against their own measure, and misses those that have none of it', async () => {
    publisher.publish(FIRST, { hours: { 3: null } });
    await runDays(engine, 'tiny', DAYS);
    const { definition, ...rest } = dataset();
    const measured = (least: number, step: 'transform/readings' | 'transform/forecast') => {
      const parts = definition.parts.map((part) =>
        part.id === 'readings'
          ? { ...part, completeness: { step, fact: 'coverage', least } }
          : part,
      );
      return engine.withDatasets([{ ...rest, definition: { ...definition, parts } }]);
    };
    expect(await gapKinds(FIRST, LAST, measured(1, 'transform/readings'))).toEqual([
      'incomplete 1',
    ]);
    expect(await gapKinds(FIRST, LAST, measured(0.9, 'transform/readings'))).toEqual([]);
    expect(await gapKinds(FIRST, LAST, measured(0.9, 'transform/forecast'))).toEqual([
      'incomplete 5',
    ]);
  });

  it('forgets a failure when the day is as it has to be again, by the next run', async () => {
    await runDays(engine, 'tiny', DAYS);
    await runDay(engine.withDatasets([dataset({ failAbove: 1 })]), 'tiny', FIRST);
    expect(await gapKinds(FIRST, LAST)).toEqual(['failed 1']);
    const request = { pipeline: 'tiny', from: FIRST, to: LAST };
    expect((await planBackfill(engine, request)).plan).toMatchObject({ days: 1, complete: 4 });
    await runDays(engine, 'tiny', DAYS);
    expect(await gapKinds(FIRST, LAST)).toEqual([]);
    expect((await planBackfill(engine, request)).plan).toMatchObject({ days: 0, complete: 5 });
  });
});

describe('a part that begins later than its pipeline', () => {
  const begins = (parts: Readonly<Record<string, CivilDate>>, least?: number) => {
    const { definition, ...rest } = dataset();
    const measure = { step: 'transform/readings', fact: 'rows' } as const;
    const all = definition.parts.map((part) => ({
      ...part,
      ...(parts[part.id] === undefined ? {} : { since: parts[part.id]! }),
      ...(part.id === 'forecast' && least !== undefined
        ? { completeness: { ...measure, least } }
        : {}),
    }));
    return engine.withDatasets([{ ...rest, definition: { ...definition, parts: all } }]);
  };

  it('is missed on no day before, and its days are complete without it', async () => {
    const on = begins({ forecast: DAYS[2]! });
    await runDays(on, 'tiny', DAYS);
    expect(await gapKinds(FIRST, LAST, on)).toEqual([]);
    expect(await staleDays(FIRST, LAST, on)).toEqual([]);
    expect((await planned(FIRST, LAST, on)).totals).toMatchObject({ run: 0, recheck: 0 });
  });

  it('is held against its measure from its first day on', async () => {
    const on = begins({ forecast: DAYS[2]! }, 25);
    await runDays(on, 'tiny', DAYS);
    expect(await gapKinds(FIRST, LAST, on)).toEqual(['incomplete 3']);
  });

  it('makes no gap of days on which no part has begun, and such days are refused by a plan', async () => {
    const on = begins({ readings: DAYS[2]!, forecast: DAYS[2]! });
    expect(await gapKinds(FIRST, LAST, on)).toEqual(['missing 3']);
    const context = testContext(on);
    await expect(
      plan(context, { pipeline: 'tiny', from: FIRST, to: undefined }),
    ).rejects.toMatchObject({
      code: 'PLAN_INVALID',
      message: `tiny has no data before ${DAYS[2]!}; ${FIRST} was asked for`,
    });
    const request = { pipeline: 'tiny', from: DAYS[2]!, to: LAST, select: 'missing' } as const;
    expect((await planBackfill(on, request)).plan).toMatchObject({ days: 3 });
    const early = { ...request, from: FIRST };
    await expect(planBackfill(on, early)).rejects.toMatchObject({ code: 'PLAN_INVALID' });
  });
});

describe('quotidien status', () => {
  it('counts as incomplete what gaps lists as incomplete', async () => {
    publisher.publish(FIRST, { hours: { 3: null } });
    await runDays(engine, 'tiny', DAYS);
    const context = testContext(engine);
    await status(context, { pipeline: 'tiny', period: '2024-03' });
    expect(context.terminal.text()).toContain('1 incomplete');
  });
});
