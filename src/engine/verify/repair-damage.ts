import { asPipelineError } from '../../errors.ts';
import type { PipelineDefinition } from '../../pipelines/definition.ts';
import { stepOf } from '../../pipelines/definition.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { isPeriod } from '../../pipelines/scope.ts';
import type { Verification } from '../../pipelines/verification.ts';
import type { Scope, StepId } from '../../pipelines/vocabulary.ts';
import type { ArtefactRef, ObjectStore } from '../../ports/objects.ts';
import { cutAgain } from '../download/recut.ts';
import { datasetOf } from '../engine.ts';
import type { Engine, StepControl } from '../engine.ts';
import { executeRollup } from '../derive/execute-rollup.ts';
import { finishDay } from '../commit/finish-day.ts';
import { newestManifests, readLedger } from '../records/ledger-reader.ts';
import { objectsWith } from '../objects-with.ts';
import { publishNewest } from '../publish/publish-versions.ts';

/**
 * Makes again what a verification found damaged: slices from their raw files, outputs by executing
 * their steps, published names and records from the outputs. A remote store does not show a byte
 * that was flipped below it, so a run that asks nobody to look takes such an object for right. No
 * publisher is asked.
 */

/** Why a scope could not be made whole; null when it was. */
export interface RepairedScope {
  readonly scope: Scope;
  readonly why: string | null;
}

/**
 * Asks no publisher. Only `STORE_UNAVAILABLE` is thrown; any other failure is the scope's `why`.
 */
export async function repairDamage(
  engine: Engine,
  control: StepControl,
  verification: Pick<Verification, 'pipeline' | 'scope' | 'steps' | 'published'>,
): Promise<RepairedScope> {
  const { pipeline, scope } = verification;
  const { definition } = datasetOf(engine, pipeline);
  const manifest = (await newestManifests(engine.documents, pipeline, [scope])).get(scope);
  if (manifest === undefined) return { scope, why: 'its manifest is gone' };
  const knowing = {
    ...engine,
    objects: objectsKnown(engine.objects, damagedIn(verification, manifest)),
  };
  try {
    const why = isPeriod(scope)
      ? await remakePeriod(knowing, control, definition, manifest)
      : await remakeDay(knowing, control, definition, verification);
    await publishNewest(knowing, definition, [scope]);
    return { scope, why };
  } catch (error) {
    const { code, message } = asPipelineError(error);
    if (code === 'STORE_UNAVAILABLE') throw error;
    return { scope, why: `${code}: ${message}` };
  }
}

/** The keys of objects whose bytes are wrong. Those that are missing need no telling. */
function damagedIn(
  { steps, published = [] }: Pick<Verification, 'steps' | 'published'>,
  manifest: Manifest,
): Set<string> {
  const outputs = steps.flatMap(({ step, outputs }) =>
    outputs.flatMap(({ output, stored }) =>
      stored === 'damaged' ? (refOf(manifest, step, output)?.key ?? []) : [],
    ),
  );
  return new Set([
    ...outputs,
    ...published.flatMap(({ name, state }) => (state === 'damaged' ? name : [])),
  ]);
}

function refOf(manifest: Manifest, step: StepId, output: string): ArtefactRef | undefined {
  const state = manifest.steps[step];
  return state?.state === 'done' ? state.outputs[output] : undefined;
}

/** The objects, of which these are known to be damaged until they are written. */
function objectsKnown(objects: ObjectStore, damaged: Set<string>): ObjectStore {
  return objectsWith(objects, {
    async put(key, body, options) {
      const ref = await objects.put(key, body, options);
      damaged.delete(key);
      return ref;
    },
    inspect: async (ref) => (damaged.has(ref.key) ? { state: 'damaged' } : objects.inspect(ref)),
  });
}

async function remakeDay(
  engine: Engine,
  control: StepControl,
  definition: PipelineDefinition,
  { scope, steps }: Pick<Verification, 'scope' | 'steps'>,
): Promise<string | null> {
  const ledger = (await readLedger(engine.documents, definition.name, [scope])).get(scope) ?? [];
  for (const { step: id, key, outputs } of steps) {
    if (outputs.every(({ stored }) => stored === 'intact')) continue;
    const origin = ledger.find((entry) => entry.step === id && entry.key === key)?.origin;
    if (origin === undefined || origin === null) continue;
    const step = stepOf(definition, id);
    await cutAgain(engine, control, { pipeline: definition.name, step, dates: [scope], origin });
  }
  return (await finishDay(engine, control, definition.name, scope)).why;
}

async function remakePeriod(
  engine: Engine,
  control: StepControl,
  definition: PipelineDefinition,
  { scope, steps }: Manifest,
): Promise<string | null> {
  for (const { id } of definition.rollups) {
    if (steps[id]?.state !== 'done') continue;
    await executeRollup(engine, { pipeline: definition.name, step: id, periods: [scope] }, control);
  }
  return null;
}
