/**
 * The words of Quotidien, used the same way in code, documents, logs and the Temporal UI
 * (`docs/glossary.md`).
 *
 * - pipeline: one source of days, such as `eco2mix`; it has a zone, parts, steps, rollups and a
 *   publication calendar.
 * - data day: a civil date in the pipeline's zone, the interval `[00:00, next 00:00)`, 23, 24 or 25
 *   hours long.
 * - part: one input inside a pipeline, such as `tr` or `cons-def`.
 * - step: `<stage>/<part>`; the stages are download → transform → metrics → report.
 * - period: what a rollup is made for: a month, a year or the whole history.
 * - scope: what a step's outputs are about: a data day or a period.
 * - shard: the fixed share of a data day that one piece of work handles, such as `07-of-16`.
 * - slice: the rows of one data day exactly as published, whatever file brought them.
 * - step key: the hash of everything that a step's outputs depend on.
 * - ledger: one record per executed step key and scope; it is only ever added to.
 * - manifest: what a finished scope is made of; numbered versions, never overwritten.
 * - announcement: a record that a version gives other days or periods something to do.
 * - revision: how final the publisher says the data are.
 * - verdict: how a run of a day ended.
 */

/** A civil date `YYYY-MM-DD`, without zone: the zone is the pipeline's. */
export type CivilDate = string;

/** `YYYY-MM`, `YYYY` or `all`. */
export type Period = string;

/** A data day or a period. */
export type Scope = string;

/** In the order in which a day passes through them. */
export const STAGES = ['download', 'transform', 'metrics', 'report'] as const;

/** Also the first half of a step's id. */
export type Stage = (typeof STAGES)[number];

/** `<stage>/<part>`, or `rollup/<name>` for steps of periods. */
export type StepId = `${Stage | 'rollup'}/${string}`;

/**
 * Lower-case hex sha256: the identity of a step's work on a scope. Equal keys mean equal output
 * bytes.
 */
export type StepKey = string;

/** The stage of a step of days. */
export function stageOf(step: StepId): Stage {
  return step.slice(0, step.indexOf('/')) as Stage;
}

/** Whether a stage comes after `until`; without it, no stage does. */
export function isAfterStage(stage: Stage, until: Stage | undefined): boolean {
  return until !== undefined && STAGES.indexOf(stage) > STAGES.indexOf(until);
}

/** From the least to the most final. */
export const REVISIONS = ['provisional', 'consolidated', 'definitive'] as const;

/** What a day's `revision` fact says. */
export type Revision = (typeof REVISIONS)[number];

/**
 * - ok: every part that can be there is there.
 * - degraded: something optional failed, or a store was away.
 * - no_data: the publisher has nothing for this day and will not have it.
 * - failed: a required step failed; its code and remedy are kept.
 * - quarantined: a check holds the day until somebody decides.
 */
export const VERDICTS = ['ok', 'degraded', 'no_data', 'failed', 'quarantined'] as const;

/** Kept in the manifest and in the search attribute `Verdict`. */
export type Verdict = (typeof VERDICTS)[number];

/** Why a day runs; a search attribute in Temporal. */
export const RUN_REASONS = [
  'schedule',
  'manual',
  'backfill',
  'revision',
  'derived',
  'verify',
] as const;

/** Kept in the manifest. */
export type RunReason = (typeof RUN_REASONS)[number];

/**
 * Whose business the values of a column are.
 * - open: anybody's; the class of every column that is not classified.
 * - personal: they are about a person, or name one, such as the number of a household's meter.
 * - secret: they open or prove something, such as a token.
 */
export const COLUMN_CLASSES = ['open', 'personal', 'secret'] as const;

/** Absent in a definition means open. */
export type ColumnClass = (typeof COLUMN_CLASSES)[number];
