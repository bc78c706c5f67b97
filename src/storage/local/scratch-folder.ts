import { randomBytes } from 'node:crypto';
import { mkdir, readdir, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { fileError } from '../shared/file-errors.ts';
import { isAlive } from '@quotidien/machine/living-process';

/**
 * A folder of another host that was not touched for this long is taken for abandoned: its processes
 * cannot be asked.
 */
const FOREIGN_ABANDONED_AFTER_MS = 7 * 24 * 3_600_000;

const FOLDER_NAME = /^sql-(?<host>.+)-(?<pid>\d+)-[0-9a-f]{12}$/;

/**
 * A new folder below `root` for this process alone, `sql-<host>-<pid>-<random>`. Before, it removes
 * those of dead processes: a killed engine can leave gigabytes. Hosts (or containers) that share a
 * scratch root must have different host names.
 */
export async function openScratchFolder(root: string): Promise<string> {
  try {
    await mkdir(root, { recursive: true });
    await removeAbandoned(root);
    const folder = path.join(
      root,
      `sql-${hostname()}-${process.pid}-${randomBytes(6).toString('hex')}`,
    );
    await mkdir(folder);
    return folder;
  } catch (error) {
    throw fileError(error, 'write to the scratch folder', root);
  }
}

/**
 * A folder for one piece of work, on the disk of `root` and not in the system's temporary files,
 * which are often memory.
 */
export async function withScratchFolder<T>(
  root: string,
  use: (folder: string) => Promise<T>,
): Promise<T> {
  const folder = await openScratchFolder(root);
  try {
    return await use(folder);
  } finally {
    await removeScratchFolder(folder);
  }
}

/**
 * Removes a scratch folder with all that is in it. What cannot be removed now is left to the next
 * process: nothing reads it.
 */
export async function removeScratchFolder(folder: string): Promise<void> {
  await rm(folder, { recursive: true, force: true }).catch(() => undefined);
}

async function removeAbandoned(root: string): Promise<void> {
  for (const name of await readdir(root)) {
    const folder = path.join(root, name);
    if (await isAbandonedScratch(folder)) await removeScratchFolder(folder);
  }
}

/**
 * The process of this host that a scratch folder of this name belongs to; undefined for any other
 * name.
 */
export function ownerOfScratch(name: string): number | undefined {
  const owner = FOLDER_NAME.exec(name)?.groups;
  return owner?.['host'] === hostname() ? Number(owner['pid']) : undefined;
}

/**
 * Whether the folder belongs to a process that has ended, or to another host that has not touched
 * it for a week.
 */
export async function isAbandonedScratch(folder: string): Promise<boolean> {
  const owner = FOLDER_NAME.exec(path.basename(folder))?.groups;
  if (owner === undefined) return false;
  if (owner['host'] === hostname()) return !isAlive(Number(owner['pid']));
  const found = await stat(folder).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs > FOREIGN_ABANDONED_AFTER_MS;
}
