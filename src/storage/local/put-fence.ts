import { createHash, randomUUID } from 'node:crypto';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { PipelineError } from '../../errors.ts';
import type { PutFence } from '../../ports/objects.ts';
import { removeStaged } from './staged-files.ts';

/** What the adapters have in common of `PutFence`, and how files are staged under one. */

/** Refuses a version that is not the newest any more. */
export async function checkFence(key: string, fence: PutFence | undefined): Promise<void> {
  if (fence !== undefined && !(await fence.holds())) throw fencedOff(key, fence);
}

/** `STORE_CONFLICT`: whoever has the newer version has published, or will. */
export function fencedOff(key: string, { version }: PutFence): PipelineError {
  const message = `${key} of version ${version} was not written: a newer version has the name by now`;
  return new PipelineError('STORE_CONFLICT', message, { context: { key, version } });
}

/**
 * The name of a staged file says what it is staged for. A writer stages, then looks whether its
 * version is the newest; a writer of a newer version removes what is staged for older ones after
 * its own look. So an old file is either seen to be old by its own writer, or gone when that writer
 * wants to give it its name, or replaced by the newer one a moment later.
 */
export function stagedName(key: string, fence: PutFence | undefined): string {
  return fence === undefined ? randomUUID() : `${nameHash(key)}.${fence.version}.${randomUUID()}`;
}

/** Removes what is staged for older versions of the name. */
export async function removeOlderStaged(
  folder: string,
  key: string,
  fence: PutFence,
): Promise<void> {
  const staged = new RegExp(`${nameHash(key)}\\.(\\d+)\\.`);
  for (const name of await readdir(folder)) {
    const version = staged.exec(name)?.[1];
    if (version !== undefined && Number(version) < fence.version)
      await removeStaged(path.join(folder, name));
  }
}

function nameHash(key: string): string {
  return createHash('sha256').update(key).digest('hex').slice(0, 32);
}
