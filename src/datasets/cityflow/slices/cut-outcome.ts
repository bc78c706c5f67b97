import { definedMembers } from '../../kit/index.ts';
import type { CivilDate, CsvFile, RowsFile, UnitOutcome } from '../../kit/index.ts';

/**
 * What came of a day of a CSV file: its slice, and what was left out or not known. `published`:
 * rows in the file.
 */
export function cutOutcome(
  scope: CivilDate,
  file: CsvFile<string>,
  slice: RowsFile | undefined,
  published: number,
): UnitOutcome {
  const rows = slice?.rows ?? 0;
  return {
    scope,
    outputs: definedMembers({ slice }),
    checks: [],
    facts: {
      rows,
      published_columns: file.published.length,
      unknown_columns: file.unknown,
      duplicates_removed: published - rows,
    },
  };
}
