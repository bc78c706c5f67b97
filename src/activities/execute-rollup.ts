import { PipelineError } from '../errors.ts';
import type { StepTask, StepUnit } from '../pipelines/dataset.ts';
import type { PipelineDefinition, RollupDefinition, RollupInput } from '../pipelines/definition.ts';
import { ledgerKey } from '../pipelines/ledger.ts';
import type { LedgerEntry } from '../pipelines/ledger.ts';
import type { Manifest } from '../pipelines/manifest.ts';
import { stepKey } from '../pipelines/step-key.ts';
import type { Period, Scope } from '../pipelines/vocabulary.ts';
import { commitScopes } from './commit-manifest.ts';
import { damageOf } from './content-store.ts';
import type { RollupRequest, RollupResult, StepFailed } from './contract.ts';
import { datasetOf } from './engine.ts';
import type { Engine, StepControl } from './engine.ts';
import { commitOutcomes, runImplementation } from './execute-step.ts';
import { newestManifests } from './ledger-reader.ts';
import { mapSets } from './map-concurrent.ts';
import { endPromises, promiseScopes } from './promises.ts';
import { scopesRolledUp } from './rolled-up.ts';
import { hashesOf, openInputs } from './step-inputs.ts';
import type { InputArtefact, InputArtefacts } from './step-inputs.ts';
import { withoutBuried } from './tombstones.ts';

/** Made in one SQL session, committed together. */
const PERIODS_PER_SET = 12;

/** Periods of one step never read each other. While a set is stored, the engine can make the next; how many it makes at once is its own limit. */
const SETS_AT_ONCE = 3;

/**
 * Makes the outputs of periods from the newest manifests of their days, months or years: the same key, ledger and commit
 * protocol as a step of a day. A period without any input is left out.
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
  if (rollup === undefined) throw new PipelineError('PLAN_INVALID', `${definition.name} has no rollup ${request.step}`);
  const periods = await mapSets(request.periods, { size: PERIODS_PER_SET, limit: SETS_AT_ONCE }, (set) => {
    control.progress(`${rollup.id} of ${set.join(', ')}`);
    return rollUpSet(engine, control, definition, rollup, set);
  });
  await endPromises(stores, control, request.pipeline, request.periods);
  return { periods };
}

/** What is wrong with one period is thrown when the others of its set are committed. */
async function rollUpSet(
  engine: Engine,
  control: StepControl,
  definition: PipelineDefinition,
  rollup: RollupDefinition,
  set: readonly Period[],
): Promise<RollupResult['periods']> {
  const how = new Map<Period, RollupResult['periods'][number]>();
  // Each turn after the first means that somebody else has committed a version of these periods.
  for (let periods = set; periods.length > 0;) {
    const made = await makePeriods(engine, control, definition, rollup, periods);
    for (const one of made.periods) how.set(one.period, one);
    periods = made.conflicting;
  }
  return set.flatMap((period) => how.get(period) ?? []);
}

async function makePeriods(
  engine: Engine,
  control: StepControl,
  definition: PipelineDefinition,
  rollup: RollupDefinition,
  periods: readonly Period[],
): Promise<RollupResult & { readonly conflicting: readonly Period[] }> {
  // Before the inputs: what is made from later ones replaces this version, and nothing else.
  const bases = await newestManifests(engine.documents, definition.name, periods);
  const works = new Map<Period, RollupWork>();
  const intact = new Set<Period>();
  for (const period of periods) {
    const work = await periodWork(engine, definition, rollup, period);
    if (work === undefined) continue;
    works.set(period, work);
    const entry = await intactEntry(engine, definition.name, rollup, period, work.identity.key);
    if (entry !== undefined) intact.add(period);
  }
  const missing = [...works.values()].filter(({ period }) => !intact.has(period));
  const failed = missing.length === 0 ? [] : await runRollup(engine, control, definition, rollup, missing);
  const wrong = new Set(failed.map(({ date }) => date));
  const made = [...works.values()].filter(({ period }) => !wrong.has(period));
  const findings = made.map(({ period, identity: { key } }) => ({
    scope: period,
    verdict: 'ok' as const,
    state: { [rollup.id]: { state: 'done' as const, key, how: 'ran' as const, empty: false } },
    decisions: [],
    base: bases.get(period)?.version ?? 0,
  }));
  const { conflicting } = await commitScopes(engine, control, definition, findings, 'derived');
  const [first] = failed;
  if (first !== undefined) throw new PipelineError('DATA_CHECK_FAILED', first.failure.message);
  const told = periods.map((period) => {
    if (!works.has(period)) return { period, how: 'empty' as const };
    return { period, how: intact.has(period) ? ('reused' as const) : ('ran' as const) };
  });
  return { periods: told, conflicting };
}

/** The ledger entry of a period under this key, when all its outputs are there and right. */
export async function intactEntry(
  engine: Engine,
  pipeline: string,
  rollup: RollupDefinition,
  period: Period,
  key: string,
) {
  const entry = (await engine.documents.get<LedgerEntry>(ledgerKey(pipeline, period, rollup.id, key)))?.body;
  if (entry === undefined) return undefined;
  for (const ref of Object.values(entry.outputs)) {
    if ((await damageOf(engine.objects, ref)) !== undefined) return undefined;
  }
  return entry;
}

interface RollupWork {
  readonly period: Period;
  readonly artefacts: InputArtefacts;
  readonly identity: { readonly key: string; readonly inputs: ReturnType<typeof hashesOf> };
}

/** What a period is made of now; undefined when there is nothing to make it from. */
export async function periodWork(
  engine: Engine,
  definition: PipelineDefinition,
  rollup: RollupDefinition,
  period: Period,
): Promise<RollupWork | undefined> {
  const artefacts = await periodInputs(engine, definition, rollup, period);
  if (Object.values(artefacts).every((list) => list.length === 0)) return undefined;
  const inputs = hashesOf(artefacts);
  const key = stepKey({ step: rollup.id, version: rollup.version, params: rollup.params ?? {}, inputs });
  return { period, artefacts, identity: { key, inputs } };
}

/** Runs the step for these periods and commits its outputs; answers those that may not be committed. */
async function runRollup(
  engine: Engine,
  control: StepControl,
  definition: PipelineDefinition,
  rollup: RollupDefinition,
  works: readonly RollupWork[],
): Promise<StepFailed[]> {
  const implementation = datasetOf(engine, definition.name).steps[rollup.id];
  if (implementation === undefined) throw new PipelineError('INTERNAL', `${rollup.id} is defined but not implemented`);
  const startedAt = engine.now();
  const units: StepUnit[] = [];
  for (const { period, artefacts } of works) {
    units.push({ scope: period, inputs: await openInputs(engine.objects, artefacts) });
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

/** The newest artefacts of everything in the period, ascending by scope. */
async function periodInputs(
  engine: Engine,
  definition: PipelineDefinition,
  rollup: RollupDefinition,
  period: Period,
): Promise<InputArtefacts> {
  const byGrain = new Map<RollupInput['each'], ReadonlyMap<Scope, Manifest>>();
  for (const each of new Set(rollup.inputs.map((input) => input.each))) {
    const scopes = scopesRolledUp(definition, each, period, engine.now());
    byGrain.set(each, await newestManifests(engine.documents, definition.name, scopes));
  }
  return Object.fromEntries(
    rollup.inputs.map((input) => [input.name, artefactsOf(byGrain.get(input.each) ?? new Map(), input)]),
  );
}

function artefactsOf(manifests: ReadonlyMap<Scope, Manifest>, input: RollupInput): InputArtefact[] {
  return [...manifests.values()]
    .sort((a, b) => (a.scope < b.scope ? -1 : 1))
    .flatMap((manifest) => {
      const state = manifest.steps[input.step];
      const ref = state?.state === 'done' ? state.outputs[input.output] : undefined;
      return ref === undefined ? [] : [{ scope: manifest.scope, ref }];
    });
}
