import { fsync } from 'node:fs';

/**
 * Resolves when all that was written through the open file is on disk. The wait for the disk is in
 * another thread.
 */
export function syncFile(descriptor: number): Promise<void> {
  return new Promise((resolve, reject) => {
    fsync(descriptor, (error) => {
      if (error === null) resolve();
      else reject(error);
    });
  });
}
