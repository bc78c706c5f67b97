import { createHash, randomUUID } from 'node:crypto';
import type { Hash } from 'node:crypto';
import {
  closeSync,
  futimesSync,
  linkSync,
  openSync,
  renameSync,
  unlinkSync,
  writeFileSync,
} from 'node:fs';
import { open, readdir, stat, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { fileError } from '../shared/file-errors.ts';
import { hasDeadOwner, ownerMark } from './file-owner.ts';
import { syncFile } from './file-sync.ts';
import { bodyChunks } from '../shared/object-body.ts';
import type { ObjectBody, PutOptions } from '../../ports/objects.ts';

/**
 * A staged file that was not touched for this long belongs to a writer that died, wherever that
 * was.
 */
const ABANDONED_AFTER_MS = 24 * 3_600_000;

/**
 * So much of a long body is sent to the disk while the next is hashed: the disk does not wait for
 * the end of it.
 */
const SEND_AHEAD_BYTES = 8 << 20;

/**
 * A body in memory up to this size is written in one go, by calls that return from the page cache
 * within tens of microseconds; only the fsync, which waits for the disk, leaves the thread.
 * Measured, a put of a small file costs half as much so.
 */
const WRITTEN_AT_ONCE_BYTES = 256 << 10;

/** A whole body on disk under a name that nobody else knows; not visible as an object. */
export interface StagedFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Writes the body to a new file in `folder`, hashed on the way and fsynced. When anything fails the
 * file is removed. A crash leaves it behind; `sweepStagedFiles` finds it.
 */
export async function stageBody(
  folder: string,
  body: ObjectBody,
  name: string = randomUUID(),
): Promise<StagedFile> {
  const staged = path.join(folder, ownerMark() + name);
  if (body instanceof Uint8Array && body.byteLength <= WRITTEN_AT_ONCE_BYTES)
    return stageAtOnce(staged, body);
  const file = await open(staged, 'wx').catch((error: unknown) => {
    throw fileError(error, 'write', staged);
  });
  try {
    return { path: staged, ...(await writeAndSync(file, staged, body)) };
  } catch (error) {
    await file.close().catch(() => undefined);
    await removeStaged(staged);
    throw error;
  }
}

async function stageAtOnce(staged: string, body: Uint8Array): Promise<StagedFile> {
  try {
    const file = openSync(staged, 'wx');
    try {
      writeFileSync(file, body);
      const stamp = nextStampSeconds();
      futimesSync(file, stamp, stamp);
      await syncFile(file);
    } finally {
      closeSync(file);
    }
  } catch (error) {
    await removeStaged(staged);
    throw fileError(error, 'write', staged);
  }
  return {
    path: staged,
    sha256: createHash('sha256').update(body).digest('hex'),
    bytes: body.byteLength,
  };
}

/** Removes a staged file; one that is gone or cannot be removed now is left to the sweep. */
export async function removeStaged(staged: string): Promise<void> {
  await unlink(staged).catch(() => undefined);
}

/** Removes what crashed writers left in the folder. */
export async function sweepStagedFiles(folder: string): Promise<void> {
  for (const name of await readdir(folder)) {
    const staged = path.join(folder, name);
    if (await isAbandonedFile(staged)) await removeStaged(staged);
  }
}

/**
 * Whether its writer has ended: at once for one of this host, after a day for another, which cannot
 * be asked.
 */
export async function isAbandonedFile(staged: string): Promise<boolean> {
  const found = await stat(staged).catch(() => undefined);
  if (found?.isFile() !== true) return false;
  return (
    hasDeadOwner(path.basename(staged)) === true || found.mtimeMs < Date.now() - ABANDONED_AFTER_MS
  );
}

async function writeAndSync(
  file: FileHandle,
  staged: string,
  body: ObjectBody,
): Promise<{ sha256: string; bytes: number }> {
  // Only our own file operations are put down to the store: what the body throws is the caller's
  // and passes unchanged.
  const own = async (operation: Promise<unknown>): Promise<void> => {
    try {
      await operation;
    } catch (error) {
      throw fileError(error, 'write', staged);
    }
  };
  const hash = createHash('sha256');
  const bytes = await writeChunks(file, body, hash, own);
  const stamp = nextStampSeconds();
  await own(file.utimes(stamp, stamp));
  await own(file.sync());
  await own(file.close());
  return { sha256: hash.digest('hex'), bytes };
}

/** Writes and hashes at once; a long body begins to go to the disk while it still comes. */
async function writeChunks(
  file: FileHandle,
  body: ObjectBody,
  hash: Hash,
  own: (operation: Promise<unknown>) => Promise<void>,
): Promise<number> {
  let bytes = 0;
  let unsent = 0;
  let isSending = false;
  let sentAhead: Promise<unknown> = Promise.resolve();
  for await (const chunk of bodyChunks(body, { oneByOne: true })) {
    // The write is on its way in a thread of its own while this one hashes.
    const written = own(file.writeFile(chunk));
    hash.update(chunk);
    await written;
    bytes += chunk.byteLength;
    unsent += chunk.byteLength;
    if (unsent < SEND_AHEAD_BYTES || isSending) continue;
    [unsent, isSending] = [0, true];
    const sending = own(file.datasync()).finally(() => (isSending = false));
    // The kernel tells of a failed write once: what it said here is not lost when the last sync is
    // fine.
    sentAhead = Promise.all([sentAhead, sending]);
    sentAhead.catch(() => undefined);
  }
  await sentAhead;
  return bytes;
}

let lastStampMicros = 0;

/**
 * The time now in seconds, never the same twice in this process. It becomes the file's mtime,
 * because the kernel's own moves in ticks of milliseconds: within one tick a freed inode can come
 * back, and two contents of equal length would get one etag.
 */
function nextStampSeconds(): number {
  lastStampMicros = Math.max(Date.now() * 1_000, lastStampMicros + 2);
  return lastStampMicros / 1_000_000;
}

/**
 * Gives a staged file its name, by calls that the page cache answers. After a link the staged name
 * would be a second one of the object; when it cannot be removed now, the sweep finds it.
 */
export function giveName(staged: string, file: string, mode: PutOptions['mode']): void {
  if (mode === 'replace') {
    renameSync(staged, file);
    return;
  }
  linkSync(staged, file);
  try {
    unlinkSync(staged);
  } catch {
    // The sweep finds it.
  }
}

/** Over NFS a `link` that worked can answer EEXIST, when its first answer was lost. */
export async function sameFile(a: string, b: string): Promise<boolean> {
  const [left, right] = await Promise.all(
    [a, b].map((file) => stat(file, { bigint: true }).catch(() => undefined)),
  );
  if (left === undefined || right === undefined) return false;
  return left.ino === right.ino && left.dev === right.dev;
}
