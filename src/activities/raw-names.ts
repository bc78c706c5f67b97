import { createWriteStream } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import os from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errorCodeOf } from '../errors.ts';
import type { ArtefactRef, ObjectStore } from '../storage/ports.ts';
import { damageOf, editionPlace, loadStaged, putContent } from './content-store.ts';
import type { Staged } from './content-store.ts';

/** Raw files under names that other programs know, beside the copy that is named by its hash. */

const SHORT_HASH = 8;

/**
 * Keeps a raw file under its name. When the name has other bytes already, another page or another try of the hour, both stay: the new ones
 * under a name of their own beside it, so that none replaces another. The same while nobody can tell what has the name.
 */
export async function keepByName(objects: ObjectStore, name: string, staged: Staged, mediaType: string): Promise<void> {
  const { body, sha256, bytes } = await loadStaged(staged);
  const found = await lookUp(objects, { key: name, sha256, bytes, mediaType });
  if (found === 'right') return;
  await objects.put(found === 'free' ? name : besideName(name, sha256), body, { mediaType, mode: 'replace' });
}

async function lookUp(objects: ObjectStore, ref: ArtefactRef): Promise<'free' | 'right' | 'other' | 'unknown'> {
  try {
    if ((await objects.head(ref.key)) === undefined) return 'free';
    return (await damageOf(objects, ref)) === undefined ? 'right' : 'other';
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_UNAVAILABLE') throw error;
    return 'unknown';
  }
}

/** `…/bikes_data.json` → `…/bikes_data.1f2e3d4c.json` */
export function besideName(name: string, sha256: string): string {
  const { dir, name: stem, ext } = path.posix.parse(name);
  return `${dir}/${stem}.${sha256.slice(0, SHORT_HASH)}${ext}`;
}

/**
 * Gives a name to the newest edition of a file that may be large, and answers the edition. Its bytes are stored once: under the name as long as
 * it is the newest, then in the archive, where recorded days find it.
 */
export async function keepNewest(
  objects: ObjectStore,
  name: string,
  staged: Staged,
  mediaType: string,
): Promise<ArtefactRef> {
  const { body, ...edition } = await loadStaged(staged);
  const ref = editionOf(name, mediaType, edition);
  if ((await damageOf(objects, { ...ref, key: name })) === undefined) return ref;
  if ((await objects.head(name)) !== undefined) {
    await withJoined(objects, [name], (path) => putContent(objects, editionPlace(name, mediaType), { path }));
  }
  await objects.put(name, body, { mediaType, mode: 'replace' });
  // An earlier edition that is the newest again.
  await objects.delete(ref.key);
  return ref;
}

/** The edition that somebody put under a name. */
export async function newestEdition(name: string, file: string, mediaType: string): Promise<ArtefactRef> {
  return editionOf(name, mediaType, await loadStaged({ path: file }));
}

function editionOf(
  name: string,
  mediaType: string,
  { sha256, bytes }: { readonly sha256: string; readonly bytes: number },
): ArtefactRef {
  const { folder, extension } = editionPlace(name, mediaType);
  return { key: `${folder}/${sha256}.${extension}`, sha256, bytes, mediaType };
}

/** The names of all objects that begin so, in their order. */
export async function namesUnder(objects: ObjectStore, prefixes: readonly string[]): Promise<string[]> {
  const names: string[] = [];
  for (const prefix of prefixes) for await (const { key } of objects.list(prefix)) names.push(key);
  return [...new Set(names)].sort();
}

/** Uses one local file that has the bytes of all these objects, a line end after each. */
export async function withJoined<T>(
  objects: ObjectStore,
  names: readonly string[],
  use: (file: string) => Promise<T>,
): Promise<T> {
  const folder = await mkdtemp(path.join(os.tmpdir(), 'quotidien-raw-'));
  const file = path.join(folder, path.posix.basename(names[0] ?? 'raw'));
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const [index, name] of names.entries()) {
      if (index > 0) yield Buffer.from('\n');
      const stream = await objects.get(name);
      // Removed between the listing and now: it is no longer part of the day.
      if (stream !== undefined) yield* stream;
    }
  }
  try {
    await pipeline(bytes(), createWriteStream(file));
    return await use(file);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
