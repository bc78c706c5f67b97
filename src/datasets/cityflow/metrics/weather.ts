import { readFile } from 'node:fs/promises';
import { dayByDay, jsonOutput, neededInput } from '../../kit/index.ts';
import { clamp, known, mean, roundedOrNull, sum } from '../statistics.ts';
import { thresholdsOf } from '../thresholds.ts';
import type { Thresholds } from '../thresholds.ts';
import type { WeatherDay } from '../transform/weather.ts';

/** `metrics/weather`: the day's weather, its categories and what it does to mobility. */

/** In the order of the published documents: rain, wind, cold, heat. */
export const CATEGORIES = ['Pluvieux', 'Venteux', 'Froid', 'Chaud'] as const;
/** A day may have several. */
export type Category = (typeof CATEGORIES)[number];

/** °C, mm and km/h; what the day's record lacks is taken from its hours, else null. */
export interface WeatherFigures {
  readonly date: string;
  readonly temp_moyenne: number | null;
  readonly temp_min: number | null;
  readonly temp_max: number | null;
  /** Of the day. */
  readonly precip_totale: number | null;
  /** The day's published wind; without it the greatest of its hours. */
  readonly vent_moyen: number | null;
  readonly conditions: string | null;
  /** 0–100, 50 is neutral: 50 − 20 rain − 10 cold + 5 heat; null without temperature or rain. */
  readonly impact_mobilite: number | null;
}

/** The published document. */
export interface WeatherMetrics {
  readonly schema: 'cityflow.weather/1';
  readonly metric_type: 'weather';
  readonly date: string;
  readonly source: WeatherDay['source'];
  /** Hours that came, and how many of the five figures have a value. */
  readonly coverage: {
    readonly heures: number;
    readonly valeurs: number;
    readonly valeurs_attendues: number;
  };
  readonly metrics: WeatherFigures;
  readonly impact_mobilite: number | null;
  readonly categories: readonly Category[];
  readonly hours: WeatherDay['hours'];
}

/** Facts: the `source` that was used, and `rows`, always 1. */
export const metricsWeather = dayByDay(async (unit, task) => {
  const core = JSON.parse(await readFile(neededInput(unit, 'core').path, 'utf8')) as WeatherDay;
  const metrics = weatherMetrics(core, thresholdsOf(task.params));
  return {
    outputs: { metrics: jsonOutput(metrics) },
    checks: [],
    facts: { source: metrics.source, rows: 1 },
  };
});

/** Day values as published; where one is missing, from the hours. */
export function weatherMetrics(day: WeatherDay, thresholds: Thresholds): WeatherMetrics {
  const temperatures = known(day.hours.map(({ temp_c }) => temp_c));
  const rain = known(day.hours.map(({ precip_mm }) => precip_mm));
  const wind = known(day.hours.map(({ wind_kmh }) => wind_kmh));
  const temp = day.temp_mean_c ?? mean(temperatures);
  const precip = day.precip_mm ?? (rain.length === 0 ? null : sum(rain));
  const windMean = day.wind_kmh ?? (wind.length === 0 ? null : Math.max(...wind));
  const categories = categoriesOf({ temp, precip, wind: windMean }, thresholds);
  const values = [
    temp,
    day.temp_min_c ?? least(temperatures),
    day.temp_max_c ?? greatest(temperatures),
    precip,
    windMean,
  ];
  const impact = temp === null || precip === null ? null : impactOf(categories);
  const [mean_, min, max, total, speed] = values.map((value) => roundedOrNull(value ?? null, 2));
  return {
    schema: 'cityflow.weather/1',
    metric_type: 'weather',
    date: day.date,
    source: day.source,
    coverage: {
      heures: day.hours.length,
      valeurs: known(values).length,
      valeurs_attendues: values.length,
    },
    metrics: {
      date: day.date,
      temp_moyenne: mean_ ?? null,
      temp_min: min ?? null,
      temp_max: max ?? null,
      precip_totale: total ?? null,
      vent_moyen: speed ?? null,
      conditions: day.conditions,
      impact_mobilite: impact,
    },
    impact_mobilite: impact,
    categories,
    hours: day.hours,
  };
}

function least(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.min(...values);
}

function greatest(values: readonly number[]): number | null {
  return values.length === 0 ? null : Math.max(...values);
}

interface Judged {
  readonly temp: number | null;
  readonly precip: number | null;
  readonly wind: number | null;
}

function categoriesOf({ temp, precip, wind }: Judged, thresholds: Thresholds): Category[] {
  const holds: Readonly<Record<Category, boolean>> = {
    Pluvieux: precip !== null && precip >= thresholds.rain_mm,
    Venteux: wind !== null && wind >= thresholds.wind_kmh,
    Froid: temp !== null && temp < thresholds.cold_c,
    Chaud: temp !== null && temp > thresholds.hot_c,
  };
  return CATEGORIES.filter((category) => holds[category]);
}

/** `clamp(50 − 20·rain − 10·cold + 5·hot, 0, 100)` */
function impactOf(categories: readonly Category[]): number {
  const weight = (category: Category, points: number): number =>
    categories.includes(category) ? points : 0;
  return clamp(50 - weight('Pluvieux', 20) - weight('Froid', 10) + weight('Chaud', 5), 0, 100);
}
