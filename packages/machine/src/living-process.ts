import { readFileSync } from 'node:fs';

/**
 * Whether a process of this host has this id, ours or another user's. An id may have been given
 * anew: this is never a proof of who it is.
 */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
  return !isDefunct(pid);
}

/**
 * Whether a process has ended and waits for its parent to take note. An orphan's new parent is
 * process 1, and in a container that may be a program that never does. Linux only; elsewhere
 * process 1 is a real init.
 */
function isDefunct(pid: number): boolean {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'latin1').includes(') Z ');
  } catch {
    return false;
  }
}

/** Linux tells processor time in these. */
const TICKS_PER_S = 100;

/**
 * Processor time that a process has taken so far, in seconds; undefined where it has ended, or is
 * not told.
 */
export function processorSeconds(pid: number): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name in brackets may hold spaces; after it the 12th and 13th field are user and system
    // time.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return (Number(fields[11]) + Number(fields[12])) / TICKS_PER_S;
  } catch {
    return undefined;
  }
}
