import { createHash } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import { PipelineError, errorCodeOf } from '../errors.ts';
import type { StagedOutput } from '../pipelines/dataset.ts';
import type { ArtefactRef, ContentName, ObjectStore, OpenOptions } from '../ports/objects.ts';
import { sha256OfFile } from '@quotidien/machine/file-hash';
import { untilEnd } from './held-objects.ts';

/**
 * A step has just written its outputs: the page cache has them, and small ones are read in less
 * time than the way to another thread and back takes.
 */
const READ_AT_ONCE_BYTES = 256 * 1024;

/**
 * Files up to this size are read once, for hash and put together; larger ones are streamed twice.
 */
const SMALL_FILE_BYTES = 4 * 1024 * 1024;

/** Where bytes of a given hash belong. */
export interface ContentPlace {
  /** Folder part of the key, such as `core/eco2mix/national/date=2024-01-15`. */
  readonly folder: string;
  readonly extension: string;
  readonly mediaType: string;
}

/** A step's output, or a file whose hash is known because it was received and hashed just now. */
export type Staged =
  | StagedOutput
  | { readonly path: string; readonly bytes: number; readonly sha256: string };

/**
 * Puts immutable bytes under a key that ends in their hash. The same bytes twice are one object.
 * The store hashes what it is sent, and so proves the name: `STORE_CORRUPT` when the file changed
 * since its hash was taken, and then nothing stays under the name.
 */
export async function putContent(
  objects: ObjectStore,
  place: ContentPlace,
  staged: Staged,
): Promise<ArtefactRef> {
  const { body, sha256, bytes } = await loadStaged(staged);
  const key = `${place.folder}/${sha256}.${place.extension}`;
  const rows = 'rows' in staged ? { rows: staged.rows } : {};
  const ref = { key, sha256, bytes, mediaType: place.mediaType, ...rows };
  try {
    const stored = await objects.put(key, body, { mediaType: place.mediaType, mode: 'create' });
    if (stored.sha256 !== sha256) await takeBack(objects, key, stored);
  } catch (error) {
    // Under a content key a conflict can only mean the same bytes, unless those on the store are
    // damaged.
    if (errorCodeOf(error) !== 'STORE_CONFLICT') throw error;
    await replaceWhenDamaged(objects, ref, body);
  }
  return ref;
}

async function takeBack(objects: ObjectStore, key: string, stored: ArtefactRef): Promise<never> {
  await objects.delete(key);
  const message = `what was to be stored as ${key} has the sha256 ${stored.sha256}: the file changed while it was stored; run the step again`;
  throw new PipelineError('STORE_CORRUPT', message, { context: { key } });
}

async function replaceWhenDamaged(
  objects: ObjectStore,
  ref: ArtefactRef,
  body: Uint8Array | { path: string },
) {
  if (await isProven(objects, ref)) return;
  await objects.put(ref.key, body, { mediaType: ref.mediaType, mode: 'replace' });
}

/**
 * By its bytes: what a remote store says of an object without reading it does not tell those that
 * were damaged below it.
 */
async function isProven(objects: ObjectStore, ref: ArtefactRef): Promise<boolean> {
  try {
    return await untilEnd(
      async (until) => (await objects.openLocal(ref, { fresh: true, until })) !== undefined,
    );
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
    return false;
  }
}

/**
 * Editions of a file whose newest one has a name for other programs: `archive/<name without
 * extension>/<sha256>.<extension>`.
 */
const EDITION = /^archive\/(.+)\/[0-9a-f]{64}(\.[a-z0-9]+)$/;

/**
 * Where an edition of a named file belongs; as long as it is the newest, its bytes are under the
 * name alone.
 */
export function editionPlace(name: string, mediaType: string): ContentPlace {
  const { dir, name: stem, ext } = path.posix.parse(name);
  return { folder: `archive/${dir}/${stem}`, extension: ext.slice(1), mediaType };
}

/** The name that an edition has while it is the newest; undefined for a key of another kind. */
export function newestName(key: string): string | undefined {
  const [, stem, extension = ''] = EDITION.exec(key) ?? [];
  return stem === undefined ? undefined : `${stem}${extension}`;
}

/** `ObjectStore.openLocal`, which also finds the newest edition of a named file under its name. */
export async function openContent(
  objects: Pick<ObjectStore, 'openLocal'>,
  ref: ArtefactRef,
  options?: OpenOptions,
): Promise<string | undefined> {
  const found = await objects.openLocal(ref, options);
  const name = newestName(ref.key);
  if (found !== undefined || name === undefined) return found;
  try {
    return await objects.openLocal({ ...ref, key: name }, options);
  } catch (error) {
    // Another edition has the name.
    if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
    return undefined;
  }
}

/** A stored artefact as a file; undefined for one that is gone, or whose bytes are not its own. */
export async function openIntact(
  { objects }: { readonly objects: Pick<ObjectStore, 'openLocal'> },
  ref: ContentName,
): Promise<string | undefined> {
  try {
    return await objects.openLocal(ref);
  } catch (error) {
    if (errorCodeOf(error) !== 'STORE_CORRUPT') throw error;
    return undefined;
  }
}

/**
 * What the store itself says is wrong with an artefact, in words; undefined when it is there and
 * right. Whatever caches of this host hold: what is built on an artefact must be readable by
 * everybody.
 */
export async function damageOf(
  objects: ObjectStore,
  ref: ArtefactRef,
): Promise<string | undefined> {
  const { state } = await objects.inspect(ref);
  if (state === 'damaged') return 'no longer matches its recorded hash';
  const name = newestName(ref.key);
  if (
    state === 'intact' ||
    (name !== undefined && (await objects.inspect({ ...ref, key: name })).state === 'intact')
  ) {
    return undefined;
  }
  return 'is missing in the store';
}

/** Staged bytes with their hash and size; `body` is what a store takes. */
export async function loadStaged(
  staged: Staged,
): Promise<{ body: Uint8Array | { path: string }; sha256: string; bytes: number }> {
  if (!('path' in staged)) {
    return { body: staged.bytes, sha256: hashOf(staged.bytes), bytes: staged.bytes.byteLength };
  }
  if ('sha256' in staged)
    return { body: { path: staged.path }, sha256: staged.sha256, bytes: staged.bytes };
  const { size } = statSync(staged.path);
  if (size <= SMALL_FILE_BYTES) {
    const bytes =
      size <= READ_AT_ONCE_BYTES ? readFileSync(staged.path) : await readFile(staged.path);
    return { body: bytes, sha256: hashOf(bytes), bytes: size };
  }
  return { body: { path: staged.path }, sha256: await sha256OfFile(staged.path), bytes: size };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
