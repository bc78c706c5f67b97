import { access } from 'node:fs/promises';
import { errorCodeOf } from '../errors.ts';
import type { ArtefactRef, ObjectStore } from '../storage/ports.ts';
import { openContent } from './content-store.ts';

/** Proofs of stored objects: each is read from the store itself once, however often a verification looks at it. */
export interface ProvenObjects extends Pick<ObjectStore, 'openLocal'> {
  /** What the store gives out for the artefact now. Throws when it does not answer. */
  stateOf(ref: ArtefactRef): Promise<'intact' | 'damaged' | 'missing'>;
}

export function proveObjects(objects: ObjectStore): ProvenObjects {
  const proofs = new Map<string, Promise<string | undefined>>();

  async function open(ref: ArtefactRef | Parameters<ObjectStore['openLocal']>[0]): Promise<string | undefined> {
    const name = `${ref.sha256} ${ref.key}`;
    const known = proofs.get(name);
    const path = await known;
    // A cache may have let go of the file since.
    if (known !== undefined && (path === undefined || (await isThere(path)))) return path;
    const proof = objects.openLocal(ref, { fresh: true });
    proofs.set(name, proof);
    return proof;
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

async function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
