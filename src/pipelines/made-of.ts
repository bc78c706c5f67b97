import type { ArtefactRef } from '../ports/objects.ts';
import type { LedgerEntry } from './ledger.ts';
import { inputHash } from './step-key.ts';
import type { StepId } from './vocabulary.ts';

/** What came of some slices, found by the hashes that ledger entries name. Pure. */

/** What has to go, or to be made again, when some slices go. */
export interface MadeOf {
  /**
   * Every entry that read one of the slices, or something that was made of one; the downloads that
   * gave them too.
   */
  readonly entries: readonly LedgerEntry[];
  /**
   * What these gave, each object once. What other entries gave as well does not depend on the
   * slices, and is left out.
   */
  readonly objects: readonly ArtefactRef[];
}

/**
 * What was made of slices, given by their hashes; `withFacts` names the steps whose facts are read
 * together with their outputs.
 */
export function madeOf(
  entries: readonly LedgerEntry[],
  slices: ReadonlySet<string>,
  withFacts: ReadonlySet<StepId>,
): MadeOf {
  const given = new Map(entries.map((entry) => [entry, hashesGiven(entry, withFacts)]));
  // From above: what no path leads to is surely free of the slices, and so is whatever has the same
  // bytes. The other way round, a copy of something that was made of them would count as free, and
  // set its source free as well.
  let made = reachable(given, slices, new Set());
  for (;;) {
    const free = new Set([...given].flatMap(([entry, hashes]) => (made.has(entry) ? [] : hashes)));
    const less = reachable(given, slices, free);
    if (less.size === made.size)
      return { entries: [...less], objects: objectsOf(less, slices, free) };
    made = less;
  }
}

/** The hashes by which readers may name what an entry gave. */
function hashesGiven(entry: LedgerEntry, withFacts: ReadonlySet<StepId>): string[] {
  const plain = Object.values(entry.outputs).map(({ sha256 }) => sha256);
  return withFacts.has(entry.step)
    ? [...plain, ...plain.map((sha256) => inputHash(sha256, entry))]
    : plain;
}

/**
 * The entries that gave the slices, or read something of which these came, but for hashes that are
 * free of them.
 */
function reachable(
  given: ReadonlyMap<LedgerEntry, readonly string[]>,
  slices: ReadonlySet<string>,
  free: ReadonlySet<string>,
): Set<LedgerEntry> {
  const made = new Set<LedgerEntry>();
  const read = new Set(slices);
  for (let before = -1; before < made.size;) {
    before = made.size;
    for (const [entry, hashes] of given) {
      if (made.has(entry)) continue;
      const gives = hashes.some((hash) => slices.has(hash));
      const reads = Object.values(entry.inputs).some((inputs) =>
        inputs?.some((hash) => read.has(hash)),
      );
      if (!gives && !reads) continue;
      made.add(entry);
      for (const hash of hashes) if (!free.has(hash) || slices.has(hash)) read.add(hash);
    }
  }
  return made;
}

function objectsOf(
  made: ReadonlySet<LedgerEntry>,
  slices: ReadonlySet<string>,
  free: ReadonlySet<string>,
): ArtefactRef[] {
  const refs = [...made].flatMap(({ outputs }) => Object.values(outputs));
  const own = refs.filter(({ sha256 }) => slices.has(sha256) || !free.has(sha256));
  return [...new Map(own.map((ref) => [ref.key, ref])).values()];
}
