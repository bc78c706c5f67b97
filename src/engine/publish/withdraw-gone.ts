import type { PipelineDefinition } from '../../pipelines/definition.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import type { Engine } from '../engine.ts';
import { publicationsOf } from './published.ts';
import { recordsOf } from './records.ts';

/**
 * Takes away the published names and records of these versions that show one of the objects, by
 * key, which are destroyed.
 */
export async function withdrawGone(
  engine: Pick<Engine, 'objects' | 'documents'>,
  definition: PipelineDefinition,
  versions: Iterable<Manifest>,
  gone: ReadonlySet<string>,
): Promise<void> {
  for (const manifest of versions) {
    for (const { key, ref } of publicationsOf(definition, manifest))
      if (gone.has(ref.key)) await engine.objects.delete(key);
    for (const { key, ref } of recordsOf(definition, manifest))
      if (gone.has(ref.key)) await engine.documents.delete(key);
  }
}
