import { PipelineError } from '../../kit/index.ts';
import type { Matrix } from './forest.ts';

/**
 * The distance of a row from the mean of the training rows in units of their spread (Mahalanobis
 * 1936): √((x − μ)ᵀ Σ⁻¹ (x − μ)), with Σ by n − 1. The plain rule that a forest has to beat: it
 * knows how features move together, and nothing else.
 */
export interface Mahalanobis {
  readonly mean: Float64Array;
  /** Σ⁻¹, row after row. */
  readonly inverse: Float64Array;
}

/** @throws `INPUT_INVALID` for fewer than two rows, or features that are sums of each other */
export function fitMahalanobis({ columns, rows }: Matrix): Mahalanobis {
  const size = columns.length;
  if (rows < 2) throw new PipelineError('INPUT_INVALID', 'a covariance needs two rows');
  const mean = Float64Array.from(
    columns,
    (column) => column.reduce((sum, value) => sum + value, 0) / rows,
  );
  const covariance = new Float64Array(size * size);
  for (const [a, first] of columns.entries())
    for (const [b, second] of columns.entries()) {
      let sum = 0;
      for (let row = 0; row < rows; row += 1)
        sum += ((first[row] ?? 0) - (mean[a] ?? 0)) * ((second[row] ?? 0) - (mean[b] ?? 0));
      covariance[a * size + b] = sum / (rows - 1);
    }
  return { mean, inverse: inverseOf(covariance, size) };
}

/** The distance of every row. */
export function mahalanobisOf(
  { mean, inverse }: Mahalanobis,
  { columns, rows }: Matrix,
): Float64Array {
  const size = columns.length;
  const off = new Float64Array(size);
  return Float64Array.from({ length: rows }, (_, row) => {
    for (const [at, column] of columns.entries()) off[at] = (column[row] ?? 0) - (mean[at] ?? 0);
    let square = 0;
    for (let a = 0; a < size; a += 1)
      for (let b = 0; b < size; b += 1)
        square += (off[a] ?? 0) * (inverse[a * size + b] ?? 0) * (off[b] ?? 0);
    return Math.sqrt(Math.max(0, square));
  });
}

/** Below this share of the largest variance a pivot is nothing. */
const NOTHING = 1e-12;

/** Gauss and Jordan with the largest pivot of each column; a handful of features. */
function inverseOf(matrix: Float64Array, size: number): Float64Array {
  const width = 2 * size;
  const work = Float64Array.from({ length: size * width }, (_, place) => {
    const [row, column] = [Math.floor(place / width), place % width];
    if (column >= size) return column - size === row ? 1 : 0;
    return matrix[row * size + column] ?? 0;
  });
  const least = NOTHING * Math.max(...matrix);
  for (let step = 0; step < size; step += 1) {
    pivot(work, { step, size, width, least });
    for (let row = 0; row < size; row += 1) {
      const factor = row === step ? 0 : (work[row * width + step] ?? 0);
      if (factor === 0) continue;
      for (let column = 0; column < width; column += 1)
        work[row * width + column] =
          (work[row * width + column] ?? 0) - factor * (work[step * width + column] ?? 0);
    }
  }
  return Float64Array.from(
    { length: size * size },
    (_, place) => work[Math.floor(place / size) * width + size + (place % size)] ?? 0,
  );
}

interface Pivot {
  readonly step: number;
  readonly size: number;
  readonly width: number;
  readonly least: number;
}

/** Brings the row with the largest value of a column to its place, and makes that value 1. */
function pivot(work: Float64Array, { step, size, width, least }: Pivot): void {
  let best = step;
  for (let row = step + 1; row < size; row += 1)
    if (Math.abs(work[row * width + step] ?? 0) > Math.abs(work[best * width + step] ?? 0))
      best = row;
  const value = work[best * width + step] ?? 0;
  if (!(Math.abs(value) > least))
    throw new PipelineError('INPUT_INVALID', 'a feature is a sum of the others');
  for (let column = 0; column < width; column += 1) {
    const [from, to] = [best * width + column, step * width + column];
    const moved = work[from] ?? 0;
    work[from] = work[to] ?? 0;
    work[to] = moved / value;
  }
}
