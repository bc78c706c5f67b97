import { PipelineError } from '../errors.ts';
import type { StepTask } from '../pipelines/dataset.ts';
import type { PipelineDefinition, RollupDefinition, RollupInput } from '../pipelines/definition.ts';
import { ledgerKey } from '../pipelines/ledger.ts';
import type { LedgerEntry } from '../pipelines/ledger.ts';
import type { Manifest } from '../pipelines/manifest.ts';
import { stepKey } from '../pipelines/step-key.ts';
import type { Period, Scope } from '../pipelines/vocabulary.ts';
import { commitScopes } from './commit-manifest.ts';
import { commitStep } from './commit-step.ts';
import { damageOf } from './content-store.ts';
import type { RollupRequest, RollupResult } from './contract.ts';
import { datasetOf } from './engine.ts';
import type { Engine, StepControl } from './engine.ts';
import { judge, runImplementation } from './execute-step.ts';
import { newestManifests } from './ledger-reader.ts';
import { mapConcurrent } from './map-concurrent.ts';
import { scopesRolledUp } from './rolled-up.ts';
import { hashesOf, openInputs } from './step-inputs.ts';
import type { InputArtefact, InputArtefacts } from './step-inputs.ts';

/** Periods of one step never read each other. While one is stored, the engine can make the next; how many it makes at once is its own limit. */
const PERIODS_AT_ONCE = 4;

/**
 * Makes the outputs of periods from the newest manifests of their days, months or years: the same key, ledger and commit
 * protocol as a step of a day. A period without any input is left out.
 */
export async function executeRollup(
  engine: Engine,
  request: RollupRequest,
  control: StepControl,
): Promise<RollupResult> {
  const { definition } = datasetOf(engine, request.pipeline);
  const rollup = definition.rollups.find((candidate) => candidate.id === request.step);
  if (rollup === undefined) throw new PipelineError('PLAN_INVALID', `${definition.name} has no rollup ${request.step}`);
  const periods = await mapConcurrent(request.periods, PERIODS_AT_ONCE, async (period) => {
    control.progress(`${rollup.id} of ${period}`);
    return { period, how: await rollUp(engine, control, definition, rollup, period) };
  });
  return { periods };
}

async function rollUp(
  engine: Engine,
  control: StepControl,
  definition: PipelineDefinition,
  rollup: RollupDefinition,
  period: Period,
): Promise<'ran' | 'reused' | 'empty'> {
  const work = await periodWork(engine, definition, rollup, period);
  if (work === undefined) return 'empty';
  const { key } = work.identity;
  const earlier = await intactEntry(engine, definition.name, rollup, period, key);
  if (earlier === undefined) await runRollup(engine, control, definition, rollup, work);
  const finding = {
    scope: period,
    verdict: 'ok' as const,
    state: { [rollup.id]: { state: 'done' as const, key, how: 'ran' as const, empty: false } },
    decisions: [],
  };
  await commitScopes(engine, control, definition, [finding], 'derived');
  return earlier === undefined ? 'ran' : 'reused';
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

async function runRollup(
  engine: Engine,
  control: StepControl,
  definition: PipelineDefinition,
  rollup: RollupDefinition,
  work: RollupWork,
): Promise<void> {
  const implementation = datasetOf(engine, definition.name).steps[rollup.id];
  if (implementation === undefined) throw new PipelineError('INTERNAL', `${rollup.id} is defined but not implemented`);
  const startedAt = engine.now();
  const task: StepTask = {
    step: rollup.id,
    params: rollup.params ?? {},
    signal: control.signal,
    progress: control.progress,
    units: [{ scope: work.period, inputs: await openInputs(engine.objects, work.artefacts) }],
  };
  await runImplementation(engine, implementation, task, async (outcomes) => {
    const { good, failed } = judge(rollup, outcomes);
    const [failure] = failed;
    if (failure !== undefined) throw new PipelineError('DATA_CHECK_FAILED', failure.failure.message);
    const uncommitted = good.map((result) => ({ result, identify: () => work.identity, origin: null }));
    await commitStep(engine, control, { pipeline: definition.name, step: rollup, startedAt, scopes: 1 }, uncommitted);
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
