import { open } from 'node:fs/promises';
import { refuseWhatIsNoData } from './not-data.ts';

/** The two ends of a raw file, read before anything reads it as a whole. */

/** What is read of each end; smaller files are read whole, twice. */
export const SAMPLE_BYTES = 65_536;

/** Beginning and end of a file as text; in a small file they overlap. */
export interface TextEnds {
  readonly head: string;
  readonly tail: string;
  /** Of the whole file. */
  readonly bytes: number;
}

/**
 * Both ends of a text file, without a byte order mark.
 * @throws `SRC_TRUNCATED` for an empty file, `SRC_SHAPE_CHANGED` for what is no text of a
 * publisher.
 */
export async function readTextEnds(path: string, what: string): Promise<TextEnds> {
  const handle = await open(path, 'r');
  try {
    const { size } = await handle.stat();
    const length = Math.min(size, SAMPLE_BYTES);
    const [first, last] = [Buffer.alloc(length), Buffer.alloc(length)];
    await handle.read(first, 0, length, 0);
    await handle.read(last, 0, length, size - length);
    refuseWhatIsNoData(first, what, size);
    const head = first.toString('utf8').replace(/^\u{FEFF}/u, '');
    return { head, tail: last.toString('utf8'), bytes: size };
  } finally {
    await handle.close();
  }
}
