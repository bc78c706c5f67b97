import type { FrenchCsv, TableColumn, Words } from '../../kit/index.ts';
import { COLUMN_OF, MEASURES } from '../columns.ts';
import type { MeasureName } from '../columns.ts';
import { BORDERS, STORAGES, SUB_SOURCES } from '../metrics-model.ts';
import { TOTAL_EXCHANGE } from './energies.ts';

/**
 * The tables that the earlier system's pages exported, with its French headers: lower case, no
 * accents, the unit at the end. They are declared for readers (`answers/french-tables.ts`) and
 * published as CSV by the rollups, from one SQL.
 *
 * | table | columns |
 * |---|---|
 * | `consommation_puissance` | `date_heure;consommation_mw;source` |
 * | `consommation_mensuelle` | `annee;annee_mois;consommation_mwh;consommation_couverture` |
 * | `consommation_annuelle` | `annee;consommation_mwh;consommation_couverture` |
 * | `production_puissance`, `_mensuelle`, `_annuelle` | the same with a column for each source, sub-source and storage |
 * | `echanges_puissance` | `date_heure;ech_physiques;ech_comm_<border>…;source`, import positive |
 * | `echanges_mensuels`, `echanges_annuels` | `<border>_import_mwh;<border>_export_mwh;<border>_solde_mwh`, also of `total` |
 *
 * `solde` is export − import, as it was there: positive when France sells. `couverture` is the part
 * of the whole period, 0–1, that a figure stands on.
 */
export interface FrenchTable {
  /** Id of the table and stem of its published files. */
  readonly name: string;
  /** What its rows are made of: instants, or energies of months or years. */
  readonly of: 'instants' | 'month' | 'year';
  readonly title: Words;
  readonly columns: readonly FrenchColumn[];
}

/** A column with the SQL that fills it. */
export interface FrenchColumn extends TableColumn {
  /** SQL over a row of instants, or over the energies of one period. */
  readonly value: string;
  /** Rows without any figure are left out. */
  readonly isFigure?: true;
}

/** The order of the sources in the earlier exports; what it did not have comes after them. */
const PRODUCTION: readonly MeasureName[] = [
  ...([
    'nucleaire',
    'hydraulique',
    'eolien',
    'solaire',
    'gaz',
    'charbon',
    'fioul',
    'bioenergies',
  ] as const),
  ...SUB_SOURCES,
  ...STORAGES,
];
const EXCHANGES: readonly MeasureName[] = [
  'ech_physiques',
  ...BORDERS.map((border) => `ech_comm_${border}` as const),
];

const AT: FrenchColumn = {
  name: 'date_heure',
  type: 'instant',
  title: { fr: 'Date et heure (UTC)', en: 'Instant (UTC)' },
  value: 'instant_at',
};
const SOURCE: FrenchColumn = {
  name: 'source',
  type: 'text',
  title: { fr: 'État des données', en: 'State of the data' },
  value: `CASE revision WHEN 'provisional' THEN 'Temps Réel' ELSE 'Données Consolidées' END`,
};
const YEAR: FrenchColumn = {
  name: 'annee',
  type: 'integer',
  title: { fr: 'Année', en: 'Year' },
  value: 'CAST(left(period, 4) AS INTEGER)',
};
const MONTH: FrenchColumn = {
  name: 'annee_mois',
  type: 'text',
  title: { fr: 'Mois', en: 'Month' },
  value: 'period',
};

function labelOf(name: string): string {
  return MEASURES.find((measure) => measure.name === name)?.label ?? name;
}

/** `wind_onshore_mw` → `Wind onshore`. */
function wordsOf(name: MeasureName): Words {
  const words = COLUMN_OF[name].replace(/_mw$/, '').replaceAll('_', ' ');
  return { fr: labelOf(name), en: words.charAt(0).toUpperCase() + words.slice(1) };
}

function power(name: MeasureName, header: string): FrenchColumn {
  const title = wordsOf(name);
  return {
    name: header,
    type: 'integer',
    unit: 'MW',
    title,
    value: COLUMN_OF[name],
    isFigure: true,
  };
}

function memberOf(quantity: string, member: string): string {
  return `CAST(max(${member}) FILTER (WHERE quantity = '${quantity}') AS DOUBLE)`;
}

function energy(name: MeasureName): FrenchColumn {
  const value = memberOf(name, 'energy_mwh');
  return {
    name: `${name}_mwh`,
    type: 'number',
    unit: 'MWh',
    title: wordsOf(name),
    value,
    isFigure: true,
  };
}

function coverage(name: string, quantity: string): FrenchColumn {
  return {
    name: `${name}_couverture`,
    type: 'number',
    title: { fr: `Couverture (0–1) : ${name}`, en: `Coverage (0–1): ${name}` },
    value: memberOf(quantity, 'coverage'),
  };
}

function energies(names: readonly MeasureName[]): FrenchColumn[] {
  return [...names.map(energy), ...names.map((name) => coverage(name, name))];
}

/**
 * Imports, exports and balance of each border and of all borders together, as the energies of a
 * period have them.
 */
function trade(): FrenchColumn[] {
  const borders = [...BORDERS, 'total' as const].map((border) => {
    return { border, quantity: border === 'total' ? TOTAL_EXCHANGE : `ech_comm_${border}` };
  });
  const figures = borders.flatMap(({ border, quantity }) => {
    const [imported, exported] = [
      memberOf(quantity, 'import_mwh'),
      memberOf(quantity, 'export_mwh'),
    ];
    return [
      { name: `${border}_import_mwh`, fr: 'import', en: 'import', value: imported },
      { name: `${border}_export_mwh`, fr: 'export', en: 'export', value: exported },
      {
        name: `${border}_solde_mwh`,
        fr: 'export − import',
        en: 'export − import',
        value: `${exported} - ${imported}`,
      },
    ].map(({ name, fr, en, value }): FrenchColumn => {
      const title = { fr: `${border} : ${fr}`, en: `${border}: ${en}` };
      return { name, type: 'number', unit: 'MWh', title, value, isFigure: true };
    });
  });
  return [...figures, ...borders.map(({ border, quantity }) => coverage(border, quantity))];
}

function ofPeriods(
  stem: string,
  title: Words,
  figures: readonly FrenchColumn[],
  plural = false,
): FrenchTable[] {
  const [month, year] = plural ? ['mensuels', 'annuels'] : ['mensuelle', 'annuelle'];
  return [
    {
      name: `${stem}_${month}`,
      of: 'month',
      title: { fr: `${title.fr} par mois`, en: `${title.en} by month` },
      columns: [YEAR, MONTH, ...figures],
    },
    {
      name: `${stem}_${year}`,
      of: 'year',
      title: { fr: `${title.fr} par an`, en: `${title.en} by year` },
      columns: [YEAR, ...figures],
    },
  ];
}

/** Titles are shown where readers choose a table. */
export const FRENCH_TABLES: readonly FrenchTable[] = [
  {
    name: 'consommation_puissance',
    of: 'instants',
    title: { fr: 'Puissance consommée', en: 'Load' },
    columns: [AT, power('consommation', 'consommation_mw'), SOURCE],
  },
  ...ofPeriods(
    'consommation',
    { fr: 'Énergie consommée', en: 'Energy consumed' },
    energies(['consommation']),
  ),
  {
    name: 'production_puissance',
    of: 'instants',
    title: { fr: 'Puissance produite par filière', en: 'Generation by source' },
    columns: [AT, ...PRODUCTION.map((name) => power(name, `${name}_mw`)), SOURCE],
  },
  ...ofPeriods(
    'production',
    { fr: 'Énergie produite par filière', en: 'Energy by source' },
    energies(PRODUCTION),
  ),
  {
    name: 'echanges_puissance',
    of: 'instants',
    title: { fr: 'Échanges par pays', en: 'Exchanges by country' },
    columns: [AT, ...EXCHANGES.map((name) => power(name, name)), SOURCE],
  },
  ...ofPeriods('echanges', { fr: 'Imports et exports', en: 'Imports and exports' }, trade(), true),
];

/** The rows of a table as SQL over a table function of what it is made of; in no order. */
export function frenchRowsSql({ of, columns }: FrenchTable, source: string): string {
  const values = columns.map(({ name, value }) => `${value} AS ${name}`).join(', ');
  const figures = columns.filter(({ isFigure }) => isFigure === true).map(({ name }) => name);
  const rows = `SELECT ${values} FROM ${source}${of === 'instants' ? '' : ' GROUP BY period'}`;
  return `SELECT * FROM (${rows}) WHERE coalesce(${figures.join(', ')}) IS NOT NULL`;
}

/** The table as CSV, over a table function of what it is made of. */
export function frenchCsv(table: FrenchTable, source: string): FrenchCsv {
  return { select: frenchRowsSql(table, source), columns: table.columns, order: orderOf(table) };
}

/** The columns by which the rows are ordered and named. */
export function orderOf({ of }: FrenchTable): readonly string[] {
  return { instants: ['date_heure'], month: ['annee_mois'], year: ['annee'] }[of];
}
