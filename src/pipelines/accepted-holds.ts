import { definedMembers } from '../given.ts';
import type { Decision } from './decision.ts';
import { decisionOn } from './decision.ts';
import { holdsStep } from './held-units.ts';
import { ACCEPTED } from './kept-delivery.ts';
import type { AcceptedNote } from './kept-delivery.ts';
import type { LedgerEntry } from './ledger.ts';

/** What a check held as a whole, and what a person said to it. Pure. */

type Held = Pick<LedgerEntry, 'step' | 'key' | 'checks'>;

/**
 * Held data are in the ledger, and stay held in every later run until somebody accepts exactly
 * them; why they are, or undefined.
 */
export function whyStillHeld(
  { checks, step, key }: Held,
  decisions: readonly Decision[],
): string | undefined {
  if (!checks.some(holdsStep)) return undefined;
  const known = decisionOn(decisions, step, key);
  if (known?.decision === 'accept') return undefined;
  return known === undefined
    ? 'its held checks wait for a decision'
    : `its data were rejected: ${known.reason}`;
}

/**
 * What a step that declares `withNotes` is told of the held data that it reads: who accepted them,
 * when and why. A decision is a record with content, so that a report that names it can be rebuilt
 * byte for byte.
 */
export function acceptedNotes(
  inputs: readonly Held[],
  decisions: readonly Decision[],
): AcceptedNote[] {
  const notes = new Map<string, AcceptedNote>();
  for (const { step, key, checks } of inputs) {
    const held = checks.filter(holdsStep).map(({ check }) => check);
    const known = held.length === 0 ? undefined : decisionOn(decisions, step, key);
    if (known?.decision !== 'accept') continue;
    const { by, reason, decidedAt } = known;
    notes.set(step, {
      code: ACCEPTED,
      step,
      checks: held,
      reason,
      decidedAt,
      ...definedMembers({ by }),
    });
  }
  return [...notes.values()].sort((a, b) => (a.step < b.step ? -1 : 1));
}
