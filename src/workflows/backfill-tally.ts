import { setCurrentDetails } from '@temporalio/workflow';
import type { CanaryDifference, SelectedDays } from '../engine/contract.ts';
import type { BackfillRequest } from '../pipelines/backfill.ts';
import type { CivilDate, StepId } from '../pipelines/vocabulary.ts';
import type { DayResult } from './day-contract.ts';
import type { WindowResult } from './window.ts';

/** What a backfill has done so far; carried over when it continues as new. */

/** A day without a new version, with the code of the step that decided it. */
export interface FailedDay {
  readonly date: CivilDate;
  readonly code: string;
  readonly message: string;
}

/** Counts that are carried over when the run continues as new. */
export interface BackfillTotals {
  readonly startedAt: string;
  /** Days that were wanted. */
  readonly selected: number;
  /** Days of the range that were complete before, and cost nothing. */
  readonly complete: number;
  readonly notDue: number;
  /** Days that are done, by window or alone. */
  readonly done: number;
  readonly windows: number;
  readonly days: number;
  /** For how many days each step was executed. */
  readonly ran: Readonly<Record<StepId, number>>;
  readonly failedDays: number;
  /** The first of them; codes of all are in `failureCodes`. */
  readonly failed: readonly FailedDay[];
  readonly failureCodes: Readonly<Record<string, number>>;
  /** Days that go on by themselves: they wait for a decision or for the publisher. */
  readonly waiting: readonly { readonly date: CivilDate; readonly why: string }[];
  readonly waitingDays: number;
  /**
   * Days that are done, by this run or before, and lack something optional or were made while a
   * store was away.
   */
  readonly degradedDays: number;
  /** Days that are done, by this run or before, of which the publisher has nothing. */
  readonly noDataDays: number;
  /** Days that are done, and were as they had to be: nothing was made of them. */
  readonly unchangedDays: number;
}

/** What the run returns, also when an operator stopped it. */
export interface BackfillResult extends BackfillTotals {
  readonly request: BackfillRequest;
  readonly canary: readonly CanaryDifference[];
  /** Why it was stopped before its end. */
  readonly stopped: string | null;
  readonly endedAt: string;
}

/**
 * Lists in results and details stay short: a payload has room for them, and a person reads no more.
 */
const MAX_LISTED = 100;
const LONGEST_MESSAGE = 200;

/** A code span: quotes in prose turn curly in the UI, and are no JSON any more. */
const ANSWER = '{"decision":"accept","reason":"…"}';

/** What a person has to know of a backfill besides its numbers. */
interface Told {
  readonly parallel: number;
  readonly paused: string | undefined;
  readonly stopped: string | undefined;
  /** What it asks. */
  readonly question: string | undefined;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

/** Counts, and tells the details of the run what they are. */
export class BackfillTally {
  readonly #request: BackfillRequest;
  readonly #totals: Mutable<BackfillTotals>;
  canary: readonly CanaryDifference[];

  constructor(
    request: BackfillRequest,
    carried: Partial<BackfillTotals> | undefined,
    canary: readonly CanaryDifference[] = [],
  ) {
    this.#request = request;
    this.#totals = {
      startedAt: new Date(Date.now()).toISOString(),
      selected: 0,
      complete: 0,
      notDue: 0,
      done: 0,
      windows: 0,
      days: 0,
      ran: {},
      failedDays: 0,
      failed: [],
      failureCodes: {},
      waiting: [],
      waitingDays: 0,
      degradedDays: 0,
      noDataDays: 0,
      unchangedDays: 0,
      ...carried,
    };
    this.canary = canary;
  }

  /** A copy, for the input of the run that continues this one. */
  totals(): BackfillTotals {
    return { ...this.#totals };
  }

  /** `stopped` is undefined for a backfill that came to its end. */
  result(stopped: string | undefined): BackfillResult {
    const endedAt = new Date(Date.now()).toISOString();
    return {
      ...this.#totals,
      request: this.#request,
      canary: this.canary,
      stopped: stopped ?? null,
      endedAt,
    };
  }

  /** Canary days were selected as well, before all others. */
  selectCanaries(days: number): void {
    this.#totals.selected += days;
  }

  /** Adds the days of one span, when their windows are about to start. */
  select({ windows, running, complete, degraded = 0, noData = 0, notDue }: SelectedDays): void {
    this.#totals.degradedDays += degraded;
    this.#totals.noDataDays += noData;
    this.#totals.selected += windows.reduce((sum, dates) => sum + dates.length, 0) + running.length;
    this.#totals.complete += complete;
    this.#totals.notDue += notDue;
  }

  /** Days that the window left to runs of their own are counted when these end. */
  addWindow({
    committed,
    upToDate,
    degraded = 0,
    noData = 0,
    unchanged = 0,
    ran,
  }: WindowResult): void {
    this.#totals.degradedDays += degraded;
    this.#totals.noDataDays += noData;
    this.#totals.unchangedDays += upToDate + unchanged;
    this.#totals.windows += 1;
    this.#totals.done += committed + upToDate;
    for (const [step, days] of Object.entries(ran) as [StepId, number][]) this.#addRan(step, days);
  }

  /** A run of a day that ended with a version, old or new. */
  addDay({ ran, verdict, created = true }: DayResult): void {
    if (verdict === 'degraded') this.#totals.degradedDays += 1;
    if (verdict === 'no_data') this.#totals.noDataDays += 1;
    if (!created) this.#totals.unchangedDays += 1;
    this.#totals.days += 1;
    this.#totals.done += 1;
    for (const step of ran) this.#addRan(step, 1);
  }

  #addRan(step: StepId, days: number): void {
    this.#totals.ran = { ...this.#totals.ran, [step]: (this.#totals.ran[step] ?? 0) + days };
  }

  /** The message is cut to 200 characters, and only the first 100 failures are listed. */
  addFailure({ date, code, message }: FailedDay): void {
    const totals = this.#totals;
    totals.days += 1;
    totals.failedDays += 1;
    totals.failureCodes = { ...totals.failureCodes, [code]: (totals.failureCodes[code] ?? 0) + 1 };
    if (totals.failed.length >= MAX_LISTED) return;
    totals.failed = [...totals.failed, { date, code, message: message.slice(0, LONGEST_MESSAGE) }];
  }

  /** A day that goes on without this backfill; `why` is cut like a message. */
  addWaiting(date: CivilDate, why: string): void {
    const totals = this.#totals;
    totals.days += 1;
    totals.waitingDays += 1;
    if (totals.waiting.length >= MAX_LISTED) return;
    totals.waiting = [...totals.waiting, { date, why: why.slice(0, LONGEST_MESSAGE) }];
  }

  /** Shows how far it is in the Temporal UI. */
  tell({ parallel, paused, stopped, question }: Told): void {
    const { pipeline, from, to } = this.#request;
    const { selected, done, complete, failedDays, waitingDays, failed, waiting } = this.#totals;
    const state = stopped ?? (paused === undefined ? `${parallel} at a time` : `paused: ${paused}`);
    const isAsking = question !== undefined && stopped === undefined;
    const asked = !isAsking
      ? []
      : [`${question}. Send the update \`decide\` with \`${ANSWER}\`.`, ''];
    const lines = [
      `**${pipeline} ${from} … ${to}**: ${isAsking ? 'waits for a decision' : state}`,
      '',
      ...asked,
      '| selected | done | complete before | failed | waiting |',
      '|---|---|---|---|---|',
      `| ${selected} | ${done} | ${complete} | ${failedDays} | ${waitingDays} |`,
      '',
      ...failed.slice(-10).map(({ date, code, message }) => `- ${date} ${code}: ${message}`),
      ...waiting.slice(-10).map(({ date, why }) => `- ${date} waits: ${why}`),
    ];
    setCurrentDetails(lines.join('\n'));
  }
}
