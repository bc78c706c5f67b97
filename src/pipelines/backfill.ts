import { canonicalJson, sha256Hex } from '../canonical-json.ts';
import type { DateRange } from './calendar-of-days.ts';
import { datesBetween, yearOf } from './civil-date.ts';
import type { FetchWindow } from './source-declaration.ts';
import type { FailureRecord } from './ledger.ts';
import type { Manifest } from './manifest.ts';
import type { PlannedStep, StepAction } from './planned-step.ts';
import type { CivilDate, Stage, StepId } from './vocabulary.ts';

/** What a backfill is asked for, which days that means, and what is foreseen of it. Pure. */

/**
 * - open: every day with something to do, and none that is complete. The default.
 * - missing: days that no run has finished yet.
 * - failed: days whose last run failed, or that wait for a decision.
 * - stale: finished days of which their inputs give something else now, without asking the
 *   publisher.
 * - all: every day; the publisher is asked even where its last answer still counts as fresh.
 */
export const SELECTIONS = ['open', 'missing', 'failed', 'stale', 'all'] as const;

/** Which days of a range are made; `isSelected` says what each word means. */
export type BackfillSelection = (typeof SELECTIONS)[number];

/** What a person asks for: the days `from` to `to`, both included. Part of the plan's hash. */
export interface BackfillRequest {
  readonly pipeline: string;
  readonly from: CivilDate;
  readonly to: CivilDate;
  readonly select?: BackfillSelection;
  readonly newestFirst?: boolean;
  /** Leave out the stages after this one. */
  readonly until?: Stage;
  /**
   * Also make what a range leaves out because it is made for single days only: pages of reports.
   */
  readonly pages?: boolean;
}

/** What the stores tell of one day before anything runs. */
export interface DayStandingForBackfill {
  readonly manifest: Manifest | undefined;
  readonly failure: FailureRecord | undefined;
  /** The newest version is what the plan gives, and published. */
  readonly upToDate: boolean;
  /** Up to date, and no failure is left from the last run. */
  readonly complete: boolean;
}

/**
 * `failed` takes days with a bad verdict and days whose last run left no version; `stale` takes
 * only days that have a version.
 */
export function isSelected(select: BackfillSelection, day: DayStandingForBackfill): boolean {
  const { manifest, failure, upToDate, complete } = day;
  switch (select) {
    case 'open':
      return !complete;
    case 'missing':
      return manifest === undefined;
    case 'failed':
      return (
        failure !== undefined ||
        manifest?.verdict === 'failed' ||
        manifest?.verdict === 'quarantined'
      );
    case 'stale':
      return manifest !== undefined && !upToDate;
    case 'all':
      return true;
  }
}

/**
 * The spans of at most a year that a backfill is worked through in, in its order: what it knows at
 * once stays small.
 */
export function yearSpans({ from, to, newestFirst }: BackfillRequest): FetchWindow[] {
  const years = [...new Set(datesBetween(from, to).map(yearOf))].map((year) => ({
    from: from > `${year}-01-01` ? from : `${year}-01-01`,
    to: to < `${year}-12-31` ? to : `${year}-12-31`,
  }));
  return newestFirst === true ? years.reverse() : years;
}

/** `count` dates, evenly spread; all of them when there are fewer. */
export function spreadSample(dates: readonly CivilDate[], count: number): CivilDate[] {
  if (dates.length <= count) return [...dates];
  const picked = Array.from(
    { length: count },
    (_, index) => dates[Math.floor(((index + 0.5) * dates.length) / count)],
  );
  return picked.filter((date) => date !== undefined);
}

/** How many days of the plan each step runs, rechecks, reuses or skips. */
export type StepActions = Readonly<Record<StepId, Readonly<Record<StepAction, number>>>>;

/** What a backfill is going to do, foreseen from the stores; nothing was asked from a publisher. */
export interface BackfillPlan {
  /** Names the plan: the request, its days, and what is done to each of them. */
  readonly hash: string;
  readonly request: BackfillRequest;
  readonly plannedAt: string;
  /** The selected days. */
  readonly days: number;
  readonly ranges: readonly DateRange[];
  /** Days of the range that are left out, with the reason. */
  readonly complete: number;
  /**
   * How many of the complete days are `degraded`; plans that are older than this member do not say.
   */
  readonly degraded?: number;
  /** Of how many complete days the publisher has nothing; the same holds. */
  readonly noData?: number;
  readonly notDue: number;
  readonly otherwise: number;
  readonly steps: StepActions;
  /** Bulk windows: sets of days that are made together. */
  readonly windows: number;
  /** Requests for data, by publisher host. */
  readonly requests: Readonly<Record<string, number>>;
  readonly predicted: Prediction;
}

/** Plans that `--dry-run` printed; `--plan <hash>` finds them here. */
export const PLAN_TABLE = 'plans';

/**
 * From what the ledger says of earlier runs of the same steps; steps that never ran are named, not
 * guessed.
 */
export interface Prediction {
  readonly secondsP50: number;
  readonly secondsP90: number;
  readonly storageBytes: number;
  readonly withoutExperience: readonly StepId[];
}

/** How a step ran before, for one day. */
export interface StepExperience {
  readonly msP50: number;
  readonly msP90: number;
  readonly bytes: number;
}

/** Steps of this many days are computed at the same time; what two workers' SQL sessions give. */
const STEPS_AT_ONCE = 2;

/**
 * Counts days that run a step, not those that recheck it: what a publisher will have changed is not
 * known.
 */
export function predict(
  steps: StepActions,
  experience: ReadonlyMap<StepId, StepExperience>,
): Prediction {
  const sum = { p50: 0, p90: 0, bytes: 0 };
  const withoutExperience: StepId[] = [];
  for (const [id, actions] of Object.entries(steps) as [StepId, StepActions[StepId]][]) {
    const known = experience.get(id);
    if (actions.run === 0) continue;
    if (known === undefined) withoutExperience.push(id);
    sum.p50 += actions.run * (known?.msP50 ?? 0);
    sum.p90 += actions.run * (known?.msP90 ?? 0);
    sum.bytes += actions.run * (known?.bytes ?? 0);
  }
  const seconds = (ms: number): number => Math.round(ms / STEPS_AT_ONCE) / 1000;
  return {
    secondsP50: seconds(sum.p50),
    secondsP90: seconds(sum.p90),
    storageBytes: Math.round(sum.bytes),
    withoutExperience,
  };
}

/** A selected day with what its plan does to each step. */
export interface PlannedBackfillDay {
  readonly date: CivilDate;
  readonly steps: readonly PlannedStep[];
}

/**
 * Covers what is done to each day, and the keys of what is reused: when the stores change, the hash
 * does. Reasons tell of times and are left out, so that the same work has the same hash a minute
 * later.
 */
export function backfillHash(
  request: BackfillRequest,
  days: readonly PlannedBackfillDay[],
): string {
  const work = days.map(({ date, steps }) => [
    date,
    steps.map(({ step, action, key }) => [step, action, key ?? null]),
  ]);
  return sha256Hex(canonicalJson([request, work])).slice(0, 12);
}

/** Steps that no day has are absent; steps that are there have all four counts. */
export function countActions(days: readonly PlannedBackfillDay[]): StepActions {
  const counts: Record<StepId, Record<StepAction, number>> = {};
  for (const { steps } of days) {
    for (const { step, action } of steps)
      (counts[step] ??= { run: 0, recheck: 0, reuse: 0, skip: 0 })[action] += 1;
  }
  return counts;
}

/**
 * Why steps run, the most frequent reason first; reasons that differ in their times alone are one.
 */
export function countReasons(
  days: readonly PlannedBackfillDay[],
): { readonly reason: string; readonly days: number }[] {
  const reasons = new Map<string, number>();
  for (const { steps } of days) {
    for (const { step, action, reason } of steps.filter(
      ({ action: one }) => one === 'run' || one === 'recheck',
    )) {
      const text = `${action} ${step}: ${reason.replaceAll(/\d{4}-\d\d-\d\d(T[\d:.]+Z)?/g, '…')}`;
      reasons.set(text, (reasons.get(text) ?? 0) + 1);
    }
  }
  return [...reasons]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, number]) => ({ reason, days: number }));
}
