import type { OutputDefinition, PartDefinition, RollupDefinition, StepDefinition } from '../../pipelines/definition.ts';
import { definePipeline } from '../../pipelines/define-pipeline.ts';
import type { ColumnClass } from '../../pipelines/vocabulary.ts';
import { ARCHIVE_CHECK } from './days/transform.ts';
import type { Flux } from './decode/archive-name.ts';
import { FLUX } from './decode/archive-name.ts';
import { ZONE } from './flux/paris-time.ts';
import { LINEAR_TABLES, READERS } from './flux/readers.ts';
import { archivesBefore, DAYS_LOOKED_AT } from './report/steps.ts';

const TEN_MINUTES = 600;
const TWENTY_MINUTES = 1_200;

/** Archives change only when somebody imports again. */
const FRESH_UNTIL_IMPORT = { empty: null, provisional: null, consolidated: null, definitive: null } as const;

/** Columns that name a household, or are about one; whatever else is said of rows never holds their values. */
const PERSONAL: Readonly<Record<string, ColumnClass>> = Object.fromEntries(
  [
    ...new Set(LINEAR_TABLES.flatMap(({ personal }) => personal)),
    ...['rsc', 'record', 'head', 'd_releve_id', 'f_releve_id'],
  ].map((name) => [name, 'personal']),
);

const PARTS: readonly PartDefinition[] = FLUX.map((flux) => ({
  id: partOf(flux),
  title: READERS[flux].tables.map(({ title }) => title).join('; '),
  source: 'import',
  bulkWindow: 'month',
  expectedAfter: {},
  freshForMinutes: FRESH_UNTIL_IMPORT,
  columns: PERSONAL,
}));

function partOf(flux: Flux): string {
  return flux.toLowerCase();
}

function parquet(layer: string, publishAs?: string): OutputDefinition {
  const output = { layer, extension: 'parquet', mediaType: 'application/vnd.apache.parquet', columns: PERSONAL };
  return publishAs === undefined ? output : { ...output, publishAs };
}

function text(layer: string, [extension, mediaType]: readonly [string, string], publishAs?: string): OutputDefinition {
  const output = { layer, extension, mediaType };
  return publishAs === undefined ? output : { ...output, publishAs };
}

const JSON_FILE = ['json', 'application/json'] as const;
const LINES_FILE = ['ndjson', 'application/x-ndjson'] as const;
const CSV_FILE = ['csv', 'text/csv; charset=utf-8'] as const;
const HTML_FILE = ['html', 'text/html; charset=utf-8'] as const;

const DOWNLOADS: readonly StepDefinition[] = PARTS.map(({ id, title }) => ({
  id: `download/${id}`,
  version: 1,
  title,
  part: id,
  inputs: [],
  outputs: { slice: parquet(`slices/enedis/${id}`) },
  queue: 'compute',
  timeoutSeconds: TWENTY_MINUTES,
  required: false,
}));

const TRANSFORMS: readonly StepDefinition[] = FLUX.map((flux) => ({
  id: `transform/${partOf(flux)}`,
  version: 1,
  title: `The linear tables of ${flux}`,
  inputs: [{ name: 'slice', step: `download/${partOf(flux)}`, output: 'slice' }],
  outputs: {
    ...Object.fromEntries(READERS[flux].tables.map(({ name }) => [name, parquet(`core/enedis/${name}`)])),
    archives: text(`core/enedis/archives-${partOf(flux)}`, LINES_FILE),
  },
  checks: [ARCHIVE_CHECK],
  queue: 'compute',
  timeoutSeconds: TWENTY_MINUTES,
  required: false,
}));

const METRICS: StepDefinition = {
  id: 'metrics/archives',
  version: 1,
  title: 'Every archive of the day in one list',
  inputs: FLUX.map((flux) => ({
    name: partOf(flux),
    step: `transform/${partOf(flux)}`,
    output: 'archives',
    optional: true,
  })),
  needsAnyOf: FLUX.map(partOf),
  outputs: { archives: text('metrics/enedis/archives', LINES_FILE) },
  queue: 'compute',
  timeoutSeconds: TEN_MINUTES,
  required: true,
};

const REPORTS: readonly StepDefinition[] = [
  {
    id: 'report/daily',
    version: 1,
    title: 'What arrived, what failed, and gaps between numbers',
    inputs: [
      { name: 'archives', step: METRICS.id, output: 'archives' },
      ...Array.from({ length: DAYS_LOOKED_AT }, (_, index) => ({
        name: archivesBefore(index + 1),
        step: METRICS.id,
        output: 'archives',
        daysBefore: index + 1,
        optional: true,
      })),
    ],
    outputs: {
      model: text('reports/enedis/model', JSON_FILE, 'reports/enedis/daily_report_{scope}.json'),
      csv: text('reports/enedis/csv', CSV_FILE, 'reports/enedis/daily_report_{scope}.csv'),
    },
    queue: 'report',
    timeoutSeconds: TEN_MINUTES,
    required: true,
  },
  {
    id: 'report/page',
    version: 1,
    title: 'The daily report as one self-contained page',
    inputs: [{ name: 'model', step: 'report/daily', output: 'model' }],
    outputs: { page: text('reports/enedis/page', HTML_FILE, 'reports/enedis/daily_report_{scope}.html') },
    queue: 'report',
    timeoutSeconds: TEN_MINUTES,
    required: false,
    singleDaysOnly: true,
  },
];

const HISTORY_TABLES = [
  ...['releves', 'echine', 'chronologie', 'abonnements', 'energies', 'mois', 'accise', 'provision', 'affaires'],
];

const ROLLUPS: readonly RollupDefinition[] = [
  {
    id: 'rollup/month',
    grain: 'month',
    version: 1,
    title: 'The linear tables of a month of deliveries',
    inputs: [
      ...LINEAR_TABLES.map(({ name, flux }) => {
        return { name, step: `transform/${partOf(flux)}`, output: name, each: 'day' } as const;
      }),
      { name: 'archives', step: METRICS.id, output: 'archives', each: 'day' },
    ],
    outputs: {
      ...Object.fromEntries(LINEAR_TABLES.map(({ name }) => [name, parquet(`months/enedis/${name}`)])),
      archives: text('months/enedis/archives', LINES_FILE),
    },
    queue: 'compute',
    timeoutSeconds: TWENTY_MINUTES,
  },
  {
    id: 'rollup/history',
    grain: 'history',
    version: 1,
    title: 'Readings, periods and billing months of every contract, from all deliveries',
    inputs: [...LINEAR_TABLES.map(({ name }) => name), 'archives'].map((name) => {
      return { name, step: 'rollup/month', output: name, each: 'month' } as const;
    }),
    // An earlier first of a month only takes away.
    params: { horizon: null },
    outputs: {
      ...Object.fromEntries(
        HISTORY_TABLES.map((name) => [name, parquet(`history/enedis/${name}`, `enedis/${name}.parquet`)]),
      ),
      monthly: text('history/enedis/monthly', JSON_FILE, 'reports/enedis/monthly_report.json'),
      page: text('history/enedis/page', HTML_FILE, 'reports/enedis/monthly_report.html'),
    },
    queue: 'compute',
    timeoutSeconds: TWENTY_MINUTES,
  },
];

/** What the electricity distributor sends a supplier, up to the months that can be billed. */
export const enedisDefinition = definePipeline({
  name: 'enedis',
  title: 'Flux of the electricity distributor (Enedis)',
  zone: ZONE,
  since: '2015-01-01',
  publication: {
    expectedAfter: {},
    pollEveryMinutes: 60,
    cutOffAfter: { days: 1 },
    finalAtCutOff: true,
    holdDays: 7,
  },
  parts: PARTS,
  steps: [...DOWNLOADS, ...TRANSFORMS, METRICS, ...REPORTS],
  rollups: ROLLUPS,
  // Days begin when somebody imports archives: a tick would find nothing that an import did not bring.
  schedules: [],
});
