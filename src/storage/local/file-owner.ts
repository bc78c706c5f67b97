import { hostname } from 'node:os';
import { isAlive } from '@quotidien/machine/living-process';

/** The beginning of the name of a file that belongs to this process, and to nobody after it. */
export function ownerMark(): string {
  return `${hostname()}~${process.pid}~`;
}

/**
 * Whether a name with such a beginning belongs to a process of this host that has ended; undefined
 * when that cannot be told.
 */
export function hasDeadOwner(name: string): boolean | undefined {
  const { host, pid } = /^(?<host>.+)~(?<pid>\d+)~/.exec(name)?.groups ?? {};
  return host === hostname() ? !isAlive(Number(pid)) : undefined;
}
