import { PipelineError } from '../../errors.ts';
import { documentName } from '../shared/document-key.ts';
import type { Conflict, PendingDocument, PendingEntry, PendingObject } from './journal-state.ts';
import type { JsonObject } from '../../ports/json.ts';
import type { ReconcileParts } from './reconcile-parts.ts';

/**
 * The two sides of a conflict of documents, to compare; undefined where one is a deletion or does
 * not exist.
 */
export interface ConflictSides {
  readonly ours: JsonObject | undefined;
  readonly primary: JsonObject | undefined;
}

/**
 * Reads both sides of a conflict of documents. Objects are compared by their hashes, which the
 * conflict lists.
 */
export async function readConflict(parts: ReconcileParts, id: string): Promise<ConflictSides> {
  const { entry } = await conflictOf(parts, id);
  if (entry.kind === 'object-put' || entry.kind === 'object-delete')
    return { ours: undefined, primary: undefined };
  const found = await parts.primary.documents.get(entry.key);
  return { ours: await bodyOf(parts, entry), primary: found?.body };
}

/** Who decided conflicts, and how: the journal is removed once everything is settled. */
export const SETTLEMENT_TABLE = 'settlements';

/** A person's decision of a conflict. */
export interface Settled {
  readonly keep: 'primary' | 'ours';
  /** Who decided. */
  readonly by: string;
  readonly now?: () => Date;
}

/**
 * Ends a conflict by a person's decision: what the primary store has stays, or this host's write is
 * put over it. Throws `INPUT_INVALID` when no such conflict waits, `STORE_CONFLICT` when somebody
 * writes the same key meanwhile.
 */
export async function settleConflict(
  parts: ReconcileParts,
  id: string,
  settled: Settled,
): Promise<void> {
  const { keep, by } = settled;
  const { entry, found } = await conflictOf(parts, id);
  await recordSettlement(parts, entry, found, settled);
  if (keep === 'ours') {
    if (entry.kind === 'object-put' || entry.kind === 'object-delete')
      await overwriteObject(parts, entry);
    else await overwriteDocument(parts, entry);
  }
  await parts.journal.settle([{ entry: id, outcome: 'dismissed', by }]);
  if (entry.kind === 'object-put') await parts.blobs.delete(entry.blob);
}

/** Before anything is changed; a second try writes it no second time. */
async function recordSettlement(
  { journal, primary }: ReconcileParts,
  entry: PendingEntry,
  found: string,
  { keep, by, now = () => new Date() }: Settled,
): Promise<void> {
  const { id, kind, at } = entry;
  const key = typeof entry.key === 'string' ? entry.key : documentName(entry.key);
  const body = {
    host: journal.host,
    id,
    kind,
    key,
    writtenAt: at,
    found,
    keep,
    by,
    decidedAt: now().toISOString(),
  };
  const place = { table: SETTLEMENT_TABLE, partition: journal.host, sort: id };
  await primary.documents.createMany([{ key: place, body }]);
}

async function conflictOf({ journal }: ReconcileParts, id: string): Promise<Conflict> {
  const { conflicts } = await journal.refresh();
  const conflict = conflicts.get(id);
  if (conflict !== undefined) return conflict;
  const waiting =
    conflicts.size === 0 ? 'none waits' : `waiting are ${[...conflicts.keys()].join(', ')}`;
  throw new PipelineError(
    'INPUT_INVALID',
    `there is no conflict ${id} on ${journal.host}; ${waiting}`,
  );
}

async function overwriteDocument(parts: ReconcileParts, entry: PendingDocument): Promise<void> {
  const { documents } = parts.primary;
  const body = await bodyOf(parts, entry);
  if (body === undefined) {
    await documents.delete(entry.key);
    return;
  }
  const current = await documents.get(entry.key);
  await documents.put(entry.key, body, { expectedVersion: current?.version ?? 0 });
}

async function overwriteObject(
  { primary, blobs, journal }: ReconcileParts,
  entry: PendingObject,
): Promise<void> {
  if (entry.kind === 'object-delete') {
    await primary.objects.delete(entry.key);
    return;
  }
  const { key, blob, sha256, bytes, mediaType } = entry;
  const path = await blobs.openLocal({ key: blob, sha256, bytes });
  if (path === undefined) {
    const message = `the bytes that ${journal.host} wrote as ${key} are gone from its disk: re-run the day that made them`;
    throw new PipelineError('STORE_CORRUPT', message, { context: { key } });
  }
  await primary.objects.put(key, { path }, { mode: 'replace', mediaType });
}

async function bodyOf(
  { journal }: ReconcileParts,
  entry: PendingDocument,
): Promise<JsonObject | undefined> {
  return entry.kind === 'document-put' ? journal.bodyOf(entry) : undefined;
}
