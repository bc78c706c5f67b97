import { randomUUID } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import path from 'node:path';

/*
 * The file alone, without a question to the server: every command loads this module for its end by
 * a second Ctrl-C, and the client of Temporal would be half of what a small command takes.
 */

/**
 * What `<home>/temporal-server.json` says about the server that holds the database in this folder.
 */
export interface ServerRecord {
  /** Of the server, not of the program that started it. */
  readonly pid: number;
  /** `127.0.0.1:<port>`. */
  readonly address: string;
  readonly uiUrl: string;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly cliVersion: string;
  /** Absolute. */
  readonly dbFile: string;
  /**
   * The server's name for its database: drawn when the database is made and kept in it. It tells
   * our server from any other that listens on the same port. Missing from the moment of the start
   * until the server is ready.
   */
  readonly clusterId?: string | undefined;
  /** The programs that use the server, one entry for each use; the last one to leave stops it. */
  readonly users: readonly number[];
}

/** Path of the record; it need not exist. */
export function recordFile(home: string): string {
  return path.join(home, 'temporal-server.json');
}

/**
 * The record as written, whether it is still true or not; undefined when there is none or it cannot
 * be read.
 */
export async function readRecord(home: string): Promise<ServerRecord | undefined> {
  const text = await readFile(recordFile(home), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const parsed = JSON.parse(text) as Partial<ServerRecord> | null;
    const complete =
      Number.isInteger(parsed?.pid) &&
      typeof parsed?.address === 'string' &&
      Array.isArray(parsed.users);
    return complete ? (parsed as ServerRecord) : undefined;
  } catch {
    return undefined;
  }
}

/**
 * Replaces the record; a reader sees the old or the new one, never half of one. Call under the
 * start lock.
 */
export async function replaceRecord(home: string, record: ServerRecord): Promise<void> {
  const scratch = `${recordFile(home)}.${randomUUID()}`;
  writeFileSync(scratch, serialize(record));
  await rename(scratch, recordFile(home));
}

/**
 * Writes the first record of a server in the same breath as its start, before anything can
 * interrupt us: without it a kill -9 at this moment would leave a server that nobody finds again.
 * It may be read half-written, as no record.
 */
export function writeFirstRecord(home: string, record: ServerRecord): void {
  writeFileSync(recordFile(home), serialize(record));
}

function serialize(record: ServerRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

/** A record that is gone already is no error. */
export async function removeRecord(home: string): Promise<void> {
  await rm(recordFile(home), { force: true });
}
