import type { TableColumn } from '../kit/index.ts';
import { LABELS, RTE_SOURCES } from './sources-of-power.ts';

/**
 * The table that the earlier system's page exported: a row a month, a column a source; ours stand
 * after those that it had.
 */

interface WideColumn extends TableColumn {
  /** SQL over the rows of one month. */
  readonly value: string;
}

function of(source: string, member: string): string {
  return `max(${member}) FILTER (WHERE source = '${source}')`;
}

const COMPARED = ['eolien', 'solaire'] as const;

/** Each with the SQL that takes it from the long table, grouped by month. */
export const WIDE_COLUMNS: readonly WideColumn[] = [
  {
    name: 'annee',
    type: 'integer',
    title: { fr: 'Année', en: 'Year' },
    value: 'CAST(left(period, 4) AS INTEGER)',
  },
  { name: 'annee_mois', type: 'text', title: { fr: 'Mois', en: 'Month' }, value: 'period' },
  ...RTE_SOURCES.map((source): WideColumn => {
    const title = {
      fr: `Parc déduit de RTE : ${LABELS[source]}`,
      en: `Capacity derived from RTE: ${source}`,
    };
    return {
      name: `${source}_mw`,
      type: 'number',
      unit: 'MW',
      title,
      value: of(source, 'derived_mw'),
    };
  }),
  ...RTE_SOURCES.map((source): WideColumn => {
    const title = {
      fr: `Facteur de charge (0–1) : ${LABELS[source]}`,
      en: `Load factor (0–1): ${source}`,
    };
    return {
      name: `${source}_facteur_charge`,
      type: 'number',
      title,
      value: of(source, 'load_factor'),
    };
  }),
  ...COMPARED.map((source): WideColumn => {
    const title = {
      fr: `Registre ODRE au 31 décembre : ${LABELS[source]}`,
      en: `Register on 31 December: ${source}`,
    };
    return {
      name: `${source}_odre_mw`,
      type: 'number',
      unit: 'MW',
      title,
      value: of(source, 'register_mw'),
    };
  }),
  ...COMPARED.map((source): WideColumn => {
    const title = {
      fr: `Écart déduit − registre, en décembre : ${LABELS[source]}`,
      en: `Derived − register, in December: ${source}`,
    };
    return {
      name: `${source}_ecart_mw`,
      type: 'number',
      unit: 'MW',
      title,
      value: of(source, 'difference_mw'),
    };
  }),
];

/** SQL of the rows over a table function of the months' rows; in no order. */
export function wideSql(months: string): string {
  const values = WIDE_COLUMNS.map(({ name, value }) => `${value} AS ${name}`).join(', ');
  return `SELECT ${values} FROM ${months} GROUP BY period`;
}

/** One row for each year and source. */
export const YEARLY_COLUMNS: readonly WideColumn[] = [
  {
    name: 'annee',
    type: 'integer',
    title: { fr: 'Année', en: 'Year' },
    value: 'CAST(period AS INTEGER)',
  },
  { name: 'filiere', type: 'text', title: { fr: 'Filière', en: 'Source' }, value: 'source' },
  {
    name: 'parc_mw',
    type: 'number',
    unit: 'MW',
    title: { fr: 'Parc installé retenu', en: 'Installed capacity' },
    value: 'capacity_mw',
  },
  {
    name: 'origine',
    type: 'text',
    title: { fr: 'Origine du parc retenu (ODRE ou RTE)', en: 'Where it is from (ODRE or RTE)' },
    value: `CASE capacity_from WHEN 'register' THEN 'ODRE' WHEN 'rte' THEN 'RTE' END`,
  },
  {
    name: 'odre_mw',
    type: 'number',
    unit: 'MW',
    title: { fr: 'Registre ODRE au 31 décembre', en: 'Register on 31 December' },
    value: 'register_mw',
  },
  {
    name: 'rte_mw',
    type: 'number',
    unit: 'MW',
    title: {
      fr: 'Parc déduit de RTE, dernier mois connu',
      en: 'Derived from RTE, last known month',
    },
    value: 'derived_mw',
  },
  {
    name: 'rte_mois',
    type: 'text',
    title: { fr: 'Ce mois', en: 'That month' },
    value: 'derived_month',
  },
  {
    name: 'ecart_mw',
    type: 'number',
    unit: 'MW',
    title: { fr: 'Écart déduit − registre, en décembre', en: 'Derived − register, in December' },
    value: 'difference_mw',
  },
  {
    name: 'production_mwh',
    type: 'number',
    unit: 'MWh',
    title: { fr: 'Production des mois connus', en: 'Production of the known months' },
    value: 'production_mwh',
  },
  {
    name: 'facteur_charge',
    type: 'number',
    title: {
      fr: 'Facteur de charge des mois connus (0–1)',
      en: 'Load factor of the known months (0–1)',
    },
    value: 'load_factor',
  },
  {
    name: 'mois_connus',
    type: 'integer',
    title: { fr: 'Mois connus', en: 'Known months' },
    value: 'months',
  },
  {
    name: 'couverture',
    type: 'number',
    title: { fr: 'Part de l’année (0–1)', en: 'Part of the year (0–1)' },
    value: 'coverage',
  },
];

/** SQL of the rows over a table function of the years' rows; in no order. */
export function yearsSql(years: string): string {
  const values = YEARLY_COLUMNS.map(({ name, value }) => `${value} AS ${name}`).join(', ');
  return `SELECT ${values} FROM ${years}`;
}
