import { constants, open, readdir, unlink } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import path from 'node:path';
import { PipelineError } from '../../errors.ts';
import { createDurableFolders } from '../local/durable-folders.ts';
import { errnoOf, fileError } from '../shared/file-errors.ts';

/**
 * One file of the journal. It stays readable through this handle after another process removed it.
 */
export interface JournalSegment {
  readonly number: number;
  /**
   * Adds the bytes at the end in one piece, whoever else appends at the same time; on disk when it
   * resolves.
   */
  append(bytes: Uint8Array): Promise<void>;
  size(): Promise<number>;
  /** The bytes `[start, end)`, which are there. */
  read(start: number, end: number): Promise<Uint8Array>;
  close(): Promise<void>;
}

/** The files of a journal, numbered from 1. */
export interface JournalDisk {
  /** The numbers there are, ascending. */
  segments(): Promise<number[]>;
  /** Undefined when it is not there. */
  open(number: number): Promise<JournalSegment | undefined>;
  /** Opens the segment, made when it is not there; its name is on disk when it resolves. */
  create(number: number): Promise<JournalSegment>;
  /** Removes the segment; one that is gone is no error. */
  remove(number: number): Promise<void>;
}

const SEGMENT_NAME = /^journal-(\d{8})\.log$/;

/**
 * Segments as files of one folder on a local disk: appending as one piece relies on `O_APPEND`,
 * which network file systems do not keep. Throws `STORE_DENIED` (permission, full disk) and
 * `STORE_UNAVAILABLE` (the disk failed).
 */
export function createJournalDisk(folder: string): JournalDisk {
  const root = path.resolve(folder);
  const folders = createDurableFolders(root);
  const pathOf = (number: number): string =>
    path.join(root, `journal-${String(number).padStart(8, '0')}.log`);
  return {
    async segments() {
      try {
        const names = await readdir(root);
        return names.flatMap((name) => SEGMENT_NAME.exec(name)?.[1] ?? []).map(Number);
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return [];
        throw fileError(error, 'read the journal in', root);
      } finally {
        folders.forget(root);
      }
    },
    async open(number) {
      const file = pathOf(number);
      try {
        return new SegmentFile(
          number,
          file,
          await open(file, constants.O_RDWR | constants.O_APPEND),
        );
      } catch (error) {
        if (errnoOf(error) === 'ENOENT') return undefined;
        throw fileError(error, 'open the journal', file);
      }
    },
    async create(number) {
      const file = pathOf(number);
      try {
        await folders.ensure(root);
        const handle = await open(file, 'a+');
        await folders.sync(root);
        return new SegmentFile(number, file, handle);
      } catch (error) {
        throw fileError(error, 'begin the journal', file);
      }
    },
    async remove(number) {
      try {
        await unlink(pathOf(number));
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT')
          throw fileError(error, 'remove the finished journal', pathOf(number));
      }
    },
  };
}

class SegmentFile implements JournalSegment {
  readonly number: number;
  readonly #path: string;
  readonly #handle: FileHandle;

  constructor(number: number, file: string, handle: FileHandle) {
    this.number = number;
    this.#path = file;
    this.#handle = handle;
  }

  async append(bytes: Uint8Array): Promise<void> {
    try {
      // Never the rest after a short write: records of other processes may stand between, and a
      // torn one is recognised.
      const { bytesWritten } = await this.#handle.write(bytes, 0, bytes.byteLength, null);
      if (bytesWritten < bytes.byteLength)
        throw Object.assign(new Error('short write'), { code: 'ENOSPC' });
      await this.#handle.datasync();
    } catch (error) {
      throw fileError(error, 'write the journal', this.#path);
    }
  }

  async size(): Promise<number> {
    try {
      return (await this.#handle.stat()).size;
    } catch (error) {
      throw fileError(error, 'read the journal', this.#path);
    }
  }

  async read(start: number, end: number): Promise<Uint8Array> {
    const buffer = Buffer.allocUnsafe(end - start);
    let filled = 0;
    try {
      while (filled < buffer.byteLength) {
        const { bytesRead } = await this.#handle.read(
          buffer,
          filled,
          buffer.byteLength - filled,
          start + filled,
        );
        if (bytesRead === 0) throw shorter(this.#path, start + filled, end);
        filled += bytesRead;
      }
      return buffer;
    } catch (error) {
      throw fileError(error, 'read the journal', this.#path);
    }
  }

  async close(): Promise<void> {
    await this.#handle.close().catch(() => undefined);
  }
}

function shorter(file: string, at: number, end: number): PipelineError {
  return new PipelineError(
    'STORE_CORRUPT',
    `the journal ${file} became shorter while it was read, ${at} instead of ${end} bytes: keep it aside and check the disk`,
  );
}
