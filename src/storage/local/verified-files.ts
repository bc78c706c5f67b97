import { statSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import type { BigIntStats } from 'node:fs';
import { measure, sha256OfHandle } from '@quotidien/machine/file-hash';
import { errorCodeOf } from '../../errors.ts';
import type { PlainBytes } from './packed-files.ts';

/** Verifications remembered; about 300 bytes each. */
const MAX_REMEMBERED = 50_000;

/**
 * A file changed less than this before it was looked at is hashed again at its next open: within
 * one tick of the file system's clock a second change would leave all times as they were.
 */
const SETTLED_AFTER_MS = 100;

/** The hash and size of what a file holds. */
export interface MeasuredFile extends PlainBytes {
  /** They are those of the text that is packed in it. */
  readonly isPacked: boolean;
}

/** Gives the text of a file that is packed or rests, in pieces; undefined for a plain one. */
export type PlainOf = (
  path: string,
  file: FileHandle,
  bytes: number,
) => Promise<AsyncIterable<Uint8Array> | undefined>;

/** The size and sha256 of local files, hashed from the bytes on disk. */
export interface VerifiedFiles {
  /**
   * `undefined` when it is no regular file. Throws the raw errors of the file system. `fresh`: from
   * the bytes, whatever is remembered.
   */
  measure(path: string, options?: { readonly fresh?: boolean }): Promise<MeasuredFile | undefined>;
  /**
   * Takes over what is known of a file that the caller wrote itself, and whose time of change it
   * set to one that no other writer gets: a later change shows in that time at once.
   */
  trust(path: string, measured: MeasuredFile): void;
}

/**
 * Remembers the hash of a file for as long as device, inode, size and both times stay as they were,
 * so that opening an artefact again costs one `stat`. A change that keeps all five (only possible
 * by writing to the disk below the file system) stays unseen until the process ends. `plainOf`
 * reads what is packed in an open file; `undefined` for any other.
 */
export function createVerifiedFiles(plainOf?: PlainOf): VerifiedFiles {
  const remembered = new Map<string, MeasuredFile>();

  function remember(identity: string, measured: MeasuredFile): void {
    // Put at the end: the map's order is the order of use, its first entry the one to drop.
    remembered.delete(identity);
    remembered.set(identity, measured);
    const oldest = remembered.keys().next();
    if (remembered.size > MAX_REMEMBERED && oldest.done !== true) remembered.delete(oldest.value);
  }

  async function hashOf(path: string, lookedAtMs: number): Promise<MeasuredFile> {
    const file = await open(path, 'r');
    try {
      const found = await file.stat({ bigint: true });
      const bytes = Number(found.size);
      const plain = await measurePacked(path, file, bytes);
      const measured = plain ?? {
        sha256: await sha256OfHandle(file, bytes),
        bytes,
        isPacked: false,
      };
      if (lookedAtMs - Number(found.ctimeMs) > SETTLED_AFTER_MS)
        remember(identityOf(found), measured);
      return measured;
    } finally {
      await file.close();
    }
  }

  async function measurePacked(
    path: string,
    file: FileHandle,
    bytes: number,
  ): Promise<MeasuredFile | undefined> {
    try {
      const plain = await plainOf?.(path, file, bytes);
      return plain === undefined ? undefined : { ...(await measure(plain)), isPacked: true };
    } catch (error) {
      if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
      // What cannot be unpacked is measured as it is, which is never what anybody expects.
      return undefined;
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
      return known;
    },
    trust(path, measured) {
      remember(identityOf(statSync(path, { bigint: true })), measured);
    },
  };
}

function identityOf(found: BigIntStats): string {
  return [found.dev, found.ino, found.size, found.mtimeNs, found.ctimeNs].join(' ');
}
