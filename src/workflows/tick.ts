import { WorkflowExecutionAlreadyStartedError, defineSearchAttributeKey } from '@temporalio/common';
import { ParentClosePolicy, proxyActivities, startChild, workflowInfo } from '@temporalio/workflow';
import type { Activities } from '../activities/create-activities.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { day } from './day.ts';
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
  const date = await control.resolveTick({ pipeline, schedule, nominalAt: nominal.toISOString() });
  describeRun({ Pipeline: pipeline, DataDate: date, RunReason: 'schedule' });
  try {
    await startChild(day, {
      workflowId: `day/${pipeline}/${date}`,
      args: [{ pipeline, date, reason: 'schedule' }],
      parentClosePolicy: ParentClosePolicy.ABANDON,
      staticSummary: `${pipeline} ${date}`,
    });
    return { date, day: 'started' };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { date, day: 'joined' };
    throw error;
  }
}
