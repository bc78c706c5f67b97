import { asPipelineError } from '../errors.ts';
import type { StepTask, StepUnit, UnitOutcome, UnitResult } from '../pipelines/dataset.ts';

/**
 * Works through the units of a step one by one. One day's failure must not cost the other days of a window; a cancelled task ends at once.
 * `failureOf` may throw what concerns the task as a whole.
 */
export async function forEachUnit(
  task: StepTask,
  work: (unit: StepUnit) => Promise<UnitResult>,
  failureOf: (unit: StepUnit, error: unknown) => UnitOutcome = unitFailure,
): Promise<UnitOutcome[]> {
  const outcomes: UnitOutcome[] = [];
  for (const unit of task.units) {
    task.signal.throwIfAborted();
    task.progress(`${task.step} ${unit.scope}`);
    outcomes.push(await work(unit).catch((error: unknown) => failureOf(unit, error)));
  }
  return outcomes;
}

export function unitFailure({ scope }: StepUnit, error: unknown): UnitOutcome {
  const { code, message, context } = asPipelineError(error);
  return { scope, failure: { code, message, context } };
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}
