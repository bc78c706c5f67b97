import { readdirSync, statSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { errnoOf } from '../shared/file-errors.ts';
import { hasDeadOwner, ownerMark } from './file-owner.ts';

/** Every file beside a content that is none ends so. */
export const MARK_ENDING = '~';

const HELD_MARK = '.held-';

/**
 * No work reads a file for this long: a mark of this age was left by a process that nobody can ask.
 */
const HELD_AT_MOST_MS = 24 * 3_600_000;

/**
 * Files of a cache that are in use: whoever evicts leaves them alone, in this process and, by a
 * mark beside the file, in every other one of the host. The mark of a killed process counts for
 * nothing.
 */
export interface HeldFiles {
  /**
   * From now on, also when the file is not there yet, until the signal is aborted; its folder
   * exists.
   */
  hold(file: string, until: AbortSignal): void;
  isHeld(file: string): boolean;
}

/** Whether a name in a folder of files is a mark and not a file. */
export function isMark(name: string): boolean {
  return name.endsWith(MARK_ENDING);
}

/** Counts holders: a file is released when the signal of its last one is aborted. */
export function createHeldFiles(): HeldFiles {
  const holders = new Map<string, number>();
  const bySignal = new WeakMap<AbortSignal, Set<string>>();

  /** At once: a mark that is removed later could be the next holder's. */
  function release(file: string): void {
    const left = (holders.get(file) ?? 1) - 1;
    if (left > 0) {
      holders.set(file, left);
      return;
    }
    holders.delete(file);
    removeMark(ownMark(file));
  }

  function filesOf(until: AbortSignal): Set<string> {
    const known = bySignal.get(until);
    if (known !== undefined) return known;
    const files = new Set<string>();
    bySignal.set(until, files);
    until.addEventListener(
      'abort',
      () => {
        for (const file of files) release(file);
      },
      { once: true },
    );
    return files;
  }

  return {
    hold(file, until) {
      const files = filesOf(until);
      if (until.aborted || files.has(file)) return;
      if (!holders.has(file)) writeFileSync(ownMark(file), '');
      files.add(file);
      holders.set(file, (holders.get(file) ?? 0) + 1);
    },
    isHeld: (file) => holders.has(file) || hasLivingMark(file),
  };
}

function ownMark(file: string): string {
  return `${file}${HELD_MARK}${ownerMark()}`;
}

function hasLivingMark(file: string): boolean {
  const [folder, start] = [path.dirname(file), `${path.basename(file)}${HELD_MARK}`];
  let isHeld = false;
  for (const name of namesIn(folder).filter((one) => one.startsWith(start))) {
    const mark = path.join(folder, name);
    const madeAtMs = statSync(mark, { throwIfNoEntry: false })?.mtimeMs;
    if (madeAtMs === undefined) continue;
    const isLeft =
      hasDeadOwner(name.slice(start.length)) === true || Date.now() - madeAtMs > HELD_AT_MOST_MS;
    if (isLeft) removeMark(mark);
    else isHeld = true;
  }
  return isHeld;
}

/** A mark that cannot be removed is left: it counts no longer than its process lives. */
function removeMark(mark: string): void {
  try {
    unlinkSync(mark);
  } catch {
    // As above.
  }
}

function namesIn(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
