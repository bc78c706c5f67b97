import type { LedgerEntry } from '../../pipelines/ledger.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import { verifyStep, worstResult } from '../../pipelines/verification.ts';
import type {
  DoneStep,
  OutputVerification,
  PublishedVerification,
  Rebuilt,
  StepVerification,
  Verification,
} from '../../pipelines/verification.ts';
import type { Scope, StepId } from '../../pipelines/vocabulary.ts';
import { destroyedIn, destroyedObject } from '../records/forgotten.ts';
import { lastVersions } from '../records/ledger-reader.ts';
import { publicationsOf, withdrawnNames } from '../publish/published.ts';
import { recordName, recordsOf, stateOfRecord } from '../publish/records.ts';
import type { Rebuild } from './rebuild-steps.ts';

/** A step or rollup of this code. */
interface KnownStep {
  readonly id: StepId;
  readonly version: number;
}

/**
 * Holds everything that a manifest names against the ledger, the store, and what its steps gave
 * when they were executed again.
 */
export async function verifyManifest(
  rebuild: Rebuild,
  manifest: Manifest,
  known: readonly KnownStep[],
  rebuiltOf: (step: StepId) => Rebuilt | undefined,
): Promise<Verification> {
  const { engine } = rebuild;
  const steps: StepVerification[] = [];
  for (const { id, recorded } of doneSteps(known, manifest)) {
    const entry = entryOf(rebuild, manifest.scope, id, recorded);
    const rebuilt = rebuiltOf(id) ?? notRebuilt(known, id, entry);
    steps.push(
      verifyStep({
        step: id,
        recorded,
        entry,
        rebuilt,
        stored: await storedOutputs(rebuild, recorded),
      }),
    );
  }
  const published = await verifyPublished(rebuild, manifest);
  const destroyed = await destroyedIn(engine.documents, manifest.pipeline, manifest.scope);
  const wrong = published.some(({ state }) => state !== 'intact') ? (['different'] as const) : [];
  return {
    pipeline: manifest.pipeline,
    scope: manifest.scope,
    version: manifest.version,
    result: worstResult([...steps.map(({ result }) => result), ...wrong]),
    steps,
    published,
    ...(destroyed === 0 ? {} : { destroyed }),
    verifiedAt: engine.now().toISOString(),
    host: engine.host,
    codeVersion: engine.codeVersion,
  };
}

/** Reads every published name from the store itself. */
async function verifyPublished({ engine, dataset, objects }: Rebuild, manifest: Manifest) {
  const { definition } = dataset;
  const published: PublishedVerification[] = [];
  for (const { key, ref } of publicationsOf(definition, manifest)) {
    const state = await objects.stateOf({ ...ref, key });
    const isGone = state === 'missing' && (await isDestroyed(engine, manifest.pipeline, ref.key));
    if (!isGone) published.push({ name: key, state });
  }
  for (const record of recordsOf(definition, manifest)) {
    const state = await stateOfRecord(engine, record);
    published.push({ name: `record ${recordName(record.key)}`, state });
  }
  const all =
    manifest.version === 1
      ? []
      : await lastVersions(engine.documents, manifest.pipeline, [manifest.scope]);
  const left = new Set(
    [...all]
      .flatMap(([, some]) => some)
      .flatMap((before) => withdrawnNames(definition, before, manifest)),
  );
  for (const name of left) {
    if ((await engine.objects.head(name)) !== undefined)
      published.push({ name, state: 'withdrawn' });
  }
  return published;
}

/** The ledger entry that the state of a step names. */
export function entryOf(
  { ledger }: Rebuild,
  scope: Scope,
  step: StepId,
  state: Manifest['steps'][StepId] | undefined,
): LedgerEntry | undefined {
  if (state?.state !== 'done') return undefined;
  return ledger.get(scope)?.find((entry) => entry.step === step && entry.key === state.key);
}

/** The done steps in the order of the definition; those that this code no longer has come last. */
function doneSteps(
  known: readonly KnownStep[],
  manifest: Manifest,
): { readonly id: StepId; readonly recorded: DoneStep }[] {
  const order = known.map(({ id }) => id);
  const rank = (id: StepId): number => (order.includes(id) ? order.indexOf(id) : order.length);
  return (Object.entries(manifest.steps) as [StepId, Manifest['steps'][StepId]][])
    .flatMap(([id, recorded]) => (recorded.state === 'done' ? [{ id, recorded }] : []))
    .sort((a, b) => rank(a.id) - rank(b.id));
}

/** Why a step was not executed again. */
function notRebuilt(
  known: readonly KnownStep[],
  id: StepId,
  entry: LedgerEntry | undefined,
): Rebuilt {
  const step = known.find((candidate) => candidate.id === id);
  if (step === undefined) return { kind: 'impossible', why: 'this code has no such step' };
  if (entry === undefined) return { kind: 'impossible', why: 'nothing says what it was made from' };
  if (entry.version === step.version)
    return { kind: 'impossible', why: 'its raw file is not recorded' };
  return {
    kind: 'impossible',
    why: `was made by step version ${entry.version}, this code has version ${step.version}`,
  };
}

async function storedOutputs(
  { objects, engine, dataset }: Rebuild,
  { outputs }: DoneStep,
): Promise<Record<string, OutputVerification['stored']>> {
  const stored: Record<string, OutputVerification['stored']> = {};
  for (const [output, ref] of Object.entries(outputs)) {
    const state = await objects.stateOf(ref);
    const isGone =
      state === 'missing' && (await isDestroyed(engine, dataset.definition.name, ref.key));
    stored[output] = isGone ? 'destroyed' : state;
  }
  return stored;
}

async function isDestroyed(
  { documents }: Rebuild['engine'],
  pipeline: string,
  key: string,
): Promise<boolean> {
  return (await destroyedObject(documents, pipeline, key)) !== undefined;
}
