import { setTimeout as delay } from 'node:timers/promises';

import { Connection } from '@temporalio/client';

import { isAlive } from '@quotidien/machine/living-process';
import { isOpen } from './server-process.ts';
import { readRecord } from './server-record.ts';
import type { ServerRecord } from './server-record.ts';

const ANSWER_WITHIN_MS = 5_000;
const START_WITHIN_MS = 10_000;
const START_SETTLES_MS = 2_000;

/** What stands behind the record of a folder. */
export type ServerStanding =
  /** No server: no record, or one that a crash left behind. */
  | { readonly state: 'none' }
  | { readonly state: 'running'; readonly record: ServerRecord & { readonly clusterId: string } }
  /** The recorded process lives and its port is open, and no Temporal answers there. */
  | { readonly state: 'silent'; readonly record: ServerRecord };

/**
 * Finds out whether the recorded server runs: its process lives, and what answers at its address
 * has the recorded database. A server whose start was cut short is given ten seconds to open its
 * port.
 */
export async function serverStanding(home: string): Promise<ServerStanding> {
  const record = await readRecord(home);
  if (record === undefined || !isAlive(record.pid)) return { state: 'none' };
  const open =
    record.clusterId === undefined ? await opensSoon(record) : await isOpen(portOf(record.address));
  if (!open) return { state: 'none' };
  const clusterId = await clusterIdAt(record.address);
  if (clusterId === undefined) return { state: 'silent', record };
  if (record.clusterId !== undefined && record.clusterId !== clusterId) return { state: 'none' };
  return { state: 'running', record: { ...record, clusterId } };
}

/**
 * The server that runs for this folder; undefined also for a record that was left behind, and for a
 * silent server.
 */
export async function findRunningServer(home: string): Promise<ServerRecord | undefined> {
  const standing = await serverStanding(home);
  return standing.state === 'running' ? standing.record : undefined;
}

/**
 * Whether a server whose start was cut short gets to hold its port. It is asked no sooner than two
 * seconds after its start: until then the port may be another server's, and ours about to crash for
 * want of it.
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

/**
 * Asks a Temporal server for the name of its database; undefined when none answers within five
 * seconds.
 */
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
