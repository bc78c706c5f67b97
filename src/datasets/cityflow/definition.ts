import type {
  CheckDefinition,
  OutputDefinition,
  PartDefinition,
  RecordTable,
  StepDefinition,
  StepInput,
} from '../../pipelines/definition.ts';
import { definePipeline } from '../../pipelines/define-pipeline.ts';
import type { StepId } from '../../pipelines/vocabulary.ts';
import { ZONE } from './local-hours.ts';
import { digestBefore, HISTORY_DAYS } from './metrics/history.ts';
import { THRESHOLDS } from './thresholds.ts';
import { BIKE_CHECKS } from './transform/bikes.ts';
import { COUNT_CHECKS } from './transform/counts.ts';
import { NETWORK_CHECKS } from './transform/network.ts';
import { TRAFFIC_CHECKS } from './transform/traffic.ts';
import { WEATHER_CHECKS } from './transform/weather.ts';
import { WORK_CHECKS } from './transform/works.ts';

const MINUTES_PER_HOUR = 60;
const MINUTES_PER_DAY = 24 * MINUTES_PER_HOUR;

/** Counts arrive for days after their day; a state of the moment (disruptions, roadworks) of a past day does not come back. */
const FRESH_FOR_MINUTES = {
  empty: 6 * MINUTES_PER_HOUR,
  partial: 6 * MINUTES_PER_HOUR,
  provisional: MINUTES_PER_DAY,
  consolidated: 30 * MINUTES_PER_DAY,
  definitive: null,
} as const;
const FRESH_FOR_EVER = {
  empty: 6 * MINUTES_PER_HOUR,
  provisional: null,
  consolidated: null,
  definitive: null,
} as const;

/** A list of roadworks is trusted for this long after its day. */
export const WORKS_TRUSTED_DAYS = 92;

type PartDetail = Omit<PartDefinition, 'source'>;

const DETAILS: readonly PartDetail[] = [
  {
    id: 'bikes',
    title: 'Bike counters (Paris open data, comptage-velo-donnees-compteurs)',
    bulkWindow: 'month',
    expectedAfter: {},
    freshForMinutes: FRESH_FOR_MINUTES,
    // Some hours of some counters are never published; a whole hour of all of them is 4 %.
    completeness: { step: 'metrics/bikes', fact: 'coverage', least: 0.95 },
  },
  {
    id: 'traffic',
    title: 'Public transport disruptions (Île-de-France Mobilités, Navitia)',
    bulkWindow: 'month',
    // The operator clears what is over; the run after midnight still hears of the day that just ended.
    listed: { daysBefore: 1, daysAfter: 0 },
    expectedAfter: {},
    momentary: true,
    freshForMinutes: FRESH_FOR_EVER,
  },
  {
    id: 'weather',
    title: 'Weather (Visual Crossing)',
    bulkWindow: 'month',
    expectedAfter: { minutes: MINUTES_PER_HOUR },
    freshForMinutes: FRESH_FOR_EVER,
  },
  {
    id: 'open-meteo',
    title: 'Weather (Open-Meteo archive)',
    bulkWindow: 'month',
    expectedAfter: { minutes: MINUTES_PER_HOUR },
    freshForMinutes: FRESH_FOR_MINUTES,
  },
  {
    id: 'comptages',
    title: 'Road counts (Paris open data, comptages-routiers-permanents)',
    bulkWindow: 'month',
    importWindow: 'all',
    // Files of single arcs, and of some of the hours, are common.
    addsUp: true,
    expectedAfter: {},
    freshForMinutes: FRESH_FOR_MINUTES,
    // 4 to 13 % of the hours of a road are missing for good.
    completeness: { step: 'metrics/comptages', fact: 'coverage', least: 0.85 },
  },
  {
    id: 'chantiers',
    title: 'Roadworks (Paris open data, chantiers-perturbants)',
    bulkWindow: 'month',
    // Works that have ended leave the list; that of the run after midnight still has those of the day that just ended.
    listed: { daysBefore: 1, daysAfter: WORKS_TRUSTED_DAYS },
    expectedAfter: {},
    momentary: true,
    freshForMinutes: FRESH_FOR_EVER,
  },
  {
    id: 'referentiel',
    title: 'Road network (Paris open data, referentiel-comptages-routiers)',
    bulkWindow: 'all',
    importWindow: 'all',
    expectedAfter: {},
    momentary: true,
    freshForMinutes: FRESH_FOR_EVER,
  },
  {
    id: 'arrondissements',
    title: 'Districts (Paris open data, arrondissements)',
    bulkWindow: 'all',
    importWindow: 'all',
    expectedAfter: {},
    momentary: true,
    freshForMinutes: FRESH_FOR_EVER,
  },
];

const PARTS: readonly PartDefinition[] = DETAILS.map((detail) => ({ ...detail, source: 'http' }));

const TEN_MINUTES = 600;
const TWO_HOURS = 7_200;

function parquet(layer: string, keyColumns?: readonly string[]): OutputDefinition {
  const output = { layer, extension: 'parquet', mediaType: 'application/vnd.apache.parquet' };
  return keyColumns === undefined ? output : { ...output, keyColumns };
}

function json(layer: string, publishAs?: string): OutputDefinition {
  const output = { layer, extension: 'json', mediaType: 'application/json' };
  return publishAs === undefined ? output : { ...output, publishAs };
}

/** References without a date: every day has all of them. */
const UNDATED: readonly string[] = ['referentiel', 'arrondissements'];

const DOWNLOADS: readonly StepDefinition[] = PARTS.map((part) => ({
  id: `download/${part.id}`,
  version: part.id === 'comptages' ? 2 : 1,
  title: part.title,
  part: part.id,
  inputs: [],
  outputs: { slice: { ...parquet(`slices/cityflow/${part.id}`), sharedByDays: UNDATED.includes(part.id) } },
  queue: 'fetch',
  // A year of road counts has 6 GB.
  timeoutSeconds: part.id === 'comptages' ? TWO_HOURS : TEN_MINUTES,
  required: false,
}));

const LIMITS = { thresholds: THRESHOLDS };

function slice(part: string, optional = false): StepInput {
  return { name: part, step: `download/${part}`, output: 'slice', ...(optional ? { optional } : {}) };
}

const DISTRICTS = slice('arrondissements', true);
const NETWORK: StepInput = { name: 'network', step: 'transform/referentiel', output: 'core', optional: true };

interface TransformDetail {
  readonly part: string;
  readonly title: string;
  readonly inputs: readonly StepInput[];
  readonly outputs: StepDefinition['outputs'];
  readonly checks: readonly CheckDefinition[];
  readonly needsAnyOf?: readonly string[];
  readonly params?: NonNullable<StepDefinition['params']>;
  readonly version?: number;
}

function transform({ part, ...detail }: TransformDetail): StepDefinition {
  return {
    id: `transform/${part}`,
    version: 1,
    queue: 'compute',
    timeoutSeconds: TEN_MINUTES,
    required: false,
    ...detail,
  };
}

const TRANSFORMS: readonly StepDefinition[] = [
  transform({
    part: 'referentiel',
    title: 'One row per arc of the network, with its length and district',
    inputs: [slice('referentiel'), DISTRICTS],
    outputs: {
      core: { ...parquet('core/cityflow/referentiel', ['arc_id']), sharedByDays: true },
      map: json('core/cityflow/map'),
    },
    checks: NETWORK_CHECKS,
  }),
  transform({
    part: 'bikes',
    title: 'One row per bike counter and hour',
    inputs: [slice('bikes'), DISTRICTS],
    outputs: { core: parquet('core/cityflow/bikes', ['counter_id', 'hour']) },
    checks: BIKE_CHECKS,
  }),
  transform({
    part: 'traffic',
    title: 'The disruptions of the day, each in its newest version',
    inputs: [slice('traffic')],
    outputs: { core: json('core/cityflow/traffic') },
    checks: TRAFFIC_CHECKS,
  }),
  transform({
    part: 'weather',
    title: 'The weather of the day',
    inputs: [slice('weather', true), slice('open-meteo', true)],
    needsAnyOf: ['weather', 'open-meteo'],
    outputs: { core: json('core/cityflow/weather') },
    checks: WEATHER_CHECKS,
  }),
  transform({
    part: 'comptages',
    version: 2,
    title: 'One row per arc and hour, from the published end of the hour',
    inputs: [slice('comptages')],
    outputs: {
      core: parquet('core/cityflow/comptages', ['arc_id', 'hour']),
      arcs: parquet('core/cityflow/comptages-arcs', ['arc_id']),
    },
    checks: COUNT_CHECKS,
    params: LIMITS,
  }),
  transform({
    part: 'chantiers',
    title: 'The roadworks around the day',
    inputs: [slice('chantiers'), DISTRICTS],
    outputs: { core: parquet('core/cityflow/chantiers', ['work_id']) },
    checks: WORK_CHECKS,
  }),
];

function coreOf(part: string, output = 'core'): StepInput {
  return { name: output, step: `transform/${part}`, output };
}

/** Of the metrics whose bytes have changed since the first. */
const METRICS_VERSIONS: Readonly<Record<string, number>> = { bikes: 2, traffic: 2, comptages: 3 };

function metrics(part: string, title: string, inputs: readonly StepInput[]): StepDefinition {
  return {
    id: `metrics/${part}`,
    version: METRICS_VERSIONS[part] ?? 1,
    title,
    inputs,
    outputs: {
      metrics: {
        ...json(`metrics/cityflow/${part}`, `processed/metrics/${part}_metrics_{scope}.json`),
        recordAs: { table: 'cityflow-metrics', partition: part, under: 'metrics' },
      },
    },
    params: LIMITS,
    queue: 'compute',
    timeoutSeconds: TEN_MINUTES,
    required: false,
  };
}

/** The six sections of a report; each is a step of its own, so that one source can be run again alone. */
export const SECTIONS = ['bikes', 'traffic', 'weather', 'comptages', 'chantiers', 'referentiel'] as const;
export type SectionName = (typeof SECTIONS)[number];

function metricsOf(part: string): StepInput {
  return { name: part, step: `metrics/${part}`, output: 'metrics', optional: true };
}

const DIGESTED = ['bikes', 'traffic', 'weather', 'comptages', 'chantiers'] as const;
const DIGEST_STEP: StepId = 'metrics/digest';

const METRICS: readonly StepDefinition[] = [
  metrics('referentiel', 'Lengths, nodes and places of all arcs', [coreOf('referentiel')]),
  metrics('bikes', 'Totals, peaks, failures and corridors of bike counters', [coreOf('bikes')]),
  metrics('traffic', 'Disruptions by severity and line, reliability of the metro', [coreOf('traffic')]),
  metrics('weather', 'Temperatures, rain, wind, and what they do to mobility', [coreOf('weather')]),
  metrics('comptages', 'Flow, occupancy, lost time and alerts of every arc and zone', [
    // How many rows were dropped is told by what the step recorded.
    { ...coreOf('comptages'), withFacts: true },
    coreOf('comptages', 'arcs'),
    NETWORK,
    DISTRICTS,
  ]),
  metrics('chantiers', 'Active roadworks, their impact and what is coming', [coreOf('chantiers')]),
  {
    id: DIGEST_STEP,
    version: 1,
    title: 'What other days need to know of the day',
    inputs: DIGESTED.map(metricsOf),
    needsAnyOf: DIGESTED,
    outputs: { digest: json('metrics/cityflow/digest') },
    queue: 'compute',
    timeoutSeconds: TEN_MINUTES,
    required: false,
  },
  {
    id: 'metrics/history',
    version: 1,
    title: 'The day beside the thirty days before it',
    inputs: [
      { name: 'day', step: DIGEST_STEP, output: 'digest' },
      NETWORK,
      ...Array.from({ length: HISTORY_DAYS }, (_, index): StepInput => {
        const days = index + 1;
        return { name: digestBefore(days), step: DIGEST_STEP, output: 'digest', daysBefore: days, optional: true };
      }),
    ],
    outputs: { history: json('metrics/cityflow/history', 'processed/metrics/history_metrics_{scope}.json') },
    params: LIMITS,
    queue: 'compute',
    timeoutSeconds: TEN_MINUTES,
    required: false,
  },
];

const REPORT_INPUTS: readonly StepInput[] = [
  ...SECTIONS.map(metricsOf),
  { name: 'history', step: 'metrics/history', output: 'history', optional: true },
];

const REPORTS: readonly StepDefinition[] = [
  {
    id: 'report/daily',
    version: 5,
    title: 'The daily report as JSON, CSV and flat Parquet tables; made whatever is missing',
    inputs: REPORT_INPUTS,
    outputs: {
      report: {
        ...json('reports/cityflow/report', 'processed/reports/daily_report_{scope}.json'),
        recordAs: {
          table: 'cityflow-daily-reports',
          partition: 'daily_report_{scope}',
          under: 'report',
          madeAt: 'generated_at',
        },
      },
      csv: {
        layer: 'reports/cityflow/csv',
        extension: 'csv',
        mediaType: 'text/csv; charset=utf-8',
        publishAs: 'processed/reports/daily_report_{scope}.csv',
      },
      arcs: {
        ...parquet('reports/cityflow/arcs'),
        publishAs: 'processed/reports/daily_report_{scope}_troncons.parquet',
      },
      counters: {
        ...parquet('reports/cityflow/counters'),
        publishAs: 'processed/reports/daily_report_{scope}_compteurs.parquet',
      },
    },
    params: {
      thresholds: THRESHOLDS,
      closed_parts: {},
      step_versions: Object.fromEntries([...TRANSFORMS, ...METRICS].map(({ id, version }) => [id, version])),
    },
    withNotes: true,
    queue: 'report',
    timeoutSeconds: TEN_MINUTES,
    required: true,
  },
  {
    id: 'report/page',
    version: 4,
    title: 'The daily report as one self-contained page with a map',
    inputs: [
      { name: 'report', step: 'report/daily', output: 'report' },
      ...REPORT_INPUTS,
      { ...coreOf('referentiel', 'map'), optional: true },
    ],
    outputs: {
      page: {
        layer: 'reports/cityflow/page',
        extension: 'html',
        mediaType: 'text/html; charset=utf-8',
        publishAs: 'processed/reports/daily_report_{scope}.html',
      },
    },
    params: LIMITS,
    queue: 'report',
    timeoutSeconds: TEN_MINUTES,
    required: false,
    singleDaysOnly: true,
  },
];

/** How long records are kept. */
const RECORDS_KEPT = { field: 'ttl', days: 365 } as const;

/** The two tables that the city's other programs read. */
const RECORD_TABLES: Readonly<Record<string, RecordTable>> = {
  'cityflow-metrics': {
    dynamodb: { name: 'cityflow-metrics', setting: 'DYNAMODB_METRICS_TABLE' },
    mongodb: { name: 'metrics' },
    partitionKey: 'metric_type',
    sortKey: 'date',
    timeToLive: RECORDS_KEPT,
  },
  'cityflow-daily-reports': {
    dynamodb: { name: 'cityflow-daily-reports', setting: 'DYNAMODB_REPORTS_TABLE' },
    mongodb: { name: 'reports' },
    partitionKey: 'report_id',
    sortKey: 'date',
    timeToLive: RECORDS_KEPT,
    uniqueSortKey: true,
  },
};

/** Mobility of one city day: bikes, public transport, weather, road traffic, roadworks and the road network of Paris. */
export const cityflowDefinition = definePipeline({
  name: 'cityflow',
  title: 'Mobility of Paris (CityFlow)',
  zone: ZONE,
  since: '2014-01-01',
  publication: {
    expectedAfter: { minutes: MINUTES_PER_HOUR },
    pollEveryMinutes: 60,
    cutOffAfter: { days: 3 },
    finalAtCutOff: true,
    holdDays: 7,
  },
  thresholds: THRESHOLDS,
  parts: PARTS,
  steps: [...DOWNLOADS, ...TRANSFORMS, ...METRICS, ...REPORTS],
  rollups: [],
  recordTables: RECORD_TABLES,
  schedules: [
    {
      id: 'processing',
      title: 'Yesterday, from download to metrics',
      cron: '0 0 * * *',
      runs: { workflow: 'day', only: 'processing' },
      lagDays: 1,
      catchUpMinutes: 7 * MINUTES_PER_DAY,
      jitterSeconds: 60,
    },
    {
      id: 'report',
      title: 'The report of yesterday, from stored metrics',
      cron: '30 0 * * *',
      runs: { workflow: 'day', only: 'report' },
      lagDays: 1,
      catchUpMinutes: 7 * MINUTES_PER_DAY,
      jitterSeconds: 60,
    },
    {
      id: 'late',
      title: 'Yesterday again: what arrived since, and its report',
      cron: '0 14 * * *',
      lagDays: 1,
      catchUpMinutes: 7 * MINUTES_PER_DAY,
      jitterSeconds: 60,
    },
    {
      id: 'watch',
      title: 'What arrived since for days that are not final',
      cron: '50 * * * *',
      runs: { workflow: 'watch' },
      lagDays: 0,
      catchUpMinutes: MINUTES_PER_HOUR,
      jitterSeconds: 120,
      overlap: 'skip',
    },
  ],
});
