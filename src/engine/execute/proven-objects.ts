import { errorCodeOf } from '../../errors.ts';
import type { ArtefactRef, ContentName, ObjectStore, OpenOptions } from '../../ports/objects.ts';
import { openContent } from '../content-store.ts';
import { untilEnd } from '../held-objects.ts';

/**
 * Proofs of stored objects: each is read from the store itself once, however often a verification
 * looks at it.
 */
export interface ProvenObjects extends Pick<ObjectStore, 'openLocal'> {
  /** What the store gives out for the artefact now. Throws when it does not answer. */
  stateOf(ref: ArtefactRef): Promise<'intact' | 'damaged' | 'missing'>;
}

/** Each artefact is read from the store once; whoever looks again gets the proven copy. */
export function proveObjects(objects: ObjectStore): ProvenObjects {
  const proofs = new Map<string, Promise<string | undefined>>();

  async function open(ref: ContentName, options?: OpenOptions): Promise<string | undefined> {
    const name = `${ref.sha256} ${ref.key}`;
    const known = proofs.get(name);
    if (known === undefined) {
      const proof = objects.openLocal(ref, { ...options, fresh: true });
      proofs.set(name, proof);
      return proof;
    }
    // The copy of what is proven will do; a cache that has let go of it since fetches it again.
    return (await known) === undefined ? undefined : objects.openLocal(ref, options);
  }

  return {
    openLocal: open,
    async stateOf(ref) {
      try {
        return (await openContent({ openLocal: open }, ref)) === undefined ? 'missing' : 'intact';
      } catch (error) {
        if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
        return 'damaged';
      }
    },
  };
}

/** Runs a piece of work whose proven files stay where they are until its end. */
export function holdingProven<R extends { readonly objects: ProvenObjects }, T>(
  rebuild: R,
  work: (rebuild: R) => Promise<T>,
): Promise<T> {
  const { objects } = rebuild;
  return untilEnd((until) =>
    work({
      ...rebuild,
      objects: {
        ...objects,
        openLocal: (ref, options) => objects.openLocal(ref, { ...options, until }),
      },
    }),
  );
}
