import { defineStep, jsonFile, parquetFile } from '../../kit/index.ts';
import type { StepDefinition, StepInput } from '../../kit/index.ts';
import { THRESHOLDS } from '../thresholds.ts';
import { STUDY_DAYS } from './bike-hours.ts';
import { STUDY_LIMITS } from './limits.ts';
import { LINK_DAYS, YEAR_DAYS } from './links.ts';
import { SENSOR_DAYS } from './sensors.ts';

/**
 * Steps of a day that look over many days. No section of the report is made from them, so that what
 * they add changes neither keys nor bytes of the sections. Other days read `metrics/figures` alone,
 * which itself reads no other day, so that rebuilding ends.
 */

const LIMITS = { thresholds: STUDY_LIMITS };

/** The transforms whose checks and facts the quality report tells of, by source. */
const JUDGED = [
  ...(['bikes', 'traffic', 'weather', 'comptages', 'chantiers', 'referentiel'] as const),
  ...(['validations', 'service-quality'] as const),
];

function optional(name: string, step: StepInput['step'], output: string): StepInput {
  return { name, step, output, optional: true };
}

const SERVICE = optional('service-quality', 'metrics/service-quality', 'metrics');

/** Each reads what is stored of its window; days that are missing are left out. */
export const STUDY_STEPS: readonly StepDefinition[] = [
  defineStep({
    id: 'metrics/figures',
    title: 'The figures of the day that are held against those of other days, in one row',
    inputs: [
      optional('digest', 'metrics/digest', 'digest'),
      optional('validations', 'metrics/validations', 'metrics'),
      SERVICE,
    ],
    needsAnyOf: ['digest', 'validations'],
    outputs: { figures: parquetFile('metrics/cityflow/figures', { keyColumns: ['date'] }) },
  }),
  defineStep({
    id: 'metrics/links',
    version: 2,
    title:
      'The same weekday of the previous year, and correlations over sixty days with n, lag and interval',
    inputs: [
      optional('day', 'metrics/digest', 'digest'),
      { ...optional('year_before', 'metrics/digest', 'digest'), daysBefore: YEAR_DAYS },
      { name: 'figures', step: 'metrics/figures', output: 'figures' },
      {
        name: 'figures',
        step: 'metrics/figures',
        output: 'figures',
        previousDays: { from: 1, to: LINK_DAYS - 1 },
      },
    ],
    outputs: {
      links: jsonFile('metrics/cityflow/links', {
        publishAs: 'processed/metrics/links_metrics_{scope}.json',
      }),
    },
    params: LIMITS,
  }),
  defineStep({
    id: 'metrics/sensors',
    title: 'What is missing of every road sensor and bike counter, and since when each is silent',
    inputs: [
      { name: 'day', step: 'metrics/digest', output: 'digest' },
      {
        name: 'digest',
        step: 'metrics/digest',
        output: 'digest',
        previousDays: { from: 1, to: SENSOR_DAYS },
      },
      optional('network', 'transform/referentiel', 'core'),
      optional('arcs', 'transform/comptages', 'arcs'),
      optional('bikes', 'transform/bikes', 'core'),
    ],
    outputs: {
      sensors: parquetFile('metrics/cityflow/sensors', { keyColumns: ['kind', 'sensor_id'] }),
    },
    params: { thresholds: sensorLimits() },
  }),
  defineStep({
    id: 'metrics/bike-study',
    version: 2,
    title: 'Eighteen metrics of bikes, works and service over sixty days, each by its definition',
    inputs: [
      { name: 'core', step: 'transform/bikes', output: 'core' },
      {
        name: 'core',
        step: 'transform/bikes',
        output: 'core',
        previousDays: { from: 1, to: STUDY_DAYS - 1 },
      },
      optional('arrondissements', 'download/arrondissements', 'slice'),
      optional('chantiers', 'metrics/chantiers', 'metrics'),
      SERVICE,
    ],
    outputs: {
      study: jsonFile('metrics/cityflow/bike-study', {
        publishAs: 'processed/metrics/bike-study_metrics_{scope}.json',
      }),
      counters: parquetFile('metrics/cityflow/bike-counters', { keyColumns: ['compteur_id'] }),
    },
    params: LIMITS,
  }),
  defineStep({
    id: 'metrics/quality',
    title: 'The quality report: what the checks of every source said of the day',
    inputs: JUDGED.map((part) => ({
      ...optional(part, `transform/${part}`, 'core'),
      withFacts: true,
    })),
    needsAnyOf: JUDGED,
    outputs: {
      quality: jsonFile('metrics/cityflow/quality', {
        publishAs: 'processed/metrics/quality_metrics_{scope}.json',
      }),
    },
  }),
];

function sensorLimits(): Readonly<Record<string, number>> {
  const { sensor_silent_hours, sensor_long_silent_hours } = THRESHOLDS;
  return { sensor_silent_hours, sensor_long_silent_hours };
}
