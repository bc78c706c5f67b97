import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { PipelineError } from '../../errors.ts';
import { fileError } from '../shared/file-errors.ts';

/** Bytes read at once; an object (or range) up to this is read before it is given out. */
export const READ_AT_ONCE_BYTES = 256 * 1_024;

/** A file up to this size is read in less time than the way to another thread and back takes. */
const SMALL_FILE_BYTES = 64 * 1_024;

/**
 * A small file whole, by calls that return from the page cache; undefined for what is larger or no
 * file. Throws as Node.js does.
 */
export function readSmallFile(file: string): Buffer | undefined {
  const descriptor = openSync(file, 'r');
  try {
    const found = fstatSync(descriptor);
    if (!found.isFile() || found.size > SMALL_FILE_BYTES) return undefined;
    const buffer = Buffer.allocUnsafe(found.size);
    const read = readSync(descriptor, buffer, 0, found.size, 0);
    if (read < found.size) throw shortened(file, read, found.size);
    return buffer;
  } finally {
    closeSync(descriptor);
  }
}

/**
 * Reads piece by piece. The file is closed at the end, or when the reader stops early; one who
 * never starts leaves it open.
 */
export async function* readAndClose(
  handle: FileHandle,
  file: string,
  start: number,
  end: number,
): AsyncGenerator<Uint8Array> {
  try {
    for (let at = start; at < end; at += READ_AT_ONCE_BYTES) {
      yield await readExactly(handle, file, at, Math.min(at + READ_AT_ONCE_BYTES, end));
    }
  } catch (error) {
    throw fileError(error, 'read', file);
  } finally {
    await handle.close();
  }
}

/**
 * The bytes `[start, end)`. Objects never change in place, so a file that ends earlier than its
 * size said was damaged.
 */
export async function readExactly(
  handle: FileHandle,
  file: string,
  start: number,
  end: number,
): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(end - start);
  let filled = 0;
  while (filled < buffer.byteLength) {
    const { bytesRead } = await handle.read(
      buffer,
      filled,
      buffer.byteLength - filled,
      start + filled,
    );
    if (bytesRead === 0) throw shortened(file, start + filled, end);
    filled += bytesRead;
  }
  return buffer;
}

function shortened(file: string, bytes: number, expected: number): PipelineError {
  return new PipelineError(
    'STORE_CORRUPT',
    `${file} became shorter while it was read: ${bytes} of ${expected} bytes`,
  );
}
