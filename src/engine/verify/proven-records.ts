import { PipelineError } from '../../errors.ts';
import { verificationKey } from '../../pipelines/verification.ts';
import type { Engine } from '../engine.ts';

/** Call `check` when everything was read: only then is it known whether the store gave it. */
export interface ProvenRecords {
  readonly engine: Engine;
  readonly check: () => Promise<void>;
}

/**
 * The engine of a verification, whose records come from the document store: what this host has seen
 * of them proves nothing. `check` throws `STORE_UNAVAILABLE` when any of them did not. What only
 * this host has, and waits to be replayed, is read as what it is.
 */
export async function onRecords(engine: Engine): Promise<ProvenRecords> {
  const { fallback } = engine;
  if (fallback === undefined) return { engine, check: () => Promise.resolve() };
  const stores = fallback.forWork();
  const answers = () => fallback.primary.documents.get(verificationKey('-', '2000-01-01', '-'));
  await answers();
  return {
    engine: { ...engine, documents: stores.documents },
    check: async () => {
      await answers();
      if (!stores.remembered()) return;
      const message =
        'the document store was away during the verification: records came from what this host had seen';
      throw new PipelineError('STORE_UNAVAILABLE', message);
    },
  };
}
