import { createHash } from 'node:crypto';
import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { BigIntStats } from 'node:fs';

/** Verifications remembered; about 200 bytes each. */
const MOST_REMEMBERED = 50_000;

/**
 * A file changed less than this before it was looked at is hashed again at its next open: within one tick of the file system's
 * clock a second change would leave all times as they were.
 */
const SETTLED_AFTER_MS = 100;

const MOST_READ_AT_ONCE_BYTES = 1 << 20;

/** The size and sha256 of local files, hashed from the bytes on disk. */
export interface VerifiedFiles {
  /**
   * `undefined` when it is no regular file. Throws the raw errors of the file system. `fresh`: from the bytes, whatever is remembered.
   */
  measure(path: string, options?: { readonly fresh?: boolean }): Promise<{ sha256: string; bytes: number } | undefined>;
  /**
   * Takes over the hash of a file that the caller wrote itself, and whose time of change it set to one that no other writer gets: a later
   * change shows in that time at once.
   */
  trust(path: string, sha256: string): void;
}

/**
 * Remembers the hash of a file for as long as device, inode, size and both times stay as they were, so that opening an artefact
 * again costs one `stat`. A change that keeps all five (only possible by writing to the disk below the file system) stays unseen
 * until the process ends.
 */
export function createVerifiedFiles(): VerifiedFiles {
  const remembered = new Map<string, string>();

  function remember(identity: string, sha256: string): void {
    // Put at the end: the map's order is the order of use, its first entry the one to drop.
    remembered.delete(identity);
    remembered.set(identity, sha256);
    const oldest = remembered.keys().next();
    if (remembered.size > MOST_REMEMBERED && oldest.done !== true) remembered.delete(oldest.value);
  }

  async function hashOf(path: string, lookedAtMs: number): Promise<{ sha256: string; bytes: number }> {
    const file = await open(path, 'r');
    try {
      const found = await file.stat({ bigint: true });
      const sha256 = await hashFile(file, Number(found.size));
      if (lookedAtMs - Number(found.ctimeMs) > SETTLED_AFTER_MS) remember(identityOf(found), sha256);
      return { sha256, bytes: Number(found.size) };
    } finally {
      await file.close();
    }
  }

  return {
    async measure(path, { fresh = false } = {}) {
      const lookedAtMs = Date.now();
      const found = statSync(path, { bigint: true });
      if (!found.isFile()) return undefined;
      const identity = identityOf(found);
      const known = remembered.get(identity);
      if (known === undefined || fresh) return hashOf(path, lookedAtMs);
      remember(identity, known);
      return { sha256: known, bytes: Number(found.size) };
    },
    trust(path, sha256) {
      remember(identityOf(statSync(path, { bigint: true })), sha256);
    },
  };
}

function identityOf(found: BigIntStats): string {
  return [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ');
}

async function hashFile(file: FileHandle, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  const buffer = Buffer.allocUnsafe(Math.min(bytes + 1, MOST_READ_AT_ONCE_BYTES));
  for (;;) {
    const { bytesRead } = await file.read(buffer, 0, buffer.byteLength, null);
    if (bytesRead === 0) return hash.digest('hex');
    hash.update(buffer.subarray(0, bytesRead));
  }
}
