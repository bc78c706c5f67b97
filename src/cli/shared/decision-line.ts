import type { Decision } from '../../pipelines/decision.ts';
import { withLocal } from './instants.ts';
import { shortHash } from './measures.ts';

/** A decision as commands print it; `zone` is that of its pipeline. */
export function decisionLine(
  { decidedAt, step, key, decision, reason, by, unit }: Decision,
  zone: string,
): string {
  const what = unit === undefined ? shortHash(key) : `unit ${unit}`;
  return `${withLocal(decidedAt, zone)}  ${step} ${what}  ${decision}${byWhom(by)}: ${reason}`;
}

/** Records that are older than the member name nobody. */
export function byWhom(by: string | undefined): string {
  return by === undefined ? '' : ` by ${by}`;
}
