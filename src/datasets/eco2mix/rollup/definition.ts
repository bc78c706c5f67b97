import { csvFile, defineRollup, parquetFile } from '../../kit/index.ts';
import type { OutputDefinition, RollupDefinition } from '../../kit/index.ts';
import { FRENCH_TABLES } from './french-tables.ts';
import { SCHOOL_PART } from '../calendar/school-holidays.ts';
import { HISTORY_TABLES } from './history-tables.ts';
import { INSIGHTS } from './insights.ts';

/**
 * Days → months → whole history. A month is made of its days' artefacts, a year and the history of
 * months only, so that decades are read from hundreds of files, not from thousands.
 */

/** The portal's name of each downloaded dataset, by the output that keeps its rows. */
export const RAW_OUTPUTS = {
  raw_tr: { part: 'tr', dataset: 'eco2mix-national-tr' },
  raw_cons_def: { part: 'cons-def', dataset: 'eco2mix-national-cons-def' },
} as const;
/** An output that keeps published rows as they were read. */
export type RawOutput = keyof typeof RAW_OUTPUTS;

const MONTH = defineRollup({
  id: 'rollup/month',
  grain: 'month',
  version: 2,
  title: 'The days of a month in one table each: instants, energies, days, published rows',
  inputs: [
    { name: 'core', step: 'transform/national', output: 'core', each: 'day' },
    { name: 'metrics', step: 'metrics/national', output: 'metrics', each: 'day' },
    { name: 'raw_tr', step: 'download/tr', output: 'slice', each: 'day' },
    { name: 'raw_cons_def', step: 'download/cons-def', output: 'slice', each: 'day' },
    { name: 'school', step: `download/${SCHOOL_PART}`, output: 'slice', each: 'day' },
  ],
  outputs: {
    core: parquetFile('months/eco2mix/core'),
    energies: parquetFile('months/eco2mix/energies'),
    days: parquetFile('months/eco2mix/days'),
    school: parquetFile('months/eco2mix/school'),
    raw_tr: parquetFile('months/eco2mix/raw-tr'),
    raw_cons_def: parquetFile('months/eco2mix/raw-cons-def'),
  },
  timeout: '5 minutes',
});

/**
 * The tables of instants are published by year: all years in one would be 60 MB of text with every
 * change.
 */
export const CSV_OF_YEARS = FRENCH_TABLES.filter(({ of }) => of === 'instants');
/** The tables of months and years: small, one file for all time. */
export const CSV_OF_HISTORY = FRENCH_TABLES.filter(({ of }) => of !== 'instants');

/** The output with the CSV of a table. */
export function csvOutputOf(table: string): string {
  return `${table}_csv`;
}

const YEAR = defineRollup({
  id: 'rollup/year',
  grain: 'year',
  version: 2,
  title: 'Energies of a year, and its curves as CSV',
  inputs: [
    { name: 'energies', step: 'rollup/month', output: 'energies', each: 'month' },
    { name: 'core', step: 'rollup/month', output: 'core', each: 'month' },
  ],
  outputs: {
    energies: parquetFile('years/eco2mix/energies'),
    ...Object.fromEntries(
      CSV_OF_YEARS.map(({ name }) => [
        csvOutputOf(name),
        csvFile(`years/eco2mix/${name}`, { publishAs: `02_clean/${name}_{scope}.csv` }),
      ]),
    ),
  },
  timeout: '5 minutes',
});

const HISTORY = defineRollup({
  id: 'rollup/history',
  grain: 'history',
  version: 6,
  title: 'Everything that is published under a fixed name',
  inputs: [
    { name: 'core', step: 'rollup/month', output: 'core', each: 'month' },
    { name: 'days', step: 'rollup/month', output: 'days', each: 'month' },
    { name: 'school', step: 'rollup/month', output: 'school', each: 'month' },
    { name: 'month_energies', step: 'rollup/month', output: 'energies', each: 'month' },
    { name: 'year_energies', step: 'rollup/year', output: 'energies', each: 'year' },
    { name: 'raw_tr', step: 'rollup/month', output: 'raw_tr', each: 'month' },
    { name: 'raw_cons_def', step: 'rollup/month', output: 'raw_cons_def', each: 'month' },
  ],
  outputs: Object.fromEntries([
    ...HISTORY_TABLES.map(({ name }) => [
      name,
      parquetFile(`history/eco2mix/${name}`, { publishAs: `02_clean/${name}.parquet` }),
    ]),
    ...INSIGHTS.map((name) => [
      name,
      parquetFile(`history/eco2mix/${name}`, { publishAs: `eco2mix/${name}.parquet` }),
    ]),
    ...CSV_OF_HISTORY.map(({ name }) => [
      csvOutputOf(name),
      csvFile(`history/eco2mix/${name}-csv`, { publishAs: `02_clean/${name}.csv` }),
    ]),
    ...Object.entries(RAW_OUTPUTS).map(([output, { dataset }]) => {
      return [
        output,
        parquetFile(`history/eco2mix/${dataset}`, {
          publishAs: `01_downloaded/odre/${dataset}.parquet`,
        }),
      ];
    }),
  ]) as Record<string, OutputDefinition>,
  timeout: '20 minutes',
});

/** In the order in which they are made. */
export const ROLLUPS: readonly RollupDefinition[] = [MONTH, YEAR, HISTORY];
