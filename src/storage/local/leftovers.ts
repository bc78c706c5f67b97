import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf, fileError } from '../shared/file-errors.ts';
import { isAbandonedScratch, removeScratchFolder } from './scratch-folder.ts';
import { isAbandonedFile, removeStaged } from './staged-files.ts';

/** Where the processes of a host keep what is not finished. */
export interface WorkFolders {
  /** Folders of staged files. */
  readonly staging: readonly string[];
  /** The folder of the scratch folders of the SQL engine. */
  readonly scratch: string;
}

/** A staged file, or a scratch folder, of a process that has ended. */
export interface Leftover {
  readonly path: string;
  readonly bytes: number;
}

/**
 * What killed processes left behind; `remove`: and removes it. What may still be written is never
 * among it.
 */
export async function findLeftovers(folders: WorkFolders, remove: boolean): Promise<Leftover[]> {
  const left: Leftover[] = [];
  for (const folder of folders.staging) {
    for (const name of await namesIn(folder)) {
      const file = path.join(folder, name);
      if (!(await isAbandonedFile(file))) continue;
      left.push({ path: file, bytes: await bytesOf(file) });
      if (remove) await removeStaged(file);
    }
  }
  for (const name of await namesIn(folders.scratch)) {
    const folder = path.join(folders.scratch, name);
    if (!(await isAbandonedScratch(folder))) continue;
    left.push({ path: folder, bytes: await bytesOf(folder) });
    if (remove) await removeScratchFolder(folder);
  }
  return left;
}

async function bytesOf(place: string): Promise<number> {
  const found = await stat(place).catch(() => undefined);
  if (found?.isDirectory() !== true) return found?.size ?? 0;
  const sizes = await Promise.all(
    (await namesIn(place)).map((name) => bytesOf(path.join(place, name))),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw fileError(error, 'read', folder);
  }
}
