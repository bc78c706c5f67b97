import { randomUUID } from 'node:crypto';
import { watch } from 'node:fs';
import { link, readFile, rename, stat, unlink, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { errnoOf, fileError } from '../shared/file-errors.ts';
import { isAlive } from '@quotidien/machine/living-process';

/**
 * The removal of a lock wakes its waiters; a holder that was killed removes nothing, so it is
 * looked at after this long.
 */
const LOOK_AT_HOLDER_AFTER_MS = 2_000;

/** The holder on another host cannot be asked whether it lives. */
const FOREIGN_LOCK_LASTS_MS = 10 * 60_000;

/** This process among all that had or will have its id. */
const PROCESS_TOKEN = randomUUID();

interface Holder {
  readonly host: string;
  readonly pid: number;
  readonly token: string;
}

/**
 * Runs `work` while no other process of this host does so for the same lock file, whose folder
 * exists. The file appears whole, by a hard link, with the process that holds it; one whose holder
 * is dead is broken.
 *
 * It saves doing the same work twice, and is no more than that: two processes that break the same
 * dead lock in the same moment may both go on, so what they do must be right when done twice. Ours,
 * because proper-lockfile polls, and takes a holder for dead by the age of its file: a process that
 * was stopped for a while would lose a lock that it holds.
 */
export async function withHostLock<T>(file: string, work: () => Promise<T>): Promise<T> {
  while (!(await take(file))) await freed(file);
  try {
    return await work();
  } finally {
    await unlink(file).catch(() => undefined);
  }
}

async function take(file: string): Promise<boolean> {
  const own = `${file}.${randomUUID()}`;
  const holder: Holder = { host: hostname(), pid: process.pid, token: PROCESS_TOKEN };
  try {
    await writeFile(own, JSON.stringify(holder), { flag: 'wx' });
    await link(own, file);
    return true;
  } catch (error) {
    if (errnoOf(error) === 'EEXIST') return false;
    throw fileError(error, 'take the lock', file);
  } finally {
    await unlink(own).catch(() => undefined);
  }
}

/** Resolves when the lock may be free: it was removed, or its holder turned out to be dead. */
async function freed(file: string): Promise<void> {
  const stopped = new AbortController();
  try {
    // Watched before the look, so that a removal in between is not missed.
    const removed = removal(file, stopped.signal);
    for (;;) {
      const text = await readLock(file);
      if (text === undefined) return;
      if (!(await isHeld(file, text))) {
        await breakLock(file, text);
        return;
      }
      if (await Promise.race([removed, pause(stopped.signal)])) return;
    }
  } finally {
    stopped.abort();
  }
}

/** True when something happened to the lock file; every waiter looks for itself then. */
function removal(file: string, signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const name = path.basename(file);
    try {
      const watcher = watch(path.dirname(file), { signal, persistent: true }, (event, changed) => {
        if (event === 'rename' && changed === name) resolve(true);
      });
      // Without events (too many watches, a removed folder) the looks at the holder remain.
      watcher.on('error', () => undefined);
    } catch {
      // As above.
    }
  });
}

function pause(signal: AbortSignal): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => {
      resolve(false);
    }, LOOK_AT_HOLDER_AFTER_MS);
    signal.addEventListener('abort', () => {
      clearTimeout(timer);
    });
  });
}

/** Undefined when nobody holds it any more. */
async function readLock(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return undefined;
    throw fileError(error, 'read the lock', file);
  }
}

async function isHeld(file: string, text: string): Promise<boolean> {
  const holder = holderIn(text);
  if (holder === undefined) return false;
  if (holder.host !== hostname()) {
    const found = await stat(file).catch(() => undefined);
    return found !== undefined && Date.now() - found.mtimeMs < FOREIGN_LOCK_LASTS_MS;
  }
  // A process id is given anew after a restart, in a container even the same one.
  return holder.pid === process.pid ? holder.token === PROCESS_TOKEN : isAlive(holder.pid);
}

/** Undefined for what a power loss left of one. */
function holderIn(text: string): Holder | undefined {
  try {
    return JSON.parse(text) as Holder;
  } catch {
    return undefined;
  }
}

/** Takes a dead holder's lock away; one that a living process took in the meantime is put back. */
async function breakLock(file: string, deadText: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
    if ((await readFile(aside, 'utf8')) !== deadText) await link(aside, file);
    await unlink(aside);
  } catch (error) {
    await unlink(aside).catch(() => undefined);
    const errno = errnoOf(error);
    if (errno !== 'ENOENT' && errno !== 'EEXIST') throw fileError(error, 'break the lock', file);
  }
}
