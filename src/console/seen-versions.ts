import { mayKnowPeople } from '../api/security/callers.ts';
import { openManifest } from '../pipelines/about-people.ts';
import type { PipelineDefinition } from '../pipelines/definition.ts';
import type { Manifest } from '../pipelines/manifest.ts';
import type { PageContext } from './layout.tsx';

/**
 * Versions as whoever looks may see them: without the names of units that are about people for
 * those who do not say who they are.
 */
export function seenVersions(
  { caller }: Pick<PageContext, 'caller'>,
  definition: PipelineDefinition,
  manifests: readonly Manifest[],
): readonly Manifest[] {
  return mayKnowPeople(caller)
    ? manifests
    : manifests.map((manifest) => openManifest(definition, manifest));
}
