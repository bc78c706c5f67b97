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
import type {
  PartDefinition,
  PartSpec,
  RecordTable,
  StepDefinition,
  StepId,
  StepInput,
} from '../kit/index.ts';
import { ZONE } from './zones.ts';
import { digestBefore, HISTORY_DAYS } from './metrics/history.ts';
import { USUAL_DAYS, USUAL_LIMITS } from './metrics/usual.ts';
import { THRESHOLDS } from './thresholds.ts';
import { BIKE_CHECKS } from './transform/bikes.ts';
import { COUNT_CHECKS } from './transform/counts.ts';
import { NETWORK_CHECKS } from './transform/network.ts';
import { TRAFFIC_CHECKS } from './transform/traffic.ts';
import { WEATHER_CHECKS } from './transform/weather.ts';
import { WORK_CHECKS } from './transform/works.ts';
import { STUDY_STEPS } from './studies/definition.ts';
import { STUDY_LIMITS } from './studies/limits.ts';
import { TRANSPORT_DOWNLOADS, TRANSPORT_PARTS, TRANSPORT_STEPS } from './transport/definition.ts';

/**
 * Counts arrive for days after their day; a state of the moment (disruptions, roadworks) of a past
 * day does not come back.
 */
const FRESH_UNTIL_FINAL = {
  empty: '6 hours',
  partial: '6 hours',
  provisional: '1 day',
  consolidated: '30 days',
  definitive: 'ever',
} as const;
const FRESH_ONCE_THERE = {
  empty: '6 hours',
  provisional: 'ever',
  consolidated: 'ever',
  definitive: 'ever',
} as const;

/** A list of roadworks is trusted for this long after its day. */
export const WORKS_TRUSTED_DAYS = 92;

type PartDetail = Omit<PartSpec, 'source'>;

/**
 * Held against what the publisher usually delivers; versions of earlier releases tell of all
 * sensors alone.
 */
function usual(sensors: 'bikes' | 'roads', part: string) {
  const otherwise = { step: `metrics/${part}`, fact: 'coverage' } as const;
  return { step: 'metrics/usual', fact: `${sensors}_coverage`, otherwise } as const;
}

const DETAILS: readonly PartDetail[] = [
  {
    id: 'bikes',
    title: 'Bike counters (Paris open data, comptage-velo-donnees-compteurs)',
    freshFor: FRESH_UNTIL_FINAL,
    // Some hours of some counters are never published; a whole hour of all of them is 4 %.
    completeness: { ...usual('bikes', 'bikes'), least: 0.95 },
  },
  {
    id: 'traffic',
    title: 'Public transport disruptions (Île-de-France Mobilités, Navitia)',
    // The operator clears what is over; the run after midnight still hears of the day that just
    // ended.
    listed: { daysBefore: 1, daysAfter: 0 },
    momentary: true,
    freshFor: FRESH_ONCE_THERE,
  },
  {
    id: 'weather',
    title: 'Weather (Visual Crossing)',
    expectedAfter: '1 hour',
    freshFor: FRESH_ONCE_THERE,
  },
  {
    id: 'open-meteo',
    title: 'Weather (Open-Meteo archive)',
    expectedAfter: '1 hour',
    freshFor: FRESH_UNTIL_FINAL,
  },
  {
    id: 'comptages',
    title: 'Road counts (Paris open data, comptages-routiers-permanents)',
    importWindow: 'all',
    // Files of single arcs, and of some of the hours, are common.
    addsUp: true,
    freshFor: FRESH_UNTIL_FINAL,
    // 4 to 13 % of the hours of a road are missing for good.
    completeness: {
      ...usual('roads', 'comptages'),
      least: USUAL_LIMITS.usual_roads_least_coverage,
    },
  },
  {
    id: 'chantiers',
    title: 'Roadworks (Paris open data, chantiers-perturbants)',
    // Works that have ended leave the list; that of the run after midnight still has those of the
    // day that just ended.
    listed: { daysBefore: 1, daysAfter: WORKS_TRUSTED_DAYS },
    momentary: true,
    freshFor: FRESH_ONCE_THERE,
  },
  {
    id: 'referentiel',
    title: 'Road network (Paris open data, referentiel-comptages-routiers)',
    bulkWindow: 'all',
    importWindow: 'all',
    momentary: true,
    freshFor: FRESH_ONCE_THERE,
  },
  {
    id: 'arrondissements',
    title: 'Districts (Paris open data, arrondissements)',
    bulkWindow: 'all',
    importWindow: 'all',
    momentary: true,
    freshFor: FRESH_ONCE_THERE,
  },
];

const PARTS: readonly PartDefinition[] = DETAILS.map((detail) =>
  definePart({ ...detail, source: 'http' }),
);

/** References without a date: every day has all of them. */
const UNDATED: readonly string[] = ['referentiel', 'arrondissements'];

const DOWNLOADS = PARTS.map((part) => {
  const layer = `slices/cityflow/${part.id}`;
  // A year of road counts has 6 GB.
  const own = part.id === 'comptages' ? ({ version: 2, timeout: '2 hours' } as const) : {};
  return downloadStep(part, layer, {
    outputs: { slice: parquetFile(layer, { sharedByDays: UNDATED.includes(part.id) }) },
    ...own,
  });
});

const LIMITS = { thresholds: THRESHOLDS };

function slice(part: string, optional = false): StepInput {
  return {
    name: part,
    step: `download/${part}`,
    output: 'slice',
    ...(optional ? { optional } : {}),
  };
}

const DISTRICTS = slice('arrondissements', true);
const NETWORK: StepInput = {
  name: 'network',
  step: 'transform/referentiel',
  output: 'core',
  optional: true,
};

const TRANSFORMS: readonly StepDefinition[] = [
  defineStep({
    id: 'transform/referentiel',
    title: 'One row per arc of the network, with its length and district',
    inputs: [slice('referentiel'), DISTRICTS],
    outputs: {
      core: parquetFile('core/cityflow/referentiel', {
        keyColumns: ['arc_id'],
        sharedByDays: true,
      }),
      map: jsonFile('core/cityflow/map'),
    },
    checks: NETWORK_CHECKS,
  }),
  defineStep({
    id: 'transform/bikes',
    title: 'One row per bike counter and hour',
    inputs: [slice('bikes'), DISTRICTS],
    outputs: { core: parquetFile('core/cityflow/bikes', { keyColumns: ['counter_id', 'hour'] }) },
    checks: BIKE_CHECKS,
  }),
  defineStep({
    id: 'transform/traffic',
    title: 'The disruptions of the day, each in its newest version',
    inputs: [slice('traffic')],
    outputs: { core: jsonFile('core/cityflow/traffic') },
    checks: TRAFFIC_CHECKS,
  }),
  defineStep({
    id: 'transform/weather',
    title: 'The weather of the day',
    inputs: [slice('weather', true), slice('open-meteo', true)],
    needsAnyOf: ['weather', 'open-meteo'],
    outputs: { core: jsonFile('core/cityflow/weather') },
    checks: WEATHER_CHECKS,
  }),
  defineStep({
    id: 'transform/comptages',
    version: 2,
    title: 'One row per arc and hour, from the published end of the hour',
    inputs: [slice('comptages')],
    outputs: {
      core: parquetFile('core/cityflow/comptages', { keyColumns: ['arc_id', 'hour'] }),
      arcs: parquetFile('core/cityflow/comptages-arcs', { keyColumns: ['arc_id'] }),
    },
    checks: COUNT_CHECKS,
    params: LIMITS,
  }),
  defineStep({
    id: 'transform/chantiers',
    title: 'The roadworks around the day',
    inputs: [slice('chantiers'), DISTRICTS],
    outputs: { core: parquetFile('core/cityflow/chantiers', { keyColumns: ['work_id'] }) },
    checks: WORK_CHECKS,
  }),
];

function coreOf(part: string, output = 'core'): StepInput {
  return { name: output, step: `transform/${part}`, output };
}

/** Of the metrics whose bytes have changed since the first. */
const METRICS_VERSIONS: Readonly<Record<string, number>> = { bikes: 2, traffic: 2, comptages: 3 };

function metrics(part: string, title: string, inputs: readonly StepInput[]): StepDefinition {
  return defineStep({
    id: `metrics/${part}`,
    version: METRICS_VERSIONS[part] ?? 1,
    title,
    inputs,
    outputs: {
      metrics: jsonFile(`metrics/cityflow/${part}`, {
        publishAs: `processed/metrics/${part}_metrics_{scope}.json`,
        recordAs: { table: 'cityflow-metrics', partition: part, under: 'metrics' },
      }),
    },
    params: LIMITS,
  });
}

/**
 * The six sections of a report; each is a step of its own, so that one source can be run again
 * alone.
 */
export const SECTIONS = [
  'bikes',
  'traffic',
  'weather',
  'comptages',
  'chantiers',
  'referentiel',
] as const;
/** Also the `metric_type` of a section's document, and part of its published name. */
export type SectionName = (typeof SECTIONS)[number];

function metricsOf(part: string): StepInput {
  return { name: part, step: `metrics/${part}`, output: 'metrics', optional: true };
}

const DIGESTED = ['bikes', 'traffic', 'weather', 'comptages', 'chantiers'] as const;
/** Also asked for by the report: a day whose digest ran has a history. */
export const DIGEST_STEP: StepId = 'metrics/digest';

const METRICS: readonly StepDefinition[] = [
  metrics('referentiel', 'Lengths, nodes and places of all arcs', [coreOf('referentiel')]),
  metrics('bikes', 'Totals, peaks, failures and corridors of bike counters', [coreOf('bikes')]),
  metrics('traffic', 'Disruptions by severity and line, reliability of the metro', [
    coreOf('traffic'),
  ]),
  metrics('weather', 'Temperatures, rain, wind, and what they do to mobility', [coreOf('weather')]),
  metrics('comptages', 'Flow, occupancy, lost time and alerts of every arc and zone', [
    // How many rows were dropped is told by what the step recorded.
    { ...coreOf('comptages'), withFacts: true },
    coreOf('comptages', 'arcs'),
    NETWORK,
    DISTRICTS,
  ]),
  metrics('chantiers', 'Active roadworks, their impact and what is coming', [coreOf('chantiers')]),
  defineStep({
    id: DIGEST_STEP,
    title: 'What other days need to know of the day',
    inputs: DIGESTED.map(metricsOf),
    needsAnyOf: DIGESTED,
    outputs: { digest: jsonFile('metrics/cityflow/digest') },
  }),
  defineStep({
    id: 'metrics/history',
    version: 2,
    title: 'The day beside the thirty days before it',
    inputs: [
      { name: 'day', step: DIGEST_STEP, output: 'digest' },
      NETWORK,
      {
        name: 'digest',
        step: DIGEST_STEP,
        output: 'digest',
        previousDays: { from: 1, to: HISTORY_DAYS },
        nameOf: digestBefore,
      },
    ],
    outputs: {
      history: jsonFile('metrics/cityflow/history', {
        publishAs: 'processed/metrics/history_metrics_{scope}.json',
      }),
    },
    params: LIMITS,
  }),
];

/** Not among the metrics, as no section is made from it. */
const USUAL_STEP: StepDefinition = defineStep({
  id: 'metrics/usual',
  title: 'How much came of what the publisher usually delivers',
  inputs: [
    { name: 'day', step: DIGEST_STEP, output: 'digest' },
    {
      name: 'digest',
      step: DIGEST_STEP,
      output: 'digest',
      previousDays: { from: 1, to: USUAL_DAYS },
    },
  ],
  outputs: { usual: jsonFile('metrics/cityflow/usual') },
  params: { thresholds: USUAL_LIMITS },
});

const REPORT_INPUTS: readonly StepInput[] = [
  ...SECTIONS.map(metricsOf),
  { name: 'history', step: 'metrics/history', output: 'history', optional: true },
];

const REPORTS: readonly StepDefinition[] = [
  defineStep({
    id: 'report/daily',
    version: 7,
    title: 'The daily report as JSON, CSV and flat Parquet tables; made whatever is missing',
    inputs: [
      ...REPORT_INPUTS,
      { name: 'usual', step: USUAL_STEP.id, output: 'usual', optional: true },
    ],
    outputs: {
      report: jsonFile('reports/cityflow/report', {
        publishAs: 'processed/reports/daily_report_{scope}.json',
        recordAs: {
          table: 'cityflow-daily-reports',
          partition: 'daily_report_{scope}',
          under: 'report',
          madeAt: 'generated_at',
        },
      }),
      csv: csvFile('reports/cityflow/csv', {
        publishAs: 'processed/reports/daily_report_{scope}.csv',
      }),
      arcs: parquetFile('reports/cityflow/arcs', {
        publishAs: 'processed/reports/daily_report_{scope}_troncons.parquet',
      }),
      counters: parquetFile('reports/cityflow/counters', {
        publishAs: 'processed/reports/daily_report_{scope}_compteurs.parquet',
      }),
    },
    params: {
      thresholds: THRESHOLDS,
      closed_parts: {},
      step_versions: Object.fromEntries(
        [...TRANSFORMS, ...METRICS].map(({ id, version }) => [id, version]),
      ),
    },
    withNotes: true,
    required: true,
  }),
  defineStep({
    id: 'report/page',
    version: 10,
    title: 'The daily report as one self-contained page with a map',
    inputs: [
      { name: 'report', step: 'report/daily', output: 'report' },
      ...REPORT_INPUTS,
      { ...coreOf('referentiel', 'map'), optional: true },
    ],
    outputs: {
      page: htmlFile('reports/cityflow/page', {
        publishAs: 'processed/reports/daily_report_{scope}.html',
      }),
    },
    params: LIMITS,
    singleDaysOnly: true,
  }),
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

/**
 * Mobility of one city day: bikes, public transport, weather, road traffic, roadworks and the road
 * network of Paris.
 */
export const cityflowDefinition = definePipeline({
  name: 'cityflow',
  title: 'Mobility of Paris (CityFlow)',
  zone: ZONE,
  since: '2014-01-01',
  publication: {
    expectedAfter: '1 hour',
    pollEvery: '1 hour',
    cutOffAfter: '3 days',
    finalAtCutOff: true,
  },
  thresholds: { ...THRESHOLDS, ...STUDY_LIMITS, ...USUAL_LIMITS },
  parts: [...PARTS, ...TRANSPORT_PARTS],
  steps: [
    ...DOWNLOADS,
    ...TRANSPORT_DOWNLOADS,
    ...TRANSFORMS,
    ...METRICS,
    USUAL_STEP,
    ...TRANSPORT_STEPS,
    ...STUDY_STEPS,
    ...REPORTS,
  ],
  recordTables: RECORD_TABLES,
  schedules: [
    {
      id: 'processing',
      title: 'Yesterday, from download to metrics',
      cron: '0 0 * * *',
      runs: { workflow: 'day', only: 'processing' },
    },
    {
      id: 'report',
      title: 'The report of yesterday, from stored metrics',
      cron: '30 0 * * *',
      runs: { workflow: 'day', only: 'report' },
    },
    {
      id: 'late',
      title: 'Yesterday again: what arrived since, and its report',
      cron: '0 14 * * *',
    },
    watchSchedule({
      title: 'What arrived since for days that are not final',
      cron: '50 * * * *',
    }),
  ],
});
