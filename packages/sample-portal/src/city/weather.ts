import { clamp, cosTurn, jitter, seriesKey, smooth } from '../synthetic/noise.ts';

/** Weather of the made-up town, by day number and hour of the clock. */
export interface TownWeather {
  /** °C, mm of the hour, km/h. */
  readonly temp: number;
  readonly rain: number;
  readonly wind: number;
}

const DAYS_PER_YEAR = 365.2425;
/** The coldest day comes in the middle of January, the warmest hour at three. */
const COLDEST_DAY = 15;
const WARMEST_HOUR = 15;

/** `day` counts from 1970-01-01, `clock` is the local hour 0–23. */
export function townWeather(seed: number, day: number, clock: number): TownWeather {
  const [heat, wet, blow] = ['temp', 'rain', 'wind'].map((name) =>
    seriesKey(seed, `city/weather/${name}`),
  );
  const year = (day - COLDEST_DAY) / DAYS_PER_YEAR;
  const season = 11.8 - 8.2 * cosTurn(year);
  const daily = 3.6 * cosTurn((clock - WARMEST_HOUR) / 24);
  const hour = day * 24 + clock;
  const rain = smooth(wet ?? 0, hour, 9) * 2.2 - 0.9;
  return {
    temp: tenth(season + daily + 4.5 * smooth(heat ?? 0, hour, 70)),
    rain: tenth(Math.max(0, rain)),
    wind: tenth(clamp(13 + 11 * smooth(blow ?? 0, hour, 20) + 3 * jitter(blow ?? 0, hour), 0, 110)),
  };
}

/** °C, mm and km/h; `wind` is the greatest of the hours. */
export interface TownWeatherDay {
  readonly hours: readonly TownWeather[];
  readonly mean: number;
  readonly min: number;
  readonly max: number;
  readonly rain: number;
  readonly wind: number;
}

/** Always 24 hours of the clock, also on the days on which it changes. */
export function townWeatherDay(seed: number, day: number): TownWeatherDay {
  const hours = Array.from({ length: 24 }, (_, clock) => townWeather(seed, day, clock));
  const temps = hours.map(({ temp }) => temp);
  const total = (values: readonly number[]): number =>
    values.reduce((sum, value) => sum + value, 0);
  return {
    hours,
    mean: tenth(total(temps) / temps.length),
    min: Math.min(...temps),
    max: Math.max(...temps),
    rain: tenth(total(hours.map(({ rain }) => rain))),
    wind: Math.max(...hours.map(({ wind }) => wind)),
  };
}

function tenth(value: number): number {
  return Math.round(value * 10) / 10;
}
