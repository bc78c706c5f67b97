import { randomUUID } from 'node:crypto';
import { readFile, rm, writeFile } from 'node:fs/promises';

export interface FileClaim {
  /** The wanted path, or one of its own when somebody alive works on the wanted one. */
  readonly path: string;
  release(): Promise<void>;
}

/** Makes sure that no two tasks of this host write into one partial file; a claim of a dead process is taken over. */
export async function claimFile(wanted: string): Promise<FileClaim> {
  const lock = `${wanted}.lock`;
  for (let attempt = 0; attempt < 2; attempt += 1) {
    try {
      await writeFile(lock, String(process.pid), { flag: 'wx' });
      return { path: wanted, release: () => rm(lock, { force: true }) };
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
      if (isAlive(Number(await readFile(lock, 'utf8').catch(() => '0')))) break;
      await rm(lock, { force: true });
    }
  }
  return { path: `${wanted}.${randomUUID()}`, release: () => Promise.resolve() };
}

function isAlive(pid: number): boolean {
  if (pid <= 0) return false;
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}
