import {
  condition,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { FolderRequest } from '../engine/contract.ts';
import { definedMembers, firstOf } from '../given.ts';
import { runSteps } from '../pipelines/run-steps.ts';
import type { CivilDate, Revision } from '../pipelines/vocabulary.ts';
import { AwaitedDays } from './await-day.ts';
import { depositedSignal } from './day-contract.ts';
import { CONTROL_RETRY, SURVEY_RETRY } from './control-retry.ts';
import { callSteps } from './call-steps.ts';
import { failureOf, withPlainFailures } from './plain-failures.ts';
import { checkInput, internal, text, wholeNumber } from './input-shape.ts';
import type { Shape } from './input-shape.ts';
import { describeRun } from './search-attributes.ts';
import { goAnywhere } from './host-routing.ts';

/** One run per pipeline at a time. */
export interface WatchInput {
  readonly pipeline: string;
  /** Look at the folders of these parts alone, and fetch from them alone. */
  readonly folder?: FolderRequest;
}

const WATCH_INPUT: Shape<WatchInput> = { pipeline: text, folder: internal };

/** What was new at the publisher, and what was made of it. */
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

/** A day that was run because its content had changed. */
export interface RevisedDay {
  readonly date: CivilDate;
  /** The versions that the kept difference is between; null when the day has no second version. */
  readonly versions: { readonly from: number; readonly to: number } | null;
  readonly failure: { readonly code: string; readonly message: string } | null;
  /** Why the day goes on by itself; absent when it has ended. */
  readonly waits?: string;
}

/** Watches that were under way when this came run one day after the other, each to its end. */
const DAYS_AT_ONCE = 'watch-runs-days-at-once';
const MAX_AT_ONCE = 4;

/** A watch comes every hour, and there is one at a time. */
const LONGEST_WAIT = '30 minutes';

const control = proxyActivities<Activities>(CONTROL_RETRY);
const { watchPublisher, changedDays } = proxyActivities<Activities>(SURVEY_RETRY);
const { keepRevision, verifySample } = proxyActivities<Activities>({
  startToCloseTimeout: '2 hours',
  heartbeatTimeout: '30 seconds',
});

/**
 * Asks the publisher what changed since the last time, and runs exactly the days whose content did,
 * with the reason `revision`.
 */
export function watch(input: WatchInput): Promise<WatchResult> {
  checkInput('watch', WATCH_INPUT, input);
  return withPlainFailures(() => runWatch(input));
}

async function runWatch({ pipeline, folder }: WatchInput): Promise<WatchResult> {
  describeRun({ Pipeline: pipeline, RunReason: 'revision' });
  const brought = { again: false };
  setHandler(depositedSignal, () => {
    brought.again = true;
  });
  const revised = new Revisions(pipeline);
  for (let asked = 0; ;) {
    brought.again = false;
    const { windows, ...seen } = await (folder === undefined
      ? watchPublisher(pipeline)
      : watchPublisher(pipeline, folder));
    for (const dates of windows) {
      setCurrentDetails(
        `**${pipeline}**: asking again for ${dates.length} days from ${firstOf(dates)}`,
      );
      await download(pipeline, dates, folder);
      await revised.start(await changedDays(pipeline, dates));
    }
    const changed = await revised.end();
    await control.saveFreshness(pipeline, seen.freshness);
    asked += windows.reduce((sum, dates) => sum + dates.length, 0);
    // A batch file came meanwhile.
    if (!isAgain(brought)) return { ...seen, asked, changed };
  }
}

/** Asked anew: a signal changes it. */
function isAgain({ again }: { readonly again: boolean }): boolean {
  return again;
}

/**
 * Downloads alone, on the publisher's own queue: what comes is kept with its receipt, and no day is
 * touched.
 */
async function download(
  pipeline: string,
  dates: readonly CivilDate[],
  folder?: FolderRequest,
): Promise<void> {
  goAnywhere();
  const { parts, again } = folder ?? {};
  const fromStep = again === true ? 'download' : undefined;
  const options = folder === undefined ? {} : { recheck: true, ...definedMembers({ fromStep }) };
  const { steps, queues, retry, days } = await control.resolveWindow({ pipeline, dates, options });
  const asked = steps.filter(
    ({ stage, part }) => stage === 'download' && parts?.includes(part ?? '') !== false,
  );
  await runSteps(
    { steps: asked, days },
    {
      ...callSteps({ pipeline, queues, retry, ...definedMembers({ fromStep }) }),
      // What holds a day is decided in the day's own run.
      decide: () => Promise.resolve(undefined),
    },
  );
}

/** The days whose content changed, each run by itself, several at the same time. */
class Revisions {
  readonly #pipeline: string;
  readonly #days = new AwaitedDays();
  readonly #ended: RevisedDay[] = [];
  readonly #running = new Set<CivilDate>();

  constructor(pipeline: string) {
    this.#pipeline = pipeline;
  }

  /** Resolves when the last of the days has been started. */
  async start(dates: readonly CivilDate[]): Promise<void> {
    for (const date of dates) {
      if (!patched(DAYS_AT_ONCE)) {
        this.#ended.push(await this.#revise(date));
        continue;
      }
      await condition(() => this.#running.size < MAX_AT_ONCE);
      this.#running.add(date);
      void this.#run(date);
    }
  }

  /**
   * What became of the days; those that take long go on by themselves, so that the next watch is
   * not kept waiting.
   */
  async end(): Promise<RevisedDay[]> {
    if (this.#running.size > 0) await condition(() => this.#running.size === 0, LONGEST_WAIT);
    const left = [...this.#running].map((date) => ({
      date,
      versions: null,
      failure: null,
      waits: 'it still runs',
    }));
    return [...this.#ended, ...left].sort((a, b) => (a.date < b.date ? -1 : 1));
  }

  async #run(date: CivilDate): Promise<void> {
    try {
      this.#ended.push(await this.#revise(date));
    } catch (error) {
      this.#ended.push({ date, versions: null, failure: failureOf(error) });
    } finally {
      this.#running.delete(date);
    }
  }

  async #revise(date: CivilDate): Promise<RevisedDay> {
    // A day that runs already will see the new download.
    const end = await this.#days.run({ pipeline: this.#pipeline, date, reason: 'revision' });
    if (end.how === 'waits') return { date, versions: null, failure: null, waits: end.why };
    if (end.how === 'failed')
      return { date, versions: null, failure: { code: end.code, message: end.message } };
    return { date, versions: await keepRevision(this.#pipeline, date), failure: null };
  }
}

/** One audit of a pipeline at a time. */
export interface VerifyInput {
  readonly pipeline: string;
  /** How many finished days, drawn at random. */
  readonly sample: number;
}

const MAX_SAMPLED = 10_000;
const VERIFY_INPUT: Shape<VerifyInput> = { pipeline: text, sample: wholeNumber(1, MAX_SAMPLED) };

/**
 * Rebuilds random finished days from their raw files and compares every byte; fails when one
 * differs.
 */
export function verify(input: VerifyInput): Promise<{ readonly verified: readonly CivilDate[] }> {
  checkInput('verify', VERIFY_INPUT, input);
  const { pipeline, sample } = input;
  return withPlainFailures(async () => {
    describeRun({ Pipeline: pipeline, RunReason: 'verify' });
    return { verified: await verifySample(pipeline, sample) };
  });
}
