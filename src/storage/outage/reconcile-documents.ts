import { definedMembers } from '../../given.ts';
import { PipelineError, errorCodeOf } from '../../errors.ts';
import { hashOfBody } from '../shared/document-hash.ts';
import { documentName } from '../shared/document-key.ts';
import { viewOf } from './fallback-mirror.ts';
import type { DocumentView } from './journal-records.ts';
import type { PendingDocument } from './journal-state.ts';
import type { DocumentKey, StoredDocument } from '../../ports/documents.ts';
import type { JsonObject } from '../../ports/json.ts';
import { MAX_TRIES } from './reconcile-parts.ts';
import type { DocumentMerge, Judgement, ReconcileParts } from './reconcile-parts.ts';

type Current = StoredDocument | undefined;

/**
 * What the primary store says to a pending document. It is applied to exactly the version and bytes
 * that its writer saw, and is "the same" when equal bytes are there already, because an earlier try
 * got through or somebody else wrote them.
 */
export async function judgeDocument(
  parts: ReconcileParts,
  entry: PendingDocument,
): Promise<Judgement> {
  const current = await parts.primary.documents.get(entry.key);
  const { before } = await onPrimary(parts, entry);
  const written = await ourBody(parts, entry);
  const ours = await numbered(parts, entry, written);
  const judgement = judge(parts, { ...entry, before }, current, written);
  const merge = await mergeOf(parts, entry, judgement, { written, ours, theirs: current?.body });
  return merge === undefined ? judgement : { kind: 'merged', found: merge.why };
}

interface Sides {
  /** As the journal has it. */
  readonly written: JsonObject | undefined;
  readonly ours: JsonObject | undefined;
  readonly theirs: JsonObject | undefined;
}

/** How a rule decides; undefined where there is nothing to decide, or no rule. */
async function mergeOf(
  { journal, rules }: ReconcileParts,
  { key }: PendingDocument,
  judgement: Judgement,
  { written, ours, theirs }: Sides,
): Promise<DocumentMerge | undefined> {
  if (rules === undefined) return undefined;
  if (judgement.kind !== 'conflict' && ours !== undefined && ours !== written) {
    return {
      body: ours,
      why: 'others have counted meanwhile, so its place among theirs is not known',
    };
  }
  if (judgement.kind === 'same') return undefined;
  const basis = rules.basisOf(key);
  if (basis !== undefined && (await journal.refresh()).wasMerged(basis)) {
    return {
      keep: 'theirs',
      why: `it builds on ${documentName(basis)}, which another host wrote differently`,
    };
  }
  return judgement.kind === 'conflict' ? rules.document(key, ours, theirs) : undefined;
}

/** Brings a pending document to the primary store and reads it back. */
export async function replayDocument(
  parts: ReconcileParts,
  pending: PendingDocument,
): Promise<Judgement> {
  const { documents } = parts.primary;
  const body = await ourBody(parts, pending);
  const ours = await numbered(parts, pending, body);
  const entry = await onPrimary(parts, pending);
  for (let tries = 1; ; tries += 1) {
    const current = await documents.get(entry.key);
    const judgement = judge(parts, entry, current, body);
    const merge = await mergeOf(parts, entry, judgement, {
      written: body,
      ours,
      theirs: current?.body,
    });
    if (merge === undefined && judgement.kind !== 'apply') {
      await parts.mirror.learn(entry.key, current);
      return judgement;
    }
    try {
      if (merge !== undefined) return await putMerged(parts, entry.key, current, ours, merge);
      // The port has no conditional delete: a write of another host within this moment would go
      // with it.
      if (body === undefined) await documents.delete(entry.key);
      else await documents.put(entry.key, body, { expectedVersion: entry.before.version });
      await proveDocument(parts, entry);
      return { kind: 'apply', ...(body === undefined ? {} : { version: entry.after.version }) };
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_CONFLICT' || tries === MAX_TRIES) throw error;
    }
  }
}

/** Puts what a rule decided over exactly the version that it was decided on, unless that stays. */
async function putMerged(
  { primary, mirror }: ReconcileParts,
  key: DocumentKey,
  current: Current,
  ours: JsonObject | undefined,
  merge: DocumentMerge,
): Promise<Judgement> {
  const { why } = merge;
  if ('keep' in merge && merge.keep === 'theirs') {
    await mirror.learn(key, current);
    return { kind: 'merged', found: why, ...definedMembers({ version: current?.version }) };
  }
  const body = 'body' in merge ? merge.body : ours;
  if (body === undefined) await primary.documents.delete(key);
  else await primary.documents.put(key, body, { expectedVersion: current?.version ?? 0 });
  const found = await primary.documents.get(key);
  await mirror.learn(key, found);
  const written = body === undefined ? null : hashOfBody(body);
  const moved = found !== undefined && found.version > (current?.version ?? 0) + 1;
  if (viewOf(found).sha256 !== written && !moved) {
    throw new PipelineError(
      'STORE_CORRUPT',
      `${documentName(key)} does not read back as it was merged: check the primary store`,
    );
  }
  return { kind: 'merged', found: why, ...definedMembers({ version: found?.version }) };
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
  if (
    body !== undefined &&
    current !== undefined &&
    parts.equivalent?.(entry.key, body, current.body) === true
  ) {
    return { kind: 'same' };
  }
  const is =
    current === undefined
      ? 'does not exist'
      : `is version ${view.version} with sha256 ${view.sha256 ?? ''}`;
  return { kind: 'conflict', found: `${documentName(entry.key)} ${is}` };
}

/** The entry with the versions that the primary store counts. */
async function onPrimary(
  { journal }: ReconcileParts,
  entry: PendingDocument,
): Promise<PendingDocument> {
  const shift = (await journal.refresh()).shiftOf(entry.key);
  const shifted = (view: DocumentView): DocumentView =>
    view.version === 0 ? view : { ...view, version: view.version + shift };
  return { ...entry, before: shifted(entry.before), after: shifted(entry.after) };
}

/**
 * The body with what is not known of its number: this host counted alone when others had counted
 * further.
 */
async function numbered(
  { journal, primary, rules }: ReconcileParts,
  { key }: PendingDocument,
  body: JsonObject | undefined,
): Promise<JsonObject | undefined> {
  const numbering = body === undefined ? undefined : rules?.numbering?.(key);
  if (
    body === undefined ||
    numbering === undefined ||
    !(await journal.refresh()).wasMerged(numbering.counter)
  )
    return body;
  const counter = await primary.documents.get(numbering.counter);
  const unsure = numbering.unsure(body, journal.host, counter?.body ?? {});
  return hashOfBody(unsure) === hashOfBody(body) ? body : unsure;
}

/** Undefined for a deletion. */
async function ourBody(
  parts: ReconcileParts,
  entry: PendingDocument,
): Promise<JsonObject | undefined> {
  return entry.kind === 'document-put' ? parts.journal.bodyOf(entry) : undefined;
}

/** A later version is another writer's, who saw ours. */
async function proveDocument(
  { primary, mirror }: ReconcileParts,
  { key, after }: PendingDocument,
): Promise<void> {
  const found = await primary.documents.get(key);
  await mirror.learn(key, found);
  const view = viewOf(found);
  if (view.sha256 === after.sha256 || view.version > after.version) return;
  const message = `${documentName(key)} reads back as ${JSON.stringify(view)} instead of ${JSON.stringify(after)}`;
  throw new PipelineError(
    'STORE_CORRUPT',
    `${message} right after it was written: check the primary store`,
  );
}
