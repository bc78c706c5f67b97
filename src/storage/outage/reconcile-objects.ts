import { PipelineError, errorCodeOf } from '../../errors.ts';
import { hashInKey } from '../shared/content-key.ts';
import { hashOfObject } from './fallback-objects.ts';
import type { PendingEntry, PendingObject } from './journal-state.ts';
import type { ObjectStore } from '../../ports/objects.ts';
import { MOST_TRIES } from './reconcile-parts.ts';
import type { Judgement, MergeRules, ObjectMerge, ReconcileParts } from './reconcile-parts.ts';

/**
 * What the primary store says to a pending object. Its bytes are hashed where they lie: they may be replaced when they are those
 * that the writer knew, and are "the same" when they are already what was written. A name that is the hash of its bytes has one right
 * content, so nobody needs to decide between two: bytes that hash to it replace others, and are replaced by none.
 */
export async function judgeObject({ primary, rules }: ReconcileParts, entry: PendingObject): Promise<Judgement> {
  const judgement = judge(entry, await currentHash(primary.objects, entry.key));
  const merge = mergeOf(rules, entry, judgement);
  return merge === undefined ? judgement : { kind: 'merged', found: merge.why };
}

/** How a rule decides; undefined where there is nothing to decide, or no rule. */
function mergeOf(rules: MergeRules | undefined, entry: PendingObject, judgement: Judgement): ObjectMerge | undefined {
  if (rules === undefined || judgement.kind === 'same') return undefined;
  if (entry.kind === 'object-delete' && rules.keeps(entry.key)) {
    return { why: `${entry.key} stays: its removal only saved space` };
  }
  return judgement.kind === 'conflict' ? rules.object(entry.key, wanted(entry)) : undefined;
}

/** Whether a conflict of the entry can end without a decision, once there are right bytes for it. */
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
export async function replayObject(parts: ReconcileParts, entry: PendingObject): Promise<Judgement> {
  for (let tries = 1; ; tries += 1) {
    const current = await currentHash(parts.primary.objects, entry.key);
    const judgement = judge(entry, current);
    const merge = mergeOf(parts.rules, entry, judgement);
    if (merge !== undefined || judgement.kind !== 'apply') {
      const lost = merge?.beside === undefined ? undefined : await putBeside(parts, entry, merge.beside);
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
      if (errorCodeOf(error) !== 'STORE_CONFLICT' || tries === MOST_TRIES) throw error;
    }
  }
}

/** Keeps this host's bytes under another name, which nothing else has; answers a conflict when they are gone. */
async function putBeside(parts: ReconcileParts, entry: PendingObject, beside: string): Promise<Judgement | undefined> {
  if (entry.kind === 'object-delete') return undefined;
  const besides: PendingObject = { ...entry, key: beside, before: null };
  const judgement = judge(besides, await currentHash(parts.primary.objects, beside));
  if (judgement.kind === 'same') return undefined;
  if (judgement.kind === 'conflict') return judgement;
  const lost = await apply(parts, besides);
  if (lost === undefined) await prove(parts, besides);
  return lost;
}

/** Answers a conflict when the bytes are no longer what was acknowledged: there is nothing right to write. */
async function apply(parts: ReconcileParts, entry: PendingObject): Promise<Judgement | undefined> {
  const { primary } = parts;
  if (entry.kind === 'object-delete') {
    await primary.objects.delete(entry.key);
    return undefined;
  }
  const path = await openBlob(parts, entry);
  if (path === undefined) {
    return { kind: 'conflict', found: `the bytes of ${entry.key} are gone from this host, or damaged: re-run its day` };
  }
  // The port has no conditional replace: a write of another host within this moment is replaced, as by any writer.
  await primary.objects.put(
    entry.key,
    { path },
    { mode: entry.before === null ? 'create' : 'replace', mediaType: entry.mediaType },
  );
  return undefined;
}

async function openBlob({ blobs }: ReconcileParts, entry: PendingObject): Promise<string | undefined> {
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
  throw new PipelineError('STORE_CORRUPT', `${message} right after it was replayed: check the primary store`);
}

function wanted(entry: PendingObject): string | null {
  return entry.kind === 'object-put' ? entry.sha256 : null;
}
