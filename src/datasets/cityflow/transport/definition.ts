import { definePart, defineStep, downloadStep, jsonFile, parquetFile } from '../../kit/index.ts';
import type { PartDefinition, StepDefinition } from '../../kit/index.ts';
import { RIDE_CHECKS } from './rides.ts';
import { SERVICE_CHECKS } from './service.ts';

/**
 * Parts that people import where they have them: nothing of a day waits for them, and no section of
 * the report is made from them. Their publisher gives them a quarter at a time, months after its
 * end.
 */

/** No part has a publisher that is asked: files are given by `quotidien import`. */
export const TRANSPORT_PARTS: readonly PartDefinition[] = [
  definePart({
    id: 'validations',
    title:
      'Ticket validations of buses and trams (Île-de-France Mobilités, validations-reseau-surface)',
    source: 'import',
    importWindow: 'all',
  }),
  definePart({
    id: 'validations-rail',
    title:
      'Ticket validations of metro and trains (Île-de-France Mobilités, validations-reseau-ferre)',
    source: 'import',
    importWindow: 'all',
  }),
  definePart({
    id: 'service-quality',
    title:
      'Quality of service of SNCF and RATP (Île-de-France Mobilités, indicateurs-qualite-service-sncf-ratp)',
    source: 'import',
    importWindow: 'all',
    // Ten years of days have them: a new edition starts none of these by itself.
    momentary: true,
  }),
];

/** The quality of service has one slice for all days of a quarter. */
export const TRANSPORT_DOWNLOADS: readonly StepDefinition[] = TRANSPORT_PARTS.map((part) => {
  const layer = `slices/cityflow/${part.id}`;
  // The indicators of a quarter are those of each of its days.
  return downloadStep(part, layer, {
    outputs: { slice: parquetFile(layer, { sharedByDays: part.id === 'service-quality' }) },
  });
});

const RIDE_PARTS = ['validations', 'validations-rail'] as const;

/**
 * Each part has a table and a document of its own; either kind of validations is enough for theirs.
 */
export const TRANSPORT_STEPS: readonly StepDefinition[] = [
  defineStep({
    id: 'transform/validations',
    title: 'One row per line or station and kind of ticket',
    inputs: RIDE_PARTS.map((part) => ({
      name: part,
      step: `download/${part}`,
      output: 'slice',
      optional: true,
    })),
    needsAnyOf: RIDE_PARTS,
    outputs: {
      core: parquetFile('core/cityflow/validations', {
        keyColumns: ['network', 'unit_id', 'category'],
      }),
    },
    checks: RIDE_CHECKS,
  }),
  defineStep({
    id: 'transform/service-quality',
    title: 'The indicators of the quarter that the day lies in',
    inputs: [{ name: 'service-quality', step: 'download/service-quality', output: 'slice' }],
    outputs: { core: parquetFile('core/cityflow/service-quality', { sharedByDays: true }) },
    checks: SERVICE_CHECKS,
  }),
  defineStep({
    id: 'metrics/validations',
    title: 'Ticket validations by network, line, station and kind of ticket',
    inputs: [{ name: 'core', step: 'transform/validations', output: 'core' }],
    outputs: {
      metrics: jsonFile('metrics/cityflow/validations', {
        publishAs: 'processed/metrics/validations_metrics_{scope}.json',
      }),
    },
  }),
  defineStep({
    id: 'metrics/service-quality',
    title: 'Quality of service of the quarter by operator and mode',
    inputs: [{ name: 'core', step: 'transform/service-quality', output: 'core' }],
    outputs: {
      metrics: jsonFile('metrics/cityflow/service-quality', {
        publishAs: 'processed/metrics/service-quality_metrics_{scope}.json',
      }),
    },
  }),
];
