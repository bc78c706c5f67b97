import { firstOf } from '../given.ts';
import { canonicalJson } from '../canonical-json.ts';
import type { LedgerEntry } from './ledger.ts';
import type { InputHashes, StepKeyParts } from './step-key.ts';

/** The words of a plan: why a step runs although something of the kind ran before. */

const SHORT_HASH = 8;

/**
 * Which of the things that make a step key differ from the last time; "never ran" when there was
 * none.
 */
export function whyRun(earlier: LedgerEntry | undefined, now: Omit<StepKeyParts, 'step'>): string {
  if (earlier === undefined) return 'never ran';
  const reasons: string[] = [];
  if (canonicalJson(earlier.notes ?? []) !== canonicalJson(now.notes ?? []))
    reasons.push('what it is told of its parts changed');
  if (canonicalJson(earlier.decided ?? []) !== canonicalJson(now.decided ?? []))
    reasons.push('somebody decided on its held units');
  if (earlier.version !== now.version)
    reasons.push(`step version ${earlier.version} became ${now.version}`);
  if (canonicalJson(earlier.params) !== canonicalJson(now.params))
    reasons.push('its parameters changed');
  for (const name of Object.keys(now.inputs)) {
    const [before, after] = [earlier.inputs[name] ?? null, now.inputs[name] ?? null];
    if (canonicalJson(before) !== canonicalJson(after))
      reasons.push(describeChange(name, before, after));
  }
  return reasons.length === 0 ? 'its ledger entry is gone' : reasons.join('; ');
}

/** Each name once. */
export function namesOf(names: readonly string[]): string {
  return [...new Set(names)].join(', ');
}

function describeChange(name: string, before: InputHashes, after: InputHashes): string {
  if (before === null) return `input ${name} is new`;
  if (after === null) return `input ${name} is gone`;
  const changed = after.filter((hash) => !before.includes(hash)).length;
  return before.length === 1 && after.length === 1
    ? `input ${name} changed (${shorten(before)} → ${shorten(after)})`
    : `input ${name} changed (${changed} of ${after.length} differ)`;
}

function shorten(hashes: readonly string[]): string {
  return firstOf(hashes).slice(0, SHORT_HASH);
}

/** What was found wrong with stored objects, in words, by their keys. */
export type DamagedObjects = Pick<ReadonlyMap<string, string>, 'get'>;

/**
 * What is wrong with the stored bytes of an entry; undefined when all of them are there and right.
 */
export function describeDamage(entry: LedgerEntry, damaged: DamagedObjects): string | undefined {
  for (const [output, ref] of Object.entries(entry.outputs)) {
    const found = damaged.get(ref.key);
    if (found !== undefined) return `output ${output} ${found}`;
  }
  return undefined;
}
