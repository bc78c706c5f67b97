import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { PipelineError, asPipelineError } from '../../errors.ts';
import { errnoOf, fileError } from './file-errors.ts';
import type { ObjectBody } from '../../ports/objects.ts';

/** Bytes read at once from a file that is stored. */
const READ_CHUNK_BYTES = 1 << 20;

/**
 * The body of a put as chunks, whatever form it has. What fails while it is produced comes out as
 * `PipelineError`: the producer's own, or `INPUT_INVALID` when the file to store is not there.
 *
 * `oneByOne` promises that a chunk is done with before the next is asked for. A file is then read
 * into one buffer again and again: a new one for each MB of a large file counts as memory outside
 * the heap, and made the collector mark the whole heap every few chunks.
 */
export async function* bodyChunks(
  body: ObjectBody,
  how: { oneByOne?: boolean } = {},
): AsyncGenerator<Uint8Array> {
  if (body instanceof Uint8Array) {
    yield body;
  } else if (Symbol.asyncIterator in body) {
    yield* producedChunks(body);
  } else {
    yield* fileChunks(body.path, how.oneByOne ?? false);
  }
}

async function* producedChunks(body: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* body;
  } catch (error) {
    throw asPipelineError(error);
  }
}

async function* fileChunks(path: string, oneByOne: boolean): AsyncGenerator<Uint8Array> {
  const file = await openBody(path);
  try {
    const { size } = await file.stat();
    // One more than the size, so that a small file is known to be at its end after a single read.
    const atOnce = Math.min(size + 1, READ_CHUNK_BYTES);
    const again = oneByOne ? Buffer.allocUnsafe(atOnce) : undefined;
    for (;;) {
      const into = again ?? Buffer.allocUnsafe(atOnce);
      const { bytesRead, buffer } = await file.read(into, 0, atOnce, null);
      if (bytesRead > 0) yield buffer.subarray(0, bytesRead);
      if (bytesRead < atOnce) return;
    }
  } catch (error) {
    throw fileError(error, 'read the file to store,', path);
  } finally {
    await file.close();
  }
}

async function openBody(path: string): Promise<FileHandle> {
  try {
    return await open(path, 'r');
  } catch (error) {
    if (errnoOf(error) !== 'ENOENT') throw fileError(error, 'read the file to store,', path);
    throw new PipelineError('INPUT_INVALID', `the file to store, ${path}, does not exist`, {
      cause: error,
    });
  }
}
