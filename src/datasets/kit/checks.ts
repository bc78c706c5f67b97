import type { CheckResult } from '../../pipelines/check-result.ts';
import type { CheckDefinition } from '../../pipelines/definition.ts';
import type { JsonObject } from '../../ports/json.ts';

/** Failing rows that a result carries for a person. */
const EXAMPLES = 3;

/**
 * The result of a check from all rows that break its rule; the first three are kept as examples.
 */
export function checkResult(
  check: CheckDefinition,
  tested: number,
  failing: readonly JsonObject[],
): CheckResult {
  return countedCheck(check, tested, failing.length, failing);
}

/** The same where failing rows were counted and only some of them are at hand. */
export function countedCheck(
  { id, severity }: CheckDefinition,
  tested: number,
  failed: number,
  examples: readonly JsonObject[],
): CheckResult {
  return { check: id, severity, tested, failed, examples: examples.slice(0, EXAMPLES) };
}
