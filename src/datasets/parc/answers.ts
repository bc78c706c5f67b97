import { definedMembers } from '../kit/index.ts';
import type { TableColumn, TableDefinition } from '../kit/index.ts';
import { WIDE_COLUMNS, wideSql, YEARLY_COLUMNS, yearsSql } from './tables-sql.ts';

/** What readers may ask of installed capacity. */

function filesSql(files: string): string {
  return `read_parquet(${files}, union_by_name = true, hive_partitioning = false)`;
}

function plainColumns(columns: readonly TableColumn[]): TableColumn[] {
  return columns.map(({ name, type, title, unit }) => ({
    name,
    type,
    title,
    ...definedMembers({ unit }),
  }));
}

const MEGAWATTS = { type: 'number', unit: 'MW' } as const;

/** As the months have them. */
const MONTHLY_COLUMNS: readonly TableColumn[] = [
  { name: 'period', type: 'text', title: { fr: 'Mois', en: 'Month' } },
  { name: 'source', type: 'text', title: { fr: 'Filière', en: 'Source' } },
  {
    name: 'hours',
    type: 'integer',
    unit: 'h',
    title: { fr: 'Heures du mois', en: 'Hours of the month' },
  },
  {
    name: 'production_mwh',
    type: 'number',
    unit: 'MWh',
    title: { fr: 'Production (RTE)', en: 'Production (RTE)' },
  },
  {
    name: 'load_factor',
    type: 'number',
    title: { fr: 'Facteur de charge (0–1)', en: 'Load factor (0–1)' },
  },
  {
    name: 'derived_mw',
    ...MEGAWATTS,
    title: { fr: 'Parc déduit de RTE', en: 'Capacity derived from RTE' },
  },
  {
    name: 'register_before_mw',
    ...MEGAWATTS,
    title: { fr: 'Registre au 31 décembre précédent', en: 'Register on 31 December before' },
  },
  {
    name: 'register_mw',
    ...MEGAWATTS,
    title: { fr: 'Registre au 31 décembre de l’année', en: 'Register on 31 December of the year' },
  },
  {
    name: 'difference_mw',
    ...MEGAWATTS,
    title: { fr: 'Écart déduit − registre, en décembre', en: 'Derived − register, in December' },
  },
  { name: 'capacity_mw', ...MEGAWATTS, title: { fr: 'Parc retenu', en: 'Capacity that counts' } },
  {
    name: 'capacity_from',
    type: 'text',
    title: { fr: 'Origine du parc retenu', en: 'Where that is from' },
  },
];

const DERIVED = {
  fr: 'Parc déduit : production / (facteur de charge × heures du mois). Le registre est celui du 31 décembre.',
  en: 'Derived capacity: production / (load factor × hours of the month). The register is that of 31 December.',
};

/** By month, by month with the earlier system's headers, and by year. */
export const PARC_TABLES: readonly TableDefinition[] = [
  {
    id: 'parc_mensuel',
    title: {
      fr: 'Parc installé par mois et filière',
      en: 'Installed capacity by month and source',
    },
    description: DERIVED,
    rows: { step: 'rollup/month', output: 'capacity', each: 'month' },
    order: ['source'],
    columns: MONTHLY_COLUMNS,
  },
  {
    id: 'parc_installe',
    title: { fr: 'Parc installé éolien et solaire', en: 'Installed capacity of wind and sun' },
    description: {
      fr: `Avec les en-têtes de l’export du système précédent. ${DERIVED.fr}`,
      en: `With the headers of the earlier system’s export. ${DERIVED.en}`,
    },
    rows: { step: 'rollup/month', output: 'capacity', each: 'month' },
    order: ['annee_mois'],
    columns: plainColumns(WIDE_COLUMNS),
    from: (files) => wideSql(filesSql(files)),
  },
  {
    id: 'parc_annuel',
    title: { fr: 'Parc installé par an et filière', en: 'Installed capacity by year and source' },
    description: {
      fr: 'Le registre ODRE où il existe, sinon le dernier mois connu de RTE ; les deux et leur écart.',
      en: 'The register where it has the year, else the last known month of RTE; both, and their difference.',
    },
    rows: { step: 'rollup/year', output: 'capacity', each: 'year' },
    order: ['filiere'],
    columns: plainColumns(YEARLY_COLUMNS),
    from: (files) => yearsSql(filesSql(files)),
  },
];
