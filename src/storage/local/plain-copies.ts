import { existsSync } from 'node:fs';
import { createCopyFiles } from './copy-files.ts';
import type { CopyFiles } from './copy-files.ts';
import type { PlainBytes } from './packed-files.ts';

/**
 * Copies that nobody holds are kept until so many newer ones are there: a path without a signal is
 * for opening at once.
 */
const UNHELD_KEPT = 256;

/**
 * Packed texts as plain files, for readers that want a path. They lie among the staged files of a
 * store under this process's mark, so that those of a killed process are swept with what it staged;
 * nothing waits for the disk, as none has to outlive its reader.
 */
export interface PlainCopies {
  /** The copy of these bytes, if there is one, which then stays until the signal is aborted. */
  find(plain: PlainBytes, until?: AbortSignal): string | undefined;
  /** Makes the copy; `ending` as in `.json`, because some readers go by it. */
  add(plain: PlainBytes, ending: string, text: Buffer, until?: AbortSignal): string;
  /** The same of what is too large for memory. */
  addFrom(
    plain: PlainBytes,
    ending: string,
    chunks: AsyncIterable<Uint8Array>,
    until?: AbortSignal,
  ): Promise<string>;
}

interface HeldCopies extends Pick<PlainCopies, 'find'> {
  /** Takes a file as the copy of these bytes. */
  keep(sha256: string, file: string, until: AbortSignal | undefined): string;
}

interface Copy {
  readonly sha256: string;
  readonly path: string;
  holders: number;
  /** Somebody was given the path without saying until when, and may go on reading the open file. */
  isOpenEnded: boolean;
}

/** Of the copies that nobody holds, the newest `UNHELD_KEPT` stay. */
export function createPlainCopies(folder: string): PlainCopies {
  const files = createCopyFiles(folder);
  const held = createHeldCopies(files);
  return {
    find: (plain, until) => held.find(plain, until),
    add: ({ sha256 }, ending, text, until) => held.keep(sha256, files.write(ending, text), until),
    async addFrom(plain, ending, chunks, until) {
      const file = await files.writeFrom(ending, chunks);
      const other = held.find(plain, until);
      if (other === undefined) return held.keep(plain.sha256, file, until);
      files.remove(file);
      return other;
    },
  };
}

/** Which copies there are, and who needs them still. */
function createHeldCopies(files: Pick<CopyFiles, 'remove' | 'empty'>): HeldCopies {
  const copies = new Map<string, Copy>();
  /** The oldest first. */
  const unheld = new Set<Copy>();
  const bySignal = new WeakMap<AbortSignal, Set<Copy>>();

  function remove(copy: Copy): void {
    unheld.delete(copy);
    if (copies.get(copy.sha256) === copy) copies.delete(copy.sha256);
    if (copy.isOpenEnded) files.remove(copy.path);
    else files.empty(copy.path);
  }

  function keepUnheld(copy: Copy): void {
    unheld.add(copy);
    const [oldest] = unheld;
    if (unheld.size > UNHELD_KEPT && oldest !== undefined) remove(oldest);
  }

  function release(copy: Copy): void {
    copy.holders -= 1;
    if (copy.holders === 0) remove(copy);
  }

  /** The copies that stay until the signal is aborted. */
  function heldUntil(until: AbortSignal): Set<Copy> {
    const known = bySignal.get(until);
    if (known !== undefined) return known;
    const held = new Set<Copy>();
    bySignal.set(until, held);
    const releaseAll = (): void => {
      for (const copy of held) release(copy);
    };
    until.addEventListener('abort', releaseAll, { once: true });
    return held;
  }

  function use(copy: Copy, until: AbortSignal | undefined): string {
    if (until === undefined || until.aborted) {
      copy.isOpenEnded = true;
      if (copy.holders === 0) keepUnheld(copy);
      return copy.path;
    }
    const held = heldUntil(until);
    if (!held.has(copy)) {
      held.add(copy);
      unheld.delete(copy);
      copy.holders += 1;
    }
    return copy.path;
  }

  return {
    find({ sha256 }, until) {
      const copy = copies.get(sha256);
      if (copy === undefined) return undefined;
      if (existsSync(copy.path)) return use(copy, until);
      remove(copy);
      return undefined;
    },
    keep(sha256, file, until) {
      const copy = { sha256, path: file, holders: 0, isOpenEnded: false };
      copies.set(sha256, copy);
      return use(copy, until);
    },
  };
}
