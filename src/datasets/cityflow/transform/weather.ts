import {
  checkResult,
  dayByDay,
  dayOf,
  inputOf,
  isRecord,
  jsonOutput,
  numberOf,
  textOf,
} from '../../kit/index.ts';
import type {
  CheckDefinition,
  JsonRecord,
  SqlSession,
  StepUnit,
  UnitResult,
} from '../../kit/index.ts';
import { recordsOf } from './days.ts';

/**
 * `transform/weather`: the day of Visual Crossing, or of Open-Meteo where there is none, in °C, mm
 * and km/h.
 */

const PLAUSIBLE: CheckDefinition = {
  id: 'plausible-weather',
  title: 'temperatures are −40–50 °C, rain 0–300 mm, wind 0–250 km/h',
  severity: 'hold',
};
const ORDERED: CheckDefinition = {
  id: 'min-mean-max',
  title: 'the least temperature is not above the mean, nor the mean above the greatest',
  severity: 'warn',
};
/** None of them holds the day: weather only explains. */
export const WEATHER_CHECKS: readonly CheckDefinition[] = [PLAUSIBLE, ORDERED];

/** An hour as published; null where the source says nothing. */
export interface WeatherHour {
  /** Local clock, `HH:MM`. */
  readonly at: string;
  readonly temp_c: number | null;
  readonly precip_mm: number | null;
  readonly wind_kmh: number | null;
}

/** The core document of a day; wind is the source's figure of the day. */
export interface WeatherDay {
  readonly schema: 'cityflow.weather-core/1';
  readonly date: string;
  readonly source: 'visual-crossing' | 'open-meteo';
  readonly temp_mean_c: number | null;
  readonly temp_min_c: number | null;
  readonly temp_max_c: number | null;
  readonly precip_mm: number | null;
  readonly wind_kmh: number | null;
  readonly conditions: string | null;
  readonly hours: readonly WeatherHour[];
}

/**
 * Visual Crossing goes before Open-Meteo; of several answers about the day the fullest is taken.
 */
export const transformWeather = dayByDay(async (unit, _task, sql) => transform(unit, sql));

async function transform(unit: StepUnit, sql: SqlSession): Promise<Omit<UnitResult, 'scope'>> {
  const { date } = dayOf(unit);
  const crossing = fullest(await recordsOf(sql, inputOf(unit, 'weather')));
  const meteo = fullest(await recordsOf(sql, inputOf(unit, 'open-meteo')));
  const weather =
    crossing === undefined ? openMeteo(date, meteo ?? {}) : visualCrossing(date, crossing);
  const values = [weather.temp_mean_c, weather.temp_min_c, weather.temp_max_c];
  const isOdd =
    values.some((value) => outside(value, -40, 50)) ||
    outside(weather.precip_mm, 0, 300) ||
    outside(weather.wind_kmh, 0, 250);
  const { temp_min_c: min, temp_mean_c: mean, temp_max_c: max } = weather;
  const isDisordered = (min ?? -99) > (mean ?? min ?? 99) || (mean ?? -99) > (max ?? 99);
  const example = {
    temp_mean_c: mean,
    temp_min_c: min,
    temp_max_c: max,
    precip_mm: weather.precip_mm,
    wind_kmh: weather.wind_kmh,
  };
  return {
    outputs: { core: { ...jsonOutput(weather), rows: 1 } },
    checks: [
      checkResult(PLAUSIBLE, 1, isOdd ? [example] : []),
      checkResult(ORDERED, 1, isDisordered ? [example] : []),
    ],
    facts: { rows: 1, source: weather.source, hours: weather.hours.length },
  };
}

/** The answers of several hours tell of one day: the one with the most in it was made last. */
function fullest(records: readonly JsonRecord[]): JsonRecord | undefined {
  const sizes = records.map((record) => JSON.stringify(record).length);
  return records[sizes.indexOf(Math.max(...sizes))];
}

function outside(value: number | null, from: number, to: number): boolean {
  return value !== null && (value < from || value > to);
}

function visualCrossing(date: string, record: JsonRecord): WeatherDay {
  const hours = Array.isArray(record['hours'])
    ? (record['hours'] as unknown[]).filter(isRecord)
    : [];
  return {
    schema: 'cityflow.weather-core/1',
    date,
    source: 'visual-crossing',
    temp_mean_c: numberOf(record['temp']),
    temp_min_c: numberOf(record['tempmin']),
    temp_max_c: numberOf(record['tempmax']),
    precip_mm: numberOf(record['precip']),
    wind_kmh: numberOf(record['windspeed']),
    conditions: textOf(record['conditions']),
    hours: hours.map((hour) => ({
      at: (textOf(hour['datetime']) ?? '').slice(0, 5),
      temp_c: numberOf(hour['temp']),
      precip_mm: numberOf(hour['precip']),
      wind_kmh: numberOf(hour['windspeed']),
    })),
  };
}

/** WMO weather codes (table 4677) in the groups that Open-Meteo documents. */
const CONDITIONS: readonly { readonly upTo: number; readonly text: string }[] = [
  { upTo: 0, text: 'Clear' },
  { upTo: 2, text: 'Partially cloudy' },
  { upTo: 3, text: 'Overcast' },
  { upTo: 48, text: 'Fog' },
  { upTo: 57, text: 'Drizzle' },
  { upTo: 67, text: 'Rain' },
  { upTo: 77, text: 'Snow' },
  { upTo: 82, text: 'Rain showers' },
  { upTo: 86, text: 'Snow showers' },
  { upTo: 99, text: 'Thunderstorm' },
];

function openMeteo(date: string, record: JsonRecord): WeatherDay {
  const daily = isRecord(record['daily']) ? record['daily'] : {};
  const hours = Array.isArray(record['hourly'])
    ? (record['hourly'] as unknown[]).filter(isRecord)
    : [];
  const code = numberOf(daily['weather_code']);
  return {
    schema: 'cityflow.weather-core/1',
    date,
    source: 'open-meteo',
    temp_mean_c: numberOf(daily['temperature_2m_mean']),
    temp_min_c: numberOf(daily['temperature_2m_min']),
    temp_max_c: numberOf(daily['temperature_2m_max']),
    precip_mm: numberOf(daily['precipitation_sum']),
    wind_kmh: numberOf(daily['wind_speed_10m_max']),
    conditions: code === null ? null : (CONDITIONS.find(({ upTo }) => code <= upTo)?.text ?? null),
    hours: hours.map((hour) => ({
      at: (textOf(hour['time']) ?? '').slice(11, 16),
      temp_c: numberOf(hour['temperature_2m']),
      precip_mm: numberOf(hour['precipitation']),
      wind_kmh: numberOf(hour['wind_speed_10m']),
    })),
  };
}
