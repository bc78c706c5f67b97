import { PipelineError, required } from '../../kit/index.ts';
import type { CivilDate, DaySpan } from '../../kit/index.ts';
import { Forest } from './forest-scores.ts';
import { FOREST_DEFAULTS, growForest, quantile } from './forest.ts';
import type { Matrix } from './forest.ts';
import { averagePrecision, judge } from './judge.ts';
import { fitMahalanobis, mahalanobisOf } from './mahalanobis.ts';
import type { Mahalanobis } from './mahalanobis.ts';
import { MODEL_KIND } from './model.ts';
import type { MethodMetrics, Model, ModelBody } from './model.ts';

/** Rows of `metrics/features` as columns, in the order of day and meter. */
export interface TrainingRows {
  /** The days that there are, ascending. */
  readonly dates: readonly CivilDate[];
  /** Of each row: its day, as a place in `dates`. */
  readonly day: Int32Array;
  /** Of each row: 1 for a meter that is kept for the test. */
  readonly kept: Uint8Array;
  /** Of each row: 1 where somebody labelled it as odd. */
  readonly truth: Uint8Array;
  /** By name: the features, and `day_z`. */
  readonly columns: Readonly<Record<string, Float32Array>>;
  readonly hash: string;
}

/** What a model is trained with. */
export interface TrainingOptions {
  readonly features: readonly string[];
  readonly seed: number;
  readonly validFrom: CivilDate;
  /** The model in force. */
  readonly champion: Model | undefined;
}

const CONTAMINATION = 0.05;
/** Shares of the days, in time: train, then validate, the rest tests. */
const [TRAIN, VALIDATE] = [0.6, 0.2];
/** Fewer days can be parted into nothing that says anything. */
export const LEAST_DAYS = 5;

interface Part {
  readonly rows: Int32Array;
  readonly span: DaySpan;
}

/** Days are parted in time; thresholds come from the training rows alone. */
export function trainModel(
  all: TrainingRows,
  { features, seed, validFrom, champion }: TrainingOptions,
): ModelBody {
  const parts = partsOf(all);
  const matrix = (part: Part): Matrix => matrixOf(all, features, part.rows);
  const trees = growForest(matrix(parts.train), { ...FOREST_DEFAULTS, seed });
  const forest = new Forest(trees);
  const scores = forest.score(matrix(parts.train));
  const later = ['validation', 'test'] as const;
  return {
    kind: MODEL_KIND,
    valid_from: validFrom,
    features,
    parameters: {
      trees: FOREST_DEFAULTS.trees,
      sample_rows: FOREST_DEFAULTS.sampleRows,
      contamination: CONTAMINATION,
    },
    seed,
    days: { train: parts.train.span, validation: parts.validation.span, test: parts.test.span },
    input: all.hash,
    rows: parts.train.rows.length,
    threshold: quantile(scores, 1 - CONTAMINATION),
    severity: {
      low: quantile(scores, 0.95),
      medium: quantile(scores, 0.99),
      high: quantile(scores, 0.999),
    },
    metrics: methodsOf(all, forest, { features, train: matrix(parts.train) }).flatMap((method) => {
      const threshold = quantile(method.scores(parts.train), 1 - CONTAMINATION);
      return later.map((on) => metricsOf(all, parts[on], { ...method, on, threshold }));
    }),
    psi: Math.max(...features.map((name) => stability(all.columns[name], parts))),
    champion:
      champion === undefined
        ? null
        : { name: champion.name, ap: apOf(all, champion, parts.validation) },
    trees,
  };
}

function partsOf({
  dates,
  day,
  kept,
}: TrainingRows): Record<'train' | 'validation' | 'test', Part> {
  const [first, second] = [
    Math.ceil(TRAIN * dates.length),
    Math.ceil((TRAIN + VALIDATE) * dates.length),
  ];
  const hasKept = kept.includes(1) && kept.includes(0);
  const part = (from: number, to: number, isTest: boolean): Part => {
    const rows = new Int32Array(day.length);
    let count = 0;
    for (const [row, place] of day.entries()) {
      if (place < from || place >= to || (hasKept && (kept[row] === 1) !== isTest)) continue;
      rows[count] = row;
      count += 1;
    }
    return {
      rows: rows.slice(0, count),
      span: {
        from: required(dates[from], 'the first day'),
        to: required(dates[to - 1], 'the last day'),
      },
    };
  };
  return {
    train: part(0, first, false),
    validation: part(first, second, false),
    test: part(second, dates.length, true),
  };
}

function matrixOf({ columns }: TrainingRows, names: readonly string[], rows: Int32Array): Matrix {
  const taken = names.map((name) => Float32Array.from(rows, (row) => columns[name]?.[row] ?? 0));
  return { columns: taken, rows: rows.length };
}

interface Method {
  readonly method: string;
  readonly scores: (part: Part) => Float64Array;
}

/** The forest, and the plain rules that it has to beat. */
function methodsOf(
  all: TrainingRows,
  forest: Forest,
  { features, train }: { readonly features: readonly string[]; readonly train: Matrix },
): Method[] {
  const byColumn = (name: string, score: (value: number) => number): Method['scores'] => {
    const column = all.columns[name];
    return ({ rows }) => Float64Array.from(rows, (row) => score(column?.[row] ?? 0));
  };
  return [
    { method: 'forest', scores: ({ rows }) => forest.score(matrixOf(all, features, rows)) },
    ...mahalanobisMethod(all, features, train),
    { method: '|z| of the day', scores: byColumn('day_z', Math.abs) },
    { method: 'drop of the day', scores: byColumn('use', (value) => -value) },
  ];
}

/** Nothing where a feature says what the others say: then there is no such distance. */
function mahalanobisMethod(
  all: TrainingRows,
  features: readonly string[],
  train: Matrix,
): Method[] {
  let fit: Mahalanobis;
  try {
    fit = fitMahalanobis(train);
  } catch (error) {
    if (error instanceof PipelineError && error.code === 'INPUT_INVALID') return [];
    throw error;
  }
  return [
    {
      method: 'Mahalanobis',
      scores: ({ rows }) => mahalanobisOf(fit, matrixOf(all, features, rows)),
    },
  ];
}

function metricsOf(
  { truth }: TrainingRows,
  part: Part,
  {
    method,
    scores: scoresOf,
    on,
    threshold,
  }: Method & Pick<MethodMetrics, 'on'> & { readonly threshold: number },
): MethodMetrics {
  const scores = scoresOf(part);
  const flags = Array.from(scores, (score) => score > threshold);
  const labels = Array.from(part.rows, (row) => truth[row] === 1);
  const { flagged, ...judged } = judge(flags, labels);
  return {
    ...{ method, on, rows: flags.length, flagged: flags.length === 0 ? 0 : flagged / flags.length },
    judged: labels.includes(true) ? { ...judged, ap: averagePrecision(scores, labels) } : null,
  };
}

/** Of the model in force; null where nothing is labelled, or where it knows other features. */
function apOf(all: TrainingRows, { trees, features }: Model, { rows }: Part): number | null {
  const labels = Array.from(rows, (row) => all.truth[row] === 1);
  if (!labels.includes(true) || features.some((name) => all.columns[name] === undefined))
    return null;
  return averagePrecision(new Forest(trees).score(matrixOf(all, features, rows)), labels);
}

const BINS = 10;
/** So that a bin without rows has a logarithm. */
const LEAST_SHARE = 1e-4;

/**
 * Population stability index of a feature: Σ (p − q) ln(p / q) over the tenths of the training
 * rows.
 */
function stability(
  column: Float32Array | undefined,
  { train, validation }: Record<'train' | 'validation', Part>,
): number {
  const valuesOf = ({ rows }: Part): Float64Array =>
    Float64Array.from(rows, (row) => column?.[row] ?? 0);
  const [before, after] = [valuesOf(train), valuesOf(validation)];
  if (before.length === 0 || after.length === 0) return 0;
  const cuts = Array.from({ length: BINS - 1 }, (_, bin) => quantile(before, (bin + 1) / BINS));
  const shares = (values: Float64Array): number[] => {
    const counts = new Array<number>(BINS).fill(0);
    for (const value of values) {
      const bin = cuts.filter((cut) => value > cut).length;
      counts[bin] = (counts[bin] ?? 0) + 1;
    }
    return counts.map((count) => Math.max(LEAST_SHARE, count / values.length));
  };
  const [p, q] = [shares(before), shares(after)];
  return p.reduce(
    (sum, share, bin) => sum + (share - (q[bin] ?? 0)) * Math.log(share / (q[bin] ?? LEAST_SHARE)),
    0,
  );
}
