import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import Database from 'libsql';

import { TemporalProgramError } from './program-error.ts';

/** Longer than the slowest start and the slowest stop together. */
const PATIENCE_MS = 120_000;

/**
 * Runs `work` while no other process (and no other call in this one) does so for the same folder,
 * which is made when it is missing. The lock is SQLite's own on an empty database file: the system
 * gives it back when its holder dies, also by kill -9, so it can never be left behind. Throws
 * `STORE_DENIED` when the folder cannot be written, `CONFIG_INVALID` when the holder keeps the lock
 * for two minutes.
 */
export async function withStartLock<T>(folder: string, work: () => Promise<T>): Promise<T> {
  const file = path.join(folder, 'temporal-server.lock');
  const database = await openLockFile(file);
  try {
    await lockExclusively(database, file);
    return await work();
  } finally {
    database.close();
  }
}

async function openLockFile(file: string): Promise<Database.Database> {
  try {
    await mkdir(path.dirname(file), { recursive: true });
    return new Database(file);
  } catch (error) {
    throw notWritable(file, error);
  }
}

/**
 * SQLite tells of no release, so this asks again after growing pauses: 10 ms at first, 250 ms at
 * most.
 */
async function lockExclusively(database: Database.Database, file: string): Promise<void> {
  const deadline = Date.now() + PATIENCE_MS;
  for (let pauseMs = 10; ; pauseMs = Math.min(pauseMs * 2, 250)) {
    try {
      database.exec('BEGIN EXCLUSIVE');
      return;
    } catch (error) {
      if ((error as { code?: string }).code !== 'SQLITE_BUSY') throw notWritable(file, error);
      if (Date.now() > deadline) {
        const message = `another process has held ${file} for ${PATIENCE_MS / 1000} s: end the one that hangs`;
        throw new TemporalProgramError('CONFIG_INVALID', message, { cause: error });
      }
    }
    await delay(pauseMs);
  }
}

function notWritable(file: string, cause: unknown): TemporalProgramError {
  const reason = cause instanceof Error ? cause.message : String(cause);
  const message = `the folder of the Temporal server, ${path.dirname(file)}, cannot be written: ${reason}`;
  return new TemporalProgramError('STORE_DENIED', message, { cause });
}
