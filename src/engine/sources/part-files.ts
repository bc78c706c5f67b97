import { createHash, randomUUID } from 'node:crypto';
import { readdir, rename, rm, stat } from 'node:fs/promises';
import { hostname } from 'node:os';
import path from 'node:path';
import { isAlive } from '@quotidien/machine/living-process';
import { matchOf } from '../../given.ts';

/**
 * Partial bodies of downloads: `<name>.<owner>.<id>.part`, with `….part.json` beside it for what is
 * known of them. A file belongs to the process that its name tells, and nobody else touches it
 * while that process lives. What an ended process or a failed try left is taken by renaming it,
 * which only one can win; so no two ever write into one file, and none is kept for ever.
 */

const THIS_HOST = createHash('sha256').update(hostname()).digest('hex').slice(0, 8);

/** This process among all that had or will have its id, which a container gives anew to each. */
const THIS_PROCESS = `${THIS_HOST}-${process.pid}-${randomUUID().slice(0, 8)}`;
const NOBODY = 'left';

/**
 * A process of another host, or container, cannot be asked whether it lives; one that writes does
 * so more often than this.
 */
const FOREIGN_FILE_LASTS_MS = 10 * 60_000;

/**
 * A file of our own to write to, which goes on with what was left of the same name, if anything.
 */
export async function takePart(folder: string, name: string): Promise<string> {
  const own = path.join(folder, `${name}.${THIS_PROCESS}.${randomUUID()}.part`);
  let taken = false;
  for (const left of await leftOf(folder, name)) {
    if (taken || !left.endsWith('.part')) await removePart(left);
    else taken = await renamePart(left, own);
  }
  return own;
}

/**
 * Leaves a part for the next try, in whatever process; one that got its name is no part any more.
 */
export async function leavePart(part: string): Promise<void> {
  await renamePart(part, part.replace(`.${THIS_PROCESS}.`, `.${NOBODY}.`));
}

/** The name of a part that is whole. */
export async function finishPart(part: string): Promise<string> {
  const body = part.replace(/\.part$/, '.body');
  await rename(part, body);
  await rm(`${part}.json`, { force: true });
  return body;
}

/** Parts and finished bodies of the name whose owner is gone. */
async function leftOf(folder: string, name: string): Promise<string[]> {
  const files = (await readdir(folder)).filter(
    (file) => file.startsWith(`${name}.`) && /\.(part|body)$/.test(file),
  );
  const paths = files.map((file) => path.join(folder, file));
  const owned = await Promise.all(paths.map(isOwned));
  return paths.filter((_, place) => owned[place] === false);
}

async function isOwned(file: string): Promise<boolean> {
  const [, owner] = path.basename(file).split('.');
  const [, host, pid] = matchOf(/^([0-9a-f]{8})-(\d+)-/, owner) ?? [];
  if (host === undefined) return false;
  if (host === THIS_HOST)
    return Number(pid) === process.pid ? owner === THIS_PROCESS : isAlive(Number(pid));
  const found = await stat(file).catch(() => undefined);
  return found !== undefined && Date.now() - found.mtimeMs < FOREIGN_FILE_LASTS_MS;
}

/** Whether it was still there; what is known of it comes along where there is anything. */
async function renamePart(from: string, to: string): Promise<boolean> {
  try {
    await rename(from, to);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return false;
    throw error;
  }
  await rename(`${from}.json`, `${to}.json`).catch(() => undefined);
  return true;
}

async function removePart(part: string): Promise<void> {
  await rm(part, { force: true });
  await rm(`${part}.json`, { force: true });
}
