import { asPipelineError } from '../errors.ts';
import type { StepTask, StepUnit, UnitOutcome, UnitResult } from '../pipelines/dataset.ts';

type UnitWork = (unit: StepUnit) => Promise<UnitResult>;

/** Works through the units of a step one by one, each by the rule of `outcomeOfUnit`. */
export async function forEachUnit(task: StepTask, work: UnitWork): Promise<UnitOutcome[]> {
  const outcomes: UnitOutcome[] = [];
  for (const unit of task.units) outcomes.push(await outcomeOfUnit(task, unit, work));
  return outcomes;
}

/**
 * One day's failure must not cost the other days of a window; a cancelled task ends at once. An error that may be gone on the next try is
 * thrown: the step as a whole is tried again, for it concerns the machine and not the day.
 */
export async function outcomeOfUnit(task: StepTask, unit: StepUnit, work: UnitWork): Promise<UnitOutcome> {
  task.signal.throwIfAborted();
  task.progress(`${task.step} ${unit.scope}`);
  try {
    return await work(unit);
  } catch (error) {
    task.signal.throwIfAborted();
    const { code, message, context, retryable } = asPipelineError(error);
    if (retryable) throw error;
    return { scope: unit.scope, failure: { code, message, context } };
  }
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
