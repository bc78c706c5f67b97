import {
  condition,
  continueAsNew,
  defineSignal,
  executeChild,
  proxyActivities,
  setCurrentDetails,
  setHandler,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { DerivedWork } from '../activities/contract.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { CONTROL_RETRY } from './control-retry.ts';
import { withPlainFailures, retryPolicy } from './execute-steps.ts';
import { describeRun } from './search-attributes.ts';
import { window } from './window.ts';

export interface RollupInput {
  readonly pipeline: string;
  /** Quiet time after the last change before anything is rebuilt. */
  readonly debounceMs: number;
  /** Changes that came before the run was continued as new. */
  readonly pending?: readonly CivilDate[];
}

/** Days whose outputs changed, and that other days or periods are made from. */
export const daysChangedSignal = defineSignal<[readonly CivilDate[]]>('daysChanged');
/** Rebuild now, without waiting for quiet. */
export const flushSignal = defineSignal('flush');

/** Longest time that a steady stream of changes can put off a rebuild, in quiet times. */
const LONGEST_WAIT = 12;

const control = proxyActivities<Activities>(CONTROL_RETRY);

/**
 * Rebuilds what is made from changed days: first the days that compare themselves with them, then months, years and the whole
 * history, each once for all changes that came in meanwhile. It ends: comparisons are never inputs of comparisons, so the rebuild
 * of days announces no further change, and nothing is left when the signals stop.
 */
export function rollup(input: RollupInput): Promise<{ readonly rebuilds: number }> {
  return withPlainFailures(() => runRollup(input));
}

async function runRollup(input: RollupInput): Promise<{ readonly rebuilds: number }> {
  const { pipeline, debounceMs } = input;
  const changed = new Set<CivilDate>(input.pending);
  const state: Quiet = { flush: false, changes: 0 };
  setHandler(daysChangedSignal, (dates) => {
    for (const date of dates) changed.add(date);
    state.changes += 1;
  });
  setHandler(flushSignal, () => {
    state.flush = true;
  });
  describeRun({ Pipeline: pipeline, RunReason: 'derived' });
  let rebuilds = 0;
  while (changed.size > 0) {
    setCurrentDetails(`**${pipeline}**: waiting for ${debounceMs} ms without a change`);
    await waitForQuiet(debounceMs, state);
    const dates = [...changed].sort();
    changed.clear();
    await rebuild(pipeline, dates);
    rebuilds += 1;
    if (workflowInfo().continueAsNewSuggested) await continueAsNew<typeof rollup>({ ...input, pending: [...changed] });
  }
  return { rebuilds };
}

interface Quiet {
  flush: boolean;
  /** How many came in so far. */
  changes: number;
}

async function waitForQuiet(debounceMs: number, state: Quiet): Promise<void> {
  const latest = Date.now() + LONGEST_WAIT * debounceMs;
  while (!state.flush && Date.now() < latest) {
    const seen = state.changes;
    const wait = Math.min(debounceMs, latest - Date.now());
    if (!(await condition(() => state.flush || state.changes !== seen, wait))) break;
  }
  state.flush = false;
}

async function rebuild(pipeline: string, dates: readonly CivilDate[]): Promise<void> {
  const work: DerivedWork = await control.resolveDerived(pipeline, dates);
  const info = workflowInfo();
  for (const { dates: stale, until } of work.windows) {
    setCurrentDetails(
      `**${pipeline}**: rebuilding ${stale.length} days that compare themselves with ${dates.length} changed days`,
    );
    await executeChild(window, {
      workflowId: `${info.workflowId}/${info.runId}/${stale[0] ?? ''}/${until}`,
      args: [{ pipeline, dates: stale, reason: 'derived', offline: true, until }],
      staticSummary: `${stale.length} days that compare themselves with changed days`,
    });
  }
  for (const { step, periods, timeoutSeconds } of work.rollups) {
    setCurrentDetails(`**${pipeline}**: ${step} of ${periods.join(', ')}`);
    const { rollup: run } = proxyActivities<Activities>({
      taskQueue: work.queue,
      startToCloseTimeout: timeoutSeconds * 1000,
      heartbeatTimeout: work.retry.heartbeatMs,
      retry: retryPolicy(work.retry),
      summary: `${step} · ${periods.length === 1 ? (periods[0] ?? '') : `${periods.length} periods`}`,
    });
    await run({ pipeline, step, periods });
  }
  await control.publishDownloads(pipeline);
}
