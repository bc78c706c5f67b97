import { PipelineError } from '../../errors.ts';
import { TOMBSTONES, TOMBSTONE_MS } from '../../pipelines/garbage.ts';
import type { Tombstone } from '../../pipelines/garbage.ts';
import type { ObjectStore } from '../../ports/objects.ts';
import type { Engine } from '../engine.ts';
import { objectsWith } from '../objects-with.ts';

/** The collection may be stopped for a while between its last look and the deletion. */
const BELIEVED_MS = 3 * TOMBSTONE_MS;

const TRY_AGAIN_MS = 2_000;

/**
 * The engine for a piece of work whose scopes were promised: objects that a garbage collection is
 * deleting right now count as missing, and are not written before they are gone. Nearly always the
 * engine as it is, for one query.
 */
export async function withoutBuried<E extends Pick<Engine, 'documents' | 'objects' | 'now'>>(
  engine: E,
): Promise<E> {
  const buried = new Set<string>();
  const now = engine.now().getTime();
  for await (const { body } of engine.documents.query<Tombstone>(TOMBSTONES)) {
    if (now - Date.parse(body.at) < BELIEVED_MS) buried.add(body.key);
  }
  return buried.size === 0 ? engine : { ...engine, objects: hiding(engine.objects, buried) };
}

function hiding(objects: ObjectStore, buried: ReadonlySet<string>): ObjectStore {
  return objectsWith(objects, {
    async put(key, body, options) {
      if (!buried.has(key)) return objects.put(key, body, options);
      const message = `the object ${key} is being removed by a garbage collection; it is written again once it is gone`;
      throw new PipelineError('STORE_UNAVAILABLE', message, {
        retryAfterMs: TRY_AGAIN_MS,
        context: { key },
      });
    },
    inspect: async (ref) => (buried.has(ref.key) ? { state: 'missing' } : objects.inspect(ref)),
  });
}
