import path from 'node:path';

/**
 * The sha256 that the last part of a key is, with or without an ending: such an object never gets
 * other bytes.
 */
export function hashInKey(key: string): string | undefined {
  return /^([0-9a-f]{64})(?:\.|$)/.exec(path.posix.basename(key))?.[1];
}
