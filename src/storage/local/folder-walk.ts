import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import { compareBytes } from '../shared/byte-order.ts';
import { errnoOf, fileError } from '../shared/file-errors.ts';
import { RESERVED_PARTS, isKeyPart } from '../shared/object-key.ts';

interface Entry {
  readonly name: string;
  readonly isFolder: boolean;
  /** The name as it stands in a key: a folder's is followed by `/`, and by that it is sorted. */
  readonly sortedAs: string;
}

/**
 * The keys of all regular files below `root` that start with `prefix`, in byte order of the whole keys, in batches of files that follow
 * each other. Only the names of the folders on the way down are in memory. Folders and files that appear or vanish meanwhile
 * may or may not be seen; symbolic links and names that cannot be part of a key are passed over.
 *
 * Sorting each folder by name alone would be wrong: `a-b` comes before `a/b`, because `-` is less than `/`.
 */
export async function* walkKeys(root: string, prefix: string, batch: number): AsyncGenerator<readonly string[]> {
  const cut = prefix.lastIndexOf('/') + 1;
  const entries = await readSorted(root, prefix.slice(0, cut));
  yield* walk(root, prefix.slice(0, cut), startingWith(entries, prefix.slice(cut)), batch);
}

async function* walk(
  root: string,
  folderKey: string,
  entries: readonly Entry[],
  batch: number,
): AsyncGenerator<readonly string[]> {
  let files: string[] = [];
  for (const entry of entries) {
    const key = folderKey + entry.sortedAs;
    if (!entry.isFolder) files.push(key);
    if (files.length > 0 && (entry.isFolder || files.length === batch)) {
      yield files;
      files = [];
    }
    if (entry.isFolder) yield* walk(root, key, await readSorted(root, key), batch);
  }
  if (files.length > 0) yield files;
}

function startingWith(entries: readonly Entry[], beginning: string): readonly Entry[] {
  return beginning === '' ? entries : entries.filter((entry) => entry.name.startsWith(beginning));
}

async function readSorted(root: string, folderKey: string): Promise<readonly Entry[]> {
  const folder = path.join(root, folderKey);
  let found: Dirent[];
  try {
    found = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || (errnoOf(error) === 'ENOTDIR' && folderKey !== '')) return [];
    throw fileError(error, 'list', folder);
  }
  return found
    .filter((entry) => (entry.isDirectory() || entry.isFile()) && isKeyPart(entry.name))
    .filter((entry) => folderKey !== '' || !RESERVED_PARTS.has(entry.name))
    .map((entry) => toEntry(entry))
    .sort((a, b) => compareBytes(a.sortedAs, b.sortedAs));
}

function toEntry(entry: Dirent): Entry {
  const isFolder = entry.isDirectory();
  return { name: entry.name, isFolder, sortedAs: isFolder ? `${entry.name}/` : entry.name };
}
