import { openSync, writeSync } from 'node:fs';
import type { DestinationStream } from 'pino';

/**
 * How long a reader of the log may keep a line waiting, such as the terminal's pipe, and how often
 * it is tried meanwhile.
 */
const BUSY_TRIES = 500;
const BUSY_WAIT_MS = 10;

const pause = new Int32Array(new SharedArrayBuffer(4));

/**
 * Where log lines go, at once. A line that cannot be written, because the disk is full, is lost:
 * whoever logs must not fail by it. Temporal logs the failure of an activity before it reports it,
 * and an error of the log would take its place. (pino's own destination throws it, or keeps the
 * lines in memory.)
 */
export function openLogSink(
  where: { readonly fd: number } | { readonly file: string },
): DestinationStream {
  const fd = 'fd' in where ? where.fd : openSync(where.file, 'a');
  return {
    write(line) {
      let rest: Uint8Array = Buffer.from(line);
      for (let tries = 0; rest.byteLength > 0 && tries < BUSY_TRIES; tries += 1) {
        try {
          rest = rest.subarray(writeSync(fd, rest));
        } catch (error) {
          if ((error as { code?: string }).code !== 'EAGAIN') return;
          Atomics.wait(pause, 0, 0, BUSY_WAIT_MS);
        }
      }
    },
  };
}
