import type { ErrorCode } from '../errors.ts';
import type { BackfillRequest } from '../pipelines/backfill.ts';
import type { FetchWindow } from '../pipelines/source-declaration.ts';
import type { JsonObject } from '../ports/json.ts';
import type { DayOutcome, DayState, ExecutionStep } from '../pipelines/execution.ts';
import type { DeliveriesBefore } from '../pipelines/kept-delivery.ts';
import type { Retention, ScheduledWork } from '../pipelines/definition.ts';
import type { Decision } from '../pipelines/decision.ts';
import type { FailedWork } from '../pipelines/failed-work.ts';
import type { OperatorAction } from '../pipelines/operator-action.ts';
import type { DayPlan, PlanOptions } from '../pipelines/planned-step.ts';
import type { StepDone, StepFailed, StepWork } from '../pipelines/run-steps.ts';
import type {
  CivilDate,
  Period,
  Revision,
  RunReason,
  Scope,
  Stage,
  StepId,
  Verdict,
} from '../pipelines/vocabulary.ts';

/**
 * What workflows and activities say to each other. Plain data, small: references and keys, never
 * rows. A payload stays under `PAYLOAD_BYTES`, in a window of any length (measured in
 * `test/workflow/long-window.long.test.ts`).
 */

/** How activities are retried; the error table decides whether they are. */
export interface RetrySettings {
  readonly initialMs: number;
  readonly maximumMs: number;
  readonly attempts: number;
  /** A worker that is silent for this long counts as lost. */
  readonly heartbeatMs: number;
}

/** What `resolveDay` and `resolveWindow` are asked; recorded in histories. */
export interface PlanRequest {
  readonly pipeline: string;
  readonly dates: readonly CivilDate[];
  readonly options: PlanOptions;
  /** Of a window: also make what is made for single days only, such as pages. */
  readonly pages?: boolean;
}

/**
 * The plan of one day, with everything that the workflow needs to execute it; recorded in history.
 */
export interface ResolvedDay {
  readonly steps: readonly ExecutionStep[];
  readonly plan: DayPlan;
  readonly retry: RetrySettings;
  /** Before this instant nothing of the day can be expected; null when it can. */
  readonly waitUntil: string | null;
  readonly nextTryAt: string;
  readonly cutOffAt: string;
  /** A quarantined day is given up at this instant. */
  readonly holdUntil: string;
  readonly queues: Readonly<Record<string, string>>;
  /** Decisions that were made on the day before, also in runs that did not finish. */
  readonly decisions: readonly Decision[];
  /**
   * The time of the planning worker's clock: `waitUntil` and `nextTryAt` are of the same clock,
   * which may differ from the server's.
   */
  readonly at?: string;
  /** Revision and verdict of the newest manifest, when there is one. */
  readonly known: {
    readonly version: number;
    readonly verdict: Verdict;
    readonly revision: string | null;
  } | null;
}

/** The plan of a set of days, without words: which keys are reused, and which steps run. */
export interface ResolvedWindow {
  readonly steps: readonly ExecutionStep[];
  readonly retry: RetrySettings;
  readonly queues: Readonly<Record<string, string>>;
  /** Days with nothing to make. */
  readonly upToDate: readonly CivilDate[];
  /** Those of them whose verdict is `degraded`; absent where there are none. */
  readonly degraded?: readonly CivilDate[];
  /** Those of them that the publisher has nothing of; the same holds. */
  readonly noData?: readonly CivilDate[];
  /**
   * Those of them whose published names do not show what they are made of; histories of earlier
   * releases do not say it.
   */
  readonly unpublished?: readonly CivilDate[];
  readonly days: readonly WindowDay[];
  /** Days that cannot be planned here, and why: each is left to a run of its own, which says so. */
  readonly careful?: readonly { readonly date: CivilDate; readonly why: string }[];
}

/**
 * One day as a workflow needs it, without the reasons, which would fill the history of a long
 * window.
 */
export interface WindowDay {
  readonly date: CivilDate;
  /** What the plan already knows of the day; steps that are absent run. */
  readonly state: DayState;
  /**
   * What stays of downloads that are asked for again, if that fails. Plans of earlier versions do
   * not say.
   */
  readonly delivered?: DeliveriesBefore;
  /**
   * The version of the newest manifest when the plan was made, 0 without one; histories of earlier
   * releases do not say it.
   */
  readonly base?: number;
  /** Decisions that were made on the day before; absent where there are none. */
  readonly decisions?: readonly Decision[];
}

/** One step for all days of a run or window that can run it. */
export interface StepRequest extends StepWork {
  readonly pipeline: string;
  readonly step: StepId;
  /** Execute even when the ledger has the key. */
  readonly force: boolean;
}

/** One element for each day of the request, in any order. */
export interface StepResult {
  readonly days: readonly (StepDone | StepFailed)[];
}

/** How the days of a run or window ended; nothing of it is visible before this. */
export interface CommitRequest {
  readonly pipeline: string;
  readonly reason: RunReason;
  /**
   * Why the days count as degraded although their steps went well, in words: a store was away while
   * they ran.
   */
  readonly degraded?: string;
  readonly days: readonly {
    readonly outcome: DayOutcome & { readonly verdict: Verdict };
    readonly state: DayState;
    readonly decisions: readonly Decision[];
    /**
     * The version that the plan of the day was made from, 0 for none; absent in histories of
     * earlier releases: the newest is taken.
     */
    readonly base?: number;
  }[];
}

/** The newest version of every day, also of those that needed no new one. */
export interface CommitResult {
  readonly days: readonly {
    readonly date: CivilDate;
    readonly version: number;
    /** False when the newest manifest says the same already. */
    readonly created: boolean;
    readonly facts: JsonObject;
    readonly verdict: Verdict;
    /** How final it is now; null where nothing tells. */
    readonly revision?: Revision | null;
  }[];
  /** Scopes with open announcements: other days or periods are made from what changed in them. */
  readonly affecting: readonly CivilDate[];
  /**
   * Days of which another run has committed something else since they were planned: nothing was
   * written, they are to be planned again.
   */
  readonly conflicting?: readonly CivilDate[];
}

/** Periods to rebuild and days to look at again after days changed. */
export interface DerivedWork {
  /**
   * Days whose own steps are out of date because of the changed days, by month window, by the last
   * stage that they have, and by whether they have pages.
   */
  readonly windows: readonly {
    readonly dates: readonly CivilDate[];
    readonly until: Stage;
    readonly pages?: true;
  }[];
  /** Rollups in the order they are to be made, each with its periods. */
  readonly rollups: readonly {
    readonly step: StepId;
    readonly periods: readonly Period[];
    readonly timeoutSeconds: number;
  }[];
  readonly retry: RetrySettings;
  readonly queue: string;
}

/**
 * What open announcements and dates given by hand amount to; what was heard is told back when the
 * work is done.
 */
export interface HeardChanges extends DerivedWork {
  readonly heard: readonly HeardRange[];
  /** There is more than fits into one message: hear again after this work. */
  readonly more: boolean;
}

/** Scopes in a row (days; a period stands alone) and the version up to which each was heard. */
export interface HeardRange {
  readonly from: Scope;
  readonly to: Scope;
  readonly version: number;
}

/** One step for periods of one length. */
export interface RollupRequest {
  readonly pipeline: string;
  readonly step: StepId;
  readonly periods: readonly Period[];
  /**
   * A period that cannot be made is in the result and keeps no other from being made; without it,
   * it is thrown.
   */
  readonly isolate?: boolean;
}

/** `empty`: there is no day to make the period from. */
export interface RollupResult {
  readonly periods: readonly {
    readonly period: Period;
    readonly how: 'ran' | 'reused' | 'empty';
  }[];
  /** The periods that could not be made; present when isolation was asked for. */
  readonly failed?: readonly FailedWork[];
}

/** One firing of a schedule; which days it means follows from `nominalAt`, never from the clock. */
export interface TickRequest {
  readonly pipeline: string;
  readonly schedule: string;
  /** ISO instant of the schedule's nominal time. */
  readonly nominalAt: string;
}

/** What a tick is to start. */
export interface ResolvedTick {
  /** The data date that the nominal time stands for. */
  readonly date: CivilDate;
  readonly runs: ScheduledWork;
}

/**
 * A run that ended without a version: the failure is kept for calendars and for the next backfill.
 */
export interface RecordRunRequest {
  readonly pipeline: string;
  readonly scope: Scope;
  readonly reason: RunReason;
  readonly outcome: DayOutcome;
}

/** How far a replay of this host's journal came. */
export interface ReplayResult {
  readonly host: string;
  readonly applied: number;
  readonly same: number;
  /** What two hosts wrote differently and a rule decided; results of older workers do not tell. */
  readonly merged?: number;
  /**
   * Those of them in which a version of a day, or an object, of this host gave way: its days may
   * lack something.
   */
  readonly overruled?: number;
  readonly pending: number;
  /** Every write of this host was found on the primary stores by its hash. */
  readonly converged: boolean;
  readonly conflicts: number;
  /** The first of them, in words. */
  readonly listed: readonly string[];
  /** Why it ended early: a store is still away. */
  readonly away?: string;
}

/** What was brought to the primary stores, and which days follow from that. */
export interface ReconcileResult extends ReplayResult {
  /** The scopes that no longer count as degraded, by pipeline. */
  readonly lifted: Readonly<Record<string, readonly Scope[]>>;
  /**
   * Days that were started again, because the outage left them short of something; results of older
   * workers do not tell.
   */
  readonly again?: Readonly<Record<string, readonly CivilDate[]>>;
  /**
   * How many persons were removed who were to be forgotten while a store was away; absent where
   * there were none.
   */
  readonly forgotten?: number;
}

/** The next span of a backfill. */
export interface SelectDaysRequest {
  readonly request: BackfillRequest;
  /** Its span; the member keeps the name that recorded histories have. */
  readonly stretch: FetchWindow;
  /** Run the days of this stored plan, and not those that would be selected now. */
  readonly plan?: string;
  /** Days that this backfill has run already: neither selected nor counted. */
  readonly except?: readonly CivilDate[];
}

/** The days of one span of a backfill, as the workflow starts them. */
export interface SelectedDays {
  /** By month, each set to be made together; days that run already are not among them. */
  readonly windows: readonly (readonly CivilDate[])[];
  /** Days with a run of their own under way. */
  readonly running: readonly CivilDate[];
  readonly complete: number;
  /** How many of the complete days are `degraded`. */
  readonly degraded?: number;
  /** Of how many complete days the publisher has nothing. */
  readonly noData?: number;
  readonly notDue: number;
}

/** How a run that somebody else started has ended. */
export type FollowedRun =
  | { readonly state: 'completed'; readonly result: unknown }
  | {
      readonly state: 'failed';
      readonly code: string;
      readonly message: string;
      readonly step: StepId | null;
    };

/** A sampled day, with the version that it is compared with. */
export interface CanaryDay {
  readonly date: CivilDate;
  /** The newest version before the canary ran; 0 when there was none. */
  readonly before: number;
}

/** How much the canary changed one day. */
export interface CanaryDifference {
  readonly date: CivilDate;
  /** Null: there was nothing to compare with. */
  readonly from: number | null;
  readonly to: number;
  readonly steps: readonly StepId[];
  /**
   * Rows that were added, removed or changed, of all rows in the tables of the day: 0–1; 1 where a
   * difference cannot be counted.
   */
  readonly share: number;
}

/** The activity adds time and run; the workflow has no clock that records may use. */
export type ActionRequest = Pick<
  OperatorAction,
  'pipeline' | 'scope' | 'action' | 'step' | 'reason' | 'by'
>;

/** A decision that a run has accepted, to be kept before the run goes on. */
export interface DecisionRequest {
  readonly pipeline: string;
  readonly scope: Scope;
  readonly decision: Decision;
}

/** A decision on one unit that the newest version of a day or period is without. */
export interface DecideUnitRequest extends Pick<
  Decision,
  'decision' | 'reason' | 'decidedAt' | 'by'
> {
  readonly pipeline: string;
  readonly scope: Scope;
  readonly unit: string;
  /** With or without its shard; default: every step that holds the unit. */
  readonly step?: string;
}

/** What a person asks of the folders that files come into. */
export interface FolderRequest {
  /** Default: every part whose files come into a folder. */
  readonly parts?: readonly string[];
  /** Fetch what has landed before as well. */
  readonly again?: boolean;
}

/** Files of folders that are to be fetched, as a run of `fetch` keeps them in mind. */
export interface DueParts {
  /** ISO instant before the folders were listed. */
  readonly since: string;
  readonly parts: readonly { readonly part: string; readonly files: number }[];
}

/** What came of reading again what is kept. */
export interface StoredDays {
  /** The days that it has, in sets that are made together. */
  readonly windows: readonly (readonly CivilDate[])[];
  /** How many files were not taken in, and the code of the first. */
  readonly refused: number;
  readonly code?: ErrorCode;
}

/** What a look at the publisher says of the finished days. */
export interface WatchedPublisher {
  /** The freshness value of each part; null where the publisher tells none. */
  readonly freshness: Readonly<Record<string, string | null>>;
  /** Parts whose value is another than the last time. */
  readonly moved: readonly string[];
  /** By month, the finished days of these parts whose last answer no longer counts as fresh. */
  readonly windows: readonly (readonly CivilDate[])[];
  readonly revisions: Readonly<Partial<Record<Revision, number>>>;
}

/**
 * What the schedule of retention found of one pipeline; small, because it is recorded in history.
 */
export interface ScheduledRetention {
  readonly pipeline: string;
  /**
   * Whether it was destroyed; false: `QUOTIDIEN_RETAIN` is `dry-run`, and all of it is still there.
   */
  readonly applied: boolean;
  /** Only tables with something past its time. */
  readonly tables: readonly EndedTable[];
  /** Months of delivery whose key goes, and their sealed raw files with it. */
  readonly keys: readonly Period[];
}

/** One table, or the raw files of a part, without the list of its days. */
export interface EndedTable extends Retention {
  /** `<step>:<output>`, or `raw <part>`. */
  readonly table: string;
  readonly objects: number;
  readonly bytes: number;
  /** First and last day or period, both included. */
  readonly from: Scope;
  readonly to: Scope;
}
