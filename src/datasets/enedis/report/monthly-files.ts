import { csvText, utf8 } from '../../kit/index.ts';
import type { RowsFile, SqlSession } from '../../kit/index.ts';
import { copyRows, openRows } from '../days/tables.ts';
import type { LinearColumns } from '../flux/linear.ts';
import { markedRows } from './marked-rows.ts';
import type { MonthTotals } from './monthly-page.tsx';

/** The columns of the months of the report as a table; names of no contract. */
const COLUMNS = {
  mois: 'text',
  contrats: 'integer',
  reelle: 'integer',
  estimee: 'integer',
  incalculable: 'integer',
  communicante: 'integer',
  retenus: 'integer',
  erreurs: 'integer',
  estimations: 'integer',
  estimations_a_decider: 'integer',
  depassements_manquants: 'integer',
  anomalies_r151: 'integer',
  ecarts_factures: 'integer',
  factures_sans_mesure: 'integer',
  est_gele: 'boolean',
  regularisations: 'integer',
  regularisation_eur: 'decimal',
  energie_kwh: 'integer',
  turpe_fixe_eur: 'decimal',
  turpe_variable_eur: 'decimal',
  cta_eur: 'decimal',
  accise_eur: 'decimal',
  reseau_facture_eur: 'decimal',
  reseau_ecart_eur: 'decimal',
  reseau_non_compare_eur: 'decimal',
} as const satisfies LinearColumns & Record<keyof MonthTotals, LinearColumns[string]>;

/**
 * The months of the report as CSV (semicolons, as French spreadsheets read it) and as Parquet,
 * newest first.
 */
export async function monthlyFiles(
  sql: SqlSession,
  months: readonly MonthTotals[],
  sample: readonly string[] = [],
): Promise<{
  readonly monthly_csv: { readonly bytes: Uint8Array };
  readonly monthly_table: RowsFile;
}> {
  const names = Object.keys(COLUMNS) as (keyof typeof COLUMNS)[];
  const sink = openRows(sql, 'monthly', COLUMNS);
  for (const month of months) sink.write(month);
  const rows = await sink.close();
  const typed = names.map((name) =>
    COLUMNS[name] === 'decimal' ? `CAST(${name} AS DECIMAL(18, 2)) AS ${name}` : name,
  );
  return {
    monthly_csv: {
      bytes: utf8(
        csvText(
          markedRows(
            [names, ...months.map((month) => names.map((name) => cellOf(month[name])))],
            sample,
          ),
        ),
      ),
    },
    monthly_table: await copyRows(
      sql,
      `SELECT ${typed.join(', ')} FROM ${rows} ORDER BY mois DESC`,
      'monthly-table',
    ),
  };
}

function cellOf(value: MonthTotals[keyof MonthTotals]): string | number | null {
  return typeof value === 'boolean' ? String(value) : value;
}
