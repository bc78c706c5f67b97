import { WorkflowExecutionAlreadyStartedError, defineSearchAttributeKey } from '@temporalio/common';
import {
  ParentClosePolicy,
  getExternalWorkflowHandle,
  isCancellation,
  proxyActivities,
  startChild,
  workflowInfo,
} from '@temporalio/workflow';
import { definedMembers } from '../given.ts';
import type { Activities } from '../activities/create-activities.ts';
import type { ScheduledWork, StageSubset } from '../pipelines/definition.ts';
import type { ResolvedTick } from '../engine/contract.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { day } from './day.ts';
import { reportTooSignal } from './day-contract.ts';
import { CONTROL_RETRY } from './control-retry.ts';
import { codedFailure, withPlainFailures } from './plain-failures.ts';
import { checkInput, text } from './input-shape.ts';
import type { Shape } from './input-shape.ts';
import { describeRun } from './search-attributes.ts';
import { retain } from './retain.ts';
import { verify, watch } from './watch.ts';

/** The schedule by its name in the definition; which day is meant follows from the nominal time. */
export interface TickInput {
  readonly pipeline: string;
  readonly schedule: string;
}

const TICK_INPUT: Shape<TickInput> = { pipeline: text, schedule: text };

/** `date` is that of the nominal time, also for work that is not of one day. */
export interface TickResult {
  readonly date: CivilDate;
  /** What was started, or joined because it was running already. */
  readonly workflowId: string;
  readonly how: 'started' | 'joined';
}

/** How often a day can end just before it is joined. */
const MAX_ATTEMPTS = 5;

/**
 * Set by Temporal on every workflow that a schedule starts, also by hand or by its own backfill:
 * the nominal time.
 */
const NOMINAL_TIME = defineSearchAttributeKey('TemporalScheduledStartTime', 'DATETIME');

const control = proxyActivities<Activities>(CONTROL_RETRY);

/**
 * What a schedule starts: finds out what its nominal time stands for and starts that, or joins it
 * when it runs.
 */
export function tick(input: TickInput): Promise<TickResult> {
  checkInput('tick', TICK_INPUT, input);
  return withPlainFailures(() => runTick(input));
}

async function runTick({ pipeline, schedule }: TickInput): Promise<TickResult> {
  const info = workflowInfo();
  const nominal = info.typedSearchAttributes.get(NOMINAL_TIME) ?? info.startTime;
  const resolved = await control.resolveTick({
    pipeline,
    schedule,
    nominalAt: nominal.toISOString(),
  });
  const { date } = resolved;
  describeRun({ Pipeline: pipeline, DataDate: date, RunReason: 'schedule' });
  if (resolved.runs.workflow === 'day') return { date, ...(await startDay(pipeline, resolved)) };
  return { date, ...(await startOther(pipeline, resolved.runs)) };
}

/** A watch, an audit or the retention, one at a time. */
async function startOther(
  pipeline: string,
  runs: Exclude<ScheduledWork, { workflow: 'day' }>,
): Promise<Pick<TickResult, 'workflowId' | 'how'>> {
  const workflowId = `${runs.workflow}/${pipeline}`;
  const options = {
    workflowId,
    parentClosePolicy: ParentClosePolicy.ABANDON,
    staticSummary: workflowId,
  };
  try {
    if (runs.workflow === 'watch') await startChild(watch, { ...options, args: [{ pipeline }] });
    else if (runs.workflow === 'retain')
      await startChild(retain, { ...options, args: [{ pipeline }] });
    else await startChild(verify, { ...options, args: [{ pipeline, sample: runs.sample }] });
    return { workflowId, how: 'started' };
  } catch (error) {
    if (error instanceof WorkflowExecutionAlreadyStartedError) return { workflowId, how: 'joined' };
    throw error;
  }
}

/** Between "it runs already" and our signal the day may end; then it is started after all. */
async function startDay(
  pipeline: string,
  { date, runs }: ResolvedTick,
): Promise<Pick<TickResult, 'workflowId' | 'how'>> {
  const workflowId = `day/${pipeline}/${date}`;
  const only = runs.workflow === 'day' ? runs.only : undefined;
  for (let attempt = 0; attempt < MAX_ATTEMPTS; attempt += 1) {
    if (await startUnlessRunning(workflowId, pipeline, date, only))
      return { workflowId, how: 'started' };
    if (only === 'processing' || (await asksForReport(workflowId)))
      return { workflowId, how: 'joined' };
  }
  throw codedFailure('INTERNAL', `${workflowId} runs and cannot be signalled`);
}

async function startUnlessRunning(
  workflowId: string,
  pipeline: string,
  date: CivilDate,
  only: StageSubset | undefined,
) {
  try {
    await startChild(day, {
      workflowId,
      args: [{ pipeline, date, reason: 'schedule', ...definedMembers({ only }) }],
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
async function asksForReport(workflowId: string): Promise<boolean> {
  try {
    await getExternalWorkflowHandle(workflowId).signal(reportTooSignal);
    return true;
  } catch (error) {
    if (isCancellation(error)) throw error;
    return false;
  }
}
