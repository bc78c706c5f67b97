import type { TableColumn, TableDefinition } from '../../kit/index.ts';
import { MEASURES } from '../columns.ts';
import { BORDERS, SOURCES, STORAGES, SUB_SOURCES } from '../metrics-model.ts';
import { TOTAL_EXCHANGE } from '../rollup/energies.ts';
import { INSIGHT_TABLES } from './insight-tables.ts';

/**
 * What readers may ask of eCO2mix, and how its columns are called: derived from the measures of
 * `columns.ts`.
 */

const INSTANT: TableColumn = {
  name: 'instant_at',
  type: 'instant',
  title: { fr: 'Instant (UTC)', en: 'Instant (UTC)' },
};

const MEASURED: readonly TableColumn[] = MEASURES.map(({ column, label, unit }) => ({
  name: column,
  type: 'integer',
  unit,
  title: { fr: label, en: englishTitle(column) },
}));

/** `nuclear_mw` → `Nuclear`: our names are English, with the unit at their end. */
function englishTitle(column: string): string {
  const words = column.replace(/_(mw|g_per_kwh)$/, '').replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

const NATIONAL: TableDefinition = {
  id: 'eco2mix_national',
  title: { fr: 'Puissances nationales', en: 'National power' },
  description: {
    fr: 'Une ligne par instant publié : consommation, production par filière, échanges et CO₂ de la France continentale.',
    en: 'One row per published instant: load, generation by source, exchanges and CO₂ of mainland France.',
  },
  rows: { step: 'transform/national', output: 'core', each: 'day' },
  months: { step: 'rollup/month', output: 'core', input: 'core' },
  order: ['instant_at'],
  columns: [
    INSTANT,
    { name: 'revision', type: 'text', title: { fr: 'État des données', en: 'Revision' } },
    { name: 'source_part', type: 'text', title: { fr: 'Fichier d’origine', en: 'Source part' } },
    ...MEASURED,
  ],
};

const ENERGY_COLUMNS: readonly TableColumn[] = [
  { name: 'quantity', type: 'text', title: { fr: 'Grandeur', en: 'Quantity' } },
  { name: 'energy_mwh', type: 'number', unit: 'MWh', title: { fr: 'Énergie', en: 'Energy' } },
  { name: 'import_mwh', type: 'number', unit: 'MWh', title: { fr: 'Import', en: 'Import' } },
  { name: 'export_mwh', type: 'number', unit: 'MWh', title: { fr: 'Export', en: 'Export' } },
  {
    name: 'expected_samples',
    type: 'integer',
    title: { fr: 'Points attendus', en: 'Expected samples' },
  },
  {
    name: 'observed_samples',
    type: 'integer',
    title: { fr: 'Points observés', en: 'Observed samples' },
  },
  { name: 'coverage', type: 'number', title: { fr: 'Couverture (0–1)', en: 'Coverage (0–1)' } },
];

/**
 * The member of a day's metrics that tells of each quantity, in the names of the energies of months
 * and years.
 */
const DAY_MEMBERS: readonly (readonly [quantity: string, path: string, energy: string])[] = [
  ['consommation', 'load', 'energy_mwh'],
  ...SOURCES.map((name) => [name, `generation.by_source.${name}`, 'energy_mwh'] as const),
  ...SUB_SOURCES.map((name) => [name, `generation.by_sub_source.${name}`, 'energy_mwh'] as const),
  ...STORAGES.map((name) => [name, `storage.${name}`, 'energy_mwh'] as const),
  ['ech_physiques', 'exchanges.physical', 'net_mwh'],
  ...BORDERS.map(
    (border) => [`ech_comm_${border}`, `exchanges.by_border.${border}`, 'net_mwh'] as const,
  ),
  [TOTAL_EXCHANGE, 'exchanges.total', 'net_mwh'],
];

/**
 * The metrics of days as rows of energies; the document of a day is read once, whatever number of
 * quantities it has.
 */
function energiesOfDays(files: string): string {
  const structs = DAY_MEMBERS.map(
    ([quantity, path, energy]) =>
      `{quantity: '${quantity}', energy: '${energy}', told: document->'$.${path}'}`,
  );
  const number = (member: string): string => `TRY_CAST(one.told->>'$.${member}' AS DOUBLE)`;
  return `SELECT period, one.quantity AS quantity,
    TRY_CAST(one.told->>('$.' || one.energy) AS DOUBLE) AS energy_mwh,
      ${number('import_mwh')} AS import_mwh, ${number('export_mwh')} AS export_mwh,
      ${number('expected_samples')} AS expected_samples, ${number('observed_samples')} AS observed_samples,
      ${number('coverage')} AS coverage
    FROM (SELECT document->>'$.date' AS period, unnest([${structs.join(', ')}]) AS one
      FROM (SELECT json AS document FROM read_json_objects(${files}, format = 'unstructured')))`;
}

const DAYS: TableDefinition = {
  ...energies('month', { fr: 'Énergies quotidiennes', en: 'Daily energies' }),
  id: 'eco2mix_energies_day',
  rows: { step: 'metrics/national', output: 'metrics', each: 'day' },
  from: energiesOfDays,
};

function energies(each: 'month' | 'year', title: TableDefinition['title']): TableDefinition {
  return {
    id: `eco2mix_energies_${each}`,
    title,
    description: {
      fr: 'Énergies par grandeur, avec la part de la période sur laquelle elles reposent.',
      en: 'Energies by quantity, with the part of the period that they stand on.',
    },
    rows: { step: `rollup/${each}`, output: 'energies', each },
    order: ['quantity'],
    columns: [
      { name: 'period', type: 'text', title: { fr: 'Période', en: 'Period' } },
      ...ENERGY_COLUMNS,
    ],
  };
}

/** National rows, days, energies by day, month and year, and the tables over all time. */
export const ECO2MIX_TABLES: readonly TableDefinition[] = [
  NATIONAL,
  DAYS,
  energies('month', { fr: 'Énergies mensuelles', en: 'Monthly energies' }),
  energies('year', { fr: 'Énergies annuelles', en: 'Yearly energies' }),
  ...INSIGHT_TABLES,
];
