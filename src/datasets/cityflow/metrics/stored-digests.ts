import { readJson } from '../../kit/index.ts';
import type { LocalArtefact } from '../../kit/index.ts';
import type { Digest } from './digest.ts';

/**
 * The digests of days as they are stored, the last ones kept by their hash: each day of a set reads
 * sixty others, nearly the same as the day before it. A digest of the whole city has some 100 KB
 * and is never changed by who reads it.
 */

/** The day, the sixty before it, and some more. */
const KEPT = 70;
const kept = new Map<string, Digest>();

/** Null where there is none. */
export async function storedDigest(input: LocalArtefact | undefined): Promise<Digest | null> {
  if (input === undefined) return null;
  const { sha256 } = input.ref;
  const known = kept.get(sha256);
  if (known !== undefined) return known;
  const digest = await readJson<Digest>(input);
  if (digest === null) return null;
  const [oldest] = kept.keys();
  if (kept.size >= KEPT && oldest !== undefined) kept.delete(oldest);
  kept.set(sha256, digest);
  return digest;
}
