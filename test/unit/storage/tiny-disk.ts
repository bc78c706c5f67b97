import { execFile } from 'node:child_process';
import { mkdtemp, rmdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);

export interface TinyDisk {
  readonly folder: string;
  makeReadOnly(): Promise<void>;
  /** Everything on it must be closed. */
  unmount(): Promise<void>;
}

/**
 * A file system of `sizeKib` KiB that really fills up; `undefined` where this process may not mount
 * one.
 */
export async function mountTinyDisk(sizeKib: number): Promise<TinyDisk | undefined> {
  const folder = await mkdtemp(path.join(tmpdir(), 'quotidien-tiny-'));
  try {
    await run('mount', ['-t', 'tmpfs', '-o', `size=${sizeKib}k`, 'none', folder]);
  } catch {
    await rmdir(folder);
    return undefined;
  }
  return {
    folder,
    async makeReadOnly() {
      await run('mount', ['-o', 'remount,ro', folder]);
    },
    async unmount() {
      await run('umount', ['--lazy', folder]);
      await rmdir(folder);
    },
  };
}
