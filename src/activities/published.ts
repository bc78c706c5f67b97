import type { OutputDefinition, PipelineDefinition } from '../pipelines/definition.ts';
import type { Manifest } from '../pipelines/manifest.ts';
import type { Scope } from '../pipelines/vocabulary.ts';
import type { ArtefactRef } from '../storage/ports.ts';
import type { Engine } from './engine.ts';
import { mapConcurrent } from './map-concurrent.ts';

/** The names that users read: replaced atomically from immutable artefacts, after the manifest that names these is committed. */

export interface Publication {
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
      return key === undefined ? [] : [{ key, ref }];
    });
  });
}

/** The published names that a version had and the one after it has not: they must not be read as current. */
export function withdrawnNames(definition: PipelineDefinition, before: Manifest, after: Manifest): string[] {
  const kept = new Set(publicationsOf(definition, after).map(({ key }) => key));
  return publicationsOf(definition, before).flatMap(({ key }) => (kept.has(key) ? [] : [key]));
}

export function publishedKey(output: OutputDefinition | undefined, scope: Scope): string | undefined {
  return output?.publishAs?.replaceAll('{scope}', scope);
}

/** Those whose published name is missing or of another size: a crash came between the manifest and the publication. */
export async function unpublished(engine: Engine, publications: readonly Publication[]): Promise<Publication[]> {
  const heads = await mapConcurrent(publications, 16, ({ key }) => engine.objects.head(key));
  return publications.filter(({ ref }, index) => heads[index]?.bytes !== ref.bytes);
}

/** Replaces the published names; each is the old or the new bytes at any moment. */
export async function publish(engine: Engine, publications: readonly Publication[]): Promise<void> {
  await mapConcurrent(publications, 8, async ({ key, ref }) => {
    const path = await engine.objects.openLocal(ref);
    // Gone since the commit: the next plan of the day reports it, and its publication follows then.
    if (path !== undefined) await engine.objects.put(key, { path }, { mediaType: ref.mediaType, mode: 'replace' });
  });
}
