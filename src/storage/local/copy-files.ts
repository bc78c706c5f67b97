import { randomUUID } from 'node:crypto';
import { createWriteStream, renameSync, truncateSync, unlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileError } from '../shared/file-errors.ts';
import { ownerMark } from './file-owner.ts';

/** As many as the largest step has open; an emptied file takes no more space than its name. */
const EMPTIED_KEPT = 1_024;

/**
 * Files of this process for copies that come and go by thousands. An emptied file is taken for the
 * next text, because a file system is slow to make files where many were removed just now: ext4
 * looks past each of them, for minutes. Measured, 3,000 copies among as many staged files take
 * 1.5 s so, and up to 8 s where each is removed and the next one made.
 */
export interface CopyFiles {
  /** Writes a file of a name that was never used; `ending` as in `.json`. Returns its path. */
  write(ending: string, text: Buffer): string;
  /**
   * The same of what is too large for memory; what the chunks throw passes unchanged if it is a
   * `PipelineError`.
   */
  writeFrom(ending: string, chunks: AsyncIterable<Uint8Array>): Promise<string>;
  /** Removes the file; who has it open reads on. */
  remove(file: string): void;
  /** Takes the bytes and the name from a file that nobody reads any more. */
  empty(file: string): void;
}

/** They lie in `folder` under this process's mark, and are removed at its end. */
export function createCopyFiles(folder: string): CopyFiles {
  const emptied: string[] = [];
  const freshPath = (ending: string): string =>
    path.join(folder, `${ownerMark()}${randomUUID()}${ending}`);

  function remove(file: string): void {
    forget(file);
    try {
      unlinkSync(file);
    } catch {
      // One that cannot be removed now is left to the sweep.
    }
  }

  return {
    write(ending, text) {
      const file = freshPath(ending);
      const empty = emptied.pop();
      const isTaken = empty !== undefined && rename(empty, file);
      remember(file);
      try {
        writeFileSync(file, text, { flag: isTaken ? 'r+' : 'wx' });
      } catch (error) {
        remove(file);
        throw fileError(error, 'write', file);
      }
      return file;
    },
    async writeFrom(ending, chunks) {
      const file = freshPath(ending);
      remember(file);
      try {
        await pipeline(chunks, createWriteStream(file, { flags: 'wx' }));
      } catch (error) {
        remove(file);
        throw fileError(error, 'write', file);
      }
      return file;
    },
    remove,
    empty(file) {
      // The name goes too: who reads on by mistake is to find nothing, and no other text.
      const empty = freshPath('');
      if (emptied.length >= EMPTIED_KEPT || !truncate(file) || !rename(file, empty)) remove(file);
      else emptied.push(empty);
    },
  };
}

/** Files of this process that are still there, of all folders. */
const left = new Set<string>();

function remember(file: string): void {
  if (left.size === 0) process.once('exit', removeLeft);
  left.add(file);
}

function forget(file: string): void {
  left.delete(file);
  if (left.size === 0) process.off('exit', removeLeft);
}

function removeLeft(): void {
  for (const file of left) {
    try {
      unlinkSync(file);
    } catch {
      // Left to the sweep.
    }
  }
}

/** False when that cannot be done: somebody may have swept the file. */
function rename(from: string, to: string): boolean {
  try {
    renameSync(from, to);
  } catch {
    forget(from);
    return false;
  }
  remember(to);
  forget(from);
  return true;
}

function truncate(file: string): boolean {
  try {
    truncateSync(file);
    return true;
  } catch {
    return false;
  }
}
