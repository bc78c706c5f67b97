import { createHash } from 'node:crypto';

/** Files that readers are given paths of, without a file system: their names are their hashes, and they last as long as the seed. */

const PREFIX = '/simulated/';
const files = new Map<string, Uint8Array>();

export function keepFile(bytes: Uint8Array, name = hashOf(bytes)): string {
  files.set(name, bytes);
  return `${PREFIX}${name}`;
}

export function fileBytes(path: string): Uint8Array | undefined {
  return path.startsWith(PREFIX) ? files.get(path.slice(PREFIX.length)) : undefined;
}

export function fileText(path: string): string {
  const bytes = fileBytes(path);
  if (bytes === undefined) throw new Error(`there is no file ${path}`);
  return Buffer.from(bytes).toString('utf8');
}

export function forgetFiles(): void {
  files.clear();
}

export function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
