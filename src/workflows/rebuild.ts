import {
  ActivityFailure,
  ChildWorkflowFailure,
  executeChild,
  isCancellation,
  proxyActivities,
  setCurrentDetails,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { DerivedWork } from '../engine/contract.ts';
import { failedDay, groupFailures } from '../pipelines/failed-work.ts';
import type { FailedWork } from '../pipelines/failed-work.ts';
import { CONTROL_RETRY } from './control-retry.ts';
import { retryPolicy } from './call-steps.ts';
import { failureOf } from './plain-failures.ts';
import { window } from './window.ts';
import { firstOf } from '../given.ts';

const control = proxyActivities<Activities>(CONTROL_RETRY);

/**
 * Makes what follows from changed days, in order: the days that compare themselves with them,
 * months, years, the whole history. What cannot be made is returned, and the rest is made all the
 * same, from the newest good version of everything.
 */
export async function rebuild(pipeline: string, work: DerivedWork): Promise<FailedWork[]> {
  const failed: FailedWork[] = [];
  for (const days of work.windows) {
    setCurrentDetails(
      `**${pipeline}**: rebuilding ${days.dates.length} days that compare themselves with changed days`,
    );
    failed.push(...(await rebuildDays(pipeline, days)));
  }
  for (const rollup of work.rollups) {
    if (rollup.periods.length === 0) continue;
    setCurrentDetails(`**${pipeline}**: ${rollup.step} of ${rollup.periods.join(', ')}`);
    failed.push(...(await rebuildPeriods(pipeline, work, rollup)));
  }
  await control.publishDownloads(pipeline);
  return groupFailures(failed);
}

async function rebuildDays(
  pipeline: string,
  days: DerivedWork['windows'][number],
): Promise<FailedWork[]> {
  const { dates, until } = days;
  const { workflowId, runId } = workflowInfo();
  try {
    const { careful } = await executeChild(window, {
      workflowId: `${workflowId}/${runId}/${firstOf(dates)}/${until}`,
      args: [{ pipeline, ...days, reason: 'derived', offline: true }],
      staticSummary: `${dates.length} days that compare themselves with changed days`,
    });
    return careful.flatMap((day) => failedDay(day, `${until}/day`));
  } catch (error) {
    if (!(error instanceof ChildWorkflowFailure) || isCancellation(error)) throw error;
    return [{ step: `${until}/day`, scopes: dates, ...failureOf(error.cause) }];
  }
}

async function rebuildPeriods(
  pipeline: string,
  { queue, retry }: DerivedWork,
  { step, periods, timeoutSeconds }: DerivedWork['rollups'][number],
): Promise<readonly FailedWork[]> {
  const { rollup } = proxyActivities<Activities>({
    taskQueue: queue,
    startToCloseTimeout: timeoutSeconds * 1000,
    heartbeatTimeout: retry.heartbeatMs,
    retry: retryPolicy(retry),
    summary: `${step} · ${periods.length === 1 ? firstOf(periods) : `${periods.length} periods`}`,
  });
  try {
    return (await rollup({ pipeline, step, periods, isolate: true })).failed ?? [];
  } catch (error) {
    if (!(error instanceof ActivityFailure) || isCancellation(error)) throw error;
    return [{ step, scopes: periods, ...failureOf(error) }];
  }
}
