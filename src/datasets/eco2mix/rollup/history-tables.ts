import type { MeasureName } from '../columns.ts';
import { COLUMN_OF } from '../columns.ts';
import { BORDERS, SOURCES, STORAGES, SUB_SOURCES } from '../metrics-model.ts';
import { TOTAL_EXCHANGE } from './energies.ts';

/**
 * The published tables, as SQL over months and years. Their names and columns are the contract with
 * the readers of the earlier system: French short names, `date_heure` an instant, power in MW,
 * energy in MWh as DOUBLE (multiples of 0.25, exact).
 *
 * | table | columns |
 * |---|---|
 * | `*_detail`, `consommation_france_puissance` | `date_heure`, values in MW, `source` |
 * | `*_mensuelle`, `*_mensuels` | `annee_mois_str` (`2024-01`), `<column>_mwh`; load: `consommation_mensuelle` |
 * | `*_annuelle`, `*_annuels` | `annee`, `<column>_yearly_mwh`; load: `consommation_annuelle` |
 * | `echanges_annuels_import_export` | `annee`, `{total,ech_comm_<border>}_{import,export}_mwh` |
 *
 * After these, every table of months or years has a column `<quantity>_coverage` for each quantity:
 * the part of the whole period, 0–1, that its figures stand on. A year of which one month is known
 * says so.
 *
 * Values never published are NULL, and a row without any value is left out. `source` is "Données
 * Consolidées" (definitive included) or "Temps Réel", by the row that gave the load. Monthly and
 * yearly exchanges are signed: positive is import.
 */
export interface HistoryTable {
  readonly name: string;
  /** The input of `rollup/history` that it reads. */
  readonly from: 'core' | 'month_energies' | 'year_energies';
  /** SQL over the rows of that input, which `{from}` stands for. */
  readonly select: string;
}

const SOURCE = `CASE revision WHEN 'provisional' THEN 'Temps Réel' ELSE 'Données Consolidées' END AS source`;

const PRODUCTION: readonly MeasureName[] = [...SOURCES, ...SUB_SOURCES, ...STORAGES];
const EXCHANGES: readonly MeasureName[] = [
  'ech_physiques',
  ...BORDERS.map((border) => `ech_comm_${border}` as const),
];

function detail(columns: readonly MeasureName[]): string {
  const values = columns.map((name) => `${COLUMN_OF[name]} AS ${name}`).join(', ');
  const published = columns.map((name) => COLUMN_OF[name]).join(', ');
  return `SELECT instant_at AS date_heure, ${values}, ${SOURCE} FROM {from}
    WHERE coalesce(${published}) IS NOT NULL ORDER BY instant_at`;
}

const PERIODS = {
  month: { column: 'period AS annee_mois_str', suffix: '_mwh' },
  year: { column: 'CAST(period AS INTEGER) AS annee', suffix: '_yearly_mwh' },
} as const;

function energyOf(quantity: string, member = 'energy_mwh'): string {
  return `CAST(max(${member}) FILTER (WHERE quantity = '${quantity}') AS DOUBLE)`;
}

interface Column {
  readonly name: string;
  readonly value: string;
}

function coverageOf(name: string, quantity: string): Column {
  return { name: `${name}_coverage`, value: energyOf(quantity, 'coverage') };
}

/** One row per period with a column for each figure, and the coverages after them. */
function pivot(
  period: keyof typeof PERIODS,
  columns: readonly Column[],
  coverages: readonly Column[],
): string {
  const values = [...columns, ...coverages]
    .map(({ name, value }) => `${value} AS ${name}`)
    .join(', ');
  const names = columns.map(({ name }) => name).join(', ');
  return `SELECT * FROM (SELECT ${PERIODS[period].column}, ${values} FROM {from} GROUP BY period
    ORDER BY period)
    WHERE coalesce(${names}) IS NOT NULL`;
}

function energies(period: keyof typeof PERIODS, names: readonly MeasureName[]): string {
  const columns = names.map((name) => ({
    name: `${name}${PERIODS[period].suffix}`,
    value: energyOf(name),
  }));
  return pivot(
    period,
    columns,
    names.map((name) => coverageOf(name, name)),
  );
}

/** The load has a column of its own name in each table. */
function load(period: keyof typeof PERIODS, name: string): string {
  return pivot(
    period,
    [{ name, value: energyOf('consommation') }],
    [coverageOf('consommation', 'consommation')],
  );
}

function importsAndExports(): string {
  const quantities = [
    { name: 'total', quantity: TOTAL_EXCHANGE },
    ...BORDERS.map((border) => ({ name: `ech_comm_${border}`, quantity: `ech_comm_${border}` })),
  ];
  const columns = quantities.flatMap(({ name, quantity }) =>
    (['import', 'export'] as const).map((direction) => {
      return { name: `${name}_${direction}_mwh`, value: energyOf(quantity, `${direction}_mwh`) };
    }),
  );
  return pivot(
    'year',
    columns,
    quantities.map(({ name, quantity }) => coverageOf(name, quantity)),
  );
}

/** One file each, published as `02_clean/<name>.parquet`. */
export const HISTORY_TABLES: readonly HistoryTable[] = [
  { name: 'consommation_france_puissance', from: 'core', select: detail(['consommation']) },
  {
    name: 'consommation_mensuelle',
    from: 'month_energies',
    select: load('month', 'consommation_mensuelle'),
  },
  {
    name: 'consommation_annuelle',
    from: 'year_energies',
    select: load('year', 'consommation_annuelle'),
  },
  { name: 'production_france_detail', from: 'core', select: detail(PRODUCTION) },
  { name: 'production_mensuelle', from: 'month_energies', select: energies('month', PRODUCTION) },
  { name: 'production_annuelle', from: 'year_energies', select: energies('year', PRODUCTION) },
  { name: 'echanges_france_detail', from: 'core', select: detail(EXCHANGES) },
  { name: 'echanges_mensuels', from: 'month_energies', select: energies('month', EXCHANGES) },
  { name: 'echanges_annuels', from: 'year_energies', select: energies('year', EXCHANGES) },
  { name: 'echanges_annuels_import_export', from: 'year_energies', select: importsAndExports() },
];
