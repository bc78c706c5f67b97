import type { BigIntStats } from 'node:fs';
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { fileError, isErrno } from '../shared/file-errors.ts';
import { LONGEST_HEAD_BYTES, plainLength } from './packed-files.ts';

/** Files as they are looked at, and what is not there. */

/** What a look at a file tells. */
export interface Look {
  readonly found: BigIntStats;
  /** The length of the text that is packed in it. */
  readonly text?: number | undefined;
}

/** A file and how it begins, by calls that return from the page cache. */
export function lookInto(file: string): Look {
  const descriptor = openSync(file, 'r');
  try {
    const found = fstatSync(descriptor, { bigint: true });
    return { found, text: found.isFile() ? beginningOf(descriptor) : undefined };
  } finally {
    closeSync(descriptor);
  }
}

/** The length of the text, if a packed file begins so. */
export function beginningOf(descriptor: number): number | undefined {
  const start = Buffer.alloc(LONGEST_HEAD_BYTES);
  readSync(descriptor, start, 0, start.byteLength, 0);
  return plainLength(start);
}

/** Inode, size and time: a replaced file is a new inode with a time of its own. */
export function etagOf(found: BigIntStats): string {
  return [found.ino, found.size, found.mtimeNs].map((part) => part.toString(36)).join('-');
}

/** Whether an error says that a file or a folder on its way is not there. */
export function isAbsent(error: unknown): boolean {
  return isErrno(error, 'ENOENT', 'ENOTDIR');
}

/** The result, or `undefined` when the file or one of its folders is not there. */
export async function ifPresent<T>(
  operation: Promise<T>,
  doing: string,
  place: string,
): Promise<T | undefined> {
  try {
    return await operation;
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw fileError(error, doing, place);
  }
}

/** The same of what is done at once. */
export function ifThere<T>(operation: () => T, doing: string, place: string): T | undefined {
  try {
    return operation();
  } catch (error) {
    if (isAbsent(error)) return undefined;
    throw fileError(error, doing, place);
  }
}
