import { statfs } from 'node:fs/promises';
import { PipelineError } from '../../errors.ts';

/** Less than this takes neither a page of the server's database nor a line of a log. */
const FULL_BELOW_BYTES = 256 * 1024;
const LOOKED_AT_EVERY_MS = 1_000;
/** A file that did not fit is taken away again. */
const LOOKS = 3;

/** Race it against what waits for the server. */
export interface DiskWatch {
  /** Rejects with `STORE_DENIED` when the disk of the folder stays full. */
  readonly full: Promise<never>;
  close(): void;
}

/**
 * Watches the disk of a home whose Temporal server runs here. The server answers nothing that it
 * cannot write down, and whoever asks it asks again for ever: on a full disk nobody would be told.
 */
export function watchDisk(folder: string): DiskWatch {
  let close: () => void = () => undefined;
  const full = new Promise<never>((_resolve, reject) => {
    let looks = 0;
    const timer = setInterval(() => {
      void freeBytes(folder).then((bytes) => {
        looks = bytes < FULL_BELOW_BYTES ? looks + 1 : 0;
        if (looks === LOOKS) reject(fullDisk(folder));
      });
    }, LOOKED_AT_EVERY_MS);
    timer.unref();
    close = () => {
      clearInterval(timer);
    };
  });
  // Whoever waits for something looks at it.
  full.catch(() => undefined);
  return {
    full,
    close: () => {
      close();
    },
  };
}

/** What a program may still write there; a disk that cannot be asked counts as one with room. */
async function freeBytes(folder: string): Promise<number> {
  return statfs(folder).then(
    ({ bavail, bsize }) => bavail * bsize,
    () => Number.POSITIVE_INFINITY,
  );
}

function fullDisk(folder: string): PipelineError {
  const message = `the disk of ${folder} is full, so that the Temporal server there cannot go on: free some space, and start the command again; nothing is lost`;
  return new PipelineError('STORE_DENIED', message);
}
