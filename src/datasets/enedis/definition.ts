import {
  csvFile,
  definePart,
  definePipeline,
  defineRollup,
  defineStep,
  downloadStep,
  htmlFile,
  jsonFile,
  linesFile,
  parquetFile,
  watchSchedule,
} from '../kit/index.ts';
import type { PartDefinition, RollupDefinition, StepDefinition } from '../kit/index.ts';
import {
  BILLING_TABLES,
  LINES,
  LINES_OF_HISTORY,
  LINES_OF_MONTH,
  LINES_STEPS,
} from './billing/definition.ts';
import { ARCHIVE_CHECK } from './days/transform.ts';
import type { Delivered } from './decode/archive-name.ts';
import { DELIVERED, FLUX } from './decode/archive-name.ts';
import { ZONE } from './flux/paris-time.ts';
import { LINEAR_TABLES, READERS } from './flux/readers.ts';
import { DAYS_LOOKED_AT } from './report/steps.ts';
import { RATES_DIGEST } from './rates/digest.ts';
import { ESTIMATE_CHECK } from './rollup/estimate-months.ts';
import { HISTORY_TABLES as TABLES_OF_HISTORY, KEPT_TABLES } from './rollup/history-tables.ts';
import { PLAUSIBLE_CHECK } from './rollup/judge-months.ts';
import { SMOOTHED_CHECK } from './rollup/settle-smoothed.ts';
import { PERSONAL, table, TEN_YEARS } from './tables-of-persons.ts';

/**
 * A late archive is one of its own day: each run of a day looks whether there are any. A listing is
 * cheap, and less than a minute old it is the same.
 */
const FRESH_FOR_A_MINUTE = {
  empty: '1 minute',
  provisional: '1 minute',
  consolidated: '1 minute',
  definitive: '1 minute',
} as const;

/**
 * From an archive as delivered to its occurrences; `decode/` does it, after the engine has unsealed
 * what it kept.
 */
const DECODING = ['unseal', 'decrypt', 'unzip', 'split'];

/** Their occurrences that bill a month are kept with its invoice. */
const DAILY_INDEXES = {
  months: 36,
  basis: 'archives of daily indexes: three years (CNIL, case closed in 2021)',
} as const;

const PARTS: readonly PartDefinition[] = DELIVERED.map((flux) =>
  definePart({
    id: partOf(flux),
    title: READERS[flux].tables.map(({ title }) => title).join('; '),
    source: isFlux(flux) ? 'folder' : 'import',
    freshFor: FRESH_FOR_A_MINUTE,
    decoding: DECODING,
    columns: PERSONAL,
    rawRetention: flux === 'R151' || flux === 'R64' ? DAILY_INDEXES : TEN_YEARS,
  }),
);

function isFlux(delivered: Delivered): boolean {
  return FLUX.some((flux) => flux === delivered);
}

function partOf(flux: Delivered): string {
  return flux.toLowerCase();
}

const DOWNLOADS = PARTS.map((part) => {
  const layer = `slices/enedis/${part.id}`;
  return downloadStep(part, layer, { outputs: { slice: table(layer) }, timeout: '20 minutes' });
});

const TRANSFORMS = DELIVERED.map((flux) =>
  defineStep({
    id: `transform/${partOf(flux)}`,
    title: `The linear tables of ${flux}`,
    inputs: [{ name: 'slice', step: `download/${partOf(flux)}`, output: 'slice' }],
    outputs: {
      ...Object.fromEntries(
        READERS[flux].tables.map(({ name }) => [name, table(`core/enedis/${name}`)]),
      ),
      archives: linesFile(`core/enedis/archives-${partOf(flux)}`),
    },
    checks: [ARCHIVE_CHECK],
    timeout: '20 minutes',
  }),
);

/** Each has a list of its files; one of any of them makes a day. */
const LISTED: readonly string[] = [...DELIVERED.map(partOf), LINES.id];

const METRICS = defineStep({
  id: 'metrics/archives',
  version: 2,
  title: 'Every archive of the day in one list, and every file that was given',
  inputs: LISTED.map((part) => ({
    name: part,
    step: `transform/${part}`,
    output: 'archives',
    optional: true,
  })),
  needsAnyOf: LISTED,
  outputs: { archives: linesFile('metrics/enedis/archives') },
  required: true,
  withNotes: true,
});

const EVENTS = defineStep({
  id: 'metrics/evenements',
  title: 'What C15 tells of on the day, counted',
  inputs: [{ name: 'c15', step: 'transform/c15', output: 'c15' }],
  outputs: { evenements: jsonFile('metrics/enedis/evenements') },
});

/** The report of a day counts archives and events, and names no contract. */
const OF_ARCHIVES = { class: 'open' } as const;
/** Months that somebody has to look at stand under pseudonyms of contracts. */
const OF_CONTRACTS = { class: 'personal' } as const;

const REPORTS: readonly StepDefinition[] = [
  defineStep({
    id: 'report/daily',
    version: 2,
    title: 'What arrived, what failed, and gaps between numbers',
    inputs: [
      { name: 'archives', step: METRICS.id, output: 'archives' },
      {
        name: 'archives',
        step: METRICS.id,
        output: 'archives',
        previousDays: { from: 1, to: DAYS_LOOKED_AT },
      },
      { name: 'evenements', step: EVENTS.id, output: 'evenements', optional: true },
    ],
    outputs: {
      model: jsonFile('reports/enedis/model', {
        ...OF_ARCHIVES,
        publishAs: 'reports/enedis/daily_report_{scope}.json',
      }),
      csv: csvFile('reports/enedis/csv', {
        ...OF_ARCHIVES,
        publishAs: 'reports/enedis/daily_report_{scope}.csv',
      }),
      parquet: parquetFile('reports/enedis/parquet', {
        ...OF_ARCHIVES,
        publishAs: 'reports/enedis/daily_report_{scope}.parquet',
      }),
    },
    // It tells of rates that have to be looked at.
    params: { rates: RATES_DIGEST },
    required: true,
  }),
  defineStep({
    id: 'report/page',
    version: 5,
    title: 'The daily report as one self-contained page',
    inputs: [{ name: 'model', step: 'report/daily', output: 'model' }],
    outputs: {
      page: htmlFile('reports/enedis/page', {
        ...OF_ARCHIVES,
        publishAs: 'reports/enedis/daily_report_{scope}.html',
      }),
    },
    singleDaysOnly: true,
  }),
];

const HISTORY_TABLES = [
  ...[
    'releves',
    'echine',
    'chronologie',
    'abonnements',
    'energies',
    'mois',
    'retenus',
    'reperes',
    'estimations',
    'controle_reseau',
    'lissages',
    'depassements',
    'accise',
  ],
  ...['anomalies_r151', 'mois_calcules', 'regularisations', 'provision', 'affaires'],
  ...BILLING_TABLES,
];

const ROLLUPS: readonly RollupDefinition[] = [
  defineRollup({
    id: 'rollup/month',
    grain: 'month',
    title: 'The linear tables of a month of deliveries',
    inputs: [
      ...LINEAR_TABLES.map(({ name, flux }) => {
        return { name, step: `transform/${partOf(flux)}`, output: name, each: 'day' } as const;
      }),
      { name: 'archives', step: METRICS.id, output: 'archives', each: 'day' },
      LINES_OF_MONTH,
    ],
    outputs: {
      ...Object.fromEntries(
        LINEAR_TABLES.map(({ name }) => [name, table(`months/enedis/${name}`)]),
      ),
      lignes: table('months/enedis/lignes'),
      archives: linesFile('months/enedis/archives'),
    },
    timeout: '20 minutes',
  }),
  defineRollup({
    id: 'rollup/history',
    version: 18,
    grain: 'history',
    title: 'Readings, periods and billing months of every contract, from all deliveries',
    inputs: [
      ...[...LINEAR_TABLES.map(({ name }) => name), 'archives'].map((name) => {
        return { name, step: 'rollup/month', output: name, each: 'month' } as const;
      }),
      LINES_OF_HISTORY,
    ],
    checks: [PLAUSIBLE_CHECK, ESTIMATE_CHECK, SMOOTHED_CHECK],
    withPrevious: KEPT_TABLES,
    // An earlier first of a month only takes away.
    params: { horizon: null, rates: RATES_DIGEST },
    outputs: {
      ...Object.fromEntries(
        HISTORY_TABLES.map((name) => [
          name,
          table(
            `history/enedis/${name}`,
            `enedis/${name}.parquet`,
            TABLES_OF_HISTORY[name]?.keyColumns,
          ),
        ]),
      ),
      monthly: jsonFile('history/enedis/monthly', {
        ...OF_CONTRACTS,
        publishAs: 'reports/enedis/monthly_report.json',
      }),
      // Sums of all contracts.
      monthly_csv: csvFile('history/enedis/monthly-csv', {
        class: 'open',
        publishAs: 'reports/enedis/monthly_report.csv',
      }),
      monthly_table: parquetFile('history/enedis/monthly-table', {
        class: 'open',
        publishAs: 'reports/enedis/monthly_report.parquet',
      }),
      review_csv: csvFile('history/enedis/review-csv', {
        ...OF_CONTRACTS,
        publishAs: 'reports/enedis/monthly_review.csv',
      }),
      review_table: parquetFile('history/enedis/review-table', {
        ...OF_CONTRACTS,
        publishAs: 'reports/enedis/monthly_review.parquet',
      }),
      page: htmlFile('history/enedis/page', {
        ...OF_CONTRACTS,
        publishAs: 'reports/enedis/monthly_report.html',
      }),
    },
    timeout: '20 minutes',
  }),
];

/** What the electricity distributor sends a supplier, up to the months that can be billed. */
export const enedisDefinition = definePipeline({
  name: 'enedis',
  title: 'Flux of the electricity distributor (Enedis)',
  zone: ZONE,
  since: '2015-01-01',
  publication: {
    pollEvery: '1 hour',
    cutOffAfter: '1 day',
    finalAtCutOff: true,
  },
  parts: [...PARTS, LINES],
  steps: [...DOWNLOADS, ...TRANSFORMS, ...LINES_STEPS, METRICS, EVENTS, ...REPORTS],
  rollups: ROLLUPS,
  schedules: [
    {
      id: 'day',
      title: 'The archives of the day before, and its report',
      cron: '10 5 * * *',
      catchUp: '1 day',
      jitter: '0 seconds',
    },
    watchSchedule({
      title: 'New and late archives, of whatever day',
      cron: '40 * * * *',
      catchUp: '10 minutes',
      jitter: '1 minute',
    }),
  ],
});
