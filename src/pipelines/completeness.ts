import type { PartDefinition } from './definition.ts';
import type { LedgerEntry } from './ledger.ts';
import { keyIn } from './manifest.ts';
import type { Manifest } from './manifest.ts';

/**
 * Whether a part delivered all of a day, as far as the newest version of the day tells; undefined where the part says nothing of it, or the step
 * that tells was not done.
 */
export function isWhole(
  { completeness }: Pick<PartDefinition, 'completeness'>,
  manifest: Manifest | undefined,
  ledger: readonly LedgerEntry[],
): boolean | undefined {
  if (completeness === undefined) return undefined;
  const { step, fact, least } = completeness;
  const key = keyIn(manifest, step);
  const share = ledger.find((entry) => entry.step === step && entry.key === key)?.facts[fact];
  return typeof share === 'number' ? share >= least : undefined;
}
