import type { Engine } from '../engine/engine.ts';
import { withScratchFolder } from '../storage/local/scratch-folder.ts';

/**
 * What the engine lends as `withOverlay`: stores over these, whose changes lie in memory and in a
 * folder below `scratch` until the work ends.
 */
export function overlayOf(
  scratch: string,
  stores: Pick<Engine, 'objects' | 'documents'>,
): NonNullable<Engine['withOverlay']> {
  return (use) =>
    withScratchFolder(scratch, async (folder) => {
      const { createOverlayObjects } = await import('../storage/local/overlay-objects.ts');
      const { createOverlayDocuments } = await import('../storage/memory/overlay-documents.ts');
      return use({
        objects: createOverlayObjects(stores.objects, folder),
        documents: createOverlayDocuments(stores.documents),
      });
    });
}
