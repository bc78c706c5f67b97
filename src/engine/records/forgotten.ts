import { createHmac } from 'node:crypto';
import { PipelineError } from '../../errors.ts';
import {
  DESTROYED_TABLE,
  FORGOTTEN_TABLE,
  destroyedKey,
  destroyedOf,
} from '../../pipelines/forgetting.ts';
import type { DestroyedObject, ForgottenPerson } from '../../pipelines/forgetting.ts';
import { scopePartition } from '../../pipelines/ledger.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import type { ArtefactRef } from '../../ports/objects.ts';
import { damageOf } from '../content-store.ts';
import type { Engine } from '../engine.ts';

/** Whose rows are left out of slices, and which objects are gone for good. */

/** Whether a person's key is that of somebody who was forgotten. */
export type IsForgotten = (key: string) => boolean;

/**
 * By what a person is known once nobody may know them: an HMAC that says nothing without the
 * secret.
 */
export function personHash(secret: string, pipeline: string, key: string): string {
  return createHmac('sha256', secret).update(`forgotten/${pipeline}/${key}`).digest('hex');
}

/** The secret of the installation; `CONFIG_INVALID` where there is none. */
export async function secretOf({ secret }: Pick<Engine, 'secret'>): Promise<string> {
  if (secret !== undefined) return secret();
  const message =
    'persons are forgotten by the secret of the installation, which this process was not given';
  throw new PipelineError('CONFIG_INVALID', message);
}

/** Everybody who was forgotten in a pipeline, in the order of their hashes. */
export async function forgottenPersons(
  documents: DocumentStore,
  pipeline: string,
): Promise<ForgottenPerson[]> {
  const persons: ForgottenPerson[] = [];
  const query = { table: FORGOTTEN_TABLE, partition: pipeline };
  for await (const { body } of documents.query<ForgottenPerson>(query)) persons.push(body);
  return persons;
}

/**
 * Who is left out of the slices of a pipeline; undefined while nobody is, which costs one query.
 */
export async function whoIsForgotten(
  engine: Pick<Engine, 'documents' | 'secret'>,
  pipeline: string,
): Promise<IsForgotten | undefined> {
  const known = await forgottenPersons(engine.documents, pipeline);
  const persons = new Set(known.flatMap(({ person, names = [] }) => [person, ...names]));
  if (persons.size === 0) return undefined;
  const secret = await secretOf(engine);
  return (key) => persons.has(personHash(secret, pipeline, key));
}

/** What is known of an object that was destroyed on purpose; undefined for any other. */
export async function destroyedObject(
  documents: DocumentStore,
  pipeline: string,
  key: string,
): Promise<DestroyedObject | undefined> {
  return (await documents.get<DestroyedObject>(destroyedKey(pipeline, key)))?.body;
}

/** The keys of everything of a pipeline that was destroyed on purpose. */
export async function destroyedKeys(
  documents: DocumentStore,
  pipeline: string,
): Promise<Set<string>> {
  const partitions: string[] = [];
  for await (const partition of documents.partitions(DESTROYED_TABLE))
    if (partition.startsWith(`${pipeline}/`)) partitions.push(partition);
  return keysIn(documents, partitions);
}

/**
 * Those of these scopes, and of others of their months: one query for each month, and one for all
 * periods.
 */
export function destroyedAmong(
  documents: DocumentStore,
  pipeline: string,
  scopes: readonly Scope[],
): Promise<Set<string>> {
  return keysIn(documents, new Set(scopes.map((scope) => scopePartition(pipeline, scope))));
}

async function keysIn(
  documents: DocumentStore,
  partitions: Iterable<string>,
): Promise<Set<string>> {
  const keys = new Set<string>();
  for (const partition of partitions) {
    for await (const { body } of documents.query<DestroyedObject>({
      table: DESTROYED_TABLE,
      partition,
    }))
      keys.add(body.key);
  }
  return keys;
}

/** How many objects of a day or period were destroyed on purpose. */
export async function destroyedIn(
  documents: DocumentStore,
  pipeline: string,
  scope: Scope,
): Promise<number> {
  let objects = 0;
  for await (const { body } of documents.query<DestroyedObject>(destroyedOf(pipeline, scope)))
    if (body.pipeline === pipeline) objects += 1;
  return objects;
}

/**
 * What is wrong with an artefact, in words; nothing with one that was destroyed on purpose, because
 * nobody is to make it again.
 */
export async function damageUnlessDestroyed(
  { objects, documents }: Pick<Engine, 'objects' | 'documents'>,
  pipeline: string,
  ref: ArtefactRef,
): Promise<string | undefined> {
  const damage = await damageOf(objects, ref);
  if (damage === undefined || (await destroyedObject(documents, pipeline, ref.key)) !== undefined)
    return undefined;
  return damage;
}
