import type { Client, WorkflowHandle } from '@temporalio/client';
import { PipelineError } from '../../errors.ts';
import { STAGES } from '../../pipelines/vocabulary.ts';
import type { Stage } from '../../pipelines/vocabulary.ts';
import type { BackfillInput } from '../../workflows/backfill.ts';
import type { BackfillProgress } from '../../workflows/backfill-control.ts';
import type { BackfillResult } from '../../workflows/backfill-tally.ts';
import type { WindowProgress } from '../../workflows/window.ts';
import { askEvery } from '../shared/ask-every.ts';
import { EXIT } from '../shared/context.ts';
import type { ExitCode } from '../shared/context.ts';
import { count } from '../shared/measures.ts';
import { finishRollup, resultOf, startBackfill } from '../temporal/runs.ts';
import type { RunTarget } from '../temporal/runs.ts';
import { startedRuns, tellTries } from '../temporal/tries.ts';
import type { Terminal } from '../shared/terminal.ts';

/** Many days, as every command runs them: the `backfill` workflow, watched until its end. */

/** How many days are to be made, as far as it is known. */
type WantedDays = (progress: Pick<BackfillProgress, 'complete' | 'notDue'>) => number;

/** All days of a range, less those of which the backfill finds that there is nothing to do. */
export function daysOfRange(days: number): WantedDays {
  return ({ complete, notDue }) => days - complete - notDue;
}

/**
 * Runs a backfill, tells how far it is, and waits until what is derived from its days is made as
 * well.
 */
export async function runBackfill(
  terminal: Terminal,
  target: RunTarget,
  input: BackfillInput,
  wanted: WantedDays,
): Promise<EndedBackfill> {
  const handle = await startBackfill(target, input);
  terminal.note(`backfill ${handle.workflowId}`);
  const stopTelling = tellProgress(terminal, wanted, () => readProgress(target.client, handle));
  const tries = tellTries(terminal, target.client, handle.workflowId);
  const result = await resultOf(handle).finally(() => {
    stopTelling();
    tries.stop();
  });
  return { ...result, rollup: await rollupFailure(target, input.pipeline) };
}

/** A backfill whose days have ended, and what is made from them. */
export interface EndedBackfill extends BackfillResult {
  /** Why not everything could be made from the days; null when it was. */
  readonly rollup: RollupFailure | null;
}

/** The first failure; the others wait for the same remedy or show when it is gone. */
export interface RollupFailure {
  readonly code: string;
  readonly message: string;
}

/** Waits until everything is made from the changed days, and returns why it could not be. */
export async function rollupFailure(
  target: RunTarget,
  pipeline: string,
): Promise<RollupFailure | null> {
  try {
    await finishRollup(target, pipeline);
    return null;
  } catch (error) {
    if (!(error instanceof PipelineError)) throw error;
    return { code: error.code, message: error.message };
  }
}

/**
 * What `--until` means, also under its other name `--steps`: the last stage that is made; those
 * before it are made or reused.
 */
export function untilOf(text: string | undefined): { until?: Stage } {
  if (text === undefined) return {};
  const until = STAGES.find((stage) => stage === text);
  if (until !== undefined) return { until };
  throw new PipelineError(
    'INPUT_INVALID',
    `--until (or --steps) takes ${STAGES.join(', ')}, not ${text}`,
  );
}

/** What became of days, by number; a single day is the set of one. */
export interface EndedDays {
  readonly failedDays: number;
  readonly waitingDays: number;
  readonly degradedDays: number;
  readonly noDataDays: number;
}

/** 0 when every day is `ok`, 3 when some are finished otherwise or wait, 1 when one failed. */
export function exitCodeOfDays({
  failedDays,
  waitingDays,
  degradedDays,
  noDataDays,
}: EndedDays): ExitCode {
  if (failedDays > 0) return EXIT.failed;
  return waitingDays + degradedDays + noDataDays > 0 ? EXIT.degraded : EXIT.done;
}

/**
 * As `exitCodeOfDays`; also 1 when a period could not be made, and 3 when somebody stopped the
 * backfill.
 */
export function exitCodeOf(ended: EndedBackfill): ExitCode {
  if (ended.rollup !== null) return EXIT.failed;
  const days = exitCodeOfDays(ended);
  return days === EXIT.done && ended.stopped !== null ? EXIT.degraded : days;
}

/** The days that are not done, and why. */
export function leftLines(ended: EndedBackfill): string[] {
  const { failed, failedDays, waiting, stopped, rollup } = ended;
  return [
    ...failed.map(({ date, code, message }) => `${date}  ${code}: ${message}`),
    ...(failedDays > failed.length ? [`and ${failedDays - failed.length} more failed`] : []),
    ...waiting.map(({ date, why }) => `${date}  waits: ${why}`),
    ...notOkLines(ended),
    ...(stopped === null ? [] : [stopped]),
    ...(rollup === null ? [] : [`${rollup.code}: ${rollup.message}`]),
  ];
}

/** Of days that are done, and not `ok`. */
export function notOkLines({
  degradedDays,
  noDataDays,
}: Pick<EndedDays, 'degradedDays' | 'noDataDays'>): string[] {
  const of = (days: number, what: string): string[] =>
    days === 0 ? [] : [`${count(days, 'day')} ${days === 1 ? 'is' : 'are'} ${what}`];
  return [
    ...of(degradedDays, 'degraded: "quotidien gaps" and "quotidien show" tell why'),
    ...of(noDataDays, 'without data: the publisher has nothing'),
  ];
}

/** How far a backfill is, with what its windows have done of days that are not done yet. */
export interface ShownProgress extends BackfillProgress {
  /** Days, in parts: a window that is half through its steps of 60 days counts as 30. */
  readonly underWay?: number;
}

async function readProgress(client: Client, handle: WorkflowHandle): Promise<ShownProgress> {
  const progress = await handle.query<BackfillProgress>('progress');
  const windows = (await startedRuns(handle)).filter((id) => id.startsWith('window/'));
  const parts = await Promise.all(
    windows.map(async (id) => {
      // One that has just ended counts as done in a moment.
      const window = await client.workflow
        .getHandle(id)
        .query<WindowProgress>('progress')
        .catch(() => null);
      return (window?.days ?? 0) * (window?.share ?? 0);
    }),
  );
  return { ...progress, underWay: parts.reduce((sum, part) => sum + part, 0) };
}

const REDRAW_MS = 1_000;
const BAR_WIDTH = 30;

/**
 * Tells how far the backfill is: on a terminal as a bar every second, else by a line for every
 * tenth; and what it asks.
 */
function tellProgress(
  terminal: Terminal,
  wanted: WantedDays,
  read: () => Promise<ShownProgress>,
): () => void {
  let asked: string | null = null;
  let told = 0;
  const stop = askEvery(REDRAW_MS, read, (progress) => {
    const tenth = Math.floor(shareOf(progress, wanted) * 10);
    if (terminal.interactive) process.stderr.write(`\r${barText(progress, wanted)}`);
    else if (tenth > told) terminal.note(barText(progress, wanted));
    told = tenth;
    if (progress.question !== null && progress.question !== asked)
      terminal.note(
        `${progress.question}; send the update "decide" with {"decision":"accept","reason":"…"}`,
      );
    asked = progress.question;
  });
  return () => {
    stop();
    if (terminal.interactive) process.stderr.write('\n');
  };
}

/**
 * Days that need nothing more from the backfill. Those that were complete before are not among
 * them, as they were not planned.
 */
function endedDays({ done, failedDays, waitingDays }: BackfillProgress): number {
  return done + failedDays + waitingDays;
}

/** More days than were planned may have something to do by the time at which the backfill looks. */
function daysInAll(progress: BackfillProgress, wanted: WantedDays): number {
  return Math.max(wanted(progress), endedDays(progress));
}

function shareOf(progress: ShownProgress, wanted: WantedDays): number {
  const { underWay = 0 } = progress;
  return Math.min(1, (endedDays(progress) + underWay) / Math.max(1, daysInAll(progress, wanted)));
}

/** One line without its end; what a terminal has no room for is cut by it. */
export function barText(progress: ShownProgress, wanted: WantedDays): string {
  const { failedDays, waitingDays, paused } = progress;
  const ended = endedDays(progress);
  const filled = Math.floor(shareOf(progress, wanted) * BAR_WIDTH);
  const bar = '█'.repeat(filled).padEnd(BAR_WIDTH, '░');
  const share = Math.floor(shareOf(progress, wanted) * 100);
  const under = (progress.underWay ?? 0) > 0 ? `${share} % of their steps` : '';
  const rest = [
    under,
    failedDays > 0 ? `${failedDays} failed` : '',
    waitingDays > 0 ? `${waitingDays} waiting` : '',
  ];
  return [
    `${bar} ${ended}/${daysInAll(progress, wanted)} days`,
    ...rest,
    paused === null ? '' : `paused: ${paused}`,
  ]
    .filter(Boolean)
    .join('  ');
}
