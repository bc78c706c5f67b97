import { PipelineError, errorCodeOf } from '../errors.ts';
import { hashOfObject } from './fallback-objects.ts';
import type { PendingObject } from './journal-state.ts';
import type { ObjectStore } from './ports.ts';
import { MOST_TRIES } from './reconcile-parts.ts';
import type { Judgement, ReconcileParts } from './reconcile-parts.ts';

/**
 * What the primary store says to a pending object. Its bytes are hashed where they lie: they may be replaced when they are those
 * that the writer knew, and are "the same" when they are already what was written.
 */
export async function judgeObject({ primary }: ReconcileParts, entry: PendingObject): Promise<Judgement> {
  return judge(entry, await currentHash(primary.objects, entry.key));
}

async function currentHash(objects: ObjectStore, key: string): Promise<string | null> {
  return (await objects.head(key)) === undefined ? null : hashOfObject(objects, key);
}

function judge(entry: PendingObject, current: string | null): Judgement {
  if (current === wanted(entry)) return { kind: 'same' };
  if (current === entry.before) return { kind: 'apply' };
  const is = current === null ? 'does not exist' : `has the sha256 ${current}`;
  return { kind: 'conflict', found: `the object ${entry.key} ${is}` };
}

/** Brings a pending object to the primary store and hashes it there. */
export async function replayObject(parts: ReconcileParts, entry: PendingObject): Promise<Judgement> {
  for (let tries = 1; ; tries += 1) {
    const current = await currentHash(parts.primary.objects, entry.key);
    const judgement = judge(entry, current);
    if (judgement.kind !== 'apply') {
      await parts.mirror.learnObject(entry.key, current);
      return judgement;
    }
    try {
      const lost = await apply(parts, entry);
      if (lost !== undefined) return lost;
      await prove(parts, entry);
      await parts.mirror.learnObject(entry.key, wanted(entry));
      return judgement;
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_CONFLICT' || tries === MOST_TRIES) throw error;
    }
  }
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
