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
