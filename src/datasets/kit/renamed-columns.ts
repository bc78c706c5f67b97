import type { CheckResult, OddColumns } from '../../pipelines/dataset.ts';
import type { CheckDefinition } from '../../pipelines/definition.ts';
import { checkResult } from './checks.ts';

/**
 * A usual column that is missing while another came that nobody knows was most likely renamed: its values are there, and would be lost without
 * a word. Where the day is known already, what is known stays; on a day about which nothing is known, a person decides.
 */
export const RENAMED_COLUMNS: CheckDefinition = {
  id: 'renamed-columns',
  title: 'no usual column is missing while one came that nobody knows',
  severity: 'hold',
};

/** The columns of a file by the name of what they are of. */
export type ColumnsOf = OddColumns & { readonly of: string };

/** None where no file has such columns: days without them keep the outputs that tell of their checks. */
export function renamedColumns(files: readonly ColumnsOf[]): CheckResult[] {
  const odd = files.filter(({ unknown, missing }) => unknown.length > 0 && missing.length > 0);
  if (odd.length === 0) return [];
  const told = odd.map(({ of, missing, unknown }) => ({
    of,
    missing: missing.join(', '),
    unknown: unknown.join(', '),
  }));
  return [checkResult(RENAMED_COLUMNS, files.length, told)];
}
