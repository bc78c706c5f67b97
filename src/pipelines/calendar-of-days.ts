import { afterDayEnd } from './zoned-day.ts';
import { addDays } from './civil-date.ts';
import type { Lack } from './completeness.ts';
import type { PipelineDefinition } from './definition.ts';
import type { DegradedRecord } from './degraded.ts';
import type { FailureRecord } from './ledger.ts';
import type { Manifest } from './manifest.ts';
import type { PlannedStep } from './planned-step.ts';
import { percentFigure } from './percent.ts';
import { revisionOf } from './revision.ts';
import { describeRow } from './stored-records.ts';
import type { UnreadableRow } from './stored-records.ts';
import { tellPublisher } from './unanswered.ts';
import type { CivilDate, Revision, Verdict } from './vocabulary.ts';

/**
 * How the days of a pipeline stand, for the calendar that people look at. Pure: whoever asks gives
 * evidence and time.
 */

/**
 * A verdict, or why there is none:
 *
 * - running: a run of the day is under way; `quarantined` instead when that run waits for a
 *   decision.
 * - missing: the publication calendar expects the day, and no run has finished it.
 * - not_due: the publisher is not expected to have the day yet.
 */
/**
 * `unknown`: this host has never seen the day, and the store that would know does not answer.
 * `not_asked`: it lies before the first day that was made here, so nobody has asked for it.
 */
export type DayStanding = Verdict | 'running' | 'missing' | 'unknown' | 'not_due' | 'not_asked';

/** A run that is under way: of the day alone, or of a window of days. */
export interface RunningDay {
  readonly workflowId: string;
  /** ISO instant. */
  readonly startedAt: string;
  /** The run waits for a person's decision. */
  readonly held: boolean;
  /** A person has paused it in Temporal, and it waits for them to go on. */
  readonly paused?: boolean;
  /** No worker can go on with it: its workflow task fails again and again. */
  readonly standsStill?: boolean;
}

/** What a person should know of a day that its standing does not say. */
export interface DayRemark {
  readonly kind:
    | 'unreadable'
    | 'stale'
    | 'failed_run'
    | 'held'
    | 'paused'
    | 'stands_still'
    | 'unproven'
    | 'failed_step'
    | 'kept_delivery'
    | 'publisher'
    | 'failed_check'
    | 'coverage';
  /** One line. */
  readonly text: string;
}

/** All that `status`, the API and the console show of one day. */
export interface CalendarDay {
  readonly date: CivilDate;
  readonly standing: DayStanding;
  /**
   * Of the newest version, also while a new run is under way; null when there is none. The same
   * holds for the next five.
   */
  readonly verdict: Verdict | null;
  readonly version: number | null;
  /** ISO instant. */
  readonly committedAt: string | null;
  readonly revision: Revision | null;
  /** Part of the expected samples that were observed, 0–1. */
  readonly coverage: number | null;
  /** Of which parts the newest version does not have all. */
  readonly lacks: readonly Lack[];
  /**
   * ISO instant from which on the publisher is asked for the day again; null: never, or nothing is
   * there yet.
   */
  readonly askAgainAt: string | null;
  /** The last run, when it failed; an older version of the day stays good. */
  readonly failure: FailureRecord | null;
  readonly running: RunningDay | null;
  readonly remarks: readonly DayRemark[];
}

/** What was found of one day, from which `calendarDay` judges; pure data, read by `engine/look`. */
export interface DayStandingEvidence {
  readonly manifest: Manifest | undefined;
  readonly failure: FailureRecord | undefined;
  readonly running: RunningDay | undefined;
  /**
   * The newest version was made while a store was away, and is not proven on the primary stores
   * yet.
   */
  readonly degraded?: DegradedRecord | undefined;
  /** The steps that would run again without asking the publisher, with the reasons. */
  readonly stale?: readonly Pick<PlannedStep, 'step' | 'reason'>[];
  readonly lacks?: readonly Lack[];
  readonly askAgainAt?: string | undefined;
  /** The store of records does not answer: that no record was found says nothing. */
  readonly blind?: boolean;
  /** The first day that was made here; undefined when none was, or nobody knows. */
  readonly firstMade?: CivilDate | undefined;
  /** A row of which nothing can be said of the day without it. */
  readonly unreadable?: UnreadableRow | undefined;
}

/** How one day stands at the instant `now`. */
export function calendarDay(
  definition: Pick<PipelineDefinition, 'zone' | 'publication'>,
  date: CivilDate,
  evidence: DayStandingEvidence,
  now: Date,
): CalendarDay {
  const { manifest, failure, running } = evidence;
  const facts = manifest?.facts ?? {};
  const coverage = facts['coverage'];
  return {
    date,
    standing: standingOf(definition, date, evidence, now),
    verdict: manifest === undefined ? null : verdictOf(manifest, evidence),
    version: manifest?.version ?? null,
    committedAt: manifest?.run.committedAt ?? null,
    revision:
      manifest === undefined ? null : (revisionOf(definition, { scope: date, facts }, now) ?? null),
    coverage: typeof coverage === 'number' ? coverage : null,
    lacks: evidence.lacks ?? [],
    askAgainAt: evidence.askAgainAt ?? null,
    failure: failure ?? null,
    running: running ?? null,
    remarks: remarksOf(evidence),
  };
}

/** The part of the evidence that the standing hangs on; of a finished day its verdict is enough. */
export type StandingEvidence = Pick<
  DayStandingEvidence,
  'failure' | 'running' | 'degraded' | 'blind' | 'firstMade' | 'unreadable'
> & { readonly manifest: Pick<Manifest, 'verdict'> | undefined };

/** The standing of one day at the instant `now`, without all else that `calendarDay` tells. */
export function standingOf(
  { zone, publication }: Pick<PipelineDefinition, 'zone' | 'publication'>,
  date: CivilDate,
  evidence: StandingEvidence,
  now: Date,
): DayStanding {
  const { manifest, failure, running } = evidence;
  if (running !== undefined) return running.held ? 'quarantined' : 'running';
  if (evidence.unreadable !== undefined) return 'failed';
  if (manifest !== undefined) return verdictOf(manifest, evidence);
  if (failure !== undefined) return 'failed';
  if (now < afterDayEnd(date, zone, publication.expectedAfter)) return 'not_due';
  if (evidence.blind === true) return 'unknown';
  return evidence.firstMade !== undefined && date < evidence.firstMade ? 'not_asked' : 'missing';
}

function verdictOf(
  { verdict }: Pick<Manifest, 'verdict'>,
  { degraded }: Pick<DayStandingEvidence, 'degraded'>,
): Verdict {
  return degraded === undefined ? verdict : 'degraded';
}

function remarksOf(evidence: DayStandingEvidence): DayRemark[] {
  const { manifest, failure, running, degraded, unreadable, stale = [], lacks = [] } = evidence;
  const remarks: DayRemark[] = [];
  if (unreadable !== undefined) remarks.push({ kind: 'unreadable', text: describeRow(unreadable) });
  const [first, ...others] = stale;
  if (first !== undefined) {
    const more = others.length === 0 ? '' : `, and ${others.length} more steps`;
    remarks.push({ kind: 'stale', text: `out of date: ${first.step}, ${first.reason}${more}` });
  }
  if (failure !== undefined) {
    const kept = manifest === undefined ? '' : `; version ${manifest.version} stays`;
    remarks.push({
      kind: 'failed_run',
      text: `last run failed at ${failure.step}, ${failure.code}: ${failure.message}${kept}`,
    });
  }
  if (running?.paused === true) {
    remarks.push({
      kind: 'paused',
      text: `${running.workflowId} is paused: it goes on when it is unpaused in Temporal`,
    });
  }
  if (running?.standsStill === true) {
    remarks.push({
      kind: 'stands_still',
      text: `${running.workflowId} stands still: workers fail at its workflow task; what to do is in docs/reference/runs.md`,
    });
  }
  if (running?.held === true) {
    remarks.push({
      kind: 'held',
      text: `waits for a decision: send the update "decide" to ${running.workflowId}`,
    });
  }
  if (degraded !== undefined) {
    remarks.push({
      kind: 'unproven',
      text: `made by ${degraded.host} while a store was away: ${degraded.why}`,
    });
  }
  for (const [step, state] of Object.entries(manifest?.steps ?? {})) {
    if (state.state === 'failed')
      remarks.push({
        kind: 'failed_step',
        text: `${step} failed, ${state.code}: ${state.message}`,
      });
    const heard = step.startsWith('download/') ? tellPublisher(state) : undefined;
    // A whole day may well have a part that is empty: ODRE has consolidated rows of a day, or those
    // of real time.
    if (heard !== undefined && (manifest?.verdict !== 'ok' || state.state !== 'done'))
      remarks.push({ kind: 'publisher', text: `${step.slice(9)}: ${heard}` });
    if (state.state !== 'done') continue;
    if (state.kept !== undefined) {
      const { code, message, since } = state.kept;
      remarks.push({
        kind: 'kept_delivery',
        text: `${step} uses what was delivered by ${since}; ${code}: ${message}`,
      });
    }
    for (const { check, failed, tested } of state.failedChecks) {
      remarks.push({
        kind: 'failed_check',
        text: `${step}: ${check} fails on ${failed} of ${tested} rows`,
      });
    }
  }
  for (const lack of lacks) remarks.push({ kind: 'coverage', text: lackText(lack) });
  return remarks;
}

function lackText({ part, share, least }: Lack): string {
  const whose = part === null ? '' : `${part}: `;
  if (share === null) return `${whose}nothing of this day`;
  return `${whose}coverage ${percent(share)}${least === 1 ? '' : `, ${percent(least)} would be whole`}`;
}

/**
 * What is not as it should be, by which `gaps` lists days:
 *
 * - missing, failed, degraded, no_data: the standing of that name; failed also when an older
 *   version stays good.
 * - held: a run of the day waits for a decision.
 * - incomplete: finished, and without all of a part.
 * - unreadable: a row that tells of the day is damaged.
 * - unknown: the store that would know does not answer.
 */
export const GAP_KINDS = [
  'missing',
  'failed',
  'held',
  'degraded',
  'no_data',
  'incomplete',
  'unreadable',
  'unknown',
] as const;

/** A day can have several at once; the list above says what each means. */
export type GapKind = (typeof GAP_KINDS)[number];

/** None for a day that is `ok` and whole, in the making, or not due yet. */
export function gapsOf({ standing, verdict, failure, lacks, remarks }: CalendarDay): GapKind[] {
  if (remarks.some(({ kind }) => kind === 'unreadable')) return ['unreadable'];
  const kinds = new Set<GapKind>();
  if (failure !== null) kinds.add('failed');
  if (standing === 'quarantined') kinds.add('held');
  else if (
    standing !== 'ok' &&
    standing !== 'running' &&
    standing !== 'not_due' &&
    standing !== 'not_asked'
  )
    kinds.add(standing);
  if (lacks.length > 0 && verdict !== 'no_data') kinds.add('incomplete');
  return GAP_KINDS.filter((kind) => kinds.has(kind));
}

/** What came of parts without rows, by part and words, on how many of the days. */
export function publishersOf(days: readonly CalendarDay[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const { kind, text } of days.flatMap(({ remarks }) => remarks))
    if (kind === 'publisher') found[text] = (found[text] ?? 0) + 1;
  return found;
}

/** A part of one in percent, to a tenth: the figure that reports show. */
export function percent(part: number): string {
  return `${percentFigure(part)} %`;
}

/** Counts over the days that are shown, not over all that the pipeline has. */
export interface CalendarTotals {
  readonly days: number;
  /** Only the standings that occur. */
  readonly standings: Readonly<Partial<Record<DayStanding, number>>>;
  readonly revisions: Readonly<Partial<Record<Revision, number>>>;
  readonly incomplete: number;
  /** Spans of missing days, both ends included, ascending. */
  readonly missing: readonly DateRange[];
}

/** Both ends are included. */
export interface DateRange {
  readonly from: CivilDate;
  readonly to: CivilDate;
}

/** What there is in a span of days, ascending by date. */
export function calendarTotals(days: readonly CalendarDay[]): CalendarTotals {
  const standings: Partial<Record<DayStanding, number>> = {};
  const revisions: Partial<Record<Revision, number>> = {};
  for (const { standing, revision } of days) {
    standings[standing] = (standings[standing] ?? 0) + 1;
    if (revision !== null) revisions[revision] = (revisions[revision] ?? 0) + 1;
  }
  return {
    days: days.length,
    standings,
    revisions,
    incomplete: days.filter((day) => gapsOf(day).includes('incomplete')).length,
    missing: rangesOf(
      days.filter(({ standing }) => standing === 'missing').map(({ date }) => date),
    ),
  };
}

/** Ascending dates as spans without a gap. */
export function rangesOf(dates: readonly CivilDate[]): DateRange[] {
  const ranges: { from: CivilDate; to: CivilDate }[] = [];
  for (const date of dates) {
    const last = ranges.at(-1);
    if (last !== undefined && addDays(last.to, 1) === date) last.to = date;
    else ranges.push({ from: date, to: date });
  }
  return ranges;
}
