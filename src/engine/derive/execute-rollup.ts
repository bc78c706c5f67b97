import { PipelineError, asPipelineError } from '../../errors.ts';
import { definedMembers } from '../../given.ts';
import type { Decision } from '../../pipelines/decision.ts';
import { unitDecisions, waitingUnits } from '../../pipelines/held-units.ts';
import type { StepTask, StepUnit } from '../../pipelines/dataset.ts';
import type {
  PipelineDefinition,
  RollupDefinition,
  RollupInput,
} from '../../pipelines/definition.ts';
import { groupFailures } from '../../pipelines/failed-work.ts';
import type { FailedWork } from '../../pipelines/failed-work.ts';
import { failureKey, ledgerKey } from '../../pipelines/ledger.ts';
import type { LedgerEntry } from '../../pipelines/ledger.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { isWithin, readsItself, scopesRead, spanAt } from '../../pipelines/period-graph.ts';
import { stepKey } from '../../pipelines/step-key.ts';
import type { Period, Scope } from '../../pipelines/vocabulary.ts';
import { commitScopes } from '../commit/commit-manifest.ts';
import { damageOf } from '../content-store.ts';
import type { RollupRequest, RollupResult } from '../contract.ts';
import type { StepFailed } from '../../pipelines/run-steps.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import type { StepIdentity } from '../execute/commit-step.ts';
import { commitOutcomes, runImplementation } from '../execute/execute-step.ts';
import { failedPeriods, recordFailure } from '../records/failures.ts';
import { holdingFiles } from '../held-objects.ts';
import { destroyedAmong } from '../records/forgotten.ts';
import { newestManifests } from '../records/ledger-reader.ts';
import { mapSets } from '../map-concurrent.ts';
import { decisionsOf } from '../records/unit-decisions.ts';
import { endPromises, promiseScopes } from '../records/promises.ts';
import { hashesOf, openInputs } from '../execute/step-inputs.ts';
import type { InputArtefact, InputArtefacts } from '../execute/step-inputs.ts';
import { previousResult } from './previous-result.ts';
import { withoutBuried } from '../records/tombstones.ts';

/** Made in one SQL session, committed together. */
const PERIODS_PER_SET = 12;

/**
 * While a set is stored, the engine can make the next; how many it makes at once is its own limit.
 */
const SETS_AT_ONCE = 3;

/**
 * Makes the outputs of periods from the newest manifests of their days, months or years: the same
 * key, ledger and commit protocol as a step of a day. A period without any input is left out.
 */
export async function executeRollup(
  stores: Engine,
  request: RollupRequest,
  control: StepControl,
): Promise<RollupResult> {
  await promiseScopes(stores, control, request.pipeline, request.periods);
  const engine = await withoutBuried(stores);
  const { definition } = datasetOf(engine, request.pipeline);
  const rollup = definition.rollups.find((candidate) => candidate.id === request.step);
  if (rollup === undefined)
    throw new PipelineError('PLAN_INVALID', `${definition.name} has no rollup ${request.step}`);
  const isolate = request.isolate === true;
  // A period that reads earlier ones of its kind is made after them.
  const isChain = readsItself(rollup);
  const sizes = isChain ? { size: 1, limit: 1 } : { size: PERIODS_PER_SET, limit: SETS_AT_ONCE };
  const ordered = isChain ? request.periods.toSorted() : request.periods;
  const sets = await mapSets(ordered, sizes, async (set) => {
    control.progress(`${rollup.id} of ${set.join(', ')}`);
    const broken = await failedPeriods(engine.documents, definition.name);
    const work = { engine, control, definition, rollup, broken };
    return [isolate ? await rollUpIsolated(work, set) : await rollUpSet(work, set)];
  });
  const periods = sets.flatMap((set) => set.periods);
  const failed = sets.flatMap((set) => set.failed);
  await endPromises(stores, control, request.pipeline, request.periods);
  const [first] = failed;
  if (!isolate && first !== undefined) throw new PipelineError('DATA_CHECK_FAILED', first.message);
  return isolate ? { periods, failed: groupFailures(failed) } : { periods };
}

interface SetWork {
  readonly engine: Engine;
  readonly control: StepControl;
  readonly definition: PipelineDefinition;
  readonly rollup: RollupDefinition;
  /** Periods whose last try failed. */
  readonly broken: ReadonlyMap<Period, unknown>;
}

type SetResult = Required<RollupResult>;

/**
 * A set that breaks as a whole is made again one by one, so that each period has its own end. What
 * another try may mend is thrown, as long as there is another try.
 */
async function rollUpIsolated(work: SetWork, set: readonly Period[]): Promise<SetResult> {
  const { engine, control, definition, rollup } = work;
  try {
    const result = await rollUpSet(work, set);
    for (const { step, scopes, code, message } of result.failed) {
      for (const scope of scopes)
        await recordFailure(engine, control, definition.name, scope, { step, code, message });
    }
    return result;
  } catch (error) {
    control.signal.throwIfAborted();
    if (set.length > 1) {
      const alone: SetResult[] = [];
      for (const period of set) alone.push(await rollUpIsolated(work, [period]));
      return {
        periods: alone.flatMap(({ periods }) => periods),
        failed: alone.flatMap(({ failed }) => failed),
      };
    }
    const { retryable, code, message } = asPipelineError(error);
    if (retryable && control.execution.attempt < engine.retry.attempts) throw error;
    const [period = ''] = set;
    await recordFailure(engine, control, definition.name, period, {
      step: rollup.id,
      code,
      message,
    });
    return { periods: [], failed: [{ step: rollup.id, scopes: set, code, message }] };
  }
}

/** Commits what can be made of the set, and says what cannot. */
async function rollUpSet(work: SetWork, set: readonly Period[]): Promise<SetResult> {
  const how = new Map<Period, RollupResult['periods'][number]>();
  const failed: FailedWork[] = [];
  // Each turn after the first means that somebody else has committed a version of these periods.
  for (let periods = set; periods.length > 0;) {
    const made = await makePeriods(work, periods);
    for (const one of made.periods) how.set(one.period, one);
    failed.push(...made.failed);
    periods = made.conflicting;
  }
  return { periods: set.flatMap((period) => how.get(period) ?? []), failed };
}

async function makePeriods(
  work: SetWork,
  periods: readonly Period[],
): Promise<SetResult & { readonly conflicting: readonly Period[] }> {
  const { engine, control, definition, rollup } = work;
  // Before the inputs: what is made from later ones replaces this version, and nothing else.
  const bases = await newestManifests(engine.documents, definition.name, periods);
  const works = new Map<Period, RollupWork>();
  const intact = new Set<Period>();
  for (const period of periods) {
    const found = await periodWork(engine, definition, rollup, period);
    if (found === undefined) continue;
    works.set(period, found);
    const entry = await intactEntry(engine, definition.name, rollup, period, found.identity.key);
    if (entry !== undefined) intact.add(period);
  }
  const missing = [...works.values()].filter(({ period }) => !intact.has(period));
  const failed =
    missing.length === 0
      ? []
      : await holdingFiles(engine, (holding) =>
          runRollup(holding, control, definition, rollup, missing),
        );
  const wrong = new Set(failed.map(({ date }) => date));
  const made = [...works.values()].filter(({ period }) => !wrong.has(period));
  const waiting = await withWaitingUnits(work, made);
  const findings = made.map(({ period, identity: { key }, decisions }) => ({
    scope: period,
    verdict: waiting.has(period) ? ('degraded' as const) : verdictOf(work, period),
    state: { [rollup.id]: { state: 'done' as const, key, how: 'ran' as const, empty: false } },
    decisions,
    base: bases.get(period)?.version ?? 0,
  }));
  const { commits, conflicting } = await commitScopes(
    engine,
    control,
    definition,
    findings,
    'derived',
  );
  const mended = commits.filter(({ manifest }) => work.broken.has(manifest.scope));
  for (const { manifest } of mended)
    await engine.documents.delete(failureKey(definition.name, manifest.scope));
  return {
    periods: periods.flatMap((period): RollupResult['periods'] => {
      if (wrong.has(period)) return [];
      if (!works.has(period)) return [{ period, how: 'empty' }];
      return [{ period, how: intact.has(period) ? 'reused' : 'ran' }];
    }),
    failed: failed.map(({ date, failure }) => ({ step: rollup.id, scopes: [date], ...failure })),
    conflicting,
  };
}

function namesUnits({ checks = [] }: RollupDefinition): boolean {
  return checks.some(({ perUnit }) => perUnit === true);
}

/** The periods that are without a unit of which nobody has decided. */
async function withWaitingUnits(
  { engine, definition, rollup }: SetWork,
  made: readonly RollupWork[],
) {
  const waiting = new Set<Period>();
  if (!namesUnits(rollup)) return waiting;
  for (const { period, identity } of made) {
    const key = ledgerKey(definition.name, period, rollup.id, identity.key);
    const entry = (await engine.documents.get<LedgerEntry>(key))?.body;
    if (entry !== undefined && waitingUnits(entry).heldUnits !== undefined) waiting.add(period);
  }
  return waiting;
}

/**
 * A period is made from the newest good versions of what it reads; where one of these could not be
 * made again, it is degraded.
 */
function verdictOf(
  { engine, definition, rollup, broken }: SetWork,
  period: Period,
): 'ok' | 'degraded' {
  const span = spanAt(definition, engine.now());
  const own = rollup.inputs.filter(
    ({ each, asOf }) => each !== 'day' && asOf?.pipeline === undefined,
  );
  const read = own.flatMap((input) => scopesRead(input, period, span));
  return read.some((scope) => broken.has(scope)) ? 'degraded' : 'ok';
}

/** The ledger entry of a period under this key, when all its outputs are there and right. */
export async function intactEntry(
  engine: Engine,
  pipeline: string,
  rollup: RollupDefinition,
  period: Period,
  key: string,
) {
  const entry = (
    await engine.documents.get<LedgerEntry>(ledgerKey(pipeline, period, rollup.id, key))
  )?.body;
  if (entry === undefined) return undefined;
  for (const ref of Object.values(entry.outputs)) {
    if ((await damageOf(engine.objects, ref)) !== undefined) return undefined;
  }
  return entry;
}

/** A period to be made, with what decides whether it is made. */
export interface RollupWork {
  readonly period: Period;
  readonly artefacts: InputArtefacts;
  readonly identity: StepIdentity;
  /** What people decided on the period's units. */
  readonly decisions: readonly Decision[];
}

/** What a period is made of now; undefined when there is nothing to make it from. */
export async function periodWork(
  engine: Engine,
  definition: PipelineDefinition,
  rollup: RollupDefinition,
  period: Period,
): Promise<RollupWork | undefined> {
  const artefacts = await periodInputs(engine, definition, rollup, period);
  const within = rollup.inputs.filter((input) => isWithin(rollup.grain, input));
  if (within.every(({ name }) => artefacts[name]?.length === 0)) return undefined;
  const inputs = hashesOf(artefacts);
  const decisions = namesUnits(rollup)
    ? ((await decisionsOf(engine.documents, definition.name, [period])).get(period) ?? [])
    : [];
  const decided = unitDecisions(rollup, decisions);
  const key = stepKey({
    step: rollup.id,
    version: rollup.version,
    params: rollup.params ?? {},
    inputs,
    decided,
  });
  return {
    period,
    artefacts,
    identity: { key, inputs, ...(decided.length === 0 ? {} : { decided }) },
    decisions,
  };
}

/**
 * Runs the step for these periods and commits its outputs; returns those that may not be committed.
 */
async function runRollup(
  engine: Engine,
  control: StepControl,
  definition: PipelineDefinition,
  rollup: RollupDefinition,
  works: readonly RollupWork[],
): Promise<StepFailed[]> {
  const implementation = datasetOf(engine, definition.name).steps[rollup.id];
  if (implementation === undefined)
    throw new PipelineError('INTERNAL', `${rollup.id} is defined but not implemented`);
  const startedAt = engine.now();
  const units: StepUnit[] = [];
  for (const { period, artefacts, identity } of works) {
    const previous = await previousResult(engine, definition, rollup, { period, artefacts });
    const told = definedMembers({ decided: identity.decided, previous });
    units.push({ scope: period, inputs: await openInputs(engine.objects, artefacts), ...told });
  }
  const { signal, progress } = control;
  const task: StepTask = { step: rollup.id, params: rollup.params ?? {}, signal, progress, units };
  const identities = new Map(works.map(({ period, identity }) => [period, identity]));
  const context = { pipeline: definition.name, step: rollup, startedAt, scopes: works.length };
  return runImplementation(engine, implementation, task, async (outcomes) => {
    const { failed } = await commitOutcomes(engine, control, context, outcomes, identities);
    return failed;
  });
}

/**
 * The newest artefacts of everything that the period reads, ascending by scope; of a state the one
 * that holds.
 */
async function periodInputs(
  engine: Engine,
  definition: PipelineDefinition,
  rollup: RollupDefinition,
  period: Period,
): Promise<InputArtefacts> {
  const span = spanAt(definition, engine.now());
  const found: Record<string, readonly InputArtefact[]> = {};
  const readings = new Map<string, Promise<Reading>>();
  for (const input of rollup.inputs) {
    const pipeline = input.asOf?.pipeline ?? definition.name;
    const scopes = scopesRead(input, period, span);
    // Most inputs of a period are outputs of the same days.
    const name = `${pipeline} ${scopes.join(' ')}`;
    const reading = readings.get(name) ?? readScopes(engine, pipeline, scopes);
    readings.set(name, reading);
    const artefacts = artefactsOf(await reading, scopes, input);
    found[input.name] = input.asOf === undefined ? artefacts : artefacts.slice(0, 1);
  }
  return found;
}

interface Reading {
  readonly newest: ReadonlyMap<Scope, Manifest>;
  /** What is past its time, which is no part of anything any more. */
  readonly gone: ReadonlySet<string>;
}

async function readScopes(
  { documents }: Engine,
  pipeline: string,
  scopes: readonly Scope[],
): Promise<Reading> {
  const newest = await newestManifests(documents, pipeline, scopes);
  return { newest, gone: await destroyedAmong(documents, pipeline, [...newest.keys()]) };
}

/** In the order of the scopes. */
function artefactsOf(
  { newest, gone }: Reading,
  scopes: readonly Scope[],
  input: RollupInput,
): InputArtefact[] {
  return scopes.flatMap((scope) => {
    const state = newest.get(scope)?.steps[input.step];
    const ref = state?.state === 'done' ? state.outputs[input.output] : undefined;
    return ref === undefined || gone.has(ref.key) ? [] : [{ scope, ref }];
  });
}
