import { mapColumns, quoteIdentifier, required } from '../kit/index.ts';
import type { RowMeaning } from '../kit/index.ts';
import { REGISTER } from './register.ts';

/**
 * `Dataset.rowsOf` of installed capacity: what was told once of a month or a year stays until it is
 * told otherwise.
 */
export function rowsOf(part: string, columns: readonly string[]): RowMeaning {
  if (part !== 'odre-parc') {
    return {
      key: `cle || ' ' || mois`,
      called: `nom || ' of ' || mois`,
      values: { value: 'valeur' },
      names: { value: 'valeur' },
    };
  }
  const { known } = mapColumns(columns, REGISTER.names);
  const told = [...known].filter(([name]) => name !== 'year');
  return {
    key: `left(trim(${quoteIdentifier(required(known.get('year'), 'the column year'))}), 4)`,
    values: Object.fromEntries(
      told.map(([name, published]) => [name, `nullif(${quoteIdentifier(published)}, '')`]),
    ),
    names: Object.fromEntries(known),
  };
}
