import { PipelineError, errorCodeOf } from '../../errors.ts';
import { hashInKey } from '../shared/content-key.ts';
import { hashOfObject } from './fallback-objects.ts';
import type { PendingEntry, PendingObject } from './journal-state.ts';
import type { DeleteOptions, ObjectStore } from '../../ports/objects.ts';
import { MAX_TRIES } from './reconcile-parts.ts';
import type { Judgement, ObjectMerge, ReconcileParts } from './reconcile-parts.ts';

/**
 * What the primary store says to a pending object. Its bytes are hashed where they lie: they may be
 * replaced when they are those that the writer knew, and are "the same" when they are already what
 * was written. A name that is the hash of its bytes has one right content, so nobody needs to
 * decide between two: bytes that hash to it replace others, and are replaced by none.
 */
export async function judgeObject(parts: ReconcileParts, entry: PendingObject): Promise<Judgement> {
  const judgement = judge(entry, await currentHash(parts.primary.objects, entry.key));
  const merge = await mergeOf(parts, entry, judgement);
  return merge === undefined ? judgement : { kind: 'merged', found: merge.why };
}

/** How a rule decides; undefined where there is nothing to decide, or no rule. */
async function mergeOf(
  parts: ReconcileParts,
  entry: PendingObject,
  judgement: Judgement,
): Promise<ObjectMerge | undefined> {
  const { rules } = parts;
  if (rules === undefined || judgement.kind === 'same') return undefined;
  if (await isOvertaken(parts, entry))
    return { why: `${entry.key} follows another version than the one that was published here` };
  if (entry.kind === 'object-delete' && rules.keeps(entry.key)) {
    return { why: `${entry.key} stays: its removal only saved space` };
  }
  return judgement.kind === 'conflict' ? rules.object(entry.key, wanted(entry)) : undefined;
}

/**
 * Whether the version that the entry shows was not taken over, or is not the newest one on the
 * primary store.
 */
async function isOvertaken(
  { journal, primary, rules }: ReconcileParts,
  { fence }: PendingObject,
): Promise<boolean> {
  const newer = fence === undefined ? undefined : rules?.newerThan?.(fence.of);
  if (fence === undefined || newer === undefined) return false;
  if ((await journal.refresh()).wasMerged(fence.of)) return true;
  for await (const _ of primary.documents.query({ ...newer, limit: 1 })) return true;
  return false;
}

/**
 * Whether a conflict of the entry can end without a decision, once there are right bytes for it.
 */
export function hasOneContent(entry: PendingEntry): entry is PendingObject {
  return typeof entry.key === 'string' && hashInKey(entry.key) !== undefined;
}

async function currentHash(objects: ObjectStore, key: string): Promise<string | null> {
  return (await objects.head(key)) === undefined ? null : hashOfObject(objects, key);
}

function judge(entry: PendingObject, current: string | null): Judgement {
  if (current === wanted(entry)) return { kind: 'same' };
  const right = hashInKey(entry.key);
  const known = current === entry.before;
  if (right !== undefined && current === right && !(known && entry.kind === 'object-delete')) {
    return { kind: 'merged', found: `${entry.key} stays: its bytes are those that its name tells` };
  }
  const mends = right !== undefined && (wanted(entry) === right || entry.kind === 'object-delete');
  if (known || mends) return { kind: 'apply' };
  const is = current === null ? 'does not exist' : `has the sha256 ${current}`;
  return { kind: 'conflict', found: `the object ${entry.key} ${is}` };
}

/** Brings a pending object to the primary store and hashes it there. */
export async function replayObject(
  parts: ReconcileParts,
  entry: PendingObject,
): Promise<Judgement> {
  for (let tries = 1; ; tries += 1) {
    const current = await currentHash(parts.primary.objects, entry.key);
    const judgement = judge(entry, current);
    const merge = await mergeOf(parts, entry, judgement);
    if (merge !== undefined || judgement.kind !== 'apply') {
      const lost =
        merge?.beside === undefined ? undefined : await putBeside(parts, entry, merge.beside);
      if (lost !== undefined) return lost;
      await parts.mirror.learnObject(entry.key, current);
      return merge === undefined ? judgement : { kind: 'merged', found: merge.why };
    }
    try {
      const lost = await apply(parts, { ...entry, before: current });
      if (lost !== undefined) return lost;
      await prove(parts, entry);
      await parts.mirror.learnObject(entry.key, wanted(entry));
      return judgement;
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_CONFLICT' || tries === MAX_TRIES) throw error;
    }
  }
}

/**
 * Keeps this host's bytes under another name, which nothing else has; returns a conflict when they
 * are gone.
 */
async function putBeside(
  parts: ReconcileParts,
  entry: PendingObject,
  beside: string,
): Promise<Judgement | undefined> {
  if (entry.kind === 'object-delete') return undefined;
  const besides: PendingObject = { ...entry, key: beside, before: null };
  const judgement = judge(besides, await currentHash(parts.primary.objects, beside));
  if (judgement.kind === 'same') return undefined;
  if (judgement.kind === 'conflict') return judgement;
  const lost = await apply(parts, besides);
  if (lost === undefined) await prove(parts, besides);
  return lost;
}

/**
 * Answers a conflict when the bytes are no longer what was acknowledged: there is nothing right to
 * write.
 */
async function apply(parts: ReconcileParts, entry: PendingObject): Promise<Judgement | undefined> {
  const { primary } = parts;
  const fence = fenceOf(parts, entry);
  if (entry.kind === 'object-delete') {
    await primary.objects.delete(entry.key, fence);
    return undefined;
  }
  const path = await openBlob(parts, entry);
  if (path === undefined) {
    return {
      kind: 'conflict',
      found: `the bytes of ${entry.key} are gone from this host, or damaged: re-run its day`,
    };
  }
  // Without a fence, a write of another host within this moment is replaced, as by any writer.
  const mode = entry.before === null && entry.fence === undefined ? 'create' : 'replace';
  await primary.objects.put(entry.key, { path }, { mode, mediaType: entry.mediaType, ...fence });
  return undefined;
}

function fenceOf(parts: ReconcileParts, entry: PendingObject): DeleteOptions {
  if (entry.fence === undefined) return {};
  return { fence: { ...entry.fence, holds: async () => !(await isOvertaken(parts, entry)) } };
}

async function openBlob(
  { blobs }: ReconcileParts,
  entry: PendingObject,
): Promise<string | undefined> {
  if (entry.kind === 'object-delete') return undefined;
  const { blob, sha256, bytes } = entry;
  try {
    return await blobs.openLocal({ key: blob, sha256, bytes });
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
    return undefined;
  }
}

async function prove({ primary }: ReconcileParts, entry: PendingObject): Promise<void> {
  const found = await hashOfObject(primary.objects, entry.key);
  if (found === wanted(entry)) return;
  const message = `the object ${entry.key} has the sha256 ${found ?? 'of nothing'} instead of ${wanted(entry) ?? 'none'}`;
  throw new PipelineError(
    'STORE_CORRUPT',
    `${message} right after it was replayed: check the primary store`,
  );
}

function wanted(entry: PendingObject): string | null {
  return entry.kind === 'object-put' ? entry.sha256 : null;
}
