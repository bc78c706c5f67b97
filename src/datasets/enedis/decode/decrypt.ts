import { createDecipheriv } from 'node:crypto';
import { createReadStream, createWriteStream } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { pipeline } from 'node:stream/promises';
import type { ArchiveKey } from './key-ring.ts';
import { refusal } from './refusal.ts';

const BLOCK_BYTES = 16;

/** Every zip begins with its first file, or, when it is empty, with its end. */
const ZIP_BEGINNINGS = ['504b0304', '504b0506'];

/** How an archive is read: as it is, or with a key from a place in the file on. */
export type Opening =
  | { readonly kind: 'plain' }
  | {
      readonly kind: 'sealed';
      readonly key: ArchiveKey;
      readonly from: number;
      readonly iv: Uint8Array;
    };

/**
 * Finds out how an archive is opened. A key is right when the ciphertext is a whole number of
 * blocks, the plaintext begins as a zip and its last n bytes are all n (PKCS7, 1 to 16): three
 * blocks tell, whatever the size of the archive.
 *
 * @param source its file, or the archive itself
 * @throws a refusal `no_key` that lists every key by its label and why it is not the right one
 */
export async function findOpening(
  source: string | Uint8Array,
  archive: string,
  ring: readonly ArchiveKey[],
): Promise<Opening> {
  if (typeof source !== 'string') {
    const read: ReadAt = (position, bytes) =>
      Promise.resolve(source.subarray(position, position + bytes));
    return openingOf(read, source.byteLength, archive, ring);
  }
  const file = await open(source);
  try {
    const { size } = await file.stat();
    return await openingOf((position, bytes) => readAt(file, position, bytes), size, archive, ring);
  } finally {
    await file.close();
  }
}

type ReadAt = (position: number, bytes: number) => Promise<Uint8Array>;

async function openingOf(
  read: ReadAt,
  size: number,
  archive: string,
  ring: readonly ArchiveKey[],
): Promise<Opening> {
  if (isZip(await read(0, 4))) return { kind: 'plain' };
  const misfits: string[] = [];
  for (const key of ring) {
    const opening = await tryKey(read, size, key);
    if (typeof opening !== 'string') return opening;
    misfits.push(`${key.label}: ${opening}`);
  }
  const why = misfits.length === 0 ? 'there are no keys' : misfits.join('; ');
  throw refusal('no_key', { archive }, `no key opens it (${why})`);
}

function isZip(bytes: Uint8Array): boolean {
  return ZIP_BEGINNINGS.includes(Buffer.from(bytes.subarray(0, 4)).toString('hex'));
}

async function readAt(file: FileHandle, position: number, bytes: number): Promise<Uint8Array> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(bytes), 0, bytes, position);
  return buffer.subarray(0, bytesRead);
}

/** The opening with this key, or why it does not fit. */
async function tryKey(read: ReadAt, size: number, key: ArchiveKey): Promise<Opening | string> {
  const from = key.iv === undefined ? BLOCK_BYTES : 0;
  const length = size - from;
  if (length < BLOCK_BYTES) return `the file has ${size} bytes, no whole block`;
  if (length % BLOCK_BYTES !== 0) return `the length ${length} is not a multiple of 16`;
  const iv = key.iv ?? (await read(0, BLOCK_BYTES));
  const begin = decryptBlocks(key, iv, await read(from, BLOCK_BYTES));
  const isOne = length === BLOCK_BYTES;
  const before = isOne ? iv : await read(size - 2 * BLOCK_BYTES, BLOCK_BYTES);
  const end = isOne
    ? begin
    : decryptBlocks(key, before, await read(size - BLOCK_BYTES, BLOCK_BYTES));
  if (!isPadded(end)) return 'the padding is wrong';
  return isZip(begin) ? { kind: 'sealed', key, from, iv } : 'what it opens is no zip';
}

function cipherOf({ key }: ArchiveKey, iv: Uint8Array) {
  return createDecipheriv(key.length === BLOCK_BYTES ? 'aes-128-cbc' : 'aes-256-cbc', key, iv);
}

function decryptBlocks(key: ArchiveKey, iv: Uint8Array, blocks: Uint8Array): Uint8Array {
  const decipher = cipherOf(key, iv).setAutoPadding(false);
  return Buffer.concat([decipher.update(blocks), decipher.final()]);
}

/** PKCS7: the last n bytes are all n, n from 1 to 16. */
function isPadded(block: Uint8Array): boolean {
  const count = block.at(-1) ?? 0;
  return (
    count >= 1 && count <= BLOCK_BYTES && block.subarray(-count).every((byte) => byte === count)
  );
}

/** Writes the plain archive to another file, block by block. */
export async function decryptTo(
  path: string,
  opening: Opening & { kind: 'sealed' },
  target: string,
): Promise<void> {
  const source = createReadStream(path, { start: opening.from });
  await pipeline(
    source,
    cipherOf(opening.key, opening.iv),
    createWriteStream(target, { mode: 0o600 }),
  );
}

/** The plain archive of one that is held as a whole. */
export function decrypt(archive: Uint8Array, opening: Opening & { kind: 'sealed' }): Uint8Array {
  const decipher = cipherOf(opening.key, opening.iv);
  return Buffer.concat([decipher.update(archive.subarray(opening.from)), decipher.final()]);
}
