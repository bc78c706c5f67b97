import {
  csvFile,
  definePart,
  definePipeline,
  defineStep,
  downloadStep,
  htmlFile,
  jsonFile,
  parquetFile,
  watchSchedule,
} from '../kit/index.ts';
import type { PartDefinition, StepDefinition } from '../kit/index.ts';
import { CORE_CHECKS } from './checks.ts';
import { SCHOOL_PART } from './calendar/school-holidays.ts';
import { ZONE } from './local-time.ts';
import { ROLLUPS } from './rollup/definition.ts';

/**
 * RTE revises real-time days when it consolidates them (next month) and consolidated ones when they
 * become definitive (next year).
 */
const FRESH_FOR = {
  empty: '6 hours',
  provisional: '6 hours',
  consolidated: '30 days',
  definitive: 'ever',
} as const;

/** A cut-off export has fewer rows than the day has samples. */
const COMPLETENESS = { step: 'transform/national', fact: 'coverage', least: 1 } as const;

const PARTS: readonly PartDefinition[] = [
  definePart({
    id: 'tr',
    title: 'eCO2mix national, real time (ODRE eco2mix-national-tr)',
    source: 'http',
    expectedAfter: '2 hours',
    freshFor: FRESH_FOR,
    completeness: COMPLETENESS,
  }),
  definePart({
    id: 'cons-def',
    title: 'eCO2mix national, consolidated and definitive (ODRE eco2mix-national-cons-def)',
    source: 'http',
    expectedAfter: '15 days',
    freshFor: FRESH_FOR,
    completeness: COMPLETENESS,
  }),
  definePart({
    id: 'rte',
    title: 'RTE’s own eCO2mix tables (imported .xls)',
    source: 'import',
    bulkWindow: 'year',
  }),
  definePart({
    id: 'rte-annual',
    title: 'RTE’s yearly definitive load (imported CSV)',
    source: 'import',
    bulkWindow: 'year',
  }),
];

/** Not RTE's: only the calendar reads it. */
const SCHOOL = definePart({
  id: SCHOOL_PART,
  title: 'School holidays (imported calendar of data.education.gouv.fr)',
  source: 'import',
  bulkWindow: 'year',
});

const DOWNLOADS = [...PARTS, SCHOOL].map((part) =>
  downloadStep(part, `slices/eco2mix/${part.id}`, { timeout: '5 minutes' }),
);

const TRANSFORM = defineStep({
  id: 'transform/national',
  title: 'One typed row per instant, best revision first',
  inputs: PARTS.map((part) => ({
    name: part.id,
    step: `download/${part.id}`,
    output: 'slice',
    optional: true,
  })),
  needsAnyOf: PARTS.map((part) => part.id),
  outputs: { core: parquetFile('core/eco2mix/national', { keyColumns: ['instant_at'] }) },
  checks: CORE_CHECKS,
  timeout: '5 minutes',
  required: true,
});

const METRICS: readonly StepDefinition[] = [
  defineStep({
    id: 'metrics/national',
    title: 'Energies, peaks, exchanges, carbon intensity, forecast errors and curves of the day',
    inputs: [{ name: 'core', step: 'transform/national', output: 'core' }],
    outputs: { metrics: jsonFile('metrics/eco2mix/national') },
    timeout: '5 minutes',
    required: true,
  }),
  defineStep({
    id: 'metrics/comparison',
    title: 'The day against D−1, D−7 and the same weekday of last year',
    inputs: [
      { name: 'day', step: 'metrics/national', output: 'metrics' },
      { name: 'previous_day', step: 'metrics/national', output: 'metrics', daysBefore: 1 },
      { name: 'previous_week', step: 'metrics/national', output: 'metrics', daysBefore: 7 },
      { name: 'previous_year', step: 'metrics/national', output: 'metrics', daysBefore: 364 },
    ],
    outputs: { comparison: jsonFile('metrics/eco2mix/comparison') },
    timeout: '2 minutes',
  }),
];

const REPORTS: readonly StepDefinition[] = [
  defineStep({
    id: 'report/national',
    title: 'The day’s report as model, CSV and flat Parquet table',
    inputs: [
      { name: 'core', step: 'transform/national', output: 'core', withFacts: true },
      { name: 'metrics', step: 'metrics/national', output: 'metrics' },
      { name: 'comparison', step: 'metrics/comparison', output: 'comparison', optional: true },
    ],
    outputs: {
      model: jsonFile('reports/eco2mix/model', {
        publishAs: 'reports/eco2mix/daily_report_{scope}.json',
      }),
      csv: csvFile('reports/eco2mix/csv', {
        publishAs: 'reports/eco2mix/daily_report_{scope}.csv',
      }),
      table: parquetFile('reports/eco2mix/table', {
        publishAs: 'reports/eco2mix/daily_report_{scope}.parquet',
      }),
    },
    // Shown in the report, and a part of its key: a report says which versions of the steps made
    // its figures.
    params: {
      step_versions: Object.fromEntries(
        [TRANSFORM, ...METRICS].map(({ id, version }) => [id, version]),
      ),
    },
    withNotes: true,
    timeout: '2 minutes',
    required: true,
  }),
  defineStep({
    id: 'report/page',
    version: 4,
    title: 'The day’s report as one self-contained page',
    inputs: [{ name: 'model', step: 'report/national', output: 'model' }],
    outputs: {
      page: htmlFile('reports/eco2mix/page', {
        publishAs: 'reports/eco2mix/daily_report_{scope}.html',
      }),
    },
    timeout: '2 minutes',
    singleDaysOnly: true,
  }),
];

/**
 * French electricity as RTE publishes it: load, generation, exchanges and carbon intensity of
 * mainland France.
 */
export const eco2mixDefinition = definePipeline({
  name: 'eco2mix',
  title: 'French electricity (eCO2mix)',
  zone: ZONE,
  since: '2012-01-01',
  publication: {
    expectedAfter: '2 hours',
    pollEvery: '30 minutes',
    cutOffAfter: '3 days',
  },
  workWindow: 'half-year',
  parts: [...PARTS, SCHOOL],
  steps: [...DOWNLOADS, TRANSFORM, ...METRICS, ...REPORTS],
  rollups: ROLLUPS,
  publishedDownloads: {
    freshness: 'state/odre_freshness.json',
    log: 'logs/download_log.csv',
    fileNameOf: (part) =>
      part === SCHOOL_PART ? 'fr-en-calendrier-scolaire' : `eco2mix-national-${part}`,
  },
  schedules: [
    {
      id: 'daily',
      title: 'Yesterday, download to report',
      cron: '0 6 * * *',
      overlap: 'queue',
      pauseOnFailure: true,
    },
    watchSchedule({
      title: 'What the publisher revised',
      cron: '20 * * * *',
      pauseOnFailure: true,
    }),
    {
      id: 'audit',
      title: 'Random days rebuilt and compared',
      cron: '40 3 * * 0',
      runs: { workflow: 'verify', sample: 20 },
      lagDays: 0,
      catchUp: '1 day',
      jitter: '0 seconds',
      overlap: 'skip',
      pauseOnFailure: true,
    },
  ],
});
