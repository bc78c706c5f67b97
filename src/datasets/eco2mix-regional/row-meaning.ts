import { mapColumns, PipelineError, quoteIdentifier, quoteTexts } from '../kit/index.ts';
import type { RowMeaning } from '../kit/index.ts';
import { LAYOUT, MEASURES, NO_VALUE, RATES } from './columns.ts';
import { instantSql, regionSql } from './raw-rows.ts';

/**
 * SQL of 0, 1 or 2 by the words of `nature`, of which we look at what survives a lost accent; NULL
 * when it says nothing.
 */
export function finalitySql(text: string): string {
  const words = `lower(${text})`;
  return `CASE WHEN contains(${words}, 'temps') THEN 0 WHEN contains(${words}, 'consolid') THEN 1
    WHEN contains(${words}, 'finitive') THEN 2 END`;
}

/**
 * `Dataset.rowsOf`: a row is a region at an instant. A consolidation may take values back, but
 * never the load.
 */
export function rowsOf(part: string, columns: readonly string[]): RowMeaning {
  const { known } = mapColumns(columns, LAYOUT.names);
  const required = (name: 'date_heure' | 'code_insee_region'): string => {
    const found = known.get(name);
    if (found === undefined)
      throw new PipelineError('SRC_SHAPE_CHANGED', `the ${part} slice has no column ${name}`);
    return quoteIdentifier(found);
  };
  const values = [...MEASURES, ...RATES].flatMap(({ name }) => {
    const column = known.get(name);
    if (column === undefined) return [];
    const value = `trim(${quoteIdentifier(column)})`;
    return [
      [name, `CASE WHEN ${value} NOT IN (${quoteTexts(NO_VALUE)}) THEN ${value} END`] as const,
    ];
  });
  const nature = known.get('nature');
  const region = regionSql(required('code_insee_region'));
  return {
    key: `${region} || ' ' ||
      CAST(CAST(epoch(${instantSql(required('date_heure'))}) AS BIGINT) AS VARCHAR)`,
    subject: region,
    values: Object.fromEntries(values),
    ...(nature === undefined ? {} : { finality: finalitySql(quoteIdentifier(nature)) }),
    essential: ['consommation'],
    names: Object.fromEntries(known),
  };
}
