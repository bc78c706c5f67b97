import { PipelineError, errorCodeOf } from '../errors.ts';
import { documentName } from './document-key.ts';
import { viewOf } from './fallback-mirror.ts';
import type { DocumentView } from './journal-records.ts';
import type { PendingDocument } from './journal-state.ts';
import type { JsonObject, StoredDocument } from './ports.ts';
import { MOST_TRIES } from './reconcile-parts.ts';
import type { Judgement, ReconcileParts } from './reconcile-parts.ts';

type Current = StoredDocument | undefined;

/**
 * What the primary store says to a pending document. It is applied to exactly the version and bytes that its writer saw, and is "the
 * same" when equal bytes are there already, because an earlier try got through or somebody else wrote them.
 */
export async function judgeDocument(parts: ReconcileParts, entry: PendingDocument): Promise<Judgement> {
  const current = await parts.primary.documents.get(entry.key);
  const { before } = await onPrimary(parts, entry);
  return judge(parts, { ...entry, before }, current, await ourBody(parts, entry));
}

/** Brings a pending document to the primary store and reads it back. */
export async function replayDocument(parts: ReconcileParts, pending: PendingDocument): Promise<Judgement> {
  const { documents } = parts.primary;
  const body = await ourBody(parts, pending);
  const entry = await onPrimary(parts, pending);
  for (let tries = 1; ; tries += 1) {
    const current = await documents.get(entry.key);
    const judgement = judge(parts, entry, current, body);
    if (judgement.kind !== 'apply') {
      await parts.mirror.learn(entry.key, current);
      return judgement;
    }
    try {
      // The port has no conditional delete: a write of another host within this moment would go with it.
      if (body === undefined) await documents.delete(entry.key);
      else await documents.put(entry.key, body, { expectedVersion: entry.before.version });
      await proveDocument(parts, entry);
      return body === undefined ? judgement : { ...judgement, version: entry.after.version };
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_CONFLICT' || tries === MOST_TRIES) throw error;
    }
  }
}

function judge(
  parts: ReconcileParts,
  entry: PendingDocument,
  current: Current,
  body: JsonObject | undefined,
): Judgement {
  const view = viewOf(current);
  const { before, after } = entry;
  const absentBoth = view.version === 0 && body === undefined;
  if (absentBoth) return { kind: 'same' };
  if (view.version === before.version && view.sha256 === before.sha256) return { kind: 'apply' };
  if (view.sha256 === after.sha256) return { kind: 'same', version: view.version };
  if (body !== undefined && current !== undefined && parts.equivalent?.(entry.key, body, current.body) === true) {
    return { kind: 'same' };
  }
  const is = current === undefined ? 'does not exist' : `is version ${view.version} with sha256 ${view.sha256 ?? ''}`;
  return { kind: 'conflict', found: `${documentName(entry.key)} ${is}` };
}

/** The entry with the versions that the primary store counts. */
async function onPrimary({ journal }: ReconcileParts, entry: PendingDocument): Promise<PendingDocument> {
  const shift = (await journal.refresh()).shiftOf(entry.key);
  const shifted = (view: DocumentView): DocumentView =>
    view.version === 0 ? view : { ...view, version: view.version + shift };
  return { ...entry, before: shifted(entry.before), after: shifted(entry.after) };
}

/** Undefined for a deletion. */
async function ourBody(parts: ReconcileParts, entry: PendingDocument): Promise<JsonObject | undefined> {
  return entry.kind === 'document-put' ? parts.journal.bodyOf(entry) : undefined;
}

/** A later version is another writer's, who saw ours. */
async function proveDocument({ primary, mirror }: ReconcileParts, { key, after }: PendingDocument): Promise<void> {
  const found = await primary.documents.get(key);
  await mirror.learn(key, found);
  const view = viewOf(found);
  if (view.sha256 === after.sha256 || view.version > after.version) return;
  const message = `${documentName(key)} reads back as ${JSON.stringify(view)} instead of ${JSON.stringify(after)}`;
  throw new PipelineError('STORE_CORRUPT', `${message} right after it was written: check the primary store`);
}
