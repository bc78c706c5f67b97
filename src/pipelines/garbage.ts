import type { DocumentKey } from '../ports/documents.ts';
import { sha256Hex } from '../canonical-json.ts';
import type { Scope } from './vocabulary.ts';

/**
 * The records of the garbage collection, by which it and the runs that go on meanwhile keep out of
 * each other's way.
 *
 * A run writes its promise first, then reads the tombstones, then looks at objects. The collection
 * writes the tombstone of an object first, then reads promises and references, then deletes.
 * Whichever of the two came later sees the other: a collection that misses a promise wrote its
 * tombstone before, and the run takes that object for gone.
 */
export const GARBAGE_TABLE = 'garbage';

/** An object without a reference, and when a collection first found it so. */
export interface GarbageMark {
  readonly key: string;
  readonly since: string;
}

/** An object that is about to be deleted. */
export interface Tombstone {
  readonly key: string;
  /** ISO instant. */
  readonly at: string;
}

/** What a run may rely on or make until it ends: the artefacts of these scopes. */
export interface GarbagePromise {
  readonly pipeline: string;
  readonly scopes: readonly Scope[];
  /**
   * ISO instant until which it holds when the run never ends it, because it failed or was
   * terminated.
   */
  readonly until: string;
  readonly workflowId: string;
  readonly runId: string;
}

/**
 * A collection that has not deleted by then gives up; a run believes a tombstone for three times as
 * long.
 */
export const TOMBSTONE_MS = 5 * 60_000;

/** When an object was first found without a reference; named by the hash of the object's key. */
export function garbageMarkKey(key: string): DocumentKey {
  return { table: GARBAGE_TABLE, partition: 'unreferenced', sort: sha256Hex(key) };
}

/** Where a collection says what it is about to delete, so that a run does not rely on it. */
export const TOMBSTONES = { table: GARBAGE_TABLE, partition: 'tombstones' } as const;

/** One per object, whoever collects it. */
export function tombstoneKey(key: string): DocumentKey {
  return { ...TOMBSTONES, sort: sha256Hex(key) };
}

/** Where runs say which scopes they work on; a collection leaves their objects alone. */
export const PROMISES = { table: GARBAGE_TABLE, partition: 'promises' } as const;

/** One per run and month of its days, or per period. */
export function promiseKey(
  { pipeline, runId }: Pick<GarbagePromise, 'pipeline' | 'runId'>,
  part: string,
): DocumentKey {
  return { ...PROMISES, sort: `${pipeline}/${runId}/${part}` };
}

/** The date or period whose folder the object lies in; undefined for one that many days share. */
export function scopeOfObject(key: string): Scope | undefined {
  return /\/(?:date|period)=([^/]+)\//.exec(key)?.[1];
}
