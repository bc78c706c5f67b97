import type { DocumentKey } from '../ports/documents.ts';
import { scopePartition } from './ledger.ts';
import type { Scope } from './vocabulary.ts';

/**
 * The mark of a day that was finished while a store was away. Its manifest says what the day is
 * made of, as ever; the mark says that this has not been proven on the primary stores yet, and is
 * taken away when it has: so the day ends as if nothing had been.
 */
export interface DegradedRecord {
  readonly pipeline: string;
  readonly scope: Scope;
  /** The host whose writes are to be brought to the primary stores. */
  readonly host: string;
  readonly why: string;
  readonly workflowId: string;
  readonly runId: string;
  readonly since: string;
}

/** One row per scope and host, deleted when the primary stores have what that host wrote. */
export const DEGRADED_TABLE = 'degraded';

/** Two hosts may have finished the same scope during an outage; each has its own mark. */
export function degradedKey({
  pipeline,
  scope,
  host,
}: Pick<DegradedRecord, 'pipeline' | 'scope' | 'host'>): DocumentKey {
  return {
    table: DEGRADED_TABLE,
    partition: scopePartition(pipeline, scope),
    sort: `${scope}/${host}`,
  };
}
