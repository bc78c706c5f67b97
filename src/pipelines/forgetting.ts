import type { DocumentKey } from '../ports/documents.ts';
import type { ArtefactRef } from '../ports/objects.ts';
import { sha256Hex } from '../canonical-json.ts';
import { scopeOfObject } from './garbage.ts';
import { scopePartition } from './ledger.ts';
import type { Scope } from './vocabulary.ts';

/**
 * The records of what was removed for good: whose rows no slice may have any more, and which
 * objects were destroyed. Manifests and ledger stay as they were written, and name what is gone by
 * its hash.
 */

/** Rows stay for ever: what is delivered later is searched for these persons too. */
export const FORGOTTEN_TABLE = 'forgotten';

/**
 * A person whose rows are in no slice any more. Nothing in it tells who that is without the secret.
 */
export interface ForgottenPerson {
  readonly pipeline: string;
  /** HMAC-SHA256 of the person's key with the secret of the installation, lower-case hex. */
  readonly person: string;
  /** ISO instant at which it was asked for first. */
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  /** `open`: what is there of the person is being removed, or waits for that. */
  readonly state: 'open' | 'done';
  /** ISO instant. */
  readonly doneAt?: string;
  /**
   * The slices that had rows of the person, by hash: what was made of them is found again after a
   * crash.
   */
  readonly slices: readonly string[];
  /** Raw files that had rows of the person and are not kept sealed. */
  readonly raws: readonly RemovedContent[];
  /**
   * Keyed hashes, as `person`, of other names of the person, in their order; absent where there
   * were none.
   */
  readonly names?: readonly string[];
}

/** An artefact that is gone, as far as it is still told of. */
export type RemovedContent = Pick<ArtefactRef, 'key' | 'sha256' | 'bytes'>;

/** The row is found by the keyed hash alone. */
export function forgottenKey({
  pipeline,
  person,
}: Pick<ForgottenPerson, 'pipeline' | 'person'>): DocumentKey {
  return { table: FORGOTTEN_TABLE, partition: pipeline, sort: person };
}

/** Records of objects that were removed on purpose, with the cause. */
export const DESTROYED_TABLE = 'destroyed';

/**
 * - forgotten: it had rows of a person who was forgotten, or was made of such rows.
 * - expired: it was older than its table is kept.
 */
export type DestroyedCause = 'forgotten' | 'expired';

/** An object that was removed for good although versions name it. Written before it is removed. */
export interface DestroyedObject extends RemovedContent {
  readonly pipeline: string;
  /** ISO instant. */
  readonly at: string;
  readonly cause: DestroyedCause;
}

/** Objects of a scope lie beside each other, so that those of a version are one query. */
export function destroyedKey(pipeline: string, key: string): DocumentKey {
  const scope = scopeOfObject(key);
  const partition = scope === undefined ? `${pipeline}/shared` : scopePartition(pipeline, scope);
  return { table: DESTROYED_TABLE, partition, sort: `${scope ?? 'shared'}/${sha256Hex(key)}` };
}

/** Where the destroyed objects of a scope are told of. */
export function destroyedOf(pipeline: string, scope: Scope) {
  const partition = scopePartition(pipeline, scope);
  return { table: DESTROYED_TABLE, partition, from: `${scope}/`, to: `${scope}0` };
}

/** In words, for people who ask where an object is. */
export function describeDestroyed({ at, cause }: Pick<DestroyedObject, 'at' | 'cause'>): string {
  const why = cause === 'forgotten' ? 'a person was forgotten' : 'it was older than it is kept';
  return `was destroyed on ${at.slice(0, 10)}, because ${why}`;
}
