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
 * The keys of all regular files below `root` that start with `prefix`, in byte order of the whole
 * keys, in batches of files that follow each other. Only the names of the folders on the way down
 * are in memory. Folders and files that appear or vanish meanwhile may or may not be seen; symbolic
 * links and names that cannot be part of a key are passed over.
 *
 * Sorting each folder by name alone would be wrong: `a-b` comes before `a/b`, because `-` is less
 * than `/`.
 */
export async function* walkKeys(
  root: string,
  prefix: string,
  { batch, nameOf }: WalkOptions,
): AsyncGenerator<readonly string[]> {
  const cut = prefix.lastIndexOf('/') + 1;
  const read = async (folderKey: string): Promise<readonly Entry[]> =>
    readSorted(root, folderKey, nameOf);
  const entries = await read(prefix.slice(0, cut));
  yield* walk(prefix.slice(0, cut), startingWith(entries, prefix.slice(cut)), batch, read);
}

/** How much of a large folder is in memory at once, and how its files are named. */
export interface WalkOptions {
  /** Files that are given at once. */
  readonly batch: number;
  /** The name that a file has in keys; two files may have one. */
  readonly nameOf: (folder: string, name: string) => string;
}

async function* walk(
  folderKey: string,
  entries: readonly Entry[],
  batch: number,
  read: (folderKey: string) => Promise<readonly Entry[]>,
): AsyncGenerator<readonly string[]> {
  let files: string[] = [];
  for (const entry of entries) {
    const key = folderKey + entry.sortedAs;
    if (!entry.isFolder) files.push(key);
    if (files.length > 0 && (entry.isFolder || files.length === batch)) {
      yield files;
      files = [];
    }
    if (entry.isFolder) yield* walk(key, await read(key), batch, read);
  }
  if (files.length > 0) yield files;
}

function startingWith(entries: readonly Entry[], beginning: string): readonly Entry[] {
  return beginning === '' ? entries : entries.filter((entry) => entry.name.startsWith(beginning));
}

async function readSorted(
  root: string,
  folderKey: string,
  nameOf: WalkOptions['nameOf'],
): Promise<readonly Entry[]> {
  const folder = path.join(root, folderKey);
  let found: Dirent[];
  try {
    found = await readdir(folder, { withFileTypes: true });
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || (errnoOf(error) === 'ENOTDIR' && folderKey !== ''))
      return [];
    throw fileError(error, 'list', folder);
  }
  return found
    .filter((entry) => (entry.isDirectory() || entry.isFile()) && isKeyPart(entry.name))
    .filter((entry) => folderKey !== '' || !RESERVED_PARTS.has(entry.name))
    .map((entry) => toEntry(entry, (name) => nameOf(folder, name)))
    .sort((a, b) => compareBytes(a.sortedAs, b.sortedAs))
    .filter((entry, at, all) => entry.sortedAs !== all[at - 1]?.sortedAs);
}

function toEntry(entry: Dirent, nameOf: (name: string) => string): Entry {
  if (entry.isDirectory()) return { name: entry.name, isFolder: true, sortedAs: `${entry.name}/` };
  const name = nameOf(entry.name);
  return { name, isFolder: false, sortedAs: name };
}
