import { definedMembers } from '../../kit/index.ts';
import type { TableDefinition } from '../../kit/index.ts';
import { frenchRowsSql, orderOf, FRENCH_TABLES } from '../rollup/french-tables.ts';
import type { FrenchTable } from '../rollup/french-tables.ts';

/** The tables of the earlier system's pages, as readers ask for them. */

const ROWS: Readonly<Record<FrenchTable['of'], Pick<TableDefinition, 'rows' | 'months'>>> = {
  instants: {
    rows: { step: 'transform/national', output: 'core', each: 'day' },
    months: { step: 'rollup/month', output: 'core', input: 'core' },
  },
  month: { rows: { step: 'rollup/month', output: 'energies', each: 'month' } },
  year: { rows: { step: 'rollup/year', output: 'energies', each: 'year' } },
};

function declared(table: FrenchTable): TableDefinition {
  const { name, of, title, columns } = table;
  return {
    id: name,
    title,
    description: {
      fr: 'Avec les en-têtes des exports du système précédent. Solde : export − import ; couverture : part de la période.',
      en: 'With the headers of the earlier system’s exports. Balance: export − import; coverage: part of the period.',
    },
    ...ROWS[of],
    order: orderOf(table),
    columns: columns.map(({ name: column, type, title: words, unit }) => {
      return { name: column, type, title: words, ...definedMembers({ unit }) };
    }),
    from: (files) =>
      frenchRowsSql(
        table,
        `read_parquet(${files}, union_by_name = true, hive_partitioning = false)`,
      ),
  };
}

/** The same columns that the rollups publish as CSV. */
export const ECO2MIX_FRENCH_TABLES: readonly TableDefinition[] = FRENCH_TABLES.map(declared);
