import type { Coverage, DayCurves, DayMetrics, Series } from '../metrics-model.ts';
import { BORDERS, SOURCES, STORAGES } from '../metrics-model.ts';

/** One published column of the day: its curve and how much of it was observed. */
export interface Quantity {
  /** The publisher's column name, such as `ech_comm_espagne`. */
  readonly name: string;
  readonly unit: 'mw' | 'g_par_kwh';
  curve(curves: DayCurves): Series;
  coverage(metrics: DayMetrics): Coverage;
}

/** Every column that a day's curves hold, in the order of the CSV and of the coverage table. */
export const QUANTITIES: readonly Quantity[] = [
  power(
    'consommation',
    (curves) => curves.consommation,
    (metrics) => metrics.load,
  ),
  forecast('prevision_j1', (curves) => curves.prevision_j1),
  forecast('prevision_j', (curves) => curves.prevision_j),
  ...SOURCES.map((source) =>
    power(
      source,
      (curves) => curves.sources[source],
      (metrics) => metrics.generation.by_source[source],
    ),
  ),
  ...STORAGES.map((storage) =>
    power(
      storage,
      (curves) => curves.storages[storage],
      (metrics) => metrics.storage[storage],
    ),
  ),
  power(
    'ech_physiques',
    (curves) => curves.ech_physiques,
    (metrics) => metrics.exchanges.physical,
  ),
  ...BORDERS.map((border) =>
    power(
      `ech_comm_${border}`,
      (curves) => curves.borders[border],
      (metrics) => metrics.exchanges.by_border[border],
    ),
  ),
  {
    ...power(
      'taux_co2',
      (curves) => curves.taux_co2,
      (metrics) => metrics.carbon_intensity,
    ),
    unit: 'g_par_kwh',
  },
];

function power(
  name: string,
  curve: (curves: DayCurves) => Series,
  coverage: (metrics: DayMetrics) => Coverage,
): Quantity {
  return { name, unit: 'mw', curve, coverage };
}

/**
 * The metrics measure forecasts by their error only, so what was published is counted on the curve.
 */
function forecast(name: string, curve: (curves: DayCurves) => Series): Quantity {
  return power(name, curve, (metrics) => countedCoverage(curve(metrics.curves)));
}

/** A column without any value at :15 and :45 is one of half-hours. */
function countedCoverage(series: Series): Coverage {
  const observed = series.filter((value) => value !== null).length;
  const halfHourly =
    observed > 0 && series.every((value, index) => value === null || index % 2 === 0);
  const expected = halfHourly ? series.length / 2 : series.length;
  return {
    expected_samples: expected,
    observed_samples: observed,
    coverage: expected === 0 ? 0 : Math.round((observed / expected) * 10_000) / 10_000,
  };
}
