import { PipelineError } from '../errors.ts';
import type { JsonObject } from '../ports/json.ts';
import { unsharded } from './shard.ts';
import type { Shard } from './shard.ts';
import type { ColumnClass, Revision, StepId } from './vocabulary.ts';
import type { WorkWindow } from './work-window.ts';

/**
 * A pipeline as data: what its parts, steps and rollups are, how they depend on each other, and
 * when its publisher releases. The engine reads nothing else of a dataset to plan a day; shared
 * code never asks for a pipeline's name.
 */

/**
 * - http: the publisher is asked for days; `Dataset.sources` says how.
 * - folder: the publisher puts files into a folder when it has them; which part and day each is of,
 *   its name says.
 * - import: files that somebody gives us, or puts into our own store.
 */
export type SourceKind = 'http' | 'folder' | 'import';

/**
 * One input of a pipeline: where it comes from, how much one request covers, and how long its
 * answer counts.
 */
export interface PartDefinition {
  readonly id: string;
  readonly title: string;
  readonly source: SourceKind;
  /** The largest span that one request may fetch for all its days at once. */
  readonly bulkWindow: 'month' | 'year' | 'all';
  /**
   * No data of the part exist before this date. Default: the pipeline's `since`, which is never
   * later.
   */
  readonly since?: string;
  /**
   * What the publisher gives is a list of the moment, whatever day is asked for: it tells of the
   * day on which it is fetched, and of this many days before and after it. For any other day the
   * publisher is not asked.
   */
  readonly listed?: { readonly daysBefore: number; readonly daysAfter: number };
  /** The publisher is not asked for this part before this long after the end of the data day. */
  readonly expectedAfter: Delay;
  /**
   * Set by the configuration: why the publisher cannot be asked, such as a missing key. What was
   * delivered before stays.
   */
  readonly closed?: string;
  /**
   * The publisher has it only as it is now, and says no more how it was: what a day got stays its
   * own once the day is over, whoever asks for it again, because the answer would be that of
   * another day.
   */
  readonly momentary?: boolean;
  /**
   * Imported files are cut month by month, or in one pass over the whole file. Default: by month.
   */
  readonly importWindow?: 'month' | 'all';
  /**
   * How long an answer counts as fresh, by the revision of the day it gave; `null`: for ever.
   * `partial`: when only a part of the day was delivered, whatever its revision; by default as any
   * other.
   */
  readonly freshForMinutes: Readonly<Record<Revision | 'empty', number | null>> & {
    readonly partial?: number;
  };
  /**
   * What tells how much of a day was delivered: a fact of a step, from 0 to 1; less than `least` is
   * a part of the day. Such an answer is asked for again without conditions: a "not modified" would
   * say no more than that the publisher's file, cut off or not, is still the same. `otherwise`
   * tells of versions in which that step was not done, such as those of earlier releases.
   */
  readonly completeness?: {
    readonly step: StepId;
    readonly fact: string;
    readonly least: number;
    readonly otherwise?: { readonly step: StepId; readonly fact: string };
  };
  /**
   * A delivery may hold a piece of a day, such as some of its counters: rows that are not known yet
   * are added to those that are. The dataset's `rowsOf` says which rows are the same, and its
   * `slice` reads files of their columns (`joinedAs`). Default: a delivery is meant to be all of
   * it.
   */
  readonly addsUp?: boolean;
  /**
   * As what rows of several deliveries are kept together, of a part that adds up: a CSV with `;`,
   * or Parquet, where slices have millions of rows. Default `csv`.
   */
  readonly joinedAs?: 'csv' | 'parquet';
  /**
   * By name; what is not listed is open. Values of the others stay out of examples, failures, logs
   * and differences.
   */
  readonly columns?: Readonly<Record<string, ColumnClass>>;
  /**
   * How long raw files are kept after they came; absent: for ever. Their slices have a time of
   * their own, at the output of the download.
   */
  readonly rawRetention?: Retention;
  /**
   * What happens to a raw file before it is cut, in this order; `Dataset.decoder` does it. Such
   * files are kept as delivered, sealed with a key of their month of delivery that can be
   * destroyed.
   */
  readonly decoding?: readonly string[];
  /**
   * The slice of a day is cut into so many shards: the dataset's `slice` gives the outputs
   * `slice.01-of-16` … `slice.16-of-16` (`shardName`), without those that have no row. A row
   * belongs to the shard of the unit that it tells of, which is named `by`; see `shardOf` and
   * `shardSql`. So a corrected unit changes one of them.
   */
  readonly shards?: { readonly of: number; readonly by: string };
}

/** A time after the end of the data day; `days` are civil days in the pipeline's zone. */
export interface Delay {
  readonly days?: number;
  readonly minutes?: number;
}

/** When a day can be expected as a whole, how often to ask until then, and when to stop waiting. */
export interface PublicationCalendar {
  readonly expectedAfter: Delay;
  readonly pollEveryMinutes: number;
  readonly cutOffAfter: Delay;
  /**
   * The data do not say how final they are: after the cut-off they count as definitive, before it
   * as provisional.
   */
  readonly finalAtCutOff?: boolean;
  /** How long a quarantined day waits for a decision. */
  readonly holdDays: number;
}

/**
 * An output of another step that a step reads. A missing optional input is part of the step key.
 */
export interface StepInput {
  readonly name: string;
  readonly step: StepId;
  readonly output: string;
  /** Reads the output of the day that is this many days earlier; always optional. */
  readonly daysBefore?: number;
  /**
   * Reads a state: the output of the newest day that has one, at most `withinDays` and at least
   * `lagDays` days before the data day (default: 0, and at least 1 of the own pipeline). With
   * `pipeline`, `step` and `output` are of that one. Always optional. The step runs again when the
   * bytes that it reads are others, and not when the state has a new version with the same. Runs
   * find that by themselves; nobody starts one for it.
   */
  readonly asOf?: {
    readonly pipeline?: string;
    readonly lagDays?: number;
    readonly withinDays: number;
  };
  readonly optional?: boolean;
  /**
   * Also reads the facts and check results that the step recorded; they become part of the step
   * key.
   */
  readonly withFacts?: boolean;
}

/**
 * What a period reads: an output of every day, month or year in it; of the year or the history that
 * it is in, where `each` is coarser than the period; or one state, with `asOf`.
 */
export interface RollupInput {
  readonly name: string;
  readonly step: StepId;
  readonly output: string;
  readonly each: 'day' | 'month' | 'year' | 'history';
  /**
   * Reads a state as of the end of the period: the output of the newest day, month or year (`each`)
   * that has one, at most `within` and at least `lag` of them before the last one of the period
   * (default: 0, and at least 1 where a rollup reads its own earlier periods). With `pipeline`,
   * `step` and `output` are of that one. Always optional. A period is made again when the bytes
   * that it reads are others, and not when the state has a new version with the same. Nobody starts
   * anything for a change of another pipeline: `stale` tells of it.
   */
  readonly asOf?: { readonly pipeline?: string; readonly lag?: number; readonly within: number };
}

/**
 * A document that shows the newest version of a JSON output: its members, beside them `artefact`
 * with key, sha256 and bytes.
 */
export interface RecordDefinition {
  readonly table: string;
  /** `{scope}` stands for the date or period, which is also the sort key. */
  readonly partition: string;
  /**
   * The member of the record that holds the whole output; beside it are `timestamp`, when it was
   * made, and `artefact`.
   */
  readonly under: string;
  /**
   * The member of the output that tells when it was made, as ISO instant. Its bytes cannot: they
   * are the same whenever that is.
   */
  readonly madeAt?: string;
}

/**
 * A table of records that other programs read too, in the shape that they know: a DynamoDB table or
 * MongoDB collection of its own, with the two keys under their names and the members of the record
 * beside them.
 */
export interface RecordTable {
  /** `setting` names the setting that calls the table otherwise. */
  readonly dynamodb: { readonly name: string; readonly setting: `DYNAMODB_${string}_TABLE` };
  readonly mongodb: { readonly name: string };
  readonly partitionKey: string;
  readonly sortKey: string;
  /** So many days after it was last written the server may remove a record. */
  readonly timeToLive?: { readonly field: string; readonly days: number };
  /**
   * No two records may have the same sort key, whatever their partition key. MongoDB only: DynamoDB
   * has no such promise.
   */
  readonly uniqueSortKey?: boolean;
}

/** How long content is kept, and on what ground. */
export interface Retention {
  /** Whole months after the month of the data, from 1. */
  readonly months: number;
  /** The legal basis of keeping it for so long and no longer, as a text for people. */
  readonly basis: string;
}

/** One file that a step makes for each scope, and the names under which others read it. */
export interface OutputDefinition {
  /** First folders of the artefact's key, such as `core/eco2mix/national`. */
  readonly layer: string;
  readonly extension: string;
  readonly mediaType: string;
  /**
   * Many days have the same bytes, such as a list that holds until the next one: they are stored
   * once, under a key without the day.
   */
  readonly sharedByDays?: boolean;
  /** The key under which users read the newest version; `{scope}` stands for the date or period. */
  readonly publishAs?: string;
  /** The record under which programs read the newest version; for JSON objects. */
  readonly recordAs?: RecordDefinition;
  /**
   * For tables: the columns that together name a row, by which two versions are compared; they are
   * guessed otherwise.
   */
  readonly keyColumns?: readonly string[];
  /**
   * By name; what is not listed is open. Values of the others stay out of examples, failures, logs
   * and differences.
   */
  readonly columns?: Readonly<Record<string, ColumnClass>>;
  /**
   * Whose business all of it is: for documents, pages and texts, which have no columns. Absent:
   * that of its columns; without them too it is `personal` in a pipeline that has classified
   * columns, so that nothing about people is open because nobody thought of it. Who may read it:
   * `about-people.ts`.
   */
  readonly class?: ColumnClass;
  /**
   * How long the table is kept, in every version; absent: for ever. `quotidien retain` removes what
   * is older.
   */
  readonly retention?: Retention;
}

/**
 * - warn: listed in the report.
 * - hold: the day waits for a person's decision.
 * - fail: the step fails with `DATA_CHECK_FAILED`, nothing is committed.
 */
export type Severity = 'warn' | 'hold' | 'fail';

/**
 * A rule about a step's rows, declared so that reports and documents can name it; the step's code
 * gives its result.
 */
export interface CheckDefinition {
  readonly id: string;
  /** The rule as a claim, such as "generation and exchanges add up to load". */
  readonly title: string;
  readonly severity: Severity;
  /**
   * Of severity `hold`: names the units that fail (`judgeUnits`). They are left out and wait for a
   * decision each; the rest of the day goes on, degraded.
   */
  readonly perUnit?: boolean;
  /**
   * With `perUnit`: whose business the names of its units are. Absent: they are `personal` in a
   * pipeline that has classified columns, else open.
   */
  readonly unitClass?: ColumnClass;
}

interface CommonStep {
  /**
   * Raised by hand whenever the step's output bytes change for the same inputs; held by a golden
   * test.
   */
  readonly version: number;
  readonly title: string;
  /**
   * Everything besides inputs that changes the output: thresholds, seeds. Part of the step key. The
   * configuration fills in two members where a step has them: `thresholds`, and `closed_parts` (by
   * part, the setting that its publisher's key is missing from).
   */
  readonly params?: JsonObject;
  readonly outputs: Readonly<Record<string, OutputDefinition>>;
  readonly checks?: readonly CheckDefinition[];
  /**
   * `fetch` talks to a publisher, `compute` needs the SQL engine, `report` runs in the light
   * worker.
   */
  readonly queue: 'fetch' | 'compute' | 'report';
  /** Longest run of one attempt over a full bulk window. */
  readonly timeoutSeconds: number;
}

/**
 * A step of data days. Its version, parameters and inputs decide its key, and so when it runs
 * again.
 */
export interface StepDefinition extends CommonStep {
  readonly id: StepId;
  /** For `download` steps: the part they fetch. */
  readonly part?: string;
  readonly inputs: readonly StepInput[];
  /** At least one of these inputs must have rows, or there is nothing to do for the day. */
  readonly needsAnyOf?: readonly string[];
  /** Without it the day fails; the failure of any other step degrades the day. */
  readonly required: boolean;
  /**
   * Declares that the step comes in so many shards, from 2 to 256. `definePipeline` writes them out
   * as steps `<id>.01-of-16` … `<id>.16-of-16`, so that each has its own key, ledger entry and
   * retries, runs as an activity of its own on any worker, and fails or is held without the others.
   * - It reads the same shard of a step with as many shards, or of the slices of a part with as
   *   many; of any other step, all of it.
   * - Its code is asked for one shard at a time, and told which by `task.shard`; `dataset.steps`
   *   names it once, without a shard.
   * - A step without `shards` that reads it gathers: `unit.inputs[name]` is the list of all shards
   *   that are there, ascending, each with its `shard`. It runs when at least one is there; a shard
   *   of a required step that failed fails the day.
   * - Its facts stay in the ledger; a step that gathers tells those of the day. A published name
   *   needs `{shard}`.
   */
  readonly shards?: number;
  /** Written by `definePipeline`: the shard that this step is. */
  readonly shard?: Shard;
  /**
   * Written by `definePipeline`: the inputs that stand for one gathered input each; one of each
   * list must have rows.
   */
  readonly gathers?: readonly (readonly string[])[];
  /**
   * Is told which parts use what was delivered before, because their new request failed; that
   * becomes part of the step key.
   */
  readonly withNotes?: boolean;
  /** Left out of bulk windows, made for single days and on demand only. */
  readonly singleDaysOnly?: boolean;
}

/** A step of months, years or the history, made from the days that are committed. */
export interface RollupDefinition extends CommonStep {
  readonly id: StepId;
  readonly grain: 'month' | 'year' | 'history';
  readonly inputs: readonly RollupInput[];
  /**
   * The outputs of its newest version that the code is given to go on from (`unit.previous`), where
   * that version was made by the same step version and parameters. What it makes with them has to
   * be the bytes that it makes without: `verify` makes every period without.
   */
  readonly withPrevious?: readonly string[];
}

/**
 * Stages of a day that are run by themselves.
 * - processing: everything before the reports; the reports of the day are left to their own
 *   process.
 * - report: the reports alone, from what is stored; nothing else is executed, and no publisher is
 *   asked.
 */
export type StageSubset = 'processing' | 'report';

/** What a tick of a schedule starts. */
export type ScheduledWork =
  /** The day of the nominal time, or some of its stages. Default: the whole day. */
  | { readonly workflow: 'day'; readonly only?: StageSubset }
  /** Asks the publisher what changed, and runs the days that did. */
  | { readonly workflow: 'watch' }
  /** Rebuilds this many random days and compares every byte. */
  | { readonly workflow: 'verify'; readonly sample: number }
  /** Removes content that is past its time, or tells what that is, as `QUOTIDIEN_RETAIN` says. */
  | { readonly workflow: 'retain' };

/** A Temporal schedule as data; applied by one reconcile. */
export interface ScheduleDefinition {
  readonly id: string;
  readonly title: string;
  /** Five-field cron in UTC. */
  readonly cron: string;
  readonly runs?: ScheduledWork;
  /** The data date is the civil date of the nominal time minus this many days. */
  readonly lagDays: number;
  /** After an outage, ticks that are late by at most this are made up for. */
  readonly catchUpMinutes: number;
  readonly jitterSeconds: number;
  /**
   * A tick that comes while the last one runs: `queue` (default) lets it follow, `skip` drops it.
   */
  readonly overlap?: 'queue' | 'skip';
  /**
   * Default true: a tick that fails says that the installation is wrong. A day that fails is not a
   * failed tick.
   */
  readonly pauseOnFailure?: boolean;
}

/**
 * All that shared code knows of a dataset. It is data and safe in workflows; the code of its steps
 * is in `Dataset`.
 */
export interface PipelineDefinition {
  readonly name: string;
  readonly title: string;
  /** IANA name; data days begin and end at its midnights. */
  readonly zone: string;
  /** No data exist before this date. */
  readonly since: string;
  readonly publication: PublicationCalendar;
  /**
   * Default: a month. What a set of days costs besides its days (planning SQL over many columns,
   * activities, tasks of the workflow) is paid once for each, so longer ones suit pipelines whose
   * days are small: a step holds the rows of all days of a set at once.
   */
  readonly workWindow?: WorkWindow;
  readonly parts: readonly PartDefinition[];
  /** In an order in which every step comes after the steps it reads. */
  readonly steps: readonly StepDefinition[];
  readonly rollups: readonly RollupDefinition[];
  /** The tables that `recordAs` names, by that name. */
  readonly recordTables?: Readonly<Record<string, RecordTable>>;
  readonly schedules: readonly ScheduleDefinition[];
  /**
   * Limits that judgements hang on, by name; the configuration may replace each. Steps read them as
   * `params.thresholds`.
   */
  readonly thresholds?: Readonly<Record<string, number>>;
  /**
   * Keys under which the state and the log of the downloads are published for users of an earlier
   * system.
   */
  readonly publishedDownloads?: {
    readonly freshness: string;
    readonly log: string;
    fileNameOf(part: string): string;
  };
}

/** The steps of a name: one, or all shards of a step that is named without its shard. */
export function stepsNamed(
  { steps }: Pick<PipelineDefinition, 'steps'>,
  id: string,
): StepDefinition[] {
  return steps.filter(
    (step) => step.id === id || (step.shard !== undefined && unsharded(step.id) === id),
  );
}

/** The step of this name; `PLAN_INVALID` lists the names there are. */
export function stepOf(definition: PipelineDefinition, id: string): StepDefinition {
  const step = definition.steps.find((candidate) => candidate.id === id);
  if (step === undefined) {
    const names = [...new Set(definition.steps.map((candidate) => unsharded(candidate.id)))].join(
      ', ',
    );
    throw new PipelineError(
      'PLAN_INVALID',
      `${definition.name} has no step ${id}; its steps are ${names}`,
    );
  }
  return step;
}
