import type { Series } from '../../metrics-model.ts';

/**
 * Curves hold a value per quarter of an hour, and a column of half-hours has none at :15 and :45.
 * These quarters are no gaps. They are told from gaps locally, because the step is a property of a
 * span of a column: a quarter between two values is no sample of its column when the quarters of
 * the neighbouring half-hours have none either.
 */
function isBetweenSamples(series: Series, index: number): boolean {
  const empty = (at: number): boolean => at < 0 || at >= series.length || series[at] === null;
  return index % 2 === 1 && empty(index) && empty(index - 2) && empty(index + 2);
}

/**
 * For lines: quarters between two half-hours get the value that the straight line between these
 * has. Gaps stay null.
 */
export function lineSamples(series: Series): Series {
  return series.map((value, index) => {
    if (value !== null || !isBetweenSamples(series, index)) return value;
    const [before, after] = [series[index - 1] ?? null, series[index + 1] ?? null];
    return before === null || after === null ? null : (before + after) / 2;
  });
}

/** For schedules, which keep their value until the next half-hour. Gaps stay null. */
export function heldSamples(series: Series): Series {
  return series.map((value, index) =>
    value === null && isBetweenSamples(series, index) ? (series[index - 1] ?? null) : value,
  );
}

/**
 * Layers of a stack from the bottom. Where a layer is unknown, the height of all above it is
 * unknown too, so they end there with it. Layers that have no value at all are the caller's to
 * leave out.
 */
export function stackable(layers: readonly Series[]): readonly Series[] {
  const blocked = new Set<number>();
  return layers.map((layer) =>
    layer.map((value, index) => {
      if (value === null) blocked.add(index);
      return blocked.has(index) ? null : value;
    }),
  );
}

/** False for a column that was not published on the day. */
export function hasValues(series: Series): boolean {
  return series.some((value) => value !== null);
}

/** The part of a signed series on one side of zero; zero on the other side, null where unknown. */
export function onSide(series: Series, side: 'positive' | 'negative'): Series {
  return series.map((value) => {
    if (value === null) return null;
    return side === 'positive' ? Math.max(0, value) : Math.min(0, value);
  });
}
