import type { RowMeaning } from '../../pipelines/dataset.ts';
import { quoteIdentifier } from '../../pipelines/sql-text.ts';
import { COUNT_COLUMNS } from './columns.ts';
import type { CountColumn } from './columns.ts';
import { mapColumns } from './raw-csv.ts';
import { endInstantSql } from './transform/counts.ts';

/**
 * `Dataset.rowsOf` of CityFlow: counts of roads and bikes are measured, and what was measured once stays. The other sources are lists and states of
 * a moment, of which the newest counts.
 */
export function rowsOf(part: string, columns: readonly string[]): RowMeaning | undefined {
  if (part === 'comptages') return countRows(columns);
  return part === 'bikes' ? BIKE_ROWS : undefined;
}

function countRows(columns: readonly string[]): RowMeaning {
  const { known } = mapColumns(columns, COUNT_COLUMNS);
  const column = (name: CountColumn): string => {
    const published = known.get(name);
    return published === undefined ? 'NULL::VARCHAR' : quoteIdentifier(published);
  };
  const arc = column('arc');
  return {
    key: `${arc} || ' ' || CAST(CAST(epoch(${endInstantSql(column('at'))}) AS BIGINT) AS VARCHAR)`,
    subject: arc,
    values: { flow: numberSql(column('flow')), occupancy: numberSql(column('occupancy')) },
    names: Object.fromEntries(known),
  };
}

/** The same text for 582, 582.0 and 582.00; what is no number stays as it is. */
function numberSql(text: string): string {
  return `coalesce(CAST(TRY_CAST(${text} AS DOUBLE) AS VARCHAR), nullif(${text}, ''))`;
}

/** See `slices/records.ts`: `key` is the counter and the hour. */
const BIKE_ROWS: RowMeaning = {
  key: 'key',
  subject: "split_part(key, '/', 1)",
  values: { bikes: "json_extract_string(record, '$.sum_counts')" },
  names: {},
};
