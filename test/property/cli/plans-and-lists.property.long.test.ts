import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readLedger, readManifests } from '../../../src/engine/records/ledger-reader.ts';
import type { StaleDay } from '../../../src/engine/look/stale-days.ts';
import { selectSpan } from '../../../src/engine/plan/plan-backfill.ts';
import { exitCodeOfDays } from '../../../src/cli/make/backfill-run.ts';
import { gaps, stale } from '../../../src/cli/look/gaps.ts';
import { plan } from '../../../src/cli/look/plan.ts';
import { status } from '../../../src/cli/look/status.ts';
import type { CalendarDay, DateRange } from '../../../src/pipelines/calendar-of-days.ts';
import { datesBetween } from '../../../src/pipelines/civil-date.ts';
import type { Dataset } from '../../../src/pipelines/dataset.ts';
import type { Manifest } from '../../../src/pipelines/manifest.ts';
import type { StepAction } from '../../../src/pipelines/planned-step.ts';
import type { CivilDate, StepId, Verdict } from '../../../src/pipelines/vocabulary.ts';
import { testContext } from '../../fixtures/cli-context.ts';
import { runDay, runDays } from '../../fixtures/run-day.ts';
import { openTestEngine } from '../../fixtures/test-engine.ts';
import type { TestEngine } from '../../fixtures/test-engine.ts';
import { tinyDataset } from '../../fixtures/tiny-dataset.ts';
import { startTinyPublisher } from '../../fixtures/tiny-publisher.ts';
import type { TinyChange, TinyPublisher } from '../../fixtures/tiny-publisher.ts';

/**
 * Over random histories: what the plan says is what runs, and `stale`, `gaps`, `status` and the
 * exit code say the same of it. Each claim is held against what is independent of plans: new ledger
 * entries, new versions, requests to the publisher.
 */

const FIRST = '2024-02-28';
const DATES = datesBetween(FIRST, '2024-03-02');
/**
 * One period with all the days, as `stale` is asked: a day that a previous day may change is told
 * where both are asked for.
 */
const PERIOD = '2024';
const NO_VALUES = {
  hours: Object.fromEntries(Array.from({ length: 25 }, (_, hour) => [hour, null])),
};

type Operation =
  | { readonly kind: 'publish'; readonly date: CivilDate; readonly change: TinyChange }
  | { readonly kind: 'withdraw'; readonly date: CivilDate }
  | {
      readonly kind: 'refuse';
      readonly part: 'readings' | 'forecast';
      readonly status: number | undefined;
    }
  | { readonly kind: 'wait'; readonly minutes: number }
  | { readonly kind: 'code'; readonly version: number; readonly failAbove: number }
  | { readonly kind: 'run'; readonly date: CivilDate }
  | { readonly kind: 'range'; readonly from: CivilDate; readonly to: CivilDate }
  | { readonly kind: 'stale' };

const date = fc.constantFrom(...DATES);
const change: fc.Arbitrary<TinyChange> = fc.constantFrom(
  {},
  { add: 1 },
  { add: 10_000 },
  { hours: { 3: null } },
  { withoutForecast: true },
  NO_VALUES,
);

const operation: fc.Arbitrary<Operation> = fc.oneof(
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('publish' as const), date, change }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('withdraw' as const), date }) },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('refuse' as const),
      part: fc.constantFrom('readings', 'forecast'),
      status: fc.constantFrom(403, undefined),
    }),
  },
  {
    weight: 2,
    arbitrary: fc.record({
      kind: fc.constant('wait' as const),
      minutes: fc.constantFrom(30, 90, 4_000),
    }),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      kind: fc.constant('code' as const),
      version: fc.constantFrom(1, 2),
      failAbove: fc.constantFrom(5_000, 20_000),
    }),
  },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('run' as const), date }) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(date, date)
      .map(([a, b]) => ({ kind: 'range' as const, from: a < b ? a : b, to: a < b ? b : a })),
  },
  { weight: 1, arbitrary: fc.constant({ kind: 'stale' }) },
);

/** Histories that some list once told wrongly. */
const KNOWN: readonly Operation[][] = [
  [
    { kind: 'range', from: '2024-02-29', to: '2024-03-02' },
    { kind: 'code', version: 2, failAbove: 5_000 },
    { kind: 'run', date: '2024-03-02' },
    { kind: 'stale' },
  ],
  [
    { kind: 'withdraw', date: '2024-02-29' },
    { kind: 'range', from: '2024-02-28', to: '2024-03-01' },
    { kind: 'code', version: 1, failAbove: 5_000 },
    { kind: 'run', date: '2024-02-29' },
  ],
  [
    { kind: 'publish', date: FIRST, change: NO_VALUES },
    { kind: 'run', date: FIRST },
    { kind: 'wait', minutes: 90 },
    { kind: 'range', from: FIRST, to: DATES.at(-1)! },
  ],
  [
    { kind: 'range', from: FIRST, to: DATES.at(-1)! },
    { kind: 'code', version: 2, failAbove: 5_000 },
    { kind: 'stale' },
    { kind: 'range', from: FIRST, to: DATES.at(-1)! },
  ],
  [
    { kind: 'run', date: '2024-02-29' },
    { kind: 'code', version: 2, failAbove: 20_000 },
    { kind: 'range', from: '2024-03-01', to: '2024-03-02' },
    { kind: 'publish', date: '2024-03-02', change: { add: 1 } },
    { kind: 'run', date: '2024-02-28' },
  ],
];

interface PlannedDay {
  readonly date: CivilDate;
  readonly upToDate: boolean;
  readonly steps: readonly {
    readonly step: StepId;
    readonly action: StepAction;
    readonly reason: string;
  }[];
}

/** What is there, told without any plan. */
interface Stock {
  readonly entries: ReadonlySet<string>;
  readonly versions: ReadonlyMap<CivilDate, readonly Manifest[]>;
  readonly requests: number;
}

class Story {
  readonly #publisher: TinyPublisher;
  #engine: TestEngine;
  readonly #clock: { now: Date };
  #code = { transformVersion: 1, failAbove: 20_000 };

  private constructor(publisher: TinyPublisher, engine: TestEngine, clock: { now: Date }) {
    this.#clock = clock;
    this.#publisher = publisher;
    this.#engine = engine;
  }

  static async begin(publisher: TinyPublisher): Promise<Story> {
    const clock = { now: new Date('2024-03-20T12:00:00Z') };
    const engine = await openTestEngine([], { now: () => clock.now });
    const story = new Story(publisher, engine, clock);
    story.#engine = engine.withDatasets([story.#dataset()]);
    return story;
  }

  close(): Promise<void> {
    return this.#engine.close();
  }

  #dataset(): Dataset {
    return tinyDataset({
      baseUrl: this.#publisher.url,
      unpublishedWithoutValues: true,
      ...this.#code,
    });
  }

  async perform(operation: Operation): Promise<void> {
    switch (operation.kind) {
      case 'publish': {
        this.#publisher.publish(operation.date, operation.change);
        return;
      }
      case 'withdraw': {
        this.#publisher.withdraw(operation.date);
        return;
      }
      case 'refuse': {
        this.#publisher.refuse(operation.part, operation.status);
        return;
      }
      case 'wait':
        this.#clock.now = new Date(this.#clock.now.getTime() + operation.minutes * 60_000);
        return;
      case 'code':
        this.#code = { transformVersion: operation.version, failAbove: operation.failAbove };
        this.#engine = this.#engine.withDatasets([this.#dataset()]);
        return;
      case 'run':
        return this.#runOne(operation.date);
      case 'range':
        return this.#runRange(operation.from, operation.to);
      case 'stale':
        return this.#runStale();
    }
  }

  async #runOne(date: CivilDate): Promise<void> {
    const [planned] = await this.#plan(date);
    const before = await this.#stock();
    const { outcome } = await runDay(this.#engine, 'tiny', date);
    const after = await this.#stock();
    this.#holdsPlan(planned!, before, after, true);
    const verdict =
      outcome.failure === undefined ? after.versions.get(date)!.at(-1)!.verdict : 'failed';
    await this.#holdsExitCode([date], [verdict]);
    if (verdict !== 'ok' && verdict !== 'no_data') return;
    expect(await this.#plan(date), 'what has just been made').toMatchObject([{ upToDate: true }]);
    // A previous day that is out of date itself may still change what this one reads of it.
    expect((await this.#staleOfTheirOwn()).map((day) => day.date)).not.toContain(date);
  }

  /** As `run` of a range: the open days together, then alone what the set left. */
  async #runRange(from: CivilDate, to: CivilDate): Promise<void> {
    const planned = await this.#plan(from, to);
    const before = await this.#stock();
    const { selected } = await selectSpan(
      this.#engine,
      { pipeline: 'tiny', from, to },
      { from, to },
    );
    const dates = selected.map(({ date }) => date);
    const alone = new Set<CivilDate>();
    const failed = new Set<CivilDate>();
    const outcomes = dates.length === 0 ? new Map() : await runDays(this.#engine, 'tiny', dates);
    for (const [date, { verdict }] of outcomes as Map<CivilDate, { verdict: Verdict }>) {
      if (verdict === 'ok' || verdict === 'degraded') continue;
      alone.add(date);
      const { outcome } = await runDay(this.#engine, 'tiny', date);
      if (outcome.failure !== undefined) failed.add(date);
    }
    const after = await this.#stock();
    for (const day of planned) {
      if (!dates.includes(day.date))
        expect(day, 'a day that is left out').toMatchObject({ upToDate: true });
      this.#holdsPlan(day, before, after, alone.has(day.date));
    }
    const all = planned.map(({ date }) => date);
    const verdicts = all.map((date) =>
      failed.has(date) ? 'failed' : after.versions.get(date)!.at(-1)!.verdict,
    );
    await this.#holdsExitCode(all, verdicts);
  }

  /**
   * Exactly the days that `stale` names get a new version from what is there, or cannot be made;
   * one that it names for a previous day alone stays where that one gives the same bytes again.
   */
  async #runStale(): Promise<void> {
    const named = await this.#staleDays();
    const own = (await this.#staleOfTheirOwn()).map((day) => day.date);
    const before = await this.#stock();
    const finished = DATES.filter((one) => (before.versions.get(one)?.length ?? 0) > 0);
    const outcomes =
      finished.length === 0
        ? new Map()
        : await runDays(this.#engine, 'tiny', finished, { offline: true });
    const after = await this.#stock();
    expect(after.requests, 'requests of a run that asks nobody').toBe(before.requests);
    const touched = finished.filter((one) => {
      const verdict = (outcomes as Map<CivilDate, { verdict: Verdict }>).get(one)?.verdict ?? 'ok';
      const isNew = after.versions.get(one)!.length > before.versions.get(one)!.length;
      return isNew || verdict === 'failed' || verdict === 'no_data';
    });
    expect(named, 'what stale names').toEqual(expect.arrayContaining(touched));
    expect(touched, 'what is stale of its own').toEqual(expect.arrayContaining(own));
  }

  #holdsPlan(
    { date, steps, upToDate }: PlannedDay,
    before: Stock,
    after: Stock,
    isAlone: boolean,
  ): void {
    const ran = [...after.entries].filter(
      (entry) => !before.entries.has(entry) && entry.startsWith(`${date} `),
    );
    const done = new Set(ran.map((entry) => entry.split(' ')[1]));
    const manifest = after.versions.get(date)?.at(-1);
    for (const step of done) {
      const planned = steps.find((one) => one.step === step);
      // A day that its set left is made alone, with what only single days have.
      if (planned === undefined && isAlone) continue;
      expect(['run', 'recheck'], `${date} ${step} ran, planned as ${planned?.reason}`).toContain(
        planned?.action,
      );
    }
    for (const { step, action, reason } of steps) {
      const waits = reason.startsWith('after ') || reason.includes('waits for ');
      const state = manifest?.steps[step]?.state;
      if (action !== 'run' || waits || done.has(step)) continue;
      const failed =
        state === 'failed' ||
        manifest === before.versions.get(date)?.at(-1) ||
        manifest === undefined;
      // What was fetched again and is the same, or could not be, has no entry of its own.
      const isDownload = step.startsWith('download/');
      expect(
        failed || isDownload || this.#isUnchanged(before, after, date),
        `${date} ${step} did not run: ${reason}`,
      ).toBe(true);
    }
    const isActive = steps.some(({ action }) => action === 'run' || action === 'recheck');
    if (upToDate) {
      expect(isActive, `${date} is up to date, and something runs`).toBe(false);
      expect(ran).toEqual([]);
      expect(after.versions.get(date)?.length).toBe(before.versions.get(date)?.length);
    } else if (!isActive) {
      expect(after.versions.get(date)!.length, `${date} gets a new version`).toBeGreaterThan(
        before.versions.get(date)?.length ?? 0,
      );
    }
  }

  #isUnchanged(before: Stock, after: Stock, date: CivilDate): boolean {
    return after.versions.get(date)?.length === before.versions.get(date)?.length;
  }

  /**
   * After a run of these days: 0 exactly when `gaps` names none of them for its standing, and 1
   * exactly when one failed.
   */
  async #holdsExitCode(dates: readonly CivilDate[], verdicts: readonly Verdict[]): Promise<void> {
    const number = (verdict: Verdict): number => verdicts.filter((one) => one === verdict).length;
    const code = exitCodeOfDays({
      failedDays: number('failed'),
      waitingDays: 0,
      degradedDays: number('degraded'),
      noDataDays: number('no_data'),
    });
    const named = await this.#gaps();
    const kinds = new Set(
      dates.flatMap((one) => named.get(one) ?? []).filter((kind) => kind !== 'incomplete'),
    );
    expect(code, [...kinds].join(', ')).toBe(kinds.has('failed') ? 1 : kinds.size > 0 ? 3 : 0);
  }

  /** What the lists say while nothing runs. */
  async holdsLists(): Promise<void> {
    const { versions } = await this.#stock();
    const named = await this.#gaps();
    const staleDays = await this.#staleDays();
    const days = new Map((await this.#calendar()).map((one) => [one.date, one]));
    const firstMade = DATES.find((one) => (versions.get(one) ?? []).length > 0);
    for (const one of DATES) {
      const manifest = versions.get(one)?.at(-1);
      const day = days.get(one)!;
      const isGood =
        manifest?.verdict === 'ok' && manifest.facts['coverage'] === 1 && day.failure === null;
      const none = firstMade !== undefined && one < firstMade ? 'not_asked' : 'missing';
      expect(day.standing).toBe(manifest?.verdict ?? (day.failure === null ? none : 'failed'));
      expect(named.has(one), `${one} among the gaps`).toBe(!isGood && day.standing !== 'not_asked');
      const marked = day.remarks.some(({ kind }) => kind === 'stale');
      expect(staleDays.includes(one), `${one} out of date`).toBe(marked);
    }
    const [from, to] = [DATES[0]!, DATES.at(-1)!];
    const foreseen = await selectSpan(
      this.#engine,
      { pipeline: 'tiny', from, to, select: 'stale' },
      { from, to },
    );
    expect(foreseen.selected.map((day) => day.date)).toEqual(staleDays);
  }

  async #plan(from: CivilDate, to?: CivilDate): Promise<readonly PlannedDay[]> {
    const context = testContext(this.#engine);
    await plan(context, { pipeline: 'tiny', from, to });
    return (context.terminal.values[0] as { days: PlannedDay[] }).days;
  }

  async #staleDays(): Promise<CivilDate[]> {
    const context = testContext(this.#engine);
    await stale(context, { pipeline: 'tiny', from: FIRST, to: DATES.at(-1) });
    return (context.terminal.values[0] as { days: { date: CivilDate }[] }).days.map(
      (day) => day.date,
    );
  }

  /** The days that `stale` names for more than what a previous day, named as well, may give. */
  async #staleOfTheirOwn(): Promise<StaleDay[]> {
    const context = testContext(this.#engine);
    await stale(context, { pipeline: 'tiny', from: FIRST, to: DATES.at(-1) });
    const { days } = context.terminal.values[0] as { days: StaleDay[] };
    const named = days.map((day) => day.date);
    return days.filter(({ steps, unpublished }) => {
      const [first] = steps;
      const [, of] =
        /^(?:after|never ran; waits for) [a-z/]+ of (\d{4}-\d{2}-\d{2})$/.exec(
          first?.reason ?? '',
        ) ?? [];
      return unpublished.length > 0 || of === undefined || !named.includes(of);
    });
  }

  async #gaps(): Promise<Map<CivilDate, string[]>> {
    const context = testContext(this.#engine);
    await gaps(context, { pipeline: 'tiny', from: FIRST, to: DATES.at(-1) });
    const named = new Map<CivilDate, string[]>();
    const [told] = context.terminal.values as { gaps: { kind: string; ranges: DateRange[] }[] }[];
    for (const { kind, ranges } of told!.gaps) {
      for (const one of ranges.flatMap(({ from, to }) => datesBetween(from, to)))
        named.set(one, [...(named.get(one) ?? []), kind]);
    }
    return named;
  }

  async #calendar(): Promise<CalendarDay[]> {
    const context = testContext(this.#engine);
    await status(context, { pipeline: 'tiny', period: PERIOD });
    return context.terminal.values[0] as CalendarDay[];
  }

  async #stock(): Promise<Stock> {
    const { documents } = this.#engine;
    const [versions, ledger] = [
      await readManifests(documents, 'tiny', DATES),
      await readLedger(documents, 'tiny', DATES),
    ];
    const entries = [...ledger].flatMap(([one, list]) =>
      list.map(({ step, key }) => `${one} ${step} ${key}`),
    );
    return { entries: new Set(entries), versions, requests: this.#publisher.requests.length };
  }
}

let publisher: TinyPublisher;

beforeAll(async () => {
  publisher = await startTinyPublisher([]);
});

afterAll(() => publisher.close());

describe('plans, lists and runs', () => {
  it('say the same of every day, whatever has happened', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(operation, { minLength: 3, maxLength: 9, size: 'max' }),
        async (operations) => {
          for (const one of DATES) publisher.publish(one);
          for (const part of ['readings', 'forecast'] as const) publisher.refuse(part, undefined);
          const story = await Story.begin(publisher);
          try {
            for (const one of operations) {
              await story.perform(one);
              if (one.kind === 'run' || one.kind === 'range' || one.kind === 'stale')
                await story.holdsLists();
            }
            await story.holdsLists();
          } finally {
            await story.close();
          }
        },
      ),
      { numRuns: 8, endOnFailure: true, examples: KNOWN.map((operations) => [operations]) },
    );
  }, 600_000);
});
