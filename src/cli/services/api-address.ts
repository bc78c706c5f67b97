import { readFile, rm, writeFile } from 'node:fs/promises';
import path from 'node:path';

/** Where it listens unless told otherwise. */
export const API_PORT = 8_080;

/** Where the API of a home listens, for commands that lead a person there. */
interface ApiAddress {
  readonly url: string;
  readonly pid: number;
}

function fileOf(home: string): string {
  return path.join(home, 'api.json');
}

/** Remembers the address; of several servers of a home the last one counts. */
export async function keepApiAddress(home: string, url: string): Promise<void> {
  await writeFile(
    fileOf(home),
    `${JSON.stringify({ url, pid: process.pid } satisfies ApiAddress)}\n`,
  );
}

/** Forgets the address, unless another server has taken the place. */
export async function forgetApiAddress(home: string, url: string): Promise<void> {
  if ((await readApiAddress(home)) === url) await rm(fileOf(home), { force: true });
}

/** The address that the last server kept, whether it still listens or not. */
export async function readApiAddress(home: string): Promise<string | undefined> {
  try {
    return (JSON.parse(await readFile(fileOf(home), 'utf8')) as ApiAddress).url;
  } catch {
    // Never written, or half written by a server that was killed.
    return undefined;
  }
}
