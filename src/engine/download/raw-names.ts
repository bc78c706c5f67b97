import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { errorCodeOf } from '../../errors.ts';
import type { ArtefactRef, ObjectHead, ObjectStore } from '../../ports/objects.ts';
import { damageOf, editionPlace, loadStaged, putContent } from '../content-store.ts';
import type { Staged } from '../content-store.ts';
import type { Engine } from '../engine.ts';
import { beginReplacing, endReplacing } from '../records/replacing-names.ts';

/** Raw files under names that other programs know, beside the copy that is named by its hash. */

const SHORT_HASH = 8;

/** Each lost try means that another import has given the name to its file meanwhile. */
const MAX_TRIES = 10;

type RawStores = Pick<Engine, 'objects' | 'documents'>;

/**
 * Keeps a raw file under its name. When the name has other bytes already, another page or another try of the hour, both stay: the new ones
 * under a name of their own beside it, so that none replaces another. The same while nobody can tell what has the name. Returns the name that
 * has them.
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
 * Gives a name to the newest edition of a file that may be large; `editionOf` says where it is found. Its bytes are stored once: under the name as long as
 * it is the newest, then in the archive, where recorded days find it. Several imports at the same time lose none: whoever finds another under way
 * archives its own edition before it touches the name, and whoever is found so afterwards; nothing is ever taken out of the archive.
 */
export async function keepNewest(stores: RawStores, name: string, staged: Staged, mediaType: string): Promise<void> {
  const { objects, documents } = stores;
  const { body, ...edition } = await loadStaged(staged);
  const ref = editionOf(name, mediaType, edition);
  if ((await damageOf(objects, { ...ref, key: name })) === undefined) return;
  const archive = (): Promise<ArtefactRef> => putContent(objects, editionPlace(name, mediaType), staged);
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

/** The object under a name as a verified local file, without a copy of it where the store has its objects on this disk. */
export async function namedFile(objects: ObjectStore, name: string): Promise<NamedFile | undefined> {
  const stream = await objects.get(name);
  if (stream === undefined) return undefined;
  const hash = createHash('sha256');
  let bytes = 0;
  for await (const chunk of stream) {
    hash.update(chunk);
    bytes += chunk.byteLength;
  }
  const sha256 = hash.digest('hex');
  const file = await objects.openLocal({ key: name, sha256, bytes });
  return file === undefined ? undefined : { path: file, sha256, bytes };
}

/** A readable file with the content that its name had when it was opened. */
export interface NamedFile {
  readonly path: string;
  readonly sha256: string;
  readonly bytes: number;
}

/**
 * Where this edition of the name is archived; its key has the hash, so that every edition stays.
 */
export function editionOf(
  name: string,
  mediaType: string,
  { sha256, bytes }: Pick<NamedFile, 'sha256' | 'bytes'>,
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

/**
 * A listing is of the store itself, or none. While it is away the day goes on with what lies on this host, and is run again once the store is
 * back.
 */
export async function headsAtHand(
  { objects, fallback }: Pick<Engine, 'objects' | 'fallback'>,
  prefix: string,
): Promise<ObjectHead[]> {
  const heads: ObjectHead[] = [];
  try {
    for await (const head of objects.list(prefix)) heads.push(head);
  } catch (error) {
    if (fallback === undefined || errorCodeOf(error) !== 'STORE_UNAVAILABLE') throw error;
    return [];
  }
  return heads;
}

/** Uses one local file that has the bytes of all these objects, a line end after each. */
export function withJoined<T>(
  { objects, withScratchFolder }: Pick<Engine, 'objects' | 'withScratchFolder'>,
  names: readonly string[],
  use: (file: string) => Promise<T>,
): Promise<T> {
  async function* bytes(): AsyncGenerator<Uint8Array> {
    for (const [index, name] of names.entries()) {
      if (index > 0) yield Buffer.from('\n');
      const stream = await objects.get(name);
      // Removed between the listing and now: it is no longer part of the day.
      if (stream !== undefined) yield* stream;
    }
  }
  return withScratchFolder(async (folder) => {
    const file = path.join(folder, path.posix.basename(names[0] ?? 'raw'));
    await pipeline(bytes(), createWriteStream(file));
    return use(file);
  });
}
