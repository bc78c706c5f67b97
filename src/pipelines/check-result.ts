import type { JsonObject } from '../ports/json.ts';
import type { Severity } from './definition.ts';
import type { HeldUnit } from './units.ts';

/**
 * What one check of a step found in one scope. One of severity `hold` stops the scope when `failed`
 * is not 0, unless it names units.
 */
export interface CheckResult {
  readonly check: string;
  readonly severity: Severity;
  /** Rows that were looked at. */
  readonly tested: number;
  readonly failed: number;
  /** A few of the failing rows, for a person. */
  readonly examples: readonly JsonObject[];
  /**
   * Of a check that names units: those that the outputs are without; none is held when it is empty.
   */
  readonly units?: readonly HeldUnit[];
}
