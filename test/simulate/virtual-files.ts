import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';

/**
 * Files that readers are given paths of, without a file system: their names are their hashes, and
 * they last as long as the seed.
 */

const PREFIX = '/simulated/';
const files = new Map<string, Uint8Array>();

export function keepFile(bytes: Uint8Array, name = hashOf(bytes)): string {
  files.set(name, bytes);
  return `${PREFIX}${name}`;
}

export function fileBytes(name: string): Uint8Array | undefined {
  return name.startsWith(PREFIX) ? files.get(name.slice(PREFIX.length)) : undefined;
}

export function fileText(name: string): string {
  return Buffer.from(fileBytes(name) ?? readFileSync(name)).toString('utf8');
}

/** Nothing of it is to outlive the process. */
const MEMORY_DISK = '/dev/shm';

let folder: string | undefined;

/** A folder of the seed on the real disk, for what the product keeps in files: its cache. */
export function seedFolder(): string {
  folder ??= mkdtempSync(
    path.join(existsSync(MEMORY_DISK) ? MEMORY_DISK : tmpdir(), 'quotidien-seed-'),
  );
  return folder;
}

/** The path at which a file can be opened. */
export function onDisk(name: string): string {
  const bytes = fileBytes(name);
  if (bytes === undefined) return name;
  const copy = path.join(seedFolder(), path.basename(name));
  writeFileSync(copy, bytes);
  return copy;
}

export function forgetFiles(): void {
  files.clear();
  if (folder !== undefined) rmSync(folder, { recursive: true, force: true });
  folder = undefined;
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
