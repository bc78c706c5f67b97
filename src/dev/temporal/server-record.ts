import { randomUUID } from 'node:crypto';
import { readFile, rename, rm } from 'node:fs/promises';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';

import { Connection } from '@temporalio/client';

import { isAlive } from '../../machine/living-process.ts';
import { isOpen } from './server-process.ts';

const ANSWER_WITHIN_MS = 5_000;
const START_WITHIN_MS = 10_000;
const START_SETTLES_MS = 2_000;

/** What `<home>/temporal-server.json` says about the server that holds the database in this folder. */
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
   * The server's name for its database: drawn when the database is made and kept in it. It tells our server from any
   * other that listens on the same port. Missing from the moment of the start until the server is ready.
   */
  readonly clusterId?: string | undefined;
  /** The programs that use the server, one entry for each use; the last one to leave stops it. */
  readonly users: readonly number[];
}

export function recordFile(home: string): string {
  return path.join(home, 'temporal-server.json');
}

/** The record as written, whether it is still true or not; undefined when there is none or it cannot be read. */
export async function readRecord(home: string): Promise<ServerRecord | undefined> {
  const text = await readFile(recordFile(home), 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  try {
    const parsed = JSON.parse(text) as Partial<ServerRecord> | null;
    const complete =
      Number.isInteger(parsed?.pid) && typeof parsed?.address === 'string' && Array.isArray(parsed.users);
    return complete ? (parsed as ServerRecord) : undefined;
  } catch {
    return undefined;
  }
}

/** Replaces the record; a reader sees the old or the new one, never half of one. Call under the start lock. */
export async function replaceRecord(home: string, record: ServerRecord): Promise<void> {
  const scratch = `${recordFile(home)}.${randomUUID()}`;
  writeFileSync(scratch, serialize(record));
  await rename(scratch, recordFile(home));
}

/**
 * Writes the first record of a server in the same breath as its start, before anything can interrupt us: without it a
 * kill -9 at this moment would leave a server that nobody finds again. It may be read half-written, as no record.
 */
export function writeFirstRecord(home: string, record: ServerRecord): void {
  writeFileSync(recordFile(home), serialize(record));
}

function serialize(record: ServerRecord): string {
  return `${JSON.stringify(record, undefined, 2)}\n`;
}

export async function removeRecord(home: string): Promise<void> {
  await rm(recordFile(home), { force: true });
}

/** What stands behind the record of a folder. */
export type ServerStanding =
  /** No server: no record, or one that a crash left behind. */
  | { readonly state: 'none' }
  | { readonly state: 'running'; readonly record: ServerRecord & { readonly clusterId: string } }
  /** The recorded process lives and its port is open, and no Temporal answers there. */
  | { readonly state: 'silent'; readonly record: ServerRecord };

/**
 * Finds out whether the recorded server runs: its process lives, and what answers at its address has the recorded
 * database. A server whose start was cut short is given ten seconds to open its port.
 */
export async function serverStanding(home: string): Promise<ServerStanding> {
  const record = await readRecord(home);
  if (record === undefined || !isAlive(record.pid)) return { state: 'none' };
  const open = record.clusterId === undefined ? await opensSoon(record) : await isOpen(portOf(record.address));
  if (!open) return { state: 'none' };
  const clusterId = await clusterIdAt(record.address);
  if (clusterId === undefined) return { state: 'silent', record };
  if (record.clusterId !== undefined && record.clusterId !== clusterId) return { state: 'none' };
  return { state: 'running', record: { ...record, clusterId } };
}

/** The server that runs for this folder; undefined also for a record that was left behind, and for a silent server. */
export async function findRunningServer(home: string): Promise<ServerRecord | undefined> {
  const standing = await serverStanding(home);
  return standing.state === 'running' ? standing.record : undefined;
}

/**
 * Whether a server whose start was cut short gets to hold its port. It is asked no sooner than two seconds after its
 * start: until then the port may be another server's, and ours about to crash for want of it.
 */
async function opensSoon({ address, pid, startedAt }: ServerRecord): Promise<boolean> {
  const trustedAt = Date.parse(startedAt) + START_SETTLES_MS;
  const deadline = Date.now() + START_WITHIN_MS;
  while (isAlive(pid) && Date.now() < deadline) {
    if (Date.now() > trustedAt && (await isOpen(portOf(address)))) return true;
    await delay(100);
  }
  return false;
}

/** The port of `127.0.0.1:<port>`. */
export function portOf(address: string): number {
  return Number(address.slice(address.lastIndexOf(':') + 1));
}

/** Asks a Temporal server for the name of its database; undefined when none answers within five seconds. */
async function clusterIdAt(address: string): Promise<string | undefined> {
  try {
    const connection = await Connection.connect({ address, connectTimeout: ANSWER_WITHIN_MS });
    try {
      return await clusterIdOf(connection);
    } finally {
      await connection.close();
    }
  } catch {
    return undefined;
  }
}

/** See `ServerRecord.clusterId`. */
export async function clusterIdOf(connection: Connection): Promise<string> {
  const { clusterId } = await connection.withDeadline(Date.now() + ANSWER_WITHIN_MS, () =>
    connection.workflowService.getClusterInfo({}),
  );
  return clusterId;
}
