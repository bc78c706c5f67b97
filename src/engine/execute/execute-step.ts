import { readFile } from 'node:fs/promises';
import { definedMembers } from '../../given.ts';
import { PipelineError, asPipelineError } from '../../errors.ts';
import type { CheckResult } from '../../pipelines/check-result.ts';
import type {
  StepImplementation,
  StepTask,
  StepUnit,
  UnitFailure,
  UnitOutcome,
  UnitResult,
} from '../../pipelines/dataset.ts';
import { stepOf } from '../../pipelines/definition.ts';
import type { StepDefinition } from '../../pipelines/definition.ts';
import {
  acceptedHolds,
  keptNotes,
  sampleParts,
  unansweredParts,
} from '../../pipelines/kept-delivery.ts';
import type { StepNote } from '../../pipelines/kept-delivery.ts';
import { MAX_HELD_UNITS, holdsStep, waitingUnits } from '../../pipelines/held-units.ts';
import { deliveredWith, isEmptyEntry } from '../../pipelines/ledger.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import { unsharded } from '../../pipelines/shard.ts';
import { stepKey } from '../../pipelines/step-key.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import { zonedDay } from '../../pipelines/zoned-day.ts';
import type { SqlSession } from '../../ports/sql.ts';
import { commitStep } from './commit-step.ts';
import type { CommitContext, StepIdentity, Uncommitted } from './commit-step.ts';
import { damageOf } from '../content-store.ts';
import type { StepRequest, StepResult } from '../contract.ts';
import type { StepDone, StepFailed } from '../../pipelines/run-steps.ts';
import { datasetOf, sqlOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { holdingFiles } from '../held-objects.ts';
import { mapConcurrent } from '../map-concurrent.ts';
import { dayInputs, hashesOf, openInputs } from './step-inputs.ts';
import type { DayInputs } from './step-inputs.ts';
import { withoutBuried } from '../records/tombstones.ts';

/**
 * Executes one step for a set of days: key from the real inputs → ledger → work only for what is
 * not there → commit. A day that cannot be done is returned as a failure of that day; the others
 * are committed. Throws what concerns the set as a whole, such as an unavailable store.
 */
export async function executeStep(
  stores: Engine,
  request: StepRequest,
  control: StepControl,
): Promise<StepResult> {
  const engine = await withoutBuried(stores);
  const dataset = datasetOf(engine, request.pipeline);
  const step = stepOf(dataset.definition, request.step);
  const days = await dayInputs(engine, request, step);
  const prepared = days.map((day) => ({ day, ...identityOf(step, day) }));
  const reused = new Map<string, LedgerEntry>();
  await mapConcurrent(prepared, 8, async ({ day, key }) => {
    const entry = request.force ? undefined : await reusable(engine, day.earlier.get(key));
    if (entry !== undefined) reused.set(day.date, entry);
  });
  const missing = prepared.filter(({ day }) => !reused.has(day.date));
  const fresh =
    missing.length === 0
      ? new Map<string, StepDone | StepFailed>()
      : await holdingFiles(engine, (holding) => work(holding, missing));
  return {
    days: prepared.map(({ day }) => {
      const entry = reused.get(day.date);
      if (entry !== undefined) return doneWith(step, entry, 'reused');
      return fresh.get(day.date) ?? lost(step, day.date);
    }),
  };

  async function work(
    engine: Engine,
    units: typeof prepared,
  ): Promise<Map<string, StepDone | StepFailed>> {
    const startedAt = engine.now();
    const implementation = dataset.steps[unsharded(step.id)];
    if (implementation === undefined)
      throw new PipelineError('INTERNAL', `${step.id} is defined but not implemented`);
    const task: StepTask = {
      ...namesOfTask(step),
      params: step.params ?? {},
      signal: control.signal,
      progress: control.progress,
      units: await mapConcurrent(units, 8, async ({ day }) => ({
        scope: day.date,
        day: zonedDay(day.date, dataset.definition.zone),
        inputs: await openInputs(engine.objects, day.artefacts),
        ...toldOf(day.notes),
        ...definedMembers({ decided: day.decided }),
      })),
    };
    const identities = new Map(units.map(({ day, ...identity }) => [day.date, identity]));
    const context = { pipeline: request.pipeline, step, startedAt, scopes: units.length };
    return runImplementation(engine, implementation, task, async (outcomes) => {
      const { entries, failed } = await commitOutcomes(
        engine,
        control,
        context,
        outcomes,
        identities,
      );
      return new Map<string, StepDone | StepFailed>([
        ...failed.map((failure) => [failure.date, failure] as const),
        ...entries.map((entry) => [entry.scope, doneWith(step, entry, 'ran')] as const),
      ]);
    });
  }
}

/** How code is told which step and which shard of it is asked for. */
export function namesOfTask({
  id,
  shard,
}: Pick<StepDefinition, 'id' | 'shard'>): Pick<StepTask, 'step' | 'shard'> {
  return { step: unsharded(id), ...definedMembers({ shard }) };
}

/** What was said of the parts of a day, as the code of a step is told it. */
export function toldOf(
  notes: readonly StepNote[] = [],
): Pick<StepUnit, 'notes' | 'sample' | 'unanswered' | 'accepted'> {
  const [kept, sample] = [keptNotes(notes), sampleParts(notes)];
  const [unanswered, accepted] = [unansweredParts(notes), acceptedHolds(notes)];
  return {
    ...(kept.length === 0 ? {} : { notes: kept }),
    ...(sample.length === 0 ? {} : { sample }),
    ...(unanswered.length === 0 ? {} : { unanswered }),
    ...(accepted.length === 0 ? {} : { accepted }),
  };
}

function identityOf(step: StepDefinition, day: DayInputs): StepIdentity {
  const inputs = hashesOf(day.artefacts);
  const { notes, decided } = day;
  const told = definedMembers({ notes, decided });
  const key = stepKey({
    step: step.id,
    version: step.version,
    params: step.params ?? {},
    inputs,
    ...told,
  });
  return { key, inputs, ...told };
}

/** The entry, when every output is still there and right. */
async function reusable(
  engine: Engine,
  entry: LedgerEntry | undefined,
): Promise<LedgerEntry | undefined> {
  if (entry === undefined) return undefined;
  for (const ref of Object.values(entry.outputs)) {
    if ((await damageOf(engine.objects, ref)) !== undefined) return undefined;
  }
  return entry;
}

/**
 * Runs the implementation and `use`s its outputs while their scratch files exist; other steps have
 * its place in the engine then.
 */
export async function runImplementation<T>(
  engine: Engine,
  implementation: StepImplementation,
  task: StepTask,
  use: (outcomes: readonly UnitOutcome[]) => Promise<T>,
): Promise<T> {
  if (implementation.kind === 'sql') {
    const make = async (sql: SqlSession): Promise<T> => {
      const outcomes = await implementation.run(task, sql);
      await sql.finish();
      return use(outcomes);
    };
    return sqlOf(engine).session(make, { signal: task.signal });
  }
  const tools = {
    read: (artefact: { path: string }) => readFile(artefact.path),
    writeFlatParquet: engine.writeFlatParquet,
  };
  return use(await implementation.run(task, tools));
}

/** Commits what may be committed of the outcomes, each under the identity of its scope. */
export async function commitOutcomes(
  engine: Engine,
  control: StepControl,
  context: CommitContext,
  outcomes: readonly UnitOutcome[],
  identities: ReadonlyMap<Scope, StepIdentity>,
): Promise<{ entries: LedgerEntry[]; failed: StepFailed[] }> {
  const { good, failed } = judge(context.step, outcomes);
  const uncommitted = good.map((result): Uncommitted => {
    const identity = identities.get(result.scope);
    if (identity === undefined)
      throw new PipelineError(
        'INTERNAL',
        `${context.step.id} answered ${result.scope}, which was not asked`,
      );
    return { result, identify: () => identity, origin: null };
  });
  return { entries: await commitStep(engine, control, context, uncommitted), failed };
}

/** Separates what may be committed from days that failed, also by a check of severity `fail`. */
export function judge(
  step: Pick<StepDefinition, 'id'>,
  outcomes: readonly UnitOutcome[],
): { good: UnitResult[]; failed: StepFailed[] } {
  const good: UnitResult[] = [];
  const failed: StepFailed[] = [];
  for (const outcome of outcomes) {
    const result = 'failure' in outcome ? withoutRows(step, outcome) : outcome;
    const failure = 'failure' in result ? result.failure : failureOfChecks(step, result);
    if (failure !== undefined) failed.push({ date: outcome.scope, failure });
    else if (!('failure' in result)) good.push(result);
  }
  return { good, failed };
}

/**
 * What a computed step finds unpublished is so of exactly these inputs: an outcome without outputs,
 * which the ledger keeps. As a failure it would be tried again, in vain, by every run.
 */
function withoutRows({ id }: Pick<StepDefinition, 'id'>, outcome: UnitFailure): UnitOutcome {
  const { scope, failure } = outcome;
  if (failure.code !== 'SRC_NOT_PUBLISHED' || id.startsWith('download/')) return outcome;
  return { scope, outputs: {}, checks: [], facts: { not_published: failure.message } };
}

function failureOfChecks(
  step: Pick<StepDefinition, 'id'>,
  result: UnitResult,
): StepFailed['failure'] | undefined {
  const broken = result.checks.filter((check) => check.severity === 'fail' && check.failed > 0);
  const units = result.checks.reduce((sum, check) => sum + (check.units?.length ?? 0), 0);
  if (units > MAX_HELD_UNITS) {
    const message = `${step.id} of ${result.scope} holds ${units} units, more than ${MAX_HELD_UNITS}: the rule or the whole delivery is wrong`;
    return { code: 'DATA_CHECK_FAILED', message };
  }
  if (broken.length === 0) return undefined;
  const rules = broken.map(
    (check) => `${check.check} fails on ${check.failed} of ${check.tested} rows${example(check)}`,
  );
  return {
    code: 'DATA_CHECK_FAILED',
    message: `${step.id} of ${result.scope}: ${rules.join('; ')}`,
  };
}

function example(check: CheckResult): string {
  const first = check.examples[0];
  return first === undefined ? '' : `, such as ${JSON.stringify(first)}`;
}

/**
 * The entry as `runSteps` needs it; held units and lacking shards are told from it, so a reused
 * step tells them too.
 */
export function doneWith(
  step: Pick<StepDefinition, 'outputs'>,
  entry: LedgerEntry,
  how: StepDone['how'],
): StepDone {
  return {
    date: entry.scope,
    key: entry.key,
    how,
    empty: isEmptyEntry(entry),
    ...deliveredWith(step, entry),
    ...waitingUnits(entry),
    held: entry.checks
      .filter(holdsStep)
      .map(({ check, failed, tested }) => ({ check, failed, tested })),
  };
}

/** For an implementation that forgot a day: `INTERNAL`, and the other days go on. */
export function lost(step: Pick<StepDefinition, 'id'>, date: string): StepFailed {
  const error = asPipelineError(new Error(`${step.id} gave no answer for ${date}`));
  return { date, failure: { code: error.code, message: error.message } };
}
