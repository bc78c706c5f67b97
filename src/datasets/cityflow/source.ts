import {
  isRecord,
  numberOf,
  odsWhere,
  opendatasoftExport,
  PipelineError,
  zonedDay,
} from '../kit/index.ts';
import type { FetchWindow, HttpSource } from '../kit/index.ts';
import { ZONE } from './zones.ts';

/**
 * Where the live sources are asked: real public endpoints, each host's base URL replaced by its
 * setting.
 */

/** A day or month of records, far from its limit. */
const RECORDS_MAX_BYTES = 512 * 2 ** 20;
/** Thirteen months of road counts have 6.2 GB. */
const COUNTS_MAX_BYTES = 16 * 2 ** 30;

/** `[start, end)` of a window as instants in UTC. */
function bounds({ from, to }: FetchWindow): readonly [start: string, end: string] {
  return [zonedDay(from, ZONE).startAt, zonedDay(to, ZONE).endAt];
}

/**
 * A dataset of Paris open data; `conditionOf` selects the window, where there is something to
 * select.
 */
function parisExport(
  dataset: string,
  format: 'json' | 'csv' | 'geojson',
  conditionOf?: (window: FetchWindow) => string,
  maxBytes = RECORDS_MAX_BYTES,
): HttpSource {
  const layout =
    format === 'csv'
      ? ['delimiter=%3B', 'use_labels=true', `timezone=${encodeURIComponent(ZONE)}`]
      : ['timezone=UTC'];
  return opendatasoftExport({
    host: 'paris',
    baseUrl: 'https://opendata.paris.fr',
    dataset,
    format,
    query: (window) =>
      conditionOf === undefined ? layout : [...layout, odsWhere(conditionOf(window))],
    maxBytes,
  });
}

/** Bike counters tell the start of the hour. */
function bikeHours(window: FetchWindow): string {
  const [start, end] = bounds(window);
  return `date>=date'${start}' and date<date'${end}'`;
}

/** Road counts tell the END of the hour: the last one of a day is at the midnight after it. */
function countHours(window: FetchWindow): string {
  const [start, end] = bounds(window);
  return `t_1h>date'${start}' and t_1h<=date'${end}'`;
}

/**
 * All disruptions with a period in the window; the answer for a past day is what the operator still
 * keeps of it.
 */
const DISRUPTIONS: HttpSource = {
  host: 'idfm',
  baseUrl: 'https://prim.iledefrance-mobilites.fr',
  pathOf: ({ from, to }) =>
    `/marketplace/v2/navitia/line_reports/line_reports?since=${compact(from)}T000000&until=${compact(to)}T235959&count=1000&disable_geojson=true`,
  extension: 'json',
  mediaType: 'application/json',
  nextPage: nextOfNavitia,
  requestsPerSecond: 1,
  maxBytes: RECORDS_MAX_BYTES,
  credential: { place: 'header', name: 'apikey' },
};

/**
 * Navitia tells in each answer how many there are of what it lists (`total_result`), and which page
 * this is (`start_page`, from 0). Pages are counted in line reports; each carries the disruptions
 * of its own.
 */
function nextOfNavitia(document: unknown, path: string): string | undefined {
  const pagination = isRecord(document) ? document['pagination'] : undefined;
  if (!isRecord(pagination)) return undefined;
  const [total, page, size, items] = [
    'total_result',
    'start_page',
    'items_per_page',
    'items_on_page',
  ].map((name) => numberOf(pagination[name]));
  if (typeof total !== 'number' || typeof page !== 'number') return undefined;
  const read = page * (size ?? 0) + (items ?? 0);
  if (read >= total) return undefined;
  if (items === 0) {
    throw new PipelineError(
      'SRC_TRUNCATED',
      `${path} is an empty page, and ${total - read} of ${total} items are missing`,
    );
  }
  return `${path.replace(/&start_page=\d+$/, '')}&start_page=${page + 1}`;
}

function compact(date: string): string {
  return date.replaceAll('-', '');
}

const VISUAL_CROSSING: HttpSource = {
  host: 'visual-crossing',
  baseUrl: 'https://weather.visualcrossing.com',
  pathOf: ({ from, to }) =>
    `/VisualCrossingWebServices/rest/services/timeline/Paris,France/${from}/${to}?unitGroup=metric&include=days,hours&contentType=json`,
  extension: 'json',
  mediaType: 'application/json',
  requestsPerSecond: 1,
  maxBytes: RECORDS_MAX_BYTES,
  credential: { place: 'query', name: 'key' },
};

const DAILY = [
  ...['temperature_2m_max', 'temperature_2m_min', 'temperature_2m_mean'],
  ...['precipitation_sum', 'wind_speed_10m_max', 'weather_code'],
];
const HOURLY = ['temperature_2m', 'precipitation', 'wind_speed_10m', 'weather_code'];

const OPEN_METEO: HttpSource = {
  host: 'open-meteo',
  baseUrl: 'https://archive-api.open-meteo.com',
  pathOf: ({ from, to }) =>
    `/v1/archive?latitude=48.8566&longitude=2.3522&start_date=${from}&end_date=${to}&daily=${DAILY.join(',')}` +
    `&hourly=${HOURLY.join(',')}&timezone=${encodeURIComponent(ZONE)}`,
  extension: 'json',
  mediaType: 'application/json',
  requestsPerSecond: 1,
  maxBytes: RECORDS_MAX_BYTES,
};

/** By part. */
export const CITY_SOURCES: Readonly<Record<string, HttpSource>> = {
  bikes: parisExport('comptage-velo-donnees-compteurs', 'json', bikeHours),
  traffic: DISRUPTIONS,
  weather: VISUAL_CROSSING,
  'open-meteo': OPEN_METEO,
  comptages: parisExport('comptages-routiers-permanents', 'csv', countHours, COUNTS_MAX_BYTES),
  chantiers: parisExport('chantiers-perturbants', 'csv'),
  referentiel: parisExport('referentiel-comptages-routiers', 'csv'),
  arrondissements: parisExport('arrondissements', 'geojson'),
};
