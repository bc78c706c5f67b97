import { definedMembers } from '../../given.ts';
import { CHANGE_TABLE, changeKey, changeOf } from '../../pipelines/change.ts';
import type { Change } from '../../pipelines/change.ts';
import { manifestKey } from '../../pipelines/manifest.ts';
import type { Manifest } from '../../pipelines/manifest.ts';
import type { DocumentStore } from '../../ports/documents.ts';
import { mapConcurrent } from '../map-concurrent.ts';

/** Tells readers of versions that are about to be created. */
export async function tellChanges(
  documents: DocumentStore,
  manifests: readonly Manifest[],
): Promise<void> {
  const changes = manifests.map(changeOf);
  await documents.createMany(changes.map((body) => ({ key: changeKey(body), body })));
}

/** A page of the feed, in the order of commits. */
export interface ChangeRange {
  /** ISO instant or sort key; changes at or after it. */
  readonly since?: string | undefined;
  readonly limit: number;
}

/** Changes in the order of their commits, whether their versions came to be or not. */
export async function toldChanges(
  documents: DocumentStore,
  pipeline: string,
  { since, limit }: ChangeRange,
): Promise<Change[]> {
  const range = {
    table: CHANGE_TABLE,
    partition: pipeline,
    limit,
    ...definedMembers({ from: since }),
  };
  const changes: Change[] = [];
  for await (const { body } of documents.query<Change>(range)) changes.push(body);
  return changes;
}

const READ_AT_ONCE = 16;

/** Those whose versions came to be. */
export async function committedChanges(
  documents: DocumentStore,
  changes: readonly Change[],
): Promise<Change[]> {
  const are = await mapConcurrent(
    changes,
    READ_AT_ONCE,
    async ({ pipeline, scope, version, committedAt }) => {
      const found = await documents.get<Manifest>(manifestKey(pipeline, scope, version));
      return found?.body.run.committedAt === committedAt;
    },
  );
  return changes.filter((_, index) => are[index] === true);
}
