import type { Decision } from '../../pipelines/decision.ts';
import { shortHash } from './measures.ts';

/** A decision as commands print it. */
export function decisionLine({ decidedAt, step, key, decision, reason, by, unit }: Decision): string {
  const what = unit === undefined ? shortHash(key) : `unit ${unit}`;
  return `${decidedAt}  ${step} ${what}  ${decision}${byWhom(by)}: ${reason}`;
}

/** Records that are older than the member name nobody. */
export function byWhom(by: string | undefined): string {
  return by === undefined ? '' : ` by ${by}`;
}
