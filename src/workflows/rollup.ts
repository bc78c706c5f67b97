import {
  ActivityFailure,
  allHandlersFinished,
  condition,
  continueAsNew,
  defineSignal,
  defineUpdate,
  isCancellation,
  patched,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { FailedWork } from '../pipelines/failed-work.ts';
import type { CivilDate, Period } from '../pipelines/vocabulary.ts';
import { NOBODY_NAMED } from './day-holds.ts';
import { CONTROL_RETRY, SURVEY_RETRY } from './control-retry.ts';
import { codedFailure, failureOf, withPlainFailures } from './plain-failures.ts';
import {
  checkInput,
  checkUpdate,
  civilDate,
  internal,
  listOf,
  number,
  optional,
  text,
} from './input-shape.ts';
import type { Shape } from './input-shape.ts';
import { rebuild } from './rebuild.ts';
import { describeRun } from './search-attributes.ts';
import { DECIDE_UNIT } from './unit-decisions.ts';
import type { DecideUnitInput } from './unit-decisions.ts';

/** One run per pipeline; whoever changes days starts it or wakes it. */
export interface RollupInput {
  readonly pipeline: string;
  /** Quiet time after the last change before anything is rebuilt. */
  readonly debounceMs: number;
  /**
   * Days to look at besides those that are announced; also those that came before the run was
   * continued as new.
   */
  readonly pending?: readonly CivilDate[];
  /** Somebody waits for the end; set when the run is continued as new. */
  readonly awaited?: boolean;
}

const ROLLUP_INPUT: Shape<RollupInput> = {
  pipeline: text,
  debounceMs: number(0, Number.MAX_SAFE_INTEGER),
  pending: optional(listOf(civilDate)),
  awaited: internal,
};

/** There are announcements to hear. */
export const announcedSignal = defineSignal('announced');
/**
 * Days to look at whether they are announced or not: from a person, or from workers of an earlier
 * version.
 */
export const daysChangedSignal = defineSignal<[readonly CivilDate[]]>('daysChanged');
/**
 * Rebuild now, without waiting for quiet: somebody waits for the end, and is told of a failure at
 * once.
 */
export const flushSignal = defineSignal('flush');

/** Longest time that a steady stream of changes can put off a rebuild, in quiet times. */
const LONGEST_WAIT = 12;

/**
 * A rebuild of which something failed is tried again after four quiet times, then each time after
 * four times as long.
 */
const PAUSE_GROWTH = 4;
const MAX_TRIES = 4;

/** Runs of before heard of changed days by signals alone. */
const ANNOUNCEMENTS = 'announcements';

const control = proxyActivities<Activities>(CONTROL_RETRY);
const { hearAnnouncements } = proxyActivities<Activities>(SURVEY_RETRY);

/** A person's word on one unit that the newest version of a period is without. */
export interface DecidePeriodUnitInput extends DecideUnitInput {
  /** A month, a year, or `all`. */
  readonly period: Period;
  /** A day of the period: told to the rollup, it has the period made again. */
  readonly date: CivilDate;
}

const DECIDE_PERIOD_UNIT: Shape<DecidePeriodUnitInput> = {
  ...DECIDE_UNIT,
  period: text,
  date: civilDate,
};

/**
 * With Update-with-Start it starts the rollup or joins it. The decision counts when it has been
 * kept; the update returns then.
 */
export const decidePeriodUnitUpdate = defineUpdate<string, [DecidePeriodUnitInput]>(
  'decidePeriodUnit',
);

/** How often it rebuilt until nothing was announced any more. */
export interface RollupResult {
  readonly rebuilds: number;
}

/**
 * Rebuilds what is made from changed days: first the days that compare themselves with them, then
 * months, years and the whole history, each once for all changes that came in meanwhile.
 * Invariants, cited by `test/workflow/rollup.test.ts`:
 * 1. What changed is read from the announcements; a signal only wakes. So nothing is lost with a
 *    run of this workflow.
 * 2. An announcement is closed when everything that depends on it was made. What failed keeps no
 *    other period or day from being made.
 * 3. What failed is tried again after growing pauses, then the run fails with the first failure;
 *    the announcements stay for the next.
 * 4. It ends: comparisons are never inputs of comparisons, so the rebuild of days announces no
 *    further change.
 * 5. A decision on a unit of a period is kept before anything is made with it, and the period is
 *    made again at once.
 */
export function rollup(input: RollupInput): Promise<RollupResult> {
  return withPlainFailures(() => runRollup(input));
}

/** What came in so far. */
interface Wakings {
  count: number;
  flush: boolean;
  awaited: boolean;
}

async function runRollup(input: RollupInput): Promise<RollupResult> {
  const { pipeline, debounceMs } = input;
  checkInput('rollup', ROLLUP_INPUT, input);
  const byHand = new Set<CivilDate>(input.pending);
  const wakings = listen(pipeline, byHand, input.awaited === true);
  describeRun({ Pipeline: pipeline, RunReason: 'derived' });
  let rebuilds = 0;
  for (let tries = 0; ;) {
    setCurrentDetails(`**${pipeline}**: waiting for ${debounceMs} ms without a change`);
    await waitForQuiet(debounceMs, wakings);
    const seen = wakings.count;
    const dates = [...byHand].sort();
    byHand.clear();
    const { heard, more, failed } = await rebuildAnnounced(pipeline, dates);
    if (heard) rebuilds += 1;
    if (failed.length === 0) {
      tries = 0;
      if (!more && wakings.count === seen && allHandlersFinished()) return { rebuilds };
      // Somebody who waits waits for what was announced meanwhile as well, and not for quiet.
      wakings.flush ||= more || wakings.awaited;
    } else {
      for (const date of dates) byHand.add(date);
      tries += 1;
      if (wakings.awaited || tries === MAX_TRIES) throw rollupFailure(pipeline, failed);
      const pauseMs = debounceMs * PAUSE_GROWTH ** tries;
      setCurrentDetails(`**${pipeline}**: ${describe(failed)}; tried again within ${pauseMs} ms`);
      await condition(() => wakings.count !== seen, pauseMs);
    }
    if (!allHandlersFinished()) await condition(allHandlersFinished);
    if (workflowInfo().continueAsNewSuggested) {
      const { awaited } = wakings;
      await continueAsNew<typeof rollup>({
        ...input,
        pending: [...byHand],
        ...(awaited ? { awaited } : {}),
      });
    }
  }
}

function listen(pipeline: string, byHand: Set<CivilDate>, awaited: boolean): Wakings {
  const wakings: Wakings = { count: 0, flush: awaited, awaited };
  setHandler(announcedSignal, () => {
    wakings.count += 1;
  });
  setHandler(daysChangedSignal, (dates) => {
    for (const date of dates) byHand.add(date);
    wakings.count += 1;
  });
  setHandler(flushSignal, () => {
    wakings.count += 1;
    wakings.flush = true;
    wakings.awaited = true;
  });
  setHandler(
    decidePeriodUnitUpdate,
    async ({ period, date, by = NOBODY_NAMED, ...decided }: DecidePeriodUnitInput) => {
      const decidedAt = new Date(Date.now()).toISOString();
      const checks = await withPlainFailures(() =>
        control.decideUnit({ pipeline, scope: period, ...decided, by, decidedAt }),
      );
      byHand.add(date);
      wakings.count += 1;
      wakings.flush = true;
      return `${pipeline} ${period}, ${decided.unit}: ${decided.decision} on ${checks} checks`;
    },
    {
      validator: (input: DecidePeriodUnitInput) => {
        checkUpdate('decidePeriodUnit', DECIDE_PERIOD_UNIT, input);
      },
      description:
        'Accept or reject the rows of one held unit of a period, with the reason; the period is made again',
    },
  );
  return wakings;
}

async function waitForQuiet(debounceMs: number, wakings: Wakings): Promise<void> {
  const latest = Date.now() + LONGEST_WAIT * debounceMs;
  while (!wakings.flush && Date.now() < latest) {
    const seen = wakings.count;
    const wait = Math.min(debounceMs, latest - Date.now());
    if (!(await condition(() => wakings.flush || wakings.count !== seen, wait))) break;
  }
  wakings.flush = false;
}

interface Round {
  /** Whether there was anything to do. */
  readonly heard: boolean;
  readonly more: boolean;
  readonly failed: readonly FailedWork[];
}

/**
 * Hears what changed, makes what follows from it, and closes the announcements of which nothing is
 * left.
 */
async function rebuildAnnounced(pipeline: string, dates: readonly CivilDate[]): Promise<Round> {
  if (!patched(ANNOUNCEMENTS)) {
    await rebuild(pipeline, await control.resolveDerived(pipeline, dates));
    return { heard: true, more: false, failed: [] };
  }
  try {
    const { heard, more, ...work } = await hearAnnouncements(pipeline, dates);
    if (heard.length + dates.length === 0) return { heard: false, more: false, failed: [] };
    const failed = await rebuild(pipeline, work);
    await control.closeAnnouncements(pipeline, heard, failed);
    return { heard: true, more: more && failed.length === 0, failed };
  } catch (error) {
    // A full disk, say: nothing is closed, and the announcements are still there.
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    return {
      heard: true,
      more: false,
      failed: [{ step: 'rollup/announcements', scopes: [], ...failureOf(error) }],
    };
  }
}

function describe([first, ...others]: readonly FailedWork[]): string {
  if (first === undefined) return 'nothing failed';
  const scopes = first.scopes.length === 0 ? '' : ` of ${first.scopes.join(', ')}`;
  const more = others.length === 0 ? '' : `, and ${others.length} more`;
  return `${first.step}${scopes} failed with ${first.code}: ${first.message}${more}`;
}

function rollupFailure(pipeline: string, failed: readonly FailedWork[]): Error {
  const what = `what is made from changed days of ${pipeline} is not complete: ${describe(failed)}`;
  return codedFailure(
    failed[0]?.code ?? 'INTERNAL',
    `${what}; the next change, tick or backfill tries it again`,
  );
}
