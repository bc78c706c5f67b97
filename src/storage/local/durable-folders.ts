import { closeSync, mkdirSync, openSync } from 'node:fs';
import { mkdir, rmdir } from 'node:fs/promises';
import path from 'node:path';
import { errnoOf } from '../shared/file-errors.ts';
import { syncFile } from './file-sync.ts';

/** Folders remembered as durable; the memory is started afresh when it is full. */
const MAX_KNOWN_FOLDERS = 50_000;

/**
 * Folders whose entries survive a power loss. A file is only as durable as the entries of all
 * folders above it, and each of these needs an fsync of its own after it was made.
 *
 * 1. When `ensure` resolves, the folder exists and every entry on the way from the root to it is on
 *    disk, whoever made it.
 * 2. When `sync` resolves, every entry made in the folder before the call is on disk. Callers that
 *    wait at the same time share one fsync, so that many small files in one folder do not cost one
 *    each.
 */
export interface DurableFolders {
  ensure(folder: string): Promise<void>;
  sync(folder: string): Promise<void>;
  /**
   * Forgets what is known of the folder and those above it, after one of them turned out to be
   * gone.
   */
  forget(folder: string): void;
  /**
   * Removes the folder, and those above it below the root, as far as they are empty; returns the
   * first that stays.
   */
  prune(folder: string): Promise<string>;
}

/**
 * Remembers the folders that it has made or found, so that a file in a known one costs no look at
 * its parents.
 */
export function createDurableFolders(root: string): DurableFolders {
  const known = new Set<string>();
  const sync = sharedFolderSync();

  async function ensure(folder: string): Promise<void> {
    if (known.has(folder)) return;
    if (folder === root) {
      await makeRoot(root);
    } else {
      const parent = path.dirname(folder);
      await ensure(parent);
      makeFolder(folder);
      await sync(parent);
    }
    if (known.size >= MAX_KNOWN_FOLDERS) known.clear();
    known.add(folder);
  }

  function forget(folder: string): void {
    for (let at = folder; at.startsWith(root); at = path.dirname(at)) known.delete(at);
  }

  async function prune(folder: string): Promise<string> {
    let at = folder;
    while (at !== root && (await removeEmpty(at))) {
      known.delete(at);
      at = path.dirname(at);
    }
    return at;
  }

  return { ensure, sync, forget, prune };
}

function makeFolder(folder: string): void {
  try {
    mkdirSync(folder);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
}

async function makeRoot(root: string): Promise<void> {
  const first = await mkdir(root, { recursive: true });
  if (first === undefined) return;
  for (let at = root; at.length >= first.length; at = path.dirname(at))
    await syncFolder(path.dirname(at));
}

/**
 * Whether it is gone; a folder that is not empty, or that somebody else removed first, ends the
 * pruning quietly.
 */
async function removeEmpty(folder: string): Promise<boolean> {
  try {
    await rmdir(folder);
    return true;
  } catch {
    return false;
  }
}

async function syncFolder(folder: string): Promise<void> {
  const descriptor = openSync(folder, 'r');
  try {
    await syncFile(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

/**
 * One fsync at a time per folder; calls that come while it runs wait for the next one, together.
 */
function sharedFolderSync(): (folder: string) => Promise<void> {
  const running = new Map<string, Promise<void>>();
  const next = new Map<string, Promise<void>>();

  function start(folder: string): Promise<void> {
    const sync = syncFolder(folder).finally(() => running.delete(folder));
    running.set(folder, sync);
    return sync;
  }

  return (folder) => {
    const planned = next.get(folder);
    if (planned !== undefined) return planned;
    const current = running.get(folder);
    if (current === undefined) return start(folder);
    const startNext = (): Promise<void> => {
      next.delete(folder);
      return start(folder);
    };
    const later = current.then(startNext, startNext);
    next.set(folder, later);
    return later;
  };
}
