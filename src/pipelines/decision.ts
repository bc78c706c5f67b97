import type { DocumentKey } from '../ports/documents.ts';
import { canonicalJson, sha256Hex } from '../canonical-json.ts';
import { scopePartition } from './ledger.ts';
import type { CivilDate, StepId, StepKey } from './vocabulary.ts';

/** A person's word on a quarantined day; it holds as long as the step key stays the same. */
export interface Decision {
  readonly step: StepId;
  readonly key: StepKey;
  readonly decision: 'accept' | 'reject';
  readonly reason: string;
  readonly decidedAt: string;
  /** Who decided, as told with the decision; absent in records that are older than this member. */
  readonly by?: string;
  /**
   * Of a decision on one unit that a check holds: the check, the unit, and the hash of its failing
   * rows. See `held-units.ts`.
   */
  readonly check?: string;
  readonly unit?: string;
  readonly evidence?: string;
}

/**
 * A decision as it is kept from the moment at which it is accepted: also a day that never finishes
 * has been decided on. Records are created and never replaced; of several on the same data the
 * newest counts.
 */
export interface DecisionRecord extends Decision {
  readonly pipeline: string;
  readonly scope: CivilDate;
  readonly workflowId: string;
  readonly runId: string;
}

/** Decisions are kept when they are accepted, also those of runs that never commit. */
export const DECISION_TABLE = 'decisions';

/**
 * Decisions of a scope sort by their instant. A decision on a unit ends with a hash of check and
 * unit, because ids may hold a slash.
 */
export function decisionKey({
  pipeline,
  scope,
  decidedAt,
  step,
  check,
  unit,
}: DecisionRecord): DocumentKey {
  const ofUnit =
    unit === undefined ? '' : `/${sha256Hex(canonicalJson([check, unit])).slice(0, 16)}`;
  return {
    table: DECISION_TABLE,
    partition: scopePartition(pipeline, scope),
    sort: `${scope}/${decidedAt}/${step}${ofUnit}`,
  };
}

/**
 * Every decision once, oldest first: of those on the same step key, or the same evidence of a unit,
 * the newest.
 */
export function mergeDecisions(...sources: readonly (readonly Decision[])[]): Decision[] {
  const newest = new Map<string, Decision>();
  const all = sources
    .flat()
    .sort((a, b) => (a.decidedAt < b.decidedAt ? -1 : a.decidedAt > b.decidedAt ? 1 : 0));
  for (const decision of all) {
    const { step, key, check, unit, evidence } = decision;
    const name = canonicalJson(unit === undefined ? [step, key] : [step, check, unit, evidence]);
    newest.delete(name);
    newest.set(name, decision);
  }
  return [...newest.values()];
}

/** What was decided on exactly these data, when somebody has. */
export function decisionOn(
  decisions: readonly Decision[],
  step: StepId,
  key: StepKey,
): Decision | undefined {
  return decisions.find(
    (decision) => decision.step === step && decision.key === key && decision.unit === undefined,
  );
}
