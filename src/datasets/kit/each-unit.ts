import { required } from '../../given.ts';
import { asPipelineError } from '../../errors.ts';
import type {
  LocalArtefact,
  PlainTools,
  StepImplementation,
  StepTask,
  StepUnit,
  UnitOutcome,
  UnitResult,
} from '../../pipelines/dataset.ts';
import type { SqlSession } from '../../ports/sql.ts';

type UnitWork = (unit: StepUnit) => Promise<UnitResult>;

/** What a step returns of one unit; the scope is filled in. */
export type UnitOutputs = Omit<UnitResult, 'scope'>;

/** Works through the units of a step one by one, each by the rule of `outcomeOfUnit`. */
export async function forEachUnit(task: StepTask, work: UnitWork): Promise<UnitOutcome[]> {
  const outcomes: UnitOutcome[] = [];
  for (const unit of task.units) outcomes.push(await outcomeOfUnit(task, unit, work));
  return outcomes;
}

/**
 * One day's failure must not cost the other days of a window; a cancelled task ends at once. An
 * error that may be gone on the next try is thrown: the step as a whole is tried again, for it
 * concerns the machine and not the day.
 */
export async function outcomeOfUnit(
  task: StepTask,
  unit: StepUnit,
  work: UnitWork,
): Promise<UnitOutcome> {
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

type SqlWork = (unit: StepUnit, task: StepTask, sql: SqlSession) => Promise<UnitOutputs>;

/**
 * An `sql` step that works through its units one by one; the failure of a day costs no other day.
 */
export function dayByDay(work: SqlWork): StepImplementation {
  return {
    kind: 'sql',
    run: (task, sql) =>
      forEachUnit(
        task,
        inScope((unit) => work(unit, task, sql)),
      ),
  };
}

/**
 * The same for days that are the SQL engine's work rather than ours: as many at once as it has
 * threads.
 */
export function daysAtOnce(work: SqlWork): StepImplementation {
  return {
    kind: 'sql',
    run: (task, sql) =>
      sql.atOnce(task.units, (unit, own) =>
        outcomeOfUnit(
          task,
          unit,
          inScope((one) => work(one, task, own)),
        ),
      ),
  };
}

/** A `plain` step, run by the light worker without the SQL engine: reports above all. */
export function plainStep(
  work: (unit: StepUnit, tools: PlainTools, task: StepTask) => Promise<UnitOutputs>,
): StepImplementation {
  return {
    kind: 'plain',
    run: (task, tools) =>
      forEachUnit(
        task,
        inScope((unit) => work(unit, tools, task)),
      ),
  };
}

function inScope(work: (unit: StepUnit) => Promise<UnitOutputs>): UnitWork {
  return async (unit) => ({ scope: unit.scope, ...(await work(unit)) });
}

/** The one artefact of an input; undefined for a missing optional one. */
export function inputOf(unit: StepUnit, name: string): LocalArtefact | undefined {
  return unit.inputs[name]?.[0];
}

/**
 * The same for an input that the step cannot do without: the engine runs no step that lacks one.
 */
export function neededInput(unit: StepUnit, name: string): LocalArtefact {
  return required(inputOf(unit, name), `the input ${name} of ${unit.scope}`);
}
