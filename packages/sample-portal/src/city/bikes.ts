import { hash, seriesKey, smooth } from '../synthetic/noise.ts';
import { hoursBetween, HOUR_MS } from './rhythm.ts';
import type { TownHour } from './rhythm.ts';
import type { CityTable } from './table.ts';
import { townCounters } from './town.ts';
import type { TownCounter } from './town.ts';
import { townWeather } from './weather.ts';

const FIELDS = [
  { name: 'id_compteur', label: 'Identifiant du compteur', type: 'text' },
  { name: 'nom_compteur', label: 'Nom du compteur', type: 'text' },
  { name: 'id', label: 'Identifiant du site de comptage', type: 'text' },
  { name: 'name', label: 'Nom du site de comptage', type: 'text' },
  { name: 'sum_counts', label: 'Comptage horaire', type: 'int' },
  { name: 'date', label: 'Date et heure de comptage', type: 'datetime' },
  { name: 'installation_date', label: "Date d'installation du site de comptage", type: 'date' },
  { name: 'coordinates', label: 'Coordonnées géographiques', type: 'geo_point_2d' },
  { name: 'mois_annee_comptage', label: 'mois_annee_comptage', type: 'text' },
] as const;

/** Of every hundred hours of a counter, how many have no record. */
const MISSING = 2;

/**
 * Hourly counts of bikes; their time is the start of the hour. Some 2,200 records a day, far more
 * than a page of the API.
 */
export function bikeCounts(seed: number): CityTable {
  const counters = townCounters(seed);
  const key = seriesKey(seed, 'city/bike-hours');
  return {
    id: 'comptage-velo-donnees-compteurs',
    title: 'Comptage vélo - Données compteurs',
    fields: FIELDS,
    timeField: 'date',
    lineEnd: '\n',
    processedAt: (now) => Math.floor(now.getTime() / HOUR_MS) * HOUR_MS,
    *rows({ from, to }, processedAt) {
      for (const hour of hoursBetween(from, Math.min(to, processedAt))) {
        const mood = moodOf(seed, hour);
        for (const [index, counter] of counters.entries()) {
          if (counter.fault === 'silent' || hash(key ^ index, hour.index) % 100 < MISSING) continue;
          yield [
            ...[
              counter.id,
              counter.name,
              counter.id.slice(0, 9),
              counter.name.replace(/ [NS]-[NS]$/, ''),
            ],
            bikesOf(key ^ index, counter, hour, mood),
            { at: hour.startMs },
            '2018-12-03',
            { point: counter.place },
            hour.day.text.slice(0, 7),
          ];
        }
      }
    },
  };
}

/** Fewer people ride in rain and cold. */
function moodOf(seed: number, { day, clock }: TownHour): number {
  const { temp, rain } = townWeather(seed, day.number, clock);
  return Math.max(0.25, (rain > 0.4 ? 0.72 : 1) * (0.7 + 0.02 * temp));
}

function bikesOf(
  key: number,
  { capacity, fault }: TownCounter,
  hour: TownHour,
  mood: number,
): number {
  if (fault === 'zero') return 0;
  if (fault === 'stuck') return 12;
  const share = hour.demand * mood * (1 + 0.2 * smooth(key, hour.index, 12));
  return Math.max(0, Math.round(capacity * share + (hash(key, hour.index + 1) % 7) - 3));
}
