import type { ArtefactRef } from '../ports/objects.ts';
import type { LedgerEntry } from './ledger.ts';
import { inputHash } from './step-key.ts';
import type { StepId } from './vocabulary.ts';

/** What came of some slices, found by the hashes that ledger entries name. Pure. */

export interface MadeOf {
  /** Every entry that read one of the slices, or something that was made of one; the downloads that gave them too. */
  readonly entries: readonly LedgerEntry[];
  /** What these gave, each object once. What other entries gave as well does not depend on the slices, and is left out. */
  readonly objects: readonly ArtefactRef[];
}

/** What was made of slices, given by their hashes; `withFacts` names the steps whose facts are read together with their outputs. */
export function madeOf(
  entries: readonly LedgerEntry[],
  slices: ReadonlySet<string>,
  withFacts: ReadonlySet<StepId>,
): MadeOf {
  const given = new Map(entries.map((entry) => [entry, hashesGiven(entry, withFacts)]));
  const made = new Set<LedgerEntry>();
  for (;;) {
    const read = hashesOfAlone(given, made, slices);
    const before = made.size;
    for (const entry of entries) {
      const gives = Object.values(entry.outputs).some(({ sha256 }) => slices.has(sha256));
      const reads = Object.values(entry.inputs).some((hashes) => hashes?.some((hash) => read.has(hash)));
      if (gives || reads) made.add(entry);
    }
    if (made.size === before) return { entries: [...made], objects: objectsOf(made, read) };
  }
}

/** The hashes by which readers may name what an entry gave. */
function hashesGiven(entry: LedgerEntry, withFacts: ReadonlySet<StepId>): string[] {
  const plain = Object.values(entry.outputs).map(({ sha256 }) => sha256);
  return withFacts.has(entry.step) ? [...plain, ...plain.map((sha256) => inputHash(sha256, entry))] : plain;
}

/** The slices, and what no other entry than these gave. */
function hashesOfAlone(
  given: ReadonlyMap<LedgerEntry, readonly string[]>,
  made: ReadonlySet<LedgerEntry>,
  slices: ReadonlySet<string>,
): Set<string> {
  const others = new Set([...given].flatMap(([entry, hashes]) => (made.has(entry) ? [] : hashes)));
  const own = [...made].flatMap((entry) => given.get(entry) ?? []);
  return new Set([...slices, ...own.filter((hash) => !others.has(hash))]);
}

function objectsOf(made: ReadonlySet<LedgerEntry>, hashes: ReadonlySet<string>): ArtefactRef[] {
  const refs = [...made].flatMap(({ outputs }) => Object.values(outputs));
  return [...new Map(refs.filter(({ sha256 }) => hashes.has(sha256)).map((ref) => [ref.key, ref])).values()];
}
