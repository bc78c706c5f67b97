import { WorkflowExecutionAlreadyStartedError } from '@temporalio/common';
import {
  ChildWorkflowFailure,
  ParentClosePolicy,
  executeChild,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { CivilDate, Revision } from '../pipelines/vocabulary.ts';
import { day } from './day.ts';
import { CONTROL_RETRY } from './control-retry.ts';
import { executeSteps, failureOf, withPlainFailures } from './execute-steps.ts';
import { checkInput, text, wholeNumber } from './input-shape.ts';
import type { Shape } from './input-shape.ts';
import { describeRun } from './search-attributes.ts';
import { Whereabouts } from './whereabouts.ts';

export interface WatchInput {
  readonly pipeline: string;
}

const WATCH_INPUT: Shape<WatchInput> = { pipeline: text };

export interface WatchResult {
  /** The publisher's freshness value of each part that tells one. */
  readonly freshness: Readonly<Record<string, string | null>>;
  /** Parts whose freshness value is another than the last time. */
  readonly moved: readonly string[];
  /** Finished days that were asked for again. */
  readonly asked: number;
  /** Days whose content had changed, and what became of them. */
  readonly changed: readonly RevisedDay[];
  /** Finished days by revision, before this watch. */
  readonly revisions: Readonly<Partial<Record<Revision, number>>>;
}

export interface RevisedDay {
  readonly date: CivilDate;
  /** The versions that the kept difference is between; null when the day has no second version. */
  readonly versions: { readonly from: number; readonly to: number } | null;
  readonly failure: { readonly code: string; readonly message: string } | null;
}

const control = proxyActivities<Activities>(CONTROL_RETRY);
const { keepRevision, verifySample } = proxyActivities<Activities>({
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '30 seconds',
});

/** Asks the publisher what changed since the last time, and runs exactly the days whose content did, with the reason `revision`. */
export function watch(input: WatchInput): Promise<WatchResult> {
  checkInput('watch', WATCH_INPUT, input);
  return withPlainFailures(() => runWatch(input));
}

async function runWatch({ pipeline }: WatchInput): Promise<WatchResult> {
  describeRun({ Pipeline: pipeline, RunReason: 'revision' });
  const { freshness, moved, windows, revisions } = await control.watchPublisher(pipeline);
  const changed: RevisedDay[] = [];
  for (const dates of windows) {
    setCurrentDetails(`**${pipeline}**: asking again for ${dates.length} days from ${dates[0] ?? ''}`);
    await download(pipeline, dates);
    for (const date of await control.changedDays(pipeline, dates)) changed.push(await revise(pipeline, date));
  }
  await control.saveFreshness(pipeline, freshness);
  const asked = windows.reduce((sum, dates) => sum + dates.length, 0);
  return { freshness, moved, asked, changed, revisions };
}

/** Downloads alone, on the publisher's own queue: what comes is kept with its receipt, and no day is touched. */
async function download(pipeline: string, dates: readonly CivilDate[]): Promise<void> {
  const whereabouts = new Whereabouts();
  const resolved = whereabouts.note(await control.resolveWindow({ pipeline, dates, options: {} }));
  await executeSteps({
    pipeline,
    steps: resolved.steps.filter(({ stage }) => stage === 'download'),
    days: resolved.days.map(({ date, state }) => ({ date, state: { ...state } })),
    queues: resolved.queues,
    retry: resolved.retry,
    force: false,
    whereabouts,
  });
}

async function revise(pipeline: string, date: CivilDate): Promise<RevisedDay> {
  try {
    await executeChild(day, {
      workflowId: `day/${pipeline}/${date}`,
      args: [{ pipeline, date, reason: 'revision' }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `${pipeline} ${date}`,
    });
  } catch (error) {
    if (isCancellation(error)) throw error;
    if (error instanceof ChildWorkflowFailure) return { date, versions: null, failure: failureOf(error.cause) };
    // It runs already, and will see the new download.
    if (!(error instanceof WorkflowExecutionAlreadyStartedError)) throw error;
    await control.followRun(`day/${pipeline}/${date}`);
  }
  return { date, versions: await keepRevision(pipeline, date), failure: null };
}

export interface VerifyInput {
  readonly pipeline: string;
  /** How many finished days, drawn at random. */
  readonly sample: number;
}

const MOST_SAMPLED = 10_000;
const VERIFY_INPUT: Shape<VerifyInput> = { pipeline: text, sample: wholeNumber(1, MOST_SAMPLED) };

/** Rebuilds random finished days from their raw files and compares every byte; fails when one differs. */
export function verify(input: VerifyInput): Promise<{ readonly verified: readonly CivilDate[] }> {
  checkInput('verify', VERIFY_INPUT, input);
  const { pipeline, sample } = input;
  return withPlainFailures(async () => {
    describeRun({ Pipeline: pipeline, RunReason: 'verify' });
    return { verified: await verifySample(pipeline, sample) };
  });
}
