import path from 'node:path';
import { errorCodeOf } from '../../errors.ts';
import type { ArtefactRef, ObjectStore } from '../../ports/objects.ts';
import type { FetchedFile } from '../../ports/source.ts';
import { damageOf, editionPlace, loadStaged, putContent } from '../content-store.ts';
import type { Staged } from '../content-store.ts';
import type { Engine } from '../engine.ts';
import { beginReplacing, endReplacing } from '../records/replacing-names.ts';
import { namedFile } from '../sources/stored-source.ts';

/** Raw files under names that other programs know, beside the copy that is named by its hash. */

const SHORT_HASH = 8;

/** Each lost try means that another import has given the name to its file meanwhile. */
const MAX_TRIES = 10;

type RawStores = Pick<Engine, 'objects' | 'documents'>;

/**
 * Keeps a raw file under its name. When the name has other bytes already, another page or another
 * try of the hour, both stay: the new ones under a name of their own beside it, so that none
 * replaces another. The same while nobody can tell what has the name. Returns the name that has
 * them.
 */
export async function keepByName(
  objects: ObjectStore,
  name: string,
  staged: Staged,
  mediaType: string,
): Promise<string> {
  const { body, sha256, bytes } = await loadStaged(staged);
  const found = await lookUp(objects, { key: name, sha256, bytes, mediaType });
  if (found === 'right') return name;
  const own = found === 'free' ? name : besideName(name, sha256);
  await objects.put(own, body, { mediaType, mode: 'replace' });
  return own;
}

async function lookUp(
  objects: ObjectStore,
  ref: ArtefactRef,
): Promise<'free' | 'right' | 'other' | 'unknown'> {
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
 * Gives a name to the newest edition of a file that may be large; `editionOf` says where it is
 * found. Its bytes are stored once: under the name as long as it is the newest, then in the
 * archive, where recorded days find it. Several imports at the same time lose none: whoever finds
 * another under way archives its own edition before it touches the name, and whoever is found so
 * afterwards; nothing is ever taken out of the archive.
 */
export async function keepNewest(
  stores: RawStores,
  name: string,
  staged: Staged,
  mediaType: string,
): Promise<void> {
  const { objects, documents } = stores;
  const { body, ...edition } = await loadStaged(staged);
  const ref = editionOf(name, mediaType, edition);
  if ((await damageOf(objects, { ...ref, key: name })) === undefined) return;
  const archive = (): Promise<ArtefactRef> =>
    putContent(objects, editionPlace(name, mediaType), staged);
  const replacing = await beginReplacing(documents, name);
  if (!replacing.alone) await archive();
  await archiveNamed(objects, name, mediaType);
  await objects.put(name, body, { mediaType, mode: 'replace', rests: true });
  if (!(await endReplacing(documents, replacing)) && replacing.alone) await archive();
}

/** Moves the edition that has a name now out of the way of the next one. */
async function archiveNamed(objects: ObjectStore, name: string, mediaType: string): Promise<void> {
  for (let tries = 1; ; tries += 1) {
    try {
      const named = await namedFile(objects, name);
      if (named !== undefined) await putContent(objects, editionPlace(name, mediaType), named);
      return;
    } catch (error) {
      // Another edition took the name while this one was read.
      if (errorCodeOf(error) !== 'STORE_CORRUPT' || tries === MAX_TRIES) throw error;
    }
  }
}

/**
 * Where this edition of the name is archived; its key has the hash, so that every edition stays.
 */
export function editionOf(
  name: string,
  mediaType: string,
  { sha256, bytes }: Pick<FetchedFile, 'sha256' | 'bytes'>,
): ArtefactRef {
  const { folder, extension } = editionPlace(name, mediaType);
  return { key: `${folder}/${sha256}.${extension}`, sha256, bytes, mediaType };
}

/** The names of all objects that begin so, in their order. */
export async function namesUnder(
  objects: ObjectStore,
  prefixes: readonly string[],
): Promise<string[]> {
  const names: string[] = [];
  for (const prefix of prefixes) for await (const { key } of objects.list(prefix)) names.push(key);
  return [...new Set(names)].sort();
}
