import { errorCodeOf } from '../../errors.ts';
import type { OutputDefinition, PipelineDefinition } from '../../pipelines/definition.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import type { ArtefactRef, PutFence } from '../../ports/objects.ts';
import type { Engine } from '../engine.ts';
import { holdingFiles } from '../held-objects.ts';
import { mapConcurrent } from '../map-concurrent.ts';
import { destroyedObject } from '../records/forgotten.ts';

/**
 * The names that users read: replaced atomically from immutable artefacts, after the manifest that
 * names these is committed.
 */

/** An artefact and one name under which readers find it. */
export interface Publication {
  readonly pipeline: string;
  readonly key: string;
  readonly ref: ArtefactRef;
}

/** The published names that belong to a manifest, each with the artefact it shows. */
export function publicationsOf(definition: PipelineDefinition, manifest: Manifest): Publication[] {
  return [...definition.steps, ...definition.rollups].flatMap((step) => {
    const state = manifest.steps[step.id];
    if (state?.state !== 'done') return [];
    return Object.entries(state.outputs).flatMap(([name, ref]) => {
      const key = publishedKey(step.outputs[name], manifest.scope);
      return key === undefined ? [] : [{ pipeline: manifest.pipeline, key, ref }];
    });
  });
}

/**
 * The published names that a version had and the one after it has not: they must not be read as
 * current.
 */
export function withdrawnNames(
  definition: PipelineDefinition,
  before: Manifest,
  after: Manifest,
): string[] {
  const kept = new Set(publicationsOf(definition, after).map(({ key }) => key));
  return publicationsOf(definition, before).flatMap(({ key }) => (kept.has(key) ? [] : [key]));
}

/** Undefined for outputs that no reader knows by name. */
export function publishedKey(
  output: OutputDefinition | undefined,
  scope: Scope,
): string | undefined {
  return output?.publishAs?.replaceAll('{scope}', scope);
}

/**
 * Those whose published name is missing, or does not show exactly the bytes of its artefact. While
 * the store is away and no copy tells, a name counts as right, so that days go on; `unlessKnown`
 * has it count as wrong, for who publishes. What was destroyed on purpose has no name.
 */
export async function unpublished(
  { objects, documents }: Pick<Engine, 'objects' | 'documents'>,
  publications: readonly Publication[],
  { unlessKnown = false } = {},
): Promise<Publication[]> {
  const right = await mapConcurrent(publications, 16, async ({ key, ref }) =>
    unlessAway(
      async () => (await objects.inspect({ ...ref, key })).state === 'intact',
      !unlessKnown,
    ),
  );
  const wrong = publications.filter((_, index) => right[index] === false);
  const gone = await mapConcurrent(wrong, 16, ({ pipeline, ref }) =>
    destroyedObject(documents, pipeline, ref.key),
  );
  return wrong.filter((_, index) => gone[index] === undefined);
}

/** Which of these names, which the newest version does not have, are there all the same. */
export async function namesLeft(
  { objects }: Pick<Engine, 'objects'>,
  names: readonly string[],
): Promise<string[]> {
  const there = await mapConcurrent(names, 16, (key) =>
    unlessAway(async () => (await objects.head(key)) !== undefined, false),
  );
  return names.filter((_, index) => there[index] === true);
}

async function unlessAway(look: () => Promise<boolean>, otherwise: boolean): Promise<boolean> {
  try {
    return await look();
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_UNAVAILABLE') throw error;
    return otherwise;
  }
}

/**
 * Replaces the published names; each is the old or the new bytes at any moment. `STORE_CONFLICT`
 * when a newer version has one.
 */
export async function publish(
  { objects }: Pick<Engine, 'objects'>,
  publications: readonly Publication[],
  fence: PutFence,
): Promise<void> {
  await mapConcurrent(publications, 8, ({ key, ref }) =>
    holdingFiles({ objects }, async (held) => {
      const path = await held.objects.openLocal(ref);
      // Gone since the commit: the next plan of the day reports it, and its publication follows
      // then.
      if (path !== undefined)
        await objects.put(key, { path }, { mediaType: ref.mediaType, mode: 'replace', fence });
    }),
  );
}

/**
 * Removes names that the version does not have any more. `STORE_CONFLICT` when there is a newer
 * version.
 */
export async function withdraw(
  { objects }: Pick<Engine, 'objects'>,
  names: readonly string[],
  fence: PutFence,
): Promise<void> {
  for (const key of names) await objects.delete(key, { fence });
}
