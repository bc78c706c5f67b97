import { mkdir, readFile, readdir, rename, unlink, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { BreakerState, CircuitBreaker } from './circuit-breaker.ts';
import { errnoOf, fileError } from '../shared/file-errors.ts';
import { isAlive } from '@quotidien/machine/living-process';

/** What a process of this host knows of a store that does not answer it. */
export interface BreakerNote {
  readonly pid: number;
  /** Such as `the object store (s3)`. */
  readonly name: string;
  readonly state: BreakerState;
}

const NOTE_NAME = /^breakers-(\d+)\.json$/;

/**
 * Keeps a file with the breakers of this process that are not closed, so that other processes of
 * the host, such as `doctor`, can tell of them; without such breakers there is none. It is a notice
 * for people: one that cannot be written changes nothing.
 */
export function noteBreakers(
  folder: string,
  breakers: readonly Pick<CircuitBreaker, 'name' | 'state' | 'onChange'>[],
): { close(): Promise<void> } {
  const file = path.join(folder, `breakers-${process.pid}.json`);
  let written: Promise<unknown> = Promise.resolve();
  const write = (notes: readonly BreakerNote[]): void => {
    written = written
      .then(() => (notes.length === 0 ? unlink(file) : replace(folder, file, notes)))
      .catch(() => undefined);
  };
  const note = (): void => {
    const states = breakers.map((breaker) => ({
      pid: process.pid,
      name: breaker.name,
      state: breaker.state(),
    }));
    write(states.filter(({ state }) => state.state !== 'closed'));
  };
  const ends = breakers.map((breaker) => breaker.onChange(note));
  return {
    async close() {
      for (const end of ends) end();
      write([]);
      await written;
    },
  };
}

/** The notes of the living processes of this host. */
export async function readBreakerNotes(folder: string): Promise<BreakerNote[]> {
  const notes: BreakerNote[] = [];
  for (const name of await namesIn(folder)) {
    const pid = Number(NOTE_NAME.exec(name)?.[1] ?? 0);
    if (pid === 0) continue;
    const file = path.join(folder, name);
    if (isAlive(pid)) notes.push(...(await readNote(file)));
    else await unlink(file).catch(() => undefined);
  }
  return notes;
}

async function replace(folder: string, file: string, notes: readonly BreakerNote[]): Promise<void> {
  await mkdir(folder, { recursive: true });
  await writeFile(`${file}.new`, JSON.stringify(notes));
  await rename(`${file}.new`, file);
}

async function readNote(file: string): Promise<BreakerNote[]> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as BreakerNote[];
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw fileError(error, 'read', file);
  }
}

async function namesIn(folder: string): Promise<string[]> {
  try {
    return await readdir(folder);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw fileError(error, 'read', folder);
  }
}
