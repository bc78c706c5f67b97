import type { Engine, HostStanding } from '../engine.ts';

/**
 * The stores of an installation as this host finds them; the members have the names that the API
 * gives them.
 */
export interface StoresStanding extends Omit<HostStanding, 'pendingSince'> {
  /** Kinds, such as `s3` and `dynamodb`. */
  readonly objects: string;
  readonly documents: string;
  readonly host: string;
  /** Which stores are away and why, in words; null while all answer this process. */
  readonly away: string | null;
  readonly pending_since: string | null;
  /** Null where no store is remote: nothing can be away or wait. */
  readonly figures: object | null;
}

/** Asks no store: what is known already is told, also while none answers. */
export async function storesStanding({
  objects,
  documents,
  host,
  fallback,
}: Pick<Engine, 'objects' | 'documents' | 'host' | 'fallback'>): Promise<StoresStanding> {
  const { pendingSince, ...standing } = (await fallback?.standing()) ?? NOTHING;
  return {
    objects: objects.kind,
    documents: documents.kind,
    host,
    away: fallback?.away() ?? null,
    ...standing,
    pending_since: pendingSince,
    figures: fallback?.figures() ?? null,
  };
}

const NOTHING: HostStanding = { breakers: [], pending: 0, pendingSince: null, conflicts: [] };
