import type { StepDefinition } from './definition.ts';
import type { LedgerEntry } from './ledger.ts';
import { keyIn } from './manifest.ts';
import type { Manifest } from './manifest.ts';
import { insteadOf } from './receipt.ts';
import type { Delivery } from './receipt.ts';
import { stepKey } from './step-key.ts';

/**
 * What to go on with when a version is made of an answer that no known receipt tells of: a host
 * whose document store is away knows versions of others and not all that these were made from, and
 * a receipt can be lost. Pure.
 *
 * What was published stays: the version's own download is taken over, unless an answer that came
 * after it is known. Of answers that are known beside it none came after: who made the version
 * would have seen it. Of two answers of which nobody knows which came first, that of the version
 * stays until the publisher is asked again.
 */
export function takenOver(
  step: StepDefinition,
  manifest: Manifest | undefined,
  ledger: readonly LedgerEntry[],
  delivery: Delivery | undefined,
): Delivery | undefined {
  const key = keyIn(manifest, step.id);
  const rival = delivery?.rivals?.find((other) => other.key === key);
  if (delivery !== undefined && rival !== undefined) return insteadOf(delivery, rival);
  if (key === undefined || delivery?.given?.includes(key) === true) return delivery;
  const entry = ledger.find((candidate) => candidate.step === step.id && candidate.key === key);
  if (entry?.origin === undefined || entry.origin === null) return delivery;
  // A receipt names what was cut last: what an earlier version of the step cut from the same file
  // is not in it any more.
  if (delivery !== undefined && !isOfStep(step, entry)) return delivery;
  return { key, raw: entry.origin.raw, checkedAt: entry.origin.retrievedAt };
}

/** Whether the step as it is now would give the entry the same key. */
function isOfStep(step: StepDefinition, { key, inputs }: LedgerEntry): boolean {
  return (
    key === stepKey({ step: step.id, version: step.version, params: step.params ?? {}, inputs })
  );
}

/** The downloads that a version is made of and whose ledger entries are not known. */
export function unknownDownloads(
  steps: readonly StepDefinition[],
  manifest: Manifest | undefined,
  ledger: readonly LedgerEntry[],
): Pick<LedgerEntry, 'step' | 'key'>[] {
  return steps.flatMap(({ id, part }) => {
    const key = part === undefined ? undefined : keyIn(manifest, id);
    const isKnown = ledger.some((entry) => entry.step === id && entry.key === key);
    return key === undefined || isKnown ? [] : [{ step: id, key }];
  });
}
