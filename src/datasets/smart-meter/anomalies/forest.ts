import { PipelineError } from '../../kit/index.ts';
import { randomStream } from './random.ts';

/**
 * Isolation Forest (Liu, Ting and Zhou 2008, with the constants of scikit-learn): rows that few
 * random cuts part from all others are rare. 100 trees of 256 rows each, drawn without replacement,
 * of height at most 8; a cut takes one of the features that vary, and a value between its smallest
 * and largest. Path = edges + c(rows in the leaf); score = 2^(−mean path / c(256)), near 1 for what
 * is rare.
 */

const EULER = 0.577_215_664_901_532_9;

/** The mean path to one of `n` rows in a random tree. */
export function meanPath(n: number): number {
  if (n <= 1) return 0;
  if (n === 2) return 1;
  return 2 * (Math.log(n - 1) + EULER) - (2 * (n - 1)) / n;
}

/**
 * A tree as columns: nodes in the order in which they were made, the root first. `feature` is −1 in
 * a leaf.
 */
export interface Tree {
  readonly feature: readonly number[];
  readonly threshold: readonly (number | null)[];
  readonly left: readonly number[];
  readonly right: readonly number[];
  /** Rows of the sample that reach the node. */
  readonly samples: readonly number[];
}

/** Equal options and rows give equal scores on every machine. */
export interface ForestOptions {
  readonly trees: number;
  /** Rows for each tree; all of them where there are fewer. */
  readonly sampleRows: number;
  readonly seed: number;
}

/** The values of the paper. */
export const FOREST_DEFAULTS: Omit<ForestOptions, 'seed'> = { trees: 100, sampleRows: 256 };

/** Rows as columns of 32-bit numbers: the precision in which cuts are compared. */
export interface Matrix {
  readonly columns: readonly Float32Array[];
  readonly rows: number;
}

/** A matrix of columns of numbers. */
export function matrixOf(columns: readonly (readonly number[])[]): Matrix {
  return {
    columns: columns.map((column) => Float32Array.from(column)),
    rows: columns[0]?.length ?? 0,
  };
}

/**
 * Grows a forest. The rows must be in an order of their own, such as that of their keys: the sample
 * of a tree is a function of seed, tree and that order.
 * @throws `INPUT_INVALID` without rows
 */
export function growForest(matrix: Matrix, { trees, sampleRows, seed }: ForestOptions): Tree[] {
  if (matrix.rows === 0)
    throw new PipelineError('INPUT_INVALID', 'a forest needs rows to grow from');
  const size = Math.min(sampleRows, matrix.rows);
  const height = Math.ceil(Math.log2(Math.max(size, 2)));
  return Array.from({ length: trees }, (_, tree) => {
    const random = randomStream(seed, tree);
    return growTree(matrix, drawRows(matrix.rows, size, random), height, random);
  });
}

/** Floyd's way of drawing without replacement: as many steps as rows are drawn. */
function drawRows(rows: number, size: number, random: () => number): Int32Array {
  const drawn = new Set<number>();
  for (let last = rows - size; last < rows; last += 1) {
    const pick = Math.floor(random() * (last + 1));
    drawn.add(drawn.has(pick) ? last : pick);
  }
  return Int32Array.from(drawn);
}

interface GrowingTree {
  readonly feature: number[];
  readonly threshold: (number | null)[];
  readonly left: number[];
  readonly right: number[];
  readonly samples: number[];
}

function growTree(matrix: Matrix, sample: Int32Array, height: number, random: () => number): Tree {
  const tree: GrowingTree = { feature: [], threshold: [], left: [], right: [], samples: [] };
  const grow = (from: number, to: number, depth: number): number => {
    const node = tree.feature.length;
    tree.feature.push(-1);
    tree.threshold.push(null);
    tree.left.push(-1);
    tree.right.push(-1);
    tree.samples.push(to - from);
    const cut =
      depth >= height || to - from <= 1 ? undefined : chooseCut(matrix, sample, [from, to], random);
    if (cut === undefined) return node;
    const middle = partition(matrix.columns[cut.feature], sample, [from, to], cut.threshold);
    tree.feature[node] = cut.feature;
    tree.threshold[node] = cut.threshold;
    tree.left[node] = grow(from, middle, depth + 1);
    tree.right[node] = grow(middle, to, depth + 1);
    return node;
  };
  grow(0, sample.length, 0);
  return tree;
}

type Range = readonly [from: number, to: number];

/** A cut by a feature that varies; undefined where all rows are alike. */
function chooseCut(
  { columns }: Matrix,
  sample: Int32Array,
  [from, to]: Range,
  random: () => number,
) {
  const varying = columns.flatMap((column, feature) => {
    let [least, greatest] = [Infinity, -Infinity];
    for (let index = from; index < to; index += 1) {
      const value = column[sample[index] ?? 0] ?? 0;
      if (value < least) least = value;
      if (value > greatest) greatest = value;
    }
    return least < greatest ? [{ feature, least, greatest }] : [];
  });
  const chosen = varying[Math.floor(random() * varying.length)];
  if (chosen === undefined) return undefined;
  const { feature, least, greatest } = chosen;
  const threshold = least + random() * (greatest - least);
  // Both sides must have a row, also where rounding puts the cut on the largest value.
  return { feature, threshold: threshold >= greatest ? least : threshold };
}

function partition(
  column: Float32Array | undefined,
  sample: Int32Array,
  [from, to]: Range,
  cut: number,
): number {
  let middle = from;
  for (let index = from; index < to; index += 1) {
    const row = sample[index] ?? 0;
    if ((column?.[row] ?? 0) > cut) continue;
    sample[index] = sample[middle] ?? 0;
    sample[middle] = row;
    middle += 1;
  }
  return middle;
}

/**
 * The value below which a share of the values lies, between neighbours in proportion (as numpy's
 * `linear`).
 */
export function quantile(values: Float64Array | readonly number[], share: number): number {
  const sorted = Float64Array.from(values).sort();
  const place = (sorted.length - 1) * share;
  const below = Math.floor(place);
  const [low = NaN, high = low] = [sorted[below], sorted[below + 1]];
  const weight = place - below;
  return weight === 0 ? low : low + (high - low) * weight;
}
