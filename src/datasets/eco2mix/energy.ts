import type { Coverage, Energy, Exchange } from './metrics-model.ts';
import type { Sampling } from './sampling.ts';
import { coverageOf, holdValues, QUARTER_MINUTES, summarize } from './sampling.ts';

/**
 * From power to energy: Σ P·dt over the samples of a day, dt by `sampling.ts`. A value holds in
 * whole quarters of an hour, so every energy is a whole number of quarter-hours times MW, divided
 * by four once at the end: exact.
 */

/** One per quarter of an hour of the day; null where no sample is. */
export type Values = readonly (number | null)[];

/** One column of one day: what was published at each quarter, and how long that holds. */
export interface DaySeries {
  readonly values: Values;
  readonly sampling: Sampling;
  /** The value that holds in each quarter; null in gaps. */
  readonly held: Values;
}

/** Holds each sample for its own step and no longer. */
export function daySeries(values: Values, sampling: Sampling): DaySeries {
  return { values, sampling, held: holdValues(values, sampling) };
}

/** As they stand beside every published energy. */
export function coverageMembers(sampling: Sampling): Coverage {
  return {
    expected_samples: sampling.expectedSamples,
    observed_samples: sampling.observedSamples,
    coverage: coverageOf(sampling),
  };
}

/** Quarter-hours times MW. */
export function quarterSum(held: Values): number {
  let sum = 0;
  for (const value of held) sum += value ?? 0;
  return sum;
}

/** Negative for what consumes, null when nothing was observed. */
export function energyOf({ sampling, held }: DaySeries): Energy {
  const energy = sampling.observedSamples === 0 ? null : quarterSum(held) / 4;
  return { energy_mwh: energy, ...coverageMembers(sampling) };
}

/** Import and export of one exchange: the held values split by sign. */
export function exchangeOf({ sampling, held }: Pick<DaySeries, 'sampling' | 'held'>): Exchange {
  if (sampling.observedSamples === 0) {
    return { import_mwh: null, export_mwh: null, net_mwh: null, ...coverageMembers(sampling) };
  }
  let imported = 0;
  let exported = 0;
  for (const value of held) {
    if (value !== null && value > 0) imported += value;
    if (value !== null && value < 0) exported -= value;
  }
  return {
    import_mwh: imported / 4,
    export_mwh: exported / 4,
    net_mwh: (imported - exported) / 4,
    ...coverageMembers(sampling),
  };
}

/**
 * The sum of several series in each quarter in which all of them hold: unknown where one is. A
 * sample of the sum is where any of them has one, until the next.
 */
export function sumSeries(
  series: readonly DaySeries[],
  unknownStep: 15 | 30,
): Pick<DaySeries, 'sampling' | 'held'> {
  const quarters = series[0]?.held.length ?? 0;
  const held: (number | null)[] = [];
  const minutes = new Uint8Array(quarters);
  let start: number | undefined;
  for (let quarter = 0; quarter < quarters; quarter++) {
    const sum = sumAt(series, quarter);
    held.push(sum);
    const isSample = series.some(({ sampling }) => sampling.minutes[quarter] !== 0);
    if (sum === null) start = undefined;
    else if (start === undefined || isSample) start = quarter;
    if (start !== undefined) minutes[start] = (minutes[start] ?? 0) + QUARTER_MINUTES;
  }
  return { sampling: summarize(minutes, unknownStep), held };
}

function sumAt(series: readonly DaySeries[], quarter: number): number | null {
  let sum = 0;
  for (const { held } of series) {
    const value = held[quarter] ?? null;
    if (value === null) return null;
    sum += value;
  }
  return sum;
}
