import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ChildWorkflowFailure,
  ParentClosePolicy,
  allHandlersFinished,
  condition,
  continueAsNew,
  getExternalWorkflowHandle,
  isCancellation,
  patched,
  proxyActivities,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { ExternalWorkflowHandle } from '@temporalio/workflow';
import { definedMembers, firstOf, lastOf } from '../given.ts';
import type { Activities } from '../activities/create-activities.ts';
import type { CanaryDifference, SelectedDays } from '../engine/contract.ts';
import { SELECTIONS, spreadSample, yearSpans } from '../pipelines/backfill.ts';
import type { BackfillRequest } from '../pipelines/backfill.ts';
import type { FetchWindow } from '../pipelines/source-declaration.ts';
import { STAGES } from '../pipelines/vocabulary.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { AwaitedDays, isOwnCancellation, runFailure } from './await-day.ts';
import { BackfillControl, MAX_PARALLEL } from './backfill-control.ts';
import { BackfillTally } from './backfill-tally.ts';
import type { BackfillResult, BackfillTotals } from './backfill-tally.ts';
import { CONTROL_RETRY, SURVEY_RETRY } from './control-retry.ts';
import { withPlainFailures } from './plain-failures.ts';
import {
  checkInput,
  civilDate,
  flag,
  internal,
  number,
  oneOf,
  optional,
  text,
  wholeNumber,
} from './input-shape.ts';
import type { Shape } from './input-shape.ts';
import { describeRun } from './search-attributes.ts';
import { earlierDaysDoneSignal, window } from './window.ts';
import type { WindowResult } from './window.ts';

/** The request, with how it is run; the latter is no part of a plan's hash. */
export interface BackfillInput extends BackfillRequest {
  /**
   * The hash of a stored plan: exactly its days are run, and nothing when the stores have changed
   * since it was made.
   */
  readonly plan?: string;
  /** Windows, and after them days, that run at the same time; default 3. */
  readonly parallel?: number;
  /** Run this many sampled days first, and compare them with what is stored. */
  readonly canary?: number;
  /** The part of rows, 0–1, by which a canary day may differ; default 0. */
  readonly canaryTolerance?: number;
  /** Set by the backfill itself when it continues as new. */
  readonly carried?: Carried;
}

/** More canary days than this are no sample any more. */
const MAX_CANARY_DAYS = 400;

const BACKFILL_INPUT: Shape<BackfillInput> = {
  pipeline: text,
  from: civilDate,
  to: civilDate,
  select: optional(oneOf(SELECTIONS)),
  newestFirst: optional(flag),
  until: optional(oneOf(STAGES)),
  pages: optional(flag),
  plan: optional(text),
  parallel: optional(wholeNumber(1, MAX_PARALLEL)),
  canary: optional(wholeNumber(0, MAX_CANARY_DAYS)),
  canaryTolerance: optional(number(0, 1)),
  carried: internal,
};

interface Carried {
  /** The stretches that are done. */
  readonly stretches: number;
  readonly totals: BackfillTotals;
  readonly parallel: number;
  readonly paused: string | null;
  /** The days that ran as canaries, and what they showed. */
  readonly canary?: {
    readonly dates: readonly CivilDate[];
    readonly differences: readonly CanaryDifference[];
  };
}

const DEFAULT_PARALLEL = 3;

/**
 * A run that is longer than this after a year of days goes on as a new one. A year of windows is 20
 * to 150 events, a year of careful days 3,500; the server warns at 10,240.
 */
const MAX_EVENTS = 150;

/**
 * Days that need care have ten events each in the history of the backfill, so they are not gathered
 * for long.
 */
const MAX_CAREFUL_DAYS = 100;

/**
 * Runs that were under way when this came wait for all of a year before they begin the next one.
 */
const YEARS_OVERLAP = 'windows-into-the-next-year';

/** At its end it wakes the rollup when anything is announced, also by runs before it. */
const WAKES_ROLLUP = 'wakes-the-rollup';

/** Runs that were under way when this came make the canary days once more with the others. */
const CANARIES_COUNT_ONCE = 'canary-days-count-once';

/** Below daily runs (3), so that these overtake wherever tasks wait. */
const PRIORITY = { priorityKey: 4 };

const control = proxyActivities<Activities>(CONTROL_RETRY);
const surveys = proxyActivities<Activities>(SURVEY_RETRY);
const { followRun } = proxyActivities<Activities>({
  startToCloseTimeout: '30 days',
  heartbeatTimeout: '30 seconds',
});
const { compareCanary } = proxyActivities<Activities>({
  startToCloseTimeout: '30 minutes',
  heartbeatTimeout: '30 seconds',
});

/**
 * Makes many days. Invariants, cited by `test/workflow/backfill.test.ts`:
 * 1. A day that is complete costs no child; a day that runs already is joined, not doubled.
 * 2. Bulk windows come first, each with one fetch, and each step once; days that need care follow,
 *    each by its own run.
 * 3. A day that fails or waits stops no other day, and is in the result with its code or reason.
 * 4. At most `parallel` children run at the same time; none runs when it continues as new.
 */
export function backfill(input: BackfillInput): Promise<BackfillResult> {
  checkInput('backfill', BACKFILL_INPUT, input);
  return withPlainFailures(() => runBackfill(input));
}

async function runBackfill(input: BackfillInput): Promise<BackfillResult> {
  const run = new BackfillRun(input);
  describeRun({ Pipeline: input.pipeline, DataDate: input.from, RunReason: 'backfill' });
  if (input.carried === undefined) {
    await surveys.checkBackfill(run.request, input.plan ?? null);
    await run.runCanary();
  }
  const stretches = yearSpans(input);
  for (const [index, stretch] of stretches.entries()) {
    if (index < (input.carried?.stretches ?? 0) || run.control.isStopped()) continue;
    await run.startWindows(await run.select(stretch));
    // Otherwise the windows of the next year follow while the last ones of this year still run.
    if (!patched(YEARS_OVERLAP) || isLong() || run.hasManyCarefulDays()) await run.finish();
    const more = index + 1 < stretches.length && !run.control.isStopped();
    if (more && isLong()) await run.goOnAsNew(index + 1);
  }
  await run.finish();
  if (patched(WAKES_ROLLUP)) await control.wakeRollup(input.pipeline);
  await condition(allHandlersFinished);
  return run.result();
}

function isLong(): boolean {
  return workflowInfo().historyLength > MAX_EVENTS;
}

class BackfillRun {
  readonly request: BackfillRequest;
  readonly control: BackfillControl;
  readonly #input: BackfillInput;
  readonly #tally: BackfillTally;
  readonly #days = new AwaitedDays();
  /** Days that ran as canaries: they are not run, and not counted, again. */
  #canaries: readonly CivilDate[];
  /**
   * Windows that wait for the one before them, by their place among all windows of this run, and
   * the places of those that have ended.
   */
  readonly #windows = new Map<number, Pick<ExternalWorkflowHandle, 'signal'>>();
  readonly #ended = new Set<number>();
  #places = 0;
  /** What was started and may still run; days that are left to runs of their own. */
  #started: Promise<void>[] = [];
  #careful: CivilDate[] = [];
  #active = 0;
  #broken: Error | undefined;

  constructor(input: BackfillInput) {
    const { pipeline, from, to, select, newestFirst, until, pages } = input;
    this.#input = input;
    this.request = {
      pipeline,
      from,
      to,
      ...definedMembers({ select, newestFirst, until, pages }),
    };
    this.#canaries = input.carried?.canary?.dates ?? [];
    this.#tally = new BackfillTally(
      this.request,
      input.carried?.totals,
      input.carried?.canary?.differences,
    );
    const { parallel = input.parallel ?? DEFAULT_PARALLEL, paused = null } = input.carried ?? {};
    this.control = new BackfillControl({ parallel, paused: paused ?? undefined }, this.#tally);
  }

  result(): BackfillResult {
    this.#tally.tell(this.control);
    return this.#tally.result(this.control.stopped);
  }

  async goOnAsNew(stretches: number): Promise<void> {
    await condition(allHandlersFinished);
    const carried: Carried = {
      stretches,
      totals: this.#tally.totals(),
      parallel: this.control.parallel,
      paused: this.control.paused ?? null,
      ...(this.#canaries.length === 0
        ? {}
        : { canary: { dates: this.#canaries, differences: this.#tally.canary } }),
    };
    await continueAsNew<typeof backfill>({ ...this.#input, carried });
  }

  select(stretch: FetchWindow): Promise<SelectedDays> {
    const { plan } = this.#input;
    return surveys.selectDays({
      request: this.request,
      stretch,
      ...definedMembers({ plan }),
      ...(this.#canaries.length === 0 ? {} : { except: this.#canaries }),
    });
  }

  /** Resolves when the last window of the stretch has been started. */
  async startWindows(selected: SelectedDays): Promise<void> {
    this.#tally.select(selected);
    this.#careful.push(...selected.running);
    const windows =
      this.#input.newestFirst === true ? [...selected.windows].reverse() : selected.windows;
    await this.#start(windows, async (dates) => {
      const careful = await this.#window(dates, this.#places++);
      this.#careful.push(...careful);
    });
  }

  hasManyCarefulDays(): boolean {
    return this.#careful.length > MAX_CAREFUL_DAYS;
  }

  /** Lets all windows end; then the days that need care follow. */
  async finish(): Promise<void> {
    await this.#allEnded();
    const days = this.#careful.sort();
    this.#careful = [];
    await this.#start(this.#input.newestFirst === true ? days.reverse() : days, (date) =>
      this.#day(date),
    );
    await this.#allEnded();
  }

  /**
   * Starts the work on the items in their order, as many at a time as are allowed, until somebody
   * stops it.
   */
  async #start<T>(items: readonly T[], work: (item: T) => Promise<void>): Promise<void> {
    for (const item of items) {
      this.#tally.tell(this.control);
      await condition(() => this.#broken !== undefined || this.control.mayStart(this.#active));
      if (this.#broken !== undefined) await this.#allEnded();
      if (this.control.stopped !== undefined) return;
      this.#active += 1;
      this.#started.push(this.#guard(work(item)));
    }
  }

  /**
   * What broke is thrown when all that was started has ended: nothing is left behind unobserved.
   */
  async #allEnded(): Promise<void> {
    const started = this.#started;
    this.#started = [];
    await Promise.all(started);
    if (this.#broken !== undefined) throw this.#broken;
  }

  async #guard(work: Promise<void>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#broken ??= error instanceof Error ? error : new Error(String(error));
    } finally {
      this.#active -= 1;
      this.#tally.tell(this.control);
    }
  }

  /** Runs a window; returns the days that need care. */
  async #window(dates: readonly CivilDate[], index: number): Promise<CivilDate[]> {
    const { pipeline } = this.request;
    const workflowId = `window/${pipeline}/${firstOf(dates)}_${lastOf(dates)}`;
    try {
      let result = await this.#startWindow(workflowId, dates, index);
      if (result === undefined) {
        // Somebody else runs a window of this name, perhaps of other days: ours finds what is left
        // when that has ended. Who started it may be gone, as after a reset, and cannot tell it
        // about earlier days.
        this.#windows.set(index, getExternalWorkflowHandle(workflowId));
        await this.#release(index);
        await followRun(workflowId);
        result = await this.#startWindow(workflowId, dates, index);
      }
      if (result === undefined) return [...dates];
      this.#tally.addWindow(result);
      return result.careful.map(({ date }) => date);
    } catch (error) {
      if (!(error instanceof ChildWorkflowFailure) || isOwnCancellation(error)) throw error;
      const { code, message } = runFailure(error.cause);
      // Whoever stopped a window does not want its days one by one.
      if (code !== 'CANCELLED') return [...dates];
      for (const date of dates) this.#tally.addFailure({ date, code, message });
      return [];
    } finally {
      this.#ended.add(index);
      await this.#release(index + 1);
    }
  }

  async #startWindow(
    workflowId: string,
    dates: readonly CivilDate[],
    index: number,
  ): Promise<WindowResult | undefined> {
    const { pipeline, until, select, newestFirst, pages } = this.request;
    // Going back in time, the earlier days are made afterwards: what compares itself with them is
    // made again by the rollup.
    const waitForEarlierDays = newestFirst !== true && index > 0 && !this.#ended.has(index - 1);
    const handle = await startUnlessRunning(() =>
      startChild(window, {
        workflowId,
        args: [
          {
            pipeline,
            dates,
            reason: 'backfill',
            recheck: select === 'all',
            offline: select === 'stale',
            ...definedMembers({ until }),
            ...(pages === true ? { pages } : {}),
            ...(waitForEarlierDays ? { waitForEarlierDays } : {}),
          },
        ],
        parentClosePolicy: ParentClosePolicy.REQUEST_CANCEL,
        priority: PRIORITY,
        staticSummary: `${pipeline} ${firstOf(dates)} … ${lastOf(dates)}, ${dates.length} days`,
      }),
    );
    if (handle === undefined) return undefined;
    if (waitForEarlierDays) this.#windows.set(index, handle);
    await this.#release(index);
    return handle.result();
  }

  /** Tells a window that the one before it has ended. */
  async #release(index: number): Promise<void> {
    const handle = this.#windows.get(index);
    if (handle === undefined || (index > 0 && !this.#ended.has(index - 1))) return;
    this.#windows.delete(index);
    try {
      await handle.signal(earlierDaysDoneSignal);
    } catch (error) {
      // It has ended already.
      if (isCancellation(error)) throw error;
    }
  }

  async #day(date: CivilDate): Promise<void> {
    const { pipeline, until, select } = this.request;
    const end = await this.#days.run(
      {
        pipeline,
        date,
        reason: 'backfill',
        ...(select === 'all' ? { recheck: true } : {}),
        ...definedMembers({ until }),
      },
      { priority: PRIORITY },
    );
    if (end.how === 'done') this.#tally.addDay(end.result);
    else if (end.how === 'waits') this.#tally.addWaiting(date, end.why);
    else this.#tally.addFailure({ date, code: end.code, message: end.message });
  }

  /** Runs sampled days first, and waits for a decision when they differ by more than is allowed. */
  async runCanary(): Promise<void> {
    const { canary = 0, canaryTolerance = 0 } = this.#input;
    if (canary === 0) return;
    const { pipeline } = this.request;
    const dates: CivilDate[] = [];
    for (const stretch of yearSpans(this.request)) {
      dates.push(...(await this.select(stretch)).windows.flat());
    }
    const before = await surveys.canaryDays(pipeline, spreadSample(dates.sort(), canary));
    await this.#start(before, ({ date }) => this.#day(date));
    await this.#allEnded();
    if (patched(CANARIES_COUNT_ONCE)) {
      this.#canaries = before.map(({ date }) => date);
      this.#tally.selectCanaries(this.#canaries.length);
    }
    const differences = await compareCanary(pipeline, before);
    this.#tally.canary = differences;
    if (differences.some(({ share }) => share > canaryTolerance))
      await this.control.askAboutCanary(describe(differences));
  }
}

function describe(differences: readonly CanaryDifference[]): string {
  const changed = differences.filter(({ share }) => share > 0);
  const largest = Math.max(...changed.map(({ share }) => share));
  return `${changed.length} of ${differences.length} canary days differ, at most ${(largest * 100).toFixed(2)} % of the rows`;
}

/** Undefined when a run with this id is under way. */
async function startUnlessRunning<T>(start: () => Promise<T>): Promise<T | undefined> {
  try {
    return await start();
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return undefined;
    throw error;
  }
}
