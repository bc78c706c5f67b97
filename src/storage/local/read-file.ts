import type { FileHandle } from 'node:fs/promises';
import { PipelineError } from '../../errors.ts';
import { fileError } from '../shared/file-errors.ts';

/** Bytes read at once; an object (or range) up to this is read before it is given out. */
export const READ_AT_ONCE_BYTES = 256 * 1_024;

/** Reads piece by piece. The file is closed at the end, or when the reader stops early; one who never starts leaves it open. */
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

/** The bytes `[start, end)`. Objects never change in place, so a file that ends earlier than its size said was damaged. */
export async function readExactly(handle: FileHandle, file: string, start: number, end: number): Promise<Buffer> {
  const buffer = Buffer.allocUnsafe(end - start);
  let filled = 0;
  while (filled < buffer.byteLength) {
    const { bytesRead } = await handle.read(buffer, filled, buffer.byteLength - filled, start + filled);
    if (bytesRead === 0) {
      throw new PipelineError(
        'STORE_CORRUPT',
        `${file} became shorter while it was read: ${start + filled} of ${end} bytes`,
      );
    }
    filled += bytesRead;
  }
  return buffer;
}
