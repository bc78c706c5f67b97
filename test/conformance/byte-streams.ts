import { createHash } from 'node:crypto';

/** Streams of known content, so that no test holds a large object in memory. */

export const MIB = 1 << 20;

/**
 * `chunks` chunks of `chunkBytes`; byte `i` of chunk `n` depends on both. Every chunk is the SAME
 * buffer, filled anew.
 */
export async function* patternStream(
  chunks: number,
  chunkBytes: number,
): AsyncGenerator<Uint8Array> {
  const buffer = Buffer.alloc(chunkBytes);
  for (let number = 0; number < chunks; number += 1) {
    // Given back between two chunks like a producer that reads from a socket does.
    await Promise.resolve();
    fillPattern(buffer, number);
    yield buffer;
  }
}

/** Bytes `[start, end)` of the stream above. */
export function patternBytes(chunkBytes: number, start: number, end: number): Buffer {
  const first = Math.floor(start / chunkBytes);
  const last = Math.floor((end - 1) / chunkBytes);
  const chunks = Array.from({ length: last - first + 1 }, (_, at) =>
    fillPattern(Buffer.alloc(chunkBytes), first + at),
  );
  return Buffer.concat(chunks).subarray(start - first * chunkBytes, end - first * chunkBytes);
}

function fillPattern(buffer: Buffer, number: number): Buffer {
  for (let at = 0; at + 4 <= buffer.length; at += 4)
    buffer.writeUInt32LE((Math.imul(at, 2_654_435_761) ^ number) >>> 0, at);
  return buffer;
}

/** A stream that gives `chunks` and then fails with `error`. */
export async function* failingStream(
  chunks: readonly Uint8Array[],
  error: Error,
): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) {
    await Promise.resolve();
    yield chunk;
  }
  throw error;
}

export async function measure(
  stream: AsyncIterable<Uint8Array>,
): Promise<{ sha256: string; bytes: number }> {
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  return { sha256: hash.digest('hex'), bytes };
}

/** All bytes of a small stream; fails the test when there is none. */
export async function collect(stream: AsyncIterable<Uint8Array> | undefined): Promise<Buffer> {
  if (stream === undefined) throw new Error('there is no such object');
  const chunks: Uint8Array[] = [];
  for await (const chunk of stream) chunks.push(Uint8Array.from(chunk));
  return Buffer.concat(chunks);
}

export async function collectText(stream: AsyncIterable<Uint8Array> | undefined): Promise<string> {
  return (await collect(stream)).toString();
}

export function sha256Of(bytes: Uint8Array | string): string {
  return createHash('sha256').update(bytes).digest('hex');
}

export async function toArray<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

/** Runs `work` for 0 … count−1, at most `atOnce` at a time; the results in order. */
export async function inParallel<T>(
  count: number,
  atOnce: number,
  work: (at: number) => Promise<T>,
): Promise<T[]> {
  const results = new Array<T>(count);
  let next = 0;
  const lane = async (): Promise<void> => {
    while (next < count) {
      const at = next;
      next += 1;
      results[at] = await work(at);
    }
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  return results;
}
