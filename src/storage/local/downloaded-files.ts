import { createHash } from 'node:crypto';
import { mkdir, readdir, rename, stat, unlink } from 'node:fs/promises';
import path from 'node:path';
import { endingOf } from '../shared/object-key.ts';
import { PipelineError } from '../../errors.ts';
import { errnoOf, fileError } from '../shared/file-errors.ts';
import { createHeldFiles, isMark } from './held-files.ts';
import type { HeldFiles } from './held-files.ts';
import type { ContentName } from '../../ports/objects.ts';
import { removeStaged, stageBody, sweepStagedFiles } from './staged-files.ts';
import { createVerifiedFiles } from './verified-files.ts';

/** What is verified: the hash and size that a reader expects under a key. */
export type ExpectedFile = ContentName;

/** The stored object as it is now; `etag` changes with its bytes. */
export interface Download {
  readonly etag: string;
  readonly stream: AsyncIterable<Uint8Array>;
}

/**
 * Local copies of remote objects, in one folder that processes may share.
 *
 * 1. A path is only given when its bytes were found right: hashed while they came, and again from
 *    the disk when the file changed since.
 * 2. A copy counts for one key at one etag, both part of its name: a key that was deleted or
 *    replaced does not live on as a copy.
 * 3. A copy appears whole, by one rename. What a killed process left half is removed after a day.
 * 4. When the copies are larger than `maxBytes` together, the oldest go until they fit; the one
 *    just made stays whatever its size. Anybody may delete any file at any time: a path is for
 *    opening soon, and who has it open reads on. Copies that are held stay.
 */
export interface DownloadedFiles {
  /** The path of the copy when it is there and right. */
  find(expected: ExpectedFile, etag: string): Promise<string | undefined>;
  /** The copy stays until the signal is aborted; false when it is gone already. */
  hold(copy: string, until: AbortSignal): Promise<boolean>;
  /**
   * Makes the copy and gives its path; `STORE_CORRUPT` when the object has other bytes than
   * expected.
   */
  add(expected: ExpectedFile, download: Download): Promise<string>;
}

/** Sweeps what killed processes left half, at the first call that makes a copy. */
export function createDownloadedFiles(
  folder: string,
  maxBytes = Number.POSITIVE_INFINITY,
): DownloadedFiles {
  const staging = path.join(folder, '.incoming');
  const verified = createVerifiedFiles();
  const held = createHeldFiles();
  let opened: Promise<void> | undefined;

  async function openStaging(): Promise<void> {
    try {
      opened ??= mkdir(staging, { recursive: true }).then(() => sweepStagedFiles(staging));
      await opened;
      // Again, because the folder may have been emptied since; one system call beside a download.
      await mkdir(staging, { recursive: true });
    } catch (error) {
      opened = undefined;
      throw fileError(error, 'write to the folder of copies', folder);
    }
  }

  return {
    async find(expected, etag) {
      const copy = copyPath(folder, expected, etag);
      try {
        const found = await verified.measure(copy);
        return found?.sha256 === expected.sha256 && found.bytes === expected.bytes
          ? copy
          : undefined;
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return undefined;
        throw fileError(error, 'read', copy);
      }
    },
    async hold(copy, until) {
      try {
        held.hold(copy, until);
        return (await stat(copy)).isFile();
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return false;
        throw fileError(error, 'read', copy);
      }
    },
    async add(expected, download) {
      const copy = copyPath(folder, expected, download.etag);
      await openStaging();
      const staged = await stageBody(staging, download.stream);
      try {
        if (staged.sha256 !== expected.sha256 || staged.bytes !== expected.bytes)
          throw corrupt(expected, staged);
        await mkdir(path.dirname(copy), { recursive: true });
        await rename(staged.path, copy);
      } catch (error) {
        await removeStaged(staged.path);
        throw fileError(error, 'write', copy);
      }
      if (maxBytes !== Number.POSITIVE_INFINITY)
        await makeRoom({ folder, maxBytes, held, justMade: copy });
      return copy;
    },
  };
}

interface Room {
  readonly folder: string;
  readonly maxBytes: number;
  readonly held: HeldFiles;
  readonly justMade: string;
}

/**
 * Removes the oldest copies until all of them fit; a copy that another process removes meanwhile is
 * gone as well.
 */
async function makeRoom({ folder, maxBytes, held, justMade }: Room): Promise<void> {
  const copies = (await copiesIn(folder)).sort((a, b) => a.madeAtMs - b.madeAtMs);
  let bytes = copies.reduce((sum, copy) => sum + copy.bytes, 0);
  for (const copy of copies) {
    if (bytes <= maxBytes) return;
    if (copy.path === justMade || held.isHeld(copy.path)) continue;
    try {
      await unlink(copy.path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT') throw fileError(error, 'remove', copy.path);
    }
    bytes -= copy.bytes;
  }
}

interface Copy {
  readonly path: string;
  readonly bytes: number;
  readonly madeAtMs: number;
}

async function copiesIn(folder: string): Promise<Copy[]> {
  const found: Copy[] = [];
  // Folders of two hexadecimal digits are ours; the rest may be another store's, which keeps its
  // own size.
  const names = (await readdir(folder)).filter((name) => /^[0-9a-f]{2}$/.test(name));
  for (const name of names) {
    for (const file of await readdir(path.join(folder, name)).catch(() => [])) {
      if (isMark(file)) continue;
      const copy = path.join(folder, name, file);
      const status = await stat(copy).catch(() => undefined);
      if (status?.isFile() === true)
        found.push({ path: copy, bytes: status.size, madeAtMs: status.mtimeMs });
    }
  }
  return found;
}

function copyPath(folder: string, expected: ExpectedFile, etag: string): string {
  const identity = createHash('sha256')
    .update(`${expected.key}\n${etag}`)
    .digest('hex')
    .slice(0, 16);
  // Some readers go by the ending of a name.
  const ending = endingOf(expected.key);
  return path.join(folder, expected.sha256.slice(0, 2), `${expected.sha256}-${identity}${ending}`);
}

/** The stored object is not what was recorded of it. */
export function corrupt(
  expected: ExpectedFile,
  found: { sha256?: string; bytes: number },
): PipelineError {
  const hash = found.sha256 === undefined ? '' : ` with sha256 ${found.sha256}`;
  return new PipelineError(
    'STORE_CORRUPT',
    `the object ${expected.key} has ${found.bytes} bytes${hash} instead of ${expected.bytes} bytes with ` +
      `${expected.sha256}: keep it aside, check the store, then re-run the day to rebuild it`,
    { context: { key: expected.key } },
  );
}
