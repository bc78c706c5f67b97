import { createHash } from 'node:crypto';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';

/** What bytes are known by: their sha256 in lower-case hex, and how many they are. */
export interface Measured {
  readonly sha256: string;
  readonly bytes: number;
}

/** Bytes on their way, which are measured as they pass. */
export interface Measuring {
  /** To be read once. */
  readonly chunks: AsyncGenerator<Uint8Array, undefined>;
  /** Of the chunks that have passed; no more may pass after the first call. */
  readonly measured: () => Measured;
}

const MAX_READ_AT_ONCE_BYTES = 1 << 20;

/** Lower-case hex sha256 of a local file, read in pieces. */
export async function sha256OfFile(name: string): Promise<string> {
  const file = await open(name);
  try {
    return await sha256OfHandle(file, (await file.stat()).size);
  } finally {
    await file.close();
  }
}

/** The same of an open file, from its first byte on; `bytes` is about how many they are. */
export async function sha256OfHandle(file: FileHandle, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(Math.min(bytes + 1, MAX_READ_AT_ONCE_BYTES));
  for (let at = 0; ;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, at);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
    at += bytesRead;
  }
}

/** Passes bytes on, and tells afterwards what they were. */
export function measuring(source: AsyncIterable<Uint8Array>): Measuring {
  const hash = createHash('sha256');
  let bytes = 0;
  let found: Measured | undefined;
  async function* chunks(): AsyncGenerator<Uint8Array, undefined> {
    for await (const chunk of source) {
      hash.update(chunk);
      bytes += chunk.byteLength;
      yield chunk;
    }
    return undefined;
  }
  return { chunks: chunks(), measured: () => (found ??= { sha256: hash.digest('hex'), bytes }) };
}

/** Reads bytes to their end, for what they are known by. */
export async function measure(source: AsyncIterable<Uint8Array>): Promise<Measured> {
  const { chunks, measured } = measuring(source);
  while ((await chunks.next()).done !== true);
  return measured();
}
