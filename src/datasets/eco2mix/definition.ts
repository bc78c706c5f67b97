import type { OutputDefinition, PartDefinition, StepDefinition } from '../../pipelines/definition.ts';
import { definePipeline } from '../../pipelines/define-pipeline.ts';
import { CORE_CHECKS } from './checks.ts';
import { ZONE } from './local-time.ts';
import { ROLLUPS } from './rollup/definition.ts';

const MINUTES_PER_HOUR = 60;
const MINUTES_PER_DAY = 24 * MINUTES_PER_HOUR;

/** RTE revises real-time days when it consolidates them (next month) and consolidated ones when they become definitive (next year). */
const FRESH_FOR_MINUTES = {
  empty: 6 * MINUTES_PER_HOUR,
  provisional: 6 * MINUTES_PER_HOUR,
  consolidated: 30 * MINUTES_PER_DAY,
  definitive: null,
} as const;

/** Imported files change only when somebody imports again. */
const FRESH_UNTIL_IMPORT = { empty: null, provisional: null, consolidated: null, definitive: null } as const;

/** A cut-off export has fewer rows than the day has samples. */
const COMPLETENESS = { step: 'transform/national', fact: 'coverage', least: 1 } as const;

const PARTS: readonly PartDefinition[] = [
  {
    id: 'tr',
    title: 'eCO2mix national, real time (ODRE eco2mix-national-tr)',
    source: 'http',
    bulkWindow: 'month',
    expectedAfter: { minutes: 2 * MINUTES_PER_HOUR },
    freshForMinutes: FRESH_FOR_MINUTES,
    completeness: COMPLETENESS,
  },
  {
    id: 'cons-def',
    title: 'eCO2mix national, consolidated and definitive (ODRE eco2mix-national-cons-def)',
    source: 'http',
    bulkWindow: 'month',
    expectedAfter: { days: 15 },
    freshForMinutes: FRESH_FOR_MINUTES,
    completeness: COMPLETENESS,
  },
  {
    id: 'rte',
    title: 'RTE’s own eCO2mix tables (imported .xls)',
    source: 'import',
    bulkWindow: 'year',
    expectedAfter: {},
    freshForMinutes: FRESH_UNTIL_IMPORT,
  },
  {
    id: 'rte-annual',
    title: 'RTE’s yearly definitive load (imported CSV)',
    source: 'import',
    bulkWindow: 'year',
    expectedAfter: {},
    freshForMinutes: FRESH_UNTIL_IMPORT,
  },
];

function parquet(layer: string): OutputDefinition {
  return { layer, extension: 'parquet', mediaType: 'application/vnd.apache.parquet' };
}

function json(layer: string, publishAs?: string): OutputDefinition {
  return { layer, extension: 'json', mediaType: 'application/json', ...(publishAs === undefined ? {} : { publishAs }) };
}

const DOWNLOADS: readonly StepDefinition[] = PARTS.map((part) => ({
  id: `download/${part.id}`,
  version: 1,
  title: part.title,
  part: part.id,
  inputs: [],
  outputs: { slice: parquet(`slices/eco2mix/${part.id}`) },
  queue: part.source === 'http' ? 'fetch' : 'compute',
  timeoutSeconds: 300,
  required: false,
}));

const TRANSFORM: StepDefinition = {
  id: 'transform/national',
  version: 1,
  title: 'One typed row per instant, best revision first',
  inputs: PARTS.map((part) => ({ name: part.id, step: `download/${part.id}`, output: 'slice', optional: true })),
  needsAnyOf: PARTS.map((part) => part.id),
  outputs: { core: { ...parquet('core/eco2mix/national'), keyColumns: ['instant_at'] } },
  checks: CORE_CHECKS,
  queue: 'compute',
  timeoutSeconds: 300,
  required: true,
};

const METRICS: readonly StepDefinition[] = [
  {
    id: 'metrics/national',
    version: 1,
    title: 'Energies, peaks, exchanges, carbon intensity, forecast errors and curves of the day',
    inputs: [{ name: 'core', step: 'transform/national', output: 'core' }],
    outputs: { metrics: json('metrics/eco2mix/national') },
    queue: 'compute',
    timeoutSeconds: 300,
    required: true,
  },
  {
    id: 'metrics/comparison',
    version: 1,
    title: 'The day against D−1, D−7 and the same weekday of last year',
    inputs: [
      { name: 'day', step: 'metrics/national', output: 'metrics' },
      { name: 'previous_day', step: 'metrics/national', output: 'metrics', daysBefore: 1 },
      { name: 'previous_week', step: 'metrics/national', output: 'metrics', daysBefore: 7 },
      { name: 'previous_year', step: 'metrics/national', output: 'metrics', daysBefore: 364 },
    ],
    outputs: { comparison: json('metrics/eco2mix/comparison') },
    queue: 'compute',
    timeoutSeconds: 120,
    required: false,
  },
];

const REPORTS: readonly StepDefinition[] = [
  {
    id: 'report/national',
    version: 1,
    title: 'The day’s report as model, CSV and flat Parquet table',
    inputs: [
      { name: 'core', step: 'transform/national', output: 'core', withFacts: true },
      { name: 'metrics', step: 'metrics/national', output: 'metrics' },
      { name: 'comparison', step: 'metrics/comparison', output: 'comparison', optional: true },
    ],
    outputs: {
      model: json('reports/eco2mix/model', 'reports/eco2mix/daily_report_{scope}.json'),
      csv: {
        layer: 'reports/eco2mix/csv',
        extension: 'csv',
        mediaType: 'text/csv; charset=utf-8',
        publishAs: 'reports/eco2mix/daily_report_{scope}.csv',
      },
      table: {
        ...parquet('reports/eco2mix/table'),
        publishAs: 'reports/eco2mix/daily_report_{scope}.parquet',
      },
    },
    // Shown in the report, and a part of its key: a report says which versions of the steps made its figures.
    params: { step_versions: Object.fromEntries([TRANSFORM, ...METRICS].map(({ id, version }) => [id, version])) },
    withNotes: true,
    queue: 'report',
    timeoutSeconds: 120,
    required: true,
  },
  {
    id: 'report/page',
    version: 1,
    title: 'The day’s report as one self-contained page',
    inputs: [{ name: 'model', step: 'report/national', output: 'model' }],
    outputs: {
      page: {
        layer: 'reports/eco2mix/page',
        extension: 'html',
        mediaType: 'text/html; charset=utf-8',
        publishAs: 'reports/eco2mix/daily_report_{scope}.html',
      },
    },
    queue: 'report',
    timeoutSeconds: 120,
    required: false,
    singleDaysOnly: true,
  },
];

/** French electricity as RTE publishes it: load, generation, exchanges and carbon intensity of mainland France. */
export const eco2mixDefinition = definePipeline({
  name: 'eco2mix',
  title: 'French electricity (eCO2mix)',
  zone: ZONE,
  since: '2012-01-01',
  publication: {
    expectedAfter: { minutes: 2 * MINUTES_PER_HOUR },
    pollEveryMinutes: 30,
    cutOffAfter: { days: 3 },
    holdDays: 7,
  },
  workWindow: 'half-year',
  parts: PARTS,
  steps: [...DOWNLOADS, TRANSFORM, ...METRICS, ...REPORTS],
  rollups: ROLLUPS,
  publishedDownloads: {
    freshness: 'state/odre_freshness.json',
    log: 'logs/download_log.csv',
    fileNameOf: (part) => `eco2mix-national-${part}`,
  },
  schedules: [
    {
      id: 'daily',
      title: 'Yesterday, download to report',
      cron: '0 6 * * *',
      lagDays: 1,
      catchUpMinutes: 7 * MINUTES_PER_DAY,
      jitterSeconds: 60,
      overlap: 'queue',
      pauseOnFailure: true,
    },
    {
      id: 'watch',
      title: 'What the publisher revised',
      cron: '20 * * * *',
      runs: { workflow: 'watch' },
      lagDays: 0,
      catchUpMinutes: 60,
      jitterSeconds: 120,
      overlap: 'skip',
      pauseOnFailure: true,
    },
    {
      id: 'audit',
      title: 'Random days rebuilt and compared',
      cron: '40 3 * * 0',
      runs: { workflow: 'verify', sample: 20 },
      lagDays: 0,
      catchUpMinutes: MINUTES_PER_DAY,
      jitterSeconds: 0,
      overlap: 'skip',
      pauseOnFailure: true,
    },
  ],
});
