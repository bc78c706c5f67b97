import { localQuarters, nthOf } from '../kit/index.ts';
import type { Revision, ZonedDay } from '../kit/index.ts';
import type { MeasureName } from './columns.ts';
import { leastFinal } from './core.ts';
import type { DaySeries, Values } from './energy.ts';
import { coverageMembers, energyOf, exchangeOf, quarterSum, sumSeries } from './energy.ts';
import { abs, exactRatio } from './exact-ratio.ts';
import type {
  Border,
  DayCurves,
  DayMetrics,
  Energy,
  Extreme,
  ForecastError,
  GenerationEnergy,
  Source,
  Storage,
  SubSource,
} from './metrics-model.ts';
import { BORDERS, LOW_CARBON, SOURCES, STORAGES, SUB_SOURCES } from './metrics-model.ts';

/**
 * One data day of the core table, by column. Pure: the same day gives the same metrics, member by
 * member in one order.
 */
export interface CoreDay {
  readonly day: ZonedDay;
  readonly instantsByRevision: Readonly<Record<Revision, number>>;
  readonly series: Readonly<Record<MeasureName, DaySeries>>;
}

const SHARE_DECIMALS = 6;
const POWER_DECIMALS = 2;
const INTENSITY_DECIMALS = 2;
const PERCENT_DECIMALS = 2;
/** Single relative errors are summed in units of 10⁻¹². */
const RELATIVE_SCALE = 10n ** 12n;

function record<Key extends string, Value>(
  keys: readonly Key[],
  valueOf: (key: Key) => Value,
): Record<Key, Value> {
  return Object.fromEntries(keys.map((key) => [key, valueOf(key)])) as Record<Key, Value>;
}

/** A sum with an unknown term is null: of generation by source, of exchanges by border. */
export function dayMetrics(core: CoreDay): DayMetrics {
  const { day, series } = core;
  const at = localQuarters(day);
  return {
    schema: 'eco2mix.metrics/1',
    date: day.date,
    hours: day.hours,
    revision: leastFinal(core.instantsByRevision),
    instants_by_revision: core.instantsByRevision,
    load: loadMetrics(series.consommation, at),
    generation: generationMetrics(series),
    storage: record<Storage, Energy>(STORAGES, (name) => energyOf(series[name])),
    exchanges: {
      by_border: record(BORDERS, (border) => exchangeOf(series[`ech_comm_${border}`])),
      total: exchangeOf(sumSeries(borderSeries(series), stepOf(series.consommation))),
      physical: exchangeOf(series.ech_physiques),
    },
    carbon_intensity: carbonMetrics(series),
    forecasts: {
      j1: forecastError(series.prevision_j1.values, series.consommation.values),
      j: forecastError(series.prevision_j.values, series.consommation.values),
    },
    curves: curvesOf(series, at),
  };
}

/** The step to expect of what was never published on a day: that of its load. */
export function stepOf({ sampling }: Pick<DaySeries, 'sampling'>): 15 | 30 {
  return sampling.observedSamples > 0 && sampling.minutes.every((step) => step !== 15) ? 30 : 15;
}

function borderSeries(series: CoreDay['series']): DaySeries[] {
  return BORDERS.map((border: Border) => series[`ech_comm_${border}`]);
}

function loadMetrics(load: DaySeries, at: readonly string[]): DayMetrics['load'] {
  const quarters = load.sampling.observedMinutes / 15;
  return {
    ...energyOf(load),
    mean_mw: exactRatio(BigInt(quarterSum(load.held)), BigInt(quarters), POWER_DECIMALS),
    peak: extremeOf(load.values, at, (value, best) => value > best),
    trough: extremeOf(load.values, at, (value, best) => value < best),
  };
}

function extremeOf(
  values: Values,
  at: readonly string[],
  beats: (value: number, best: number) => boolean,
): Extreme | null {
  let best: Extreme | null = null;
  for (const [quarter, value] of values.entries()) {
    if (value !== null && (best === null || beats(value, best.mw)))
      best = { mw: value, at: nthOf(at, quarter) };
  }
  return best;
}

function generationMetrics(series: CoreDay['series']): DayMetrics['generation'] {
  const energies = record<Source, Energy>(SOURCES, (source) => energyOf(series[source]));
  const total = sumOrNull(SOURCES.map((source) => energies[source].energy_mwh));
  const lowCarbon = sumOrNull(LOW_CARBON.map((source) => energies[source].energy_mwh));
  return {
    total_mwh: total,
    by_source: record<Source, GenerationEnergy>(SOURCES, (source) => ({
      ...energies[source],
      share: shareOf(energies[source].energy_mwh, total),
    })),
    by_sub_source: record<SubSource, Energy>(SUB_SOURCES, (name) => energyOf(series[name])),
    low_carbon_share: shareOf(lowCarbon, total),
  };
}

/** A sum with an unknown term is unknown: null is not zero. */
function sumOrNull(terms: readonly (number | null)[]): number | null {
  return terms.reduce<number | null>(
    (sum, term) => (sum === null || term === null ? null : sum + term),
    0,
  );
}

/** Energies are whole quarters of a MWh, so four times an energy is exact as an integer. */
function shareOf(part: number | null, whole: number | null): number | null {
  if (part === null || whole === null) return null;
  return exactRatio(BigInt(4 * part), BigInt(4 * whole), SHARE_DECIMALS);
}

/**
 * Σ(intensity × generation) / Σ(generation) over the quarters in which the intensity and all eight
 * sources hold.
 */
function carbonMetrics(series: CoreDay['series']): DayMetrics['carbon_intensity'] {
  const intensity = series.taux_co2;
  const generation = sumSeries(
    SOURCES.map((source) => series[source]),
    15,
  ).held;
  let weighted = 0n;
  let weight = 0n;
  for (const [quarter, grams] of intensity.held.entries()) {
    const power = generation[quarter] ?? null;
    if (grams === null || power === null) continue;
    weighted += BigInt(grams) * BigInt(power);
    weight += BigInt(power);
  }
  const published = intensity.values.filter((value) => value !== null);
  return {
    ...coverageMembers(intensity.sampling),
    mean_g_per_kwh: exactRatio(weighted, weight, INTENSITY_DECIMALS),
    min_g_per_kwh: published.length === 0 ? null : Math.min(...published),
    max_g_per_kwh: published.length === 0 ? null : Math.max(...published),
  };
}

function forecastError(forecast: Values, load: Values): ForecastError {
  let samples = 0n;
  let total = 0n;
  let absolute = 0n;
  let relative = 0n;
  let relativeSamples = 0n;
  for (const [quarter, expected] of forecast.entries()) {
    const measured = load[quarter] ?? null;
    if (expected === null || measured === null) continue;
    const error = BigInt(expected - measured);
    samples += 1n;
    total += error;
    absolute += abs(error);
    if (measured <= 0) continue;
    relativeSamples += 1n;
    relative += (abs(error) * RELATIVE_SCALE) / BigInt(measured);
  }
  return {
    samples: Number(samples),
    mae_mw: exactRatio(absolute, samples, POWER_DECIMALS),
    mape_pct: exactRatio(relative * 100n, relativeSamples * RELATIVE_SCALE, PERCENT_DECIMALS),
    bias_mw: exactRatio(total, samples, POWER_DECIMALS),
  };
}

function curvesOf(series: CoreDay['series'], at: readonly string[]): DayCurves {
  return {
    at,
    consommation: series.consommation.values,
    prevision_j1: series.prevision_j1.values,
    prevision_j: series.prevision_j.values,
    taux_co2: series.taux_co2.values,
    ech_physiques: series.ech_physiques.values,
    sources: record(SOURCES, (name) => series[name].values),
    storages: record(STORAGES, (name) => series[name].values),
    borders: record(BORDERS, (border) => series[`ech_comm_${border}`].values),
  };
}
