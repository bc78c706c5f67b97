import { jsonAnswer, parameterRefusal } from '../answer.ts';
import type { Answer } from '../answer.ts';
import type { PortalRequest } from '../requests.ts';
import { dayNumber, dayText } from '../synthetic/paris-days.ts';
import { disruptionsBetween } from './disruptions.ts';
import { dayAt } from './rhythm.ts';
import { townWeatherDay } from './weather.ts';
import type { TownWeatherDay } from './weather.ts';

/**
 * The three sources of the town that are no open-data portals: disruptions (Navitia) and weather
 * (Visual Crossing, Open-Meteo).
 */

const DISRUPTIONS = '/marketplace/v2/navitia/line_reports/';
const VISUAL_CROSSING =
  /^\/VisualCrossingWebServices\/rest\/services\/timeline\/[^/]+\/(\d{4}-\d\d-\d\d)\/(\d{4}-\d\d-\d\d)$/;
const OPEN_METEO = '/v1/archive';

/** The answer of one of the services; undefined for a path that is none of theirs. */
export function serviceAnswer(request: PortalRequest, seed: number, now: Date): Answer | undefined {
  const { path, query, headers } = request;
  if (path.startsWith(DISRUPTIONS))
    return headers['apikey'] === undefined ? refused(401) : disruptions(query, seed);
  const [, from, to] = VISUAL_CROSSING.exec(path) ?? [];
  if (from !== undefined && to !== undefined) {
    return query['key'] === undefined ? refused(401) : visualCrossing(seed, daysOf(from, to, now));
  }
  if (path !== OPEN_METEO) return undefined;
  return openMeteo(seed, daysOf(query['start_date'] ?? '', query['end_date'] ?? '', now));
}

function refused(status: number): Answer {
  return jsonAnswer(status, { message: 'No API key found in request' });
}

/** The days of a range that have begun. */
function daysOf(from: string, to: string, now: Date): number[] {
  const [first, last] = [dayNumber(from), Math.min(dayNumber(to), dayAt(now.getTime()).number)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) => first + index);
}

function disruptions(query: PortalRequest['query'], seed: number): Answer {
  const [first, last] = ['since', 'until'].map((name) => {
    const asked = query[name] ?? '';
    if (!/^\d{8}T/.test(asked)) throw parameterRefusal(`${name} is no date and time: ${asked}`);
    return dayNumber(`${asked.slice(0, 4)}-${asked.slice(4, 6)}-${asked.slice(6, 8)}`);
  });
  const all = disruptionsBetween(seed, first ?? 0, last ?? 0);
  const [count, page] = [
    pageNumber(query['count'], DEFAULT_COUNT),
    pageNumber(query['start_page'], 0),
  ];
  const own = all.slice(page * count, (page + 1) * count);
  return jsonAnswer(200, {
    pagination: {
      total_result: all.length,
      start_page: page,
      items_per_page: count,
      items_on_page: own.length,
    },
    disruptions: own,
    line_reports: [],
  });
}

/** Of Navitia. */
const DEFAULT_COUNT = 25;

function pageNumber(text: string | undefined, otherwise: number): number {
  if (text === undefined) return otherwise;
  if (!/^\d{1,4}$/.test(text)) throw parameterRefusal(`is no number of a page: ${text}`);
  return Number(text);
}

function conditions({ rain, mean }: TownWeatherDay): string {
  if (rain >= 1) return 'Rain, Partially cloudy';
  return mean > 18 ? 'Clear' : 'Overcast';
}

function visualCrossing(seed: number, days: readonly number[]): Answer {
  return jsonAnswer(200, {
    resolvedAddress: 'Paris, France',
    timezone: 'Europe/Paris',
    days: days.map((number) => {
      const day = townWeatherDay(seed, number);
      return {
        datetime: dayText(number),
        ...{
          tempmax: day.max,
          tempmin: day.min,
          temp: day.mean,
          precip: day.rain,
          windspeed: day.wind,
        },
        conditions: conditions(day),
        hours: day.hours.map(({ temp, rain, wind }, clock) => ({
          datetime: `${clockText(clock)}:00`,
          ...{ temp, precip: rain, windspeed: wind },
        })),
      };
    }),
  });
}

function clockText(clock: number): string {
  return `${String(clock).padStart(2, '0')}:00`;
}

function openMeteo(seed: number, numbers: readonly number[]): Answer {
  const days = numbers.map((number) => ({
    date: dayText(number),
    ...townWeatherDay(seed, number),
  }));
  const hours = days.flatMap(({ date, hours: own }) =>
    own.map((hour, clock) => ({ time: `${date}T${clockText(clock)}`, ...hour })),
  );
  return jsonAnswer(200, {
    ...{ latitude: 48.86, longitude: 2.35, timezone: 'Europe/Paris' },
    daily: {
      time: days.map(({ date }) => date),
      temperature_2m_max: days.map(({ max }) => max),
      temperature_2m_min: days.map(({ min }) => min),
      temperature_2m_mean: days.map(({ mean }) => mean),
      precipitation_sum: days.map(({ rain }) => rain),
      wind_speed_10m_max: days.map(({ wind }) => wind),
      weather_code: days.map(({ rain }) => (rain >= 1 ? 61 : 3)),
    },
    hourly: {
      time: hours.map(({ time }) => time),
      temperature_2m: hours.map(({ temp }) => temp),
      precipitation: hours.map(({ rain }) => rain),
      wind_speed_10m: hours.map(({ wind }) => wind),
      weather_code: hours.map(({ rain }) => (rain > 0 ? 61 : 3)),
    },
  });
}
