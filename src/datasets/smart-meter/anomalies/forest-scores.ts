import { meanPath } from './forest.ts';
import type { Matrix, Tree } from './forest.ts';

/**
 * A forest laid out for scoring millions of rows. What costs is the branch that nobody can foresee,
 * nine of them for each row and tree. So a row's values become ranks among the cuts of their
 * feature, and a step is arithmetic on whole numbers:
 *
 * 1. x ≤ cut k of a feature exactly if at most k of its cuts are below x. Nothing is rounded:
 *    scores are those of walking the trees.
 * 2. Every tree is a full one: the children of node n are 2n + 1 and 2n + 2. Below a leaf all steps
 *    go left, to a copy of it.
 * 3. Paths are added up tree by tree, in the order of the trees.
 *
 * At most 256 features.
 */
export class Forest {
  /** By feature, ascending. */
  readonly #cuts: readonly Float64Array[];
  /** Tree after tree, node after node: rank of the cut and feature, in one number. */
  readonly #nodes: Int32Array;
  /** Tree after tree: edges + c(rows) of each place of the lowest level. */
  readonly #paths: Float64Array;
  readonly #trees: number;
  readonly #height: number;
  readonly #normal: number;

  constructor(trees: readonly Tree[]) {
    this.#trees = trees.length;
    this.#height = Math.max(0, ...trees.map(heightOf));
    this.#cuts = cutsOf(trees);
    const places = 2 ** this.#height;
    this.#nodes = new Int32Array(trees.length * (places - 1)).fill(ALWAYS_LEFT);
    this.#paths = new Float64Array(trees.length * places);
    for (const [index, tree] of trees.entries()) {
      const nodes = this.#nodes.subarray(index * (places - 1), (index + 1) * (places - 1));
      const paths = this.#paths.subarray(index * places, (index + 1) * places);
      layTree(tree, { cuts: this.#cuts, height: this.#height, nodes, paths });
    }
    this.#normal = meanPath(Math.max(2, trees[0]?.samples[0] ?? 2)) * trees.length;
  }

  /** The score of every row, from 0 to 1. */
  score({ columns, rows }: Matrix): Float64Array {
    const scores = new Float64Array(rows);
    const width = Math.max(1, columns.length);
    const ranks = new Int32Array(BLOCK_ROWS * width);
    for (let from = 0; from < rows; from += BLOCK_ROWS) {
      const count = Math.min(BLOCK_ROWS, rows - from);
      for (const [feature, column] of columns.entries())
        rankColumn(column, this.#cuts[feature] ?? NO_CUTS, { from, count, ranks, feature, width });
      const paths = scores.subarray(from, from + count);
      for (let tree = 0; tree < this.#trees; tree += 1)
        this.#addPaths(tree, { ranks, width, paths });
    }
    for (let row = 0; row < rows; row += 1) scores[row] = 2 ** (-(scores[row] ?? 0) / this.#normal);
    return scores;
  }

  /**
   * Four rows at a time: while one waits for its memory the others go on. The last rows may walk
   * the rest of the block in vain.
   */
  #addPaths(tree: number, { ranks, width, paths }: BlockOfRows): void {
    const [nodes, height, leaves] = [this.#nodes, this.#height, this.#paths];
    const places = 2 ** height;
    const root = tree * (places - 1);
    const lowest = tree * places - (places - 1);
    for (let row = 0; row < paths.length; row += 4) {
      const [at0, at1, at2, at3] = [
        row * width,
        (row + 1) * width,
        (row + 2) * width,
        (row + 3) * width,
      ];
      let [a, b, c, d] = [0, 0, 0, 0];
      for (let level = 0; level < height; level += 1) {
        const [na, nb, nc, nd] = [
          nodes[root + a] ?? 0,
          nodes[root + b] ?? 0,
          nodes[root + c] ?? 0,
          nodes[root + d] ?? 0,
        ];
        a = 2 * a + 1 + (((na >> FEATURE_BITS) - (ranks[at0 + (na & FEATURE_MASK)] ?? 0)) >>> 31);
        b = 2 * b + 1 + (((nb >> FEATURE_BITS) - (ranks[at1 + (nb & FEATURE_MASK)] ?? 0)) >>> 31);
        c = 2 * c + 1 + (((nc >> FEATURE_BITS) - (ranks[at2 + (nc & FEATURE_MASK)] ?? 0)) >>> 31);
        d = 2 * d + 1 + (((nd >> FEATURE_BITS) - (ranks[at3 + (nd & FEATURE_MASK)] ?? 0)) >>> 31);
      }
      paths[row] = (paths[row] ?? 0) + (leaves[lowest + a] ?? 0);
      if (row + 1 < paths.length)
        paths[row + 1] = (paths[row + 1] ?? 0) + (leaves[lowest + b] ?? 0);
      if (row + 2 < paths.length)
        paths[row + 2] = (paths[row + 2] ?? 0) + (leaves[lowest + c] ?? 0);
      if (row + 3 < paths.length)
        paths[row + 3] = (paths[row + 3] ?? 0) + (leaves[lowest + d] ?? 0);
    }
  }
}

/**
 * Ranks of so many rows stay in the cache of the processor while all trees see them; a multiple of
 * four.
 */
const BLOCK_ROWS = 2_048;
/** A node is `rank << FEATURE_BITS | feature`. */
const FEATURE_BITS = 8;
const FEATURE_MASK = 2 ** FEATURE_BITS - 1;
/** A rank that no value has more than, of the first feature. */
const ALWAYS_LEFT = (2 ** (31 - FEATURE_BITS) - 1) << FEATURE_BITS;
const NO_CUTS = new Float64Array(0);

interface BlockOfRows {
  /** Row after row. */
  readonly ranks: Int32Array;
  readonly width: number;
  /** What the trees before have added up. */
  readonly paths: Float64Array;
}

function heightOf(tree: Tree): number {
  const depths = new Int32Array(tree.feature.length);
  let height = 0;
  for (const [node, feature] of tree.feature.entries()) {
    const depth = depths[node] ?? 0;
    height = Math.max(height, depth);
    if (feature < 0) continue;
    depths[tree.left[node] ?? 0] = depths[tree.right[node] ?? 0] = depth + 1;
  }
  return height;
}

/** The cuts of all trees by feature, each value once. */
function cutsOf(trees: readonly Tree[]): Float64Array[] {
  const found: (Set<number> | undefined)[] = [];
  for (const { feature, threshold } of trees)
    for (const [node, own] of feature.entries())
      if (own >= 0) (found[own] ??= new Set()).add(threshold[node] ?? 0);
  return Array.from(found, (cuts) => Float64Array.from(cuts ?? []).sort());
}

interface Layout {
  readonly cuts: readonly Float64Array[];
  readonly height: number;
  readonly nodes: Int32Array;
  readonly paths: Float64Array;
}

function layTree(tree: Tree, { cuts, height, nodes, paths }: Layout): void {
  const lay = (node: number, place: number, depth: number): void => {
    const feature = tree.feature[node] ?? -1;
    if (feature < 0) {
      let lowest = place;
      for (let level = depth; level < height; level += 1) lowest = 2 * lowest + 1;
      paths[lowest - (paths.length - 1)] = depth + meanPath(tree.samples[node] ?? 1);
      return;
    }
    const rank = ranksBelow(cuts[feature] ?? NO_CUTS, tree.threshold[node] ?? 0);
    nodes[place] = (rank << FEATURE_BITS) | feature;
    lay(tree.left[node] ?? 0, 2 * place + 1, depth + 1);
    lay(tree.right[node] ?? 0, 2 * place + 2, depth + 1);
  };
  lay(0, 0, 0);
}

/**
 * How many of the cuts are below a value; all of them for what is no number, which no cut has on
 * its left.
 */
function ranksBelow(cuts: Float64Array, value: number): number {
  let [from, to] = [0, cuts.length];
  while (from < to) {
    const middle = (from + to) >>> 1;
    if (value <= (cuts[middle] ?? 0)) to = middle;
    else from = middle + 1;
  }
  return from;
}

interface RanksOfBlock {
  readonly from: number;
  readonly count: number;
  readonly ranks: Int32Array;
  readonly feature: number;
  readonly width: number;
}

function rankColumn(
  column: Float32Array,
  cuts: Float64Array,
  { from, count, ranks, feature, width }: RanksOfBlock,
): void {
  for (let row = 0, at = feature; row < count; row += 1, at += width)
    ranks[at] = ranksBelow(cuts, column[from + row] ?? 0);
}
