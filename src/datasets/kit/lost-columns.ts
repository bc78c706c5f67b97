import type { CheckResult } from '../../pipelines/check-result.ts';
import type { OddColumns } from '../../pipelines/given-file.ts';
import type { CheckDefinition } from '../../pipelines/definition.ts';
import { checkResult } from './checks.ts';

/**
 * A usual column that is missing while another came that nobody knows was most likely renamed, and
 * one that is missing from a file with most of the others has vanished: its values would be lost
 * without a word. Where the day is known already, what is known stays; on a day about which nothing
 * is known, a person decides. A file with few of the columns is an extract, and lawful.
 */
export const LOST_COLUMNS: CheckDefinition = {
  id: 'lost-columns',
  title: 'no usual column has vanished or been renamed',
  severity: 'hold',
};

/** The columns of a file by the name of what they are of. */
export type ColumnsOf = OddColumns & {
  readonly of: string;
  /** How many columns such files usually have beside those that they must have. */
  readonly usual: number;
};

/**
 * None where no file has such columns: days without them keep the outputs that tell of their
 * checks.
 */
export function lostColumns(files: readonly ColumnsOf[]): CheckResult[] {
  const odd = files.filter(
    ({ unknown, missing, usual }) =>
      missing.length > 0 && (unknown.length > 0 || missing.length * 2 < usual),
  );
  if (odd.length === 0) return [];
  const told = odd.map(({ of, missing, unknown }) => ({
    of,
    missing: missing.join(', '),
    unknown: unknown.join(', '),
  }));
  return [checkResult(LOST_COLUMNS, files.length, told)];
}
