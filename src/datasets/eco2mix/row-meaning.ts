import { quoteIdentifier, quoteTexts } from '../kit/index.ts';
import type { RowMeaning } from '../kit/index.ts';
import { MEASURES } from './columns.ts';
import { mapHeader, requireColumn } from './header.ts';
import { NO_VALUE, natureSql } from './published-rows.ts';
import { localDateSql } from './raw-rows.ts';

/**
 * `Dataset.rowsOf` of eCO2mix: a row is an instant, or a local time in RTE's own tables, and tells
 * a value of each measure. A consolidation may take values back, but never the load: a day without
 * it would be no day.
 */
export function rowsOf(part: string, columns: readonly string[]): RowMeaning {
  const what = `the ${part} slice`;
  const header = mapHeader(columns, what);
  const published = (name: Parameters<typeof requireColumn>[1]): string =>
    quoteIdentifier(requireColumn(header, name, what));
  const values = MEASURES.flatMap(({ name }) => {
    const column = header.known.get(name);
    // Zero grams is the provider's "unknown".
    const nothing = name === 'taux_co2' ? [...NO_VALUE, '', '0'] : [...NO_VALUE, ''];
    const value = column === undefined ? '' : `trim(${quoteIdentifier(column)})`;
    return column === undefined
      ? []
      : [[name, `CASE WHEN ${value} NOT IN (${quoteTexts(nothing)}) THEN ${value} END`]];
  });
  const nature = header.known.get('nature');
  return {
    key: header.known.has('date_heure')
      ? `CAST(CAST(epoch(TRY_CAST(${published('date_heure')} AS TIMESTAMPTZ)) AS BIGINT) AS VARCHAR)`
      : `strftime(${localDateSql(published('date'))}, '%Y-%m-%d ') || ${published('heure')}`,
    values: Object.fromEntries(values) as Record<string, string>,
    ...(nature === undefined ? {} : { finality: natureSql(quoteIdentifier(nature)) }),
    essential: ['consommation'],
    names: Object.fromEntries(header.known),
  };
}
