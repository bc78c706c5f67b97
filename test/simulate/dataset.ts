import { canonicalJson } from '../../src/canonical-json.ts';
import { addDays } from '../../src/pipelines/civil-date.ts';
import type { CheckResult } from '../../src/pipelines/check-result.ts';
import type {
  Dataset,
  SliceTask,
  StepImplementation,
  StepUnit,
  UnitResult,
} from '../../src/pipelines/dataset.ts';
import type { HttpSource } from '../../src/pipelines/source-declaration.ts';
import type { RecognisedFile } from '../../src/pipelines/given-file.ts';
import { definePipeline } from '../../src/pipelines/define-pipeline.ts';
import type {
  OutputDefinition,
  PartDefinition,
  StepDefinition,
} from '../../src/pipelines/definition.ts';
import type { CivilDate, Scope } from '../../src/pipelines/vocabulary.ts';
import { fileText } from './virtual-files.ts';

/**
 * A pipeline with one of everything and one figure a day: required `counts`, optional `forecast`, a
 * comparison with the day before, a published report, a page for single days, a record, months and
 * a history. No SQL, so no step waits for anything.
 */

export const PIPELINE = 'sim';
export const PARTS = ['counts', 'forecast'] as const;

function text(layer: string, publishAs?: string): OutputDefinition {
  const place = { layer: `${layer}/${PIPELINE}`, extension: 'json', mediaType: 'application/json' };
  return publishAs === undefined ? place : { ...place, publishAs };
}

const FRESH_MINUTES = 60;

const part = (id: string): PartDefinition => ({
  id,
  title: id,
  source: 'http',
  bulkWindow: 'month',
  expectedAfter: {},
  freshForMinutes: {
    empty: FRESH_MINUTES,
    provisional: FRESH_MINUTES,
    consolidated: FRESH_MINUTES,
    definitive: null,
  },
});

const common = { version: 1, queue: 'compute', timeoutSeconds: 600 } as const;

const download = (id: (typeof PARTS)[number]): StepDefinition => ({
  ...common,
  id: `download/${id}`,
  title: id,
  part: id,
  inputs: [],
  outputs: { slice: text(`slices/${id}`) },
  queue: 'fetch',
  required: id === 'counts',
});

const steps: readonly StepDefinition[] = [
  ...PARTS.map(download),
  {
    ...common,
    id: 'transform/day',
    title: 'The day',
    inputs: [
      { name: 'counts', step: 'download/counts', output: 'slice' },
      { name: 'forecast', step: 'download/forecast', output: 'slice', optional: true },
    ],
    outputs: { core: text('core') },
    required: true,
  },
  {
    ...common,
    id: 'metrics/day',
    title: 'Its figure',
    inputs: [{ name: 'core', step: 'transform/day', output: 'core' }],
    outputs: {
      metrics: {
        ...text('metrics'),
        recordAs: { table: 'figures', partition: PIPELINE, under: 'metrics' },
      },
    },
    required: true,
  },
  {
    ...common,
    id: 'metrics/comparison',
    title: 'The day and the day before',
    inputs: [
      { name: 'day', step: 'metrics/day', output: 'metrics' },
      { name: 'before', step: 'metrics/day', output: 'metrics', daysBefore: 1 },
    ],
    outputs: { comparison: text('comparisons') },
    required: false,
  },
  {
    ...common,
    id: 'report/day',
    title: 'The report',
    queue: 'report',
    inputs: [
      { name: 'metrics', step: 'metrics/day', output: 'metrics' },
      { name: 'comparison', step: 'metrics/comparison', output: 'comparison', optional: true },
    ],
    outputs: { report: text('reports', `published/${PIPELINE}_{scope}.json`) },
    required: true,
  },
  {
    ...common,
    id: 'report/page',
    title: 'The page of single days',
    queue: 'report',
    inputs: [{ name: 'report', step: 'report/day', output: 'report' }],
    outputs: { page: text('pages', `published/${PIPELINE}_{scope}.html`) },
    required: false,
    singleDaysOnly: true,
  },
];

function sourceOf(id: string, tellsFreshness: boolean): HttpSource {
  return {
    host: id,
    baseUrl: `http://${id}.invalid`,
    pathOf: ({ from, to }) => `figures?from=${from}&to=${to}`,
    ...(tellsFreshness
      ? {
          freshness: {
            path: 'freshness',
            valueOf: (found) => (found as { version?: string }).version,
          },
        }
      : {}),
    extension: 'txt',
    mediaType: 'text/plain',
    requestsPerSecond: 1_000,
  };
}

/** Every second figure of the counts looks odd, and waits for a decision. */
export const isOdd = (counts: number | null): boolean =>
  counts !== null && counts > 0 && counts % 2 === 0;

export interface DatasetOptions {
  readonly since: CivilDate;
  readonly tellsFreshness: Readonly<Record<string, boolean>>;
  /** Days whose counts look odd are held. */
  readonly holds: boolean;
}

export function simulatedDataset({ since, tellsFreshness, holds }: DatasetOptions): Dataset {
  return {
    definition: definePipeline({
      name: PIPELINE,
      title: 'One figure a day',
      zone: 'UTC',
      since,
      publication: {
        expectedAfter: {},
        pollEveryMinutes: 30,
        cutOffAfter: { days: 1 },
        holdDays: 1,
      },
      parts: PARTS.map(part),
      steps,
      rollups: [
        {
          ...common,
          id: 'rollup/month',
          title: 'The month',
          grain: 'month',
          inputs: [{ name: 'days', step: 'transform/day', output: 'core', each: 'day' }],
          outputs: { month: text('months', `published/${PIPELINE}_{scope}.json`) },
        },
        {
          ...common,
          id: 'rollup/history',
          title: 'All months',
          grain: 'history',
          inputs: [{ name: 'months', step: 'rollup/month', output: 'month', each: 'month' }],
          outputs: { history: text('history', `published/${PIPELINE}.json`) },
        },
      ],
      recordTables: {
        figures: {
          dynamodb: { name: 'figures', setting: 'DYNAMODB_FIGURES_TABLE' },
          mongodb: { name: 'figures' },
          partitionKey: 'name',
          sortKey: 'date',
        },
      },
      schedules: [
        {
          id: 'daily',
          title: 'Yesterday',
          cron: '0 6 * * *',
          lagDays: 1,
          catchUpMinutes: 60,
          jitterSeconds: 0,
        },
        {
          id: 'processing',
          title: 'Without report',
          cron: '0 5 * * *',
          lagDays: 1,
          catchUpMinutes: 60,
          jitterSeconds: 0,
          runs: { workflow: 'day', only: 'processing' },
        },
        {
          id: 'watch',
          title: 'Watch',
          cron: '0 7 * * *',
          lagDays: 0,
          catchUpMinutes: 60,
          jitterSeconds: 0,
          runs: { workflow: 'watch' },
        },
      ],
    }),
    sources: Object.fromEntries(PARTS.map((id) => [id, sourceOf(id, tellsFreshness[id] === true)])),
    slice: (task) => Promise.resolve(slice(task)),
    recognise: ({ path }) => Promise.resolve(recognise(path)),
    steps: {
      'transform/day': each(
        (unit) => ({
          date: unit.scope,
          counts: read(unit, 'counts'),
          forecast: read(unit, 'forecast') ?? null,
        }),
        (unit) => (holds ? [plausible(read(unit, 'counts'))] : []),
      ),
      'metrics/day': each((unit) => ({ date: unit.scope, figure: figureOf(read(unit, 'core')) })),
      'metrics/comparison': each((unit) => ({
        date: unit.scope,
        day: read(unit, 'day'),
        before: read(unit, 'before') ?? null,
      })),
      'report/day': each((unit) => ({
        date: unit.scope,
        metrics: read(unit, 'metrics'),
        comparison: read(unit, 'comparison') ?? null,
      })),
      'report/page': each((unit) => ({ page: read(unit, 'report') })),
      'rollup/month': each((unit) => ({ month: unit.scope, days: readAll(unit, 'days') })),
      'rollup/history': each((unit) => ({ months: readAll(unit, 'months') })),
    },
  };
}

type Json = Readonly<Record<string, unknown>>;

function slice({ part: id, raw, days }: SliceTask): UnitResult[] {
  const [head, ...lines] = fileText(raw.path).trim().split('\n');
  if (head !== id) throw new Error(`${id} begins with ${head ?? 'nothing'}`);
  const figures = new Map(lines.map((line) => line.split(';') as [CivilDate, string]));
  return days.map(({ date }) => {
    const figure = figures.get(date);
    const rows = figure === undefined ? 0 : 1;
    const outputs =
      figure === undefined ? {} : { slice: { ...bytesOf({ figure: Number(figure) }), rows } };
    return { scope: date, outputs, checks: [], facts: { rows, published_columns: 2 } };
  });
}

function recognise(path: string): RecognisedFile {
  const [id = '', ...lines] = fileText(path).trim().split('\n');
  const dates = lines.map((line) => line.slice(0, line.indexOf(';'))).sort();
  const range = { from: dates[0] ?? '', to: dates.at(-1) ?? '' };
  return {
    part: id,
    kind: id,
    ...range,
    rows: dates.length,
    extension: 'txt',
    mediaType: 'text/plain',
  };
}

function plausible(counts: Json | undefined): CheckResult {
  const failed = isOdd(Number(counts?.['figure'] ?? 0)) ? 1 : 0;
  return { check: 'plausible', severity: 'hold', tested: 1, failed, examples: [] };
}

function each(
  make: (unit: StepUnit) => object,
  checksOf: (unit: StepUnit) => CheckResult[] = () => [],
): StepImplementation {
  return {
    kind: 'sql',
    run: ({ units, step }) =>
      Promise.resolve(
        units.map((unit): UnitResult => {
          const made = make(unit);
          const facts = step === 'transform/day' ? { revision: 'provisional', coverage: 1 } : {};
          return {
            scope: unit.scope,
            outputs: { [outputOf(step)]: bytesOf(made) },
            checks: checksOf(unit),
            facts,
          };
        }),
      ),
  };
}

function outputOf(step: string): string {
  const rollups: Readonly<Record<string, string>> = {
    'rollup/month': 'month',
    'rollup/history': 'history',
  };
  return rollups[step] ?? Object.keys(steps.find(({ id }) => id === step)?.outputs ?? {})[0] ?? '';
}

function bytesOf(body: object): { bytes: Uint8Array } {
  return { bytes: Buffer.from(`${canonicalJson(body as never)}\n`) };
}

function read(unit: StepUnit, name: string): Json | undefined {
  return readAll(unit, name)[0];
}

function readAll(unit: StepUnit, name: string): Json[] {
  return (unit.inputs[name] ?? []).map(({ path }) => JSON.parse(fileText(path)) as Json);
}

function figureOf(core: Json | undefined): number {
  const { counts, forecast } = (core ?? {}) as {
    counts?: { figure: number };
    forecast?: { figure: number } | null;
  };
  return (counts?.figure ?? 0) * 1_000 + (forecast?.figure ?? 0);
}

/** The figures of a day by part; null where there is none. */
export type Figures = Readonly<Record<(typeof PARTS)[number], number | null>>;

/**
 * What is to be read under each published name when the days have these figures: the model that
 * stories are held against.
 */
export function expectedFiles(days: ReadonlyMap<CivilDate, Figures>): Map<string, string> {
  const files = new Map<string, string>();
  const core = (date: CivilDate) => {
    const figures = days.get(date);
    if (figures === undefined) return undefined;
    const of = (figure: number | null) => (figure === null ? null : { figure });
    return { date, counts: of(figures.counts), forecast: of(figures.forecast) };
  };
  const metrics = (date: CivilDate) => {
    const found = core(date);
    return found === undefined ? undefined : { date, figure: figureOf(found) };
  };
  const months = new Map<Scope, object[]>();
  for (const date of [...days.keys()].sort()) {
    const comparison = { date, day: metrics(date), before: metrics(addDays(date, -1)) ?? null };
    files.set(
      `published/${PIPELINE}_${date}.json`,
      textOf({ date, metrics: metrics(date), comparison }),
    );
    const month = date.slice(0, 7);
    months.set(month, [...(months.get(month) ?? []), core(date) ?? {}]);
  }
  const all = [...months].map(([month, made]) => ({ month, days: made }));
  for (const one of all) files.set(`published/${PIPELINE}_${one.month}.json`, textOf(one));
  if (all.length > 0) files.set(`published/${PIPELINE}.json`, textOf({ months: all }));
  return files;
}

function textOf(body: object): string {
  return Buffer.from(bytesOf(body).bytes).toString();
}
