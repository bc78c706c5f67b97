import type { Series } from '../../../metrics-model.ts';

/** The value axis of a chart: its ends, and the round values that get a label and a grid line. */
export interface ValueScale {
  readonly min: number;
  readonly max: number;
  readonly ticks: readonly number[];
}

/** How an axis is laid around its data. */
export interface ScaleOptions {
  /** The axis holds zero, as it must where areas or signs are read. */
  readonly withZero: boolean;
  /**
   * Room beyond the data, as parts of their range; none is added beyond a zero that bounds them.
   */
  readonly below?: number;
  readonly above?: number;
  /** About how many intervals the axis is cut into. */
  readonly intervals: number;
}

/**
 * Ends the axis close to the data, where the chart engine's own scale would go on to the next round
 * value and leave up to a fifth of the plot empty.
 */
export function valueScale(series: readonly Series[], options: ScaleOptions): ValueScale {
  const { low, high } = extent(series, options.withZero);
  const range = high - low;
  const interval = roundInterval(range / options.intervals);
  const fine = interval / 5;
  const min = low === 0 ? 0 : fine * Math.floor((low - (options.below ?? 0) * range) / fine);
  const max = high === 0 ? 0 : fine * Math.ceil((high + (options.above ?? 0) * range) / fine);
  const first = Math.ceil(min / interval);
  const count = Math.floor(max / interval) - first + 1;
  return {
    min,
    max,
    ticks: Array.from({ length: count }, (_, index) => (first + index) * interval),
  };
}

function extent(series: readonly Series[], withZero: boolean): { low: number; high: number } {
  let low = withZero ? 0 : Infinity;
  let high = withZero ? 0 : -Infinity;
  for (const value of series.flat()) {
    if (value === null) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  if (low > high) return { low: 0, high: 1 };
  return low === high ? { low: Math.min(low, 0), high: Math.max(high, low + 1) } : { low, high };
}

/**
 * The nearest of 1, 2 and 5 times a power of ten, and at least 1, because labels have no decimals.
 */
function roundInterval(wanted: number): number {
  const power = 10 ** Math.floor(Math.log10(wanted));
  const distance = (factor: number): number => Math.abs(Math.log((factor * power) / wanted));
  const nearest = [1, 2, 5, 10].reduce((best, factor) =>
    distance(factor) < distance(best) ? factor : best,
  );
  return Math.max(1, nearest * power);
}

/** The height of a stack at each position: the sum of its known layers. */
export function stackHeights(layers: readonly Series[]): Series {
  const positions = layers[0] ?? [];
  return positions.map((_, index) => layers.reduce((sum, layer) => sum + (layer[index] ?? 0), 0));
}
