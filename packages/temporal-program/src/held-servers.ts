import { readFileSync, rmSync } from 'node:fs';
import { isAlive } from '@quotidien/machine/living-process';
import { recordFile } from './server-record.ts';
import type { ServerRecord } from './server-record.ts';

/**
 * The servers that this process uses, for an end that cannot wait: a server runs in a session of
 * its own, and would outlive it.
 */

const held = new Map<string, number>();

/** From the moment that its process is there; `letGoServer` when it was left in order. */
export function holdServer(home: string, pid: number): void {
  held.set(home, pid);
}

/** A home that was not held is no error. */
export function letGoServer(home: string): void {
  held.delete(home);
}

/** Kills, at once, the servers that nobody else uses. Nothing of them is lost by that. */
export function killHeldServers(): void {
  for (const [home, pid] of held) {
    if (usersOf(home, pid).some((user) => user !== process.pid && isAlive(user))) continue;
    try {
      process.kill(pid, 'SIGKILL');
      rmSync(recordFile(home), { force: true });
    } catch {
      // It has ended already, or its folder is gone: there is nothing left to do, and nobody to
      // tell.
    }
  }
  held.clear();
}

/** None when the record cannot be read, or is that of another server. */
function usersOf(home: string, pid: number): readonly number[] {
  try {
    const record = JSON.parse(
      readFileSync(recordFile(home), 'utf8'),
    ) as Partial<ServerRecord> | null;
    return record?.pid === pid ? (record.users ?? []) : [];
  } catch {
    return [];
  }
}
