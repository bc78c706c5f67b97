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
import { CAPACITY_CHECKS, ZONE } from './transform.ts';

/** Both publishers correct earlier figures, and say of none that it is final. */
const FRESH_FOR = {
  empty: '1 day',
  provisional: '7 days',
  consolidated: '30 days',
  definitive: '30 days',
} as const;

/**
 * A month is told of when it is over, and a figure of a month that is not would belong to a part of
 * its hours. The month of the earliest day that is asked for is over by then: 33 days after any
 * day, its month has ended two days before at least.
 */
const MONTH_IS_OVER = '33 days';

function part(id: string, title: string): PartDefinition {
  return definePart({
    id,
    title,
    source: 'http',
    bulkWindow: 'all',
    expectedAfter: MONTH_IS_OVER,
    freshFor: FRESH_FOR,
  });
}

const PARTS: readonly PartDefinition[] = [
  part('rte-eolien', 'Monthly wind production and load factor (RTE, analyses et données)'),
  part('rte-solaire', 'Monthly solar production and load factor (RTE, analyses et données)'),
  part('odre-parc', 'Register of installed capacity by year (ODRE parc-prod-par-filiere)'),
];

const DOWNLOADS = PARTS.map((own) => {
  const layer = `slices/parc/${own.id}`;
  return downloadStep(own, layer, {
    outputs: { slice: parquetFile(layer, { sharedByDays: true }) },
    timeout: '5 minutes',
  });
});

const TRANSFORM = defineStep({
  id: 'transform/parc',
  title:
    'Installed capacity of the day’s month by source: derived from RTE’s figures, and as registered',
  inputs: PARTS.map(({ id }) => ({
    name: id,
    step: `download/${id}`,
    output: 'slice',
    optional: true,
  })),
  needsAnyOf: PARTS.map(({ id }) => id),
  outputs: {
    core: parquetFile('core/parc/capacity', { keyColumns: ['source'], sharedByDays: true }),
    state: jsonFile('core/parc/state', { sharedByDays: true }),
  },
  checks: CAPACITY_CHECKS,
  timeout: '5 minutes',
  required: true,
});

const REPORTS: readonly StepDefinition[] = [
  defineStep({
    id: 'report/parc',
    title: 'Installed capacity and load factors as model and CSV',
    inputs: [{ name: 'state', step: 'transform/parc', output: 'state' }],
    outputs: {
      model: jsonFile('reports/parc/model', {
        publishAs: 'reports/parc/daily_report_{scope}.json',
      }),
      csv: csvFile('reports/parc/csv', { publishAs: 'reports/parc/daily_report_{scope}.csv' }),
    },
    params: { step_versions: { [TRANSFORM.id]: TRANSFORM.version } },
    withNotes: true,
    timeout: '2 minutes',
    required: true,
  }),
  defineStep({
    id: 'report/page',
    version: 3,
    title: 'The same as one self-contained page',
    inputs: [{ name: 'model', step: 'report/parc', output: 'model' }],
    outputs: {
      page: htmlFile('reports/parc/page', { publishAs: 'reports/parc/daily_report_{scope}.html' }),
    },
    timeout: '2 minutes',
    singleDaysOnly: true,
  }),
];

const ROLLUPS: readonly RollupDefinition[] = [
  defineRollup({
    id: 'rollup/month',
    grain: 'month',
    title: 'The capacity of the month, as its last known day has it',
    inputs: [{ name: 'core', step: 'transform/parc', output: 'core', each: 'day' }],
    outputs: { capacity: parquetFile('months/parc/capacity', { keyColumns: ['source'] }) },
    timeout: '2 minutes',
  }),
  defineRollup({
    id: 'rollup/year',
    grain: 'year',
    title: 'The capacity at the end of the year, and what its known months produced',
    inputs: [{ name: 'capacity', step: 'rollup/month', output: 'capacity', each: 'month' }],
    outputs: { capacity: parquetFile('years/parc/capacity', { keyColumns: ['source'] }) },
    timeout: '2 minutes',
  }),
  defineRollup({
    id: 'rollup/history',
    grain: 'history',
    title: 'Everything that is published under a fixed name',
    inputs: [
      { name: 'months', step: 'rollup/month', output: 'capacity', each: 'month' },
      { name: 'years', step: 'rollup/year', output: 'capacity', each: 'year' },
    ],
    outputs: {
      months: parquetFile('history/parc/months', { publishAs: '02_clean/parc_installe.parquet' }),
      months_csv: csvFile('history/parc/months-csv', { publishAs: '02_clean/parc_installe.csv' }),
      years: parquetFile('history/parc/years', { publishAs: '02_clean/parc_annuel.parquet' }),
      years_csv: csvFile('history/parc/years-csv', { publishAs: '02_clean/parc_annuel.csv' }),
    },
    timeout: '5 minutes',
  }),
];

/** Installed capacity of French generation: what RTE’s monthly figures say, and ODRE’s register. */
export const parcDefinition = definePipeline({
  name: 'parc',
  title: 'Installed capacity of French generation',
  zone: ZONE,
  since: '2012-01-01',
  publication: {
    expectedAfter: MONTH_IS_OVER,
    pollEvery: '12 hours',
    cutOffAfter: '75 days',
    finalAtCutOff: true,
  },
  workWindow: 'half-year',
  parts: PARTS,
  steps: [...DOWNLOADS, TRANSFORM, ...REPORTS],
  rollups: ROLLUPS,
  schedules: [
    {
      id: 'daily',
      title: 'The day whose month has ended for certain',
      cron: '10 7 * * *',
      lagDays: 35,
      overlap: 'queue',
      pauseOnFailure: true,
    },
    watchSchedule({
      title: 'What the publishers corrected',
      cron: '40 7 * * *',
      catchUp: '1 day',
      pauseOnFailure: true,
    }),
  ],
});
