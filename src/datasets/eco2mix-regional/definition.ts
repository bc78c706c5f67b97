import {
  csvFile,
  definePart,
  definePipeline,
  defineRollup,
  defineStep,
  downloadStep,
  htmlFile,
  jsonFile,
  parquetFile,
  watchSchedule,
} from '../kit/index.ts';
import type { PartDefinition, RollupDefinition, StepDefinition } from '../kit/index.ts';
import { CORE_CHECKS } from './checks.ts';
import { ZONE } from './regions.ts';
import { DATASET_OF } from './source.ts';
import type { Part } from './source.ts';

/**
 * RTE revises real-time days when it consolidates them, and consolidated ones when they become
 * definitive.
 */
const FRESH_FOR = {
  empty: '6 hours',
  provisional: '6 hours',
  consolidated: '30 days',
  definitive: 'ever',
} as const;

const COMPLETENESS = { step: 'transform/regions', fact: 'coverage', least: 1 } as const;

const PARTS: readonly PartDefinition[] = [
  definePart({
    id: 'tr',
    title: `eCO2mix by region, real time (ODRE ${DATASET_OF.tr})`,
    source: 'http',
    expectedAfter: '2 hours',
    freshFor: FRESH_FOR,
    completeness: COMPLETENESS,
  }),
  definePart({
    id: 'cons-def',
    title: `eCO2mix by region, consolidated and definitive (ODRE ${DATASET_OF['cons-def']})`,
    source: 'http',
    expectedAfter: '15 days',
    freshFor: FRESH_FOR,
    completeness: COMPLETENESS,
  }),
];

const DOWNLOADS = PARTS.map((part) =>
  downloadStep(part, `slices/eco2mix-regional/${part.id}`, { timeout: '5 minutes' }),
);

const STEPS: readonly StepDefinition[] = [
  defineStep({
    id: 'transform/regions',
    title: 'One typed row per region and instant, best revision first',
    inputs: PARTS.map(({ id }) => ({
      name: id,
      step: `download/${id}`,
      output: 'slice',
      optional: true,
    })),
    needsAnyOf: PARTS.map(({ id }) => id),
    outputs: {
      core: parquetFile('core/eco2mix-regional/regions', {
        keyColumns: ['region_code', 'instant_at'],
      }),
    },
    checks: CORE_CHECKS,
    timeout: '5 minutes',
    required: true,
  }),
  defineStep({
    id: 'metrics/regions',
    title: 'Energies, peaks, coverage rates, load factors and exchanges of each region',
    inputs: [{ name: 'core', step: 'transform/regions', output: 'core' }],
    outputs: { metrics: jsonFile('metrics/eco2mix-regional/regions') },
    timeout: '5 minutes',
    required: true,
  }),
  defineStep({
    id: 'metrics/comparison',
    title: 'The sum of the regions beside the national figures of the day',
    inputs: [
      { name: 'regions', step: 'metrics/regions', output: 'metrics' },
      {
        name: 'national',
        step: 'metrics/national',
        output: 'metrics',
        asOf: { pipeline: 'eco2mix', withinDays: 0 },
        optional: true,
      },
    ],
    outputs: { comparison: jsonFile('metrics/eco2mix-regional/comparison') },
    timeout: '2 minutes',
  }),
  defineStep({
    id: 'report/regions',
    title: 'The day’s report as model, CSV and flat Parquet table',
    inputs: [
      { name: 'metrics', step: 'metrics/regions', output: 'metrics' },
      { name: 'comparison', step: 'metrics/comparison', output: 'comparison', optional: true },
    ],
    outputs: {
      model: jsonFile('reports/eco2mix-regional/model', {
        publishAs: 'reports/eco2mix-regional/daily_report_{scope}.json',
      }),
      csv: csvFile('reports/eco2mix-regional/csv', {
        publishAs: 'reports/eco2mix-regional/daily_report_{scope}.csv',
      }),
      table: parquetFile('reports/eco2mix-regional/table', {
        publishAs: 'reports/eco2mix-regional/daily_report_{scope}.parquet',
      }),
    },
    withNotes: true,
    timeout: '2 minutes',
    required: true,
  }),
  defineStep({
    id: 'report/page',
    version: 2,
    title: 'The day’s report as one self-contained page with maps of the regions',
    inputs: [{ name: 'model', step: 'report/regions', output: 'model' }],
    outputs: {
      page: htmlFile('reports/eco2mix-regional/page', {
        publishAs: 'reports/eco2mix-regional/daily_report_{scope}.html',
      }),
    },
    timeout: '2 minutes',
    singleDaysOnly: true,
  }),
];

const ROLLUPS: readonly RollupDefinition[] = [
  defineRollup({
    id: 'rollup/month',
    grain: 'month',
    title: 'The days of a month in one table each: instants and energies by region',
    inputs: [
      { name: 'core', step: 'transform/regions', output: 'core', each: 'day' },
      { name: 'metrics', step: 'metrics/regions', output: 'metrics', each: 'day' },
    ],
    outputs: {
      core: parquetFile('months/eco2mix-regional/core'),
      energies: parquetFile('months/eco2mix-regional/energies'),
    },
    timeout: '5 minutes',
  }),
  defineRollup({
    id: 'rollup/year',
    grain: 'year',
    title: 'Energies of a year by region',
    inputs: [{ name: 'energies', step: 'rollup/month', output: 'energies', each: 'month' }],
    outputs: { energies: parquetFile('years/eco2mix-regional/energies') },
    timeout: '2 minutes',
  }),
  defineRollup({
    id: 'rollup/history',
    grain: 'history',
    title: 'Energies of all months and years under fixed names',
    inputs: [
      { name: 'months', step: 'rollup/month', output: 'energies', each: 'month' },
      { name: 'years', step: 'rollup/year', output: 'energies', each: 'year' },
    ],
    outputs: {
      months: parquetFile('history/eco2mix-regional/months', {
        publishAs: 'eco2mix-regional/energies_month.parquet',
      }),
      years: parquetFile('history/eco2mix-regional/years', {
        publishAs: 'eco2mix-regional/energies_year.parquet',
      }),
    },
    timeout: '5 minutes',
  }),
];

/** French electricity by region as RTE publishes it. */
export const eco2mixRegionalDefinition = definePipeline({
  name: 'eco2mix-regional',
  title: 'French electricity by region (eCO2mix)',
  zone: ZONE,
  since: '2013-01-01',
  publication: { expectedAfter: '2 hours', pollEvery: '30 minutes', cutOffAfter: '3 days' },
  // A day has twelve times the rows of a national one.
  workWindow: 'month',
  parts: PARTS,
  steps: [...DOWNLOADS, ...STEPS],
  rollups: ROLLUPS,
  publishedDownloads: {
    freshness: 'state/odre_regional_freshness.json',
    log: 'logs/download_log_regional.csv',
    fileNameOf: (part) => DATASET_OF[part as Part],
  },
  schedules: [
    {
      id: 'daily',
      title: 'Yesterday, download to report',
      cron: '15 6 * * *',
      overlap: 'queue',
      pauseOnFailure: true,
    },
    watchSchedule({
      title: 'What the publisher revised',
      cron: '35 * * * *',
      pauseOnFailure: true,
    }),
  ],
});
