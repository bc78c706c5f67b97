import type { TableColumn, TableDefinition } from '../../kit/index.ts';
import { MEASURES, RATES, SOURCES } from '../columns.ts';

/** What readers may ask of the regions. */

/**
 * `nuclear_load_factor_pct` → `Nuclear load factor`: our names are English, with the unit at their
 * end.
 */
function englishTitle(column: string): string {
  const words = column.replace(/_(mw|pct)$/, '').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const REGIONS: TableDefinition = {
  id: 'eco2mix_regional',
  title: { fr: 'Puissances régionales', en: 'Regional power' },
  description: {
    fr: 'Une ligne par région et instant publié : consommation, production, échanges, taux de couverture (TCO) et de charge (TCH).',
    en: 'One row per region and published instant: load, generation, exchanges, coverage rates (TCO) and load factors (TCH).',
  },
  rows: { step: 'transform/regions', output: 'core', each: 'day' },
  order: ['region_code', 'instant_at'],
  columns: [
    {
      name: 'region_code',
      type: 'text',
      title: { fr: 'Code INSEE région', en: 'Region (INSEE code)' },
    },
    { name: 'instant_at', type: 'instant', title: { fr: 'Instant (UTC)', en: 'Instant (UTC)' } },
    { name: 'revision', type: 'text', title: { fr: 'État des données', en: 'Revision' } },
    { name: 'source_part', type: 'text', title: { fr: 'Fichier d’origine', en: 'Source part' } },
    {
      name: 'quarters',
      type: 'integer',
      title: { fr: 'Durée (quarts d’heure)', en: 'Stands for (quarters of an hour)' },
    },
    ...MEASURES.map(({ column, label }): TableColumn => {
      return {
        name: column,
        type: 'integer',
        unit: 'MW',
        title: { fr: label, en: englishTitle(column) },
      };
    }),
    ...RATES.map(({ column, label }): TableColumn => {
      return {
        name: column,
        type: 'number',
        unit: '%',
        title: { fr: label, en: englishTitle(column) },
      };
    }),
  ],
};

const ENERGY_COLUMNS: readonly TableColumn[] = [
  { name: 'period', type: 'text', title: { fr: 'Période', en: 'Period' } },
  {
    name: 'region_code',
    type: 'text',
    title: { fr: 'Code INSEE région', en: 'Region (INSEE code)' },
  },
  { name: 'region', type: 'text', title: { fr: 'Région', en: 'Region' } },
  { name: 'quantity', type: 'text', title: { fr: 'Grandeur', en: 'Quantity' } },
  { name: 'energy_mwh', type: 'number', unit: 'MWh', title: { fr: 'Énergie', en: 'Energy' } },
  { name: 'coverage', type: 'number', title: { fr: 'Couverture (0–1)', en: 'Coverage (0–1)' } },
];

function energies(each: 'month' | 'year', title: TableDefinition['title']): TableDefinition {
  return {
    id: `eco2mix_regional_energies_${each}`,
    title,
    description: {
      fr: 'Énergies par région et grandeur, avec la part de la période sur laquelle elles reposent.',
      en: 'Energies by region and quantity, with the part of the period that they stand on.',
    },
    rows: { step: `rollup/${each}`, output: 'energies', each },
    order: ['region_code', 'quantity'],
    columns: ENERGY_COLUMNS,
  };
}

/** The member of a region's day that tells of each quantity. */
const MEMBERS: readonly (readonly [quantity: string, path: string])[] = [
  ['consommation', 'load'],
  ...SOURCES.map((source) => [source, `generation.by_source.${source}`] as const),
  ['pompage', 'pumping'],
  ['ech_physiques', 'exchange'],
];

/** The metrics of days as rows of energies. */
function energiesOfDays(files: string): string {
  const told = MEMBERS.map(
    ([quantity, path]) => `{quantity: '${quantity}', told: region->'$.${path}'}`,
  );
  return `SELECT period, region->>'$.code' AS region_code, region->>'$.name' AS region,
    one.quantity AS quantity,
      TRY_CAST(one.told->>'$.energy_mwh' AS DOUBLE) AS energy_mwh,
      TRY_CAST(one.told->>'$.coverage' AS DOUBLE) AS coverage
    FROM (SELECT period, region, unnest([${told.join(', ')}]) AS one
      FROM (SELECT json->>'$.date' AS period, unnest(CAST(json->'$.regions' AS JSON[])) AS region
        FROM read_json_objects(${files}, format = 'unstructured')))`;
}

const DAYS: TableDefinition = {
  ...energies('month', { fr: 'Énergies quotidiennes par région', en: 'Daily energies by region' }),
  id: 'eco2mix_regional_energies_day',
  rows: { step: 'metrics/regions', output: 'metrics', each: 'day' },
  from: energiesOfDays,
};

/** Rows as published, the figures of each day, and energies by day, month and year. */
export const REGIONAL_TABLES: readonly TableDefinition[] = [
  REGIONS,
  DAYS,
  energies('month', { fr: 'Énergies mensuelles par région', en: 'Monthly energies by region' }),
  energies('year', { fr: 'Énergies annuelles par région', en: 'Yearly energies by region' }),
];
