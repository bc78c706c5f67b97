import { WorkflowExecutionAlreadyStartedError, defineSearchAttributeKey } from '@temporalio/common';
import {
  getExternalWorkflowHandle,
  isCancellation,
  ParentClosePolicy,
  proxyActivities,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { DayPart } from '../pipelines/definition.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { day, reportTooSignal } from './day.ts';
import { CONTROL_RETRY } from './control-retry.ts';
import { withPlainFailures } from './execute-steps.ts';
import { describeRun } from './search-attributes.ts';

export interface TickInput {
  readonly pipeline: string;
  readonly schedule: string;
}

export interface TickResult {
  readonly date: CivilDate;
  /** `joined`: the day was running already. */
  readonly day: 'started' | 'joined';
}

/** Set by Temporal on every workflow that a schedule starts, also by hand or by its own backfill: the nominal time. */
const NOMINAL_TIME = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

const control = proxyActivities<Activities>(CONTROL_RETRY);

/** What a schedule starts: finds the data date of its nominal time and starts that day, or joins it when it runs. */
export function tick(input: TickInput): Promise<TickResult> {
  return withPlainFailures(() => runTick(input));
}

async function runTick({ pipeline, schedule }: TickInput): Promise<TickResult> {
  const info = workflowInfo();
  const nominal = info.typedSearchAttributes.get(NOMINAL_TIME) ?? info.startTime;
  const { date, only } = await control.resolveTick({ pipeline, schedule, nominalAt: nominal.toISOString() });
  describeRun({ Pipeline: pipeline, DataDate: date, RunReason: 'schedule' });
  // A day that ends between the start and the signal is started in the next round.
  for (;;) {
    if (await startDay(pipeline, date, only)) return { date, day: 'started' };
    if (only === 'processing' || (await asksForReport(pipeline, date))) return { date, day: 'joined' };
  }
}

/** False when the day runs already. */
async function startDay(pipeline: string, date: CivilDate, only: DayPart | null): Promise<boolean> {
  try {
    await startChild(day, {
      workflowId: `day/${pipeline}/${date}`,
      args: [{ pipeline, date, reason: 'schedule', ...(only === null ? {} : { only }) }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `${pipeline} ${date}`,
    });
    return true;
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return false;
    throw error;
  }
}

/** The running day may be one that leaves its report out. False when it has ended. */
async function asksForReport(pipeline: string, date: CivilDate): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(`day/${pipeline}/${date}`).signal(reportTooSignal);
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return false;
  }
}
