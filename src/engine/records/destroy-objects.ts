import { PipelineError } from '../../errors.ts';
import { destroyedKey } from '../../pipelines/forgetting.ts';
import type {
  DestroyedCause,
  DestroyedObject,
  RemovedContent,
} from '../../pipelines/forgetting.ts';
import type { Engine } from '../engine.ts';
import { newestName } from '../content-store.ts';
import { mapConcurrent } from '../map-concurrent.ts';

const AT_ONCE = 8;

/**
 * Removes objects for good, although versions name them. First it is written down that each is gone
 * and why, so that nobody takes it for lost; then its bytes are removed, in the store and in the
 * cache of this host. Doing it again changes nothing.
 */
export async function destroyObjects(
  engine: Pick<Engine, 'documents' | 'objects' | 'now'>,
  pipeline: string,
  objects: readonly RemovedContent[],
  cause: DestroyedCause,
): Promise<void> {
  const at = engine.now().toISOString();
  await engine.documents.createMany(
    objects.map(({ key, sha256, bytes }) => {
      const body: DestroyedObject = { pipeline, key, sha256, bytes, at, cause };
      return { key: destroyedKey(pipeline, key), body };
    }),
  );
  await mapConcurrent(objects, AT_ONCE, async (ref) => {
    const name = newestName(ref.key);
    // Its bytes are under its name alone as long as no newer edition has that.
    if (
      name !== undefined &&
      (await engine.objects.inspect({ ...ref, key: name })).state === 'intact'
    )
      await engine.objects.delete(name);
    await engine.objects.delete(ref.key);
  });
}

/**
 * Nothing is destroyed while a store is away, or while writes of this host wait for one:
 * `STORE_UNAVAILABLE` says why.
 */
export async function refuseWhileAway({ fallback }: Pick<Engine, 'fallback'>): Promise<void> {
  if (fallback === undefined) return;
  const pending = await fallback.pending();
  const why =
    fallback.away() ??
    (pending === 0 ? undefined : `${pending} writes of this host wait to be replayed`);
  if (why !== undefined) throw new PipelineError('STORE_UNAVAILABLE', why);
}
