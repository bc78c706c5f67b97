import { hash, seriesKey } from '../synthetic/noise.ts';
import { dayText } from '../synthetic/paris-days.ts';
import { dayAt } from './rhythm.ts';
import type { Cell, CityTable } from './table.ts';
import { townArcs, townDistricts } from './town.ts';

/** Roadworks and districts. */

const WORK_FIELDS = [
  { name: 'cp_id', label: 'Identifiant', type: 'text' },
  { name: 'ctv_id', label: 'Identifiant CTV', type: 'text' },
  { name: 'cp_arrondissement', label: "Code postal de l'arrondissement", type: 'text' },
  { name: 'num_stv', label: 'Numéro de STV', type: 'text' },
  { name: 'typologie', label: 'Typologie', type: 'text' },
  { name: 'maitre_ouvrage', label: "Maitre d'ouvrage", type: 'text' },
  { name: 'objet', label: 'Objet', type: 'text' },
  { name: 'description', label: 'Description', type: 'text' },
  { name: 'voie', label: 'Voie(s)', type: 'text' },
  { name: 'precision_localisation', label: 'Précisions de localisation', type: 'text' },
  { name: 'date_debut', label: 'Date de début', type: 'date' },
  { name: 'date_fin', label: 'Date de fin', type: 'date' },
  { name: 'impact_circulation', label: 'Impact sur la circulation', type: 'text' },
  {
    name: 'impact_circulation_detail',
    label: "Détail de l'impact sur la circulation",
    type: 'text',
  },
  { name: 'niveau_perturbation', label: 'Niveau de perturbation', type: 'text' },
  { name: 'statut', label: 'Statut', type: 'text' },
  { name: 'url_lic', label: 'URL LettreInfoChantier', type: 'text' },
  { name: 'geo_shape', label: 'geo_shape', type: 'geo_shape' },
  { name: 'geo_point_2d', label: 'geo_point_2d', type: 'geo_point_2d' },
] as const;

const IMPACTS = ['RESTREINTE', 'RESTREINTE', 'SENS_UNIQUE', 'BARRAGE_TOTAL', 'IMPASSE', 'AUTRE'];
/** Places where works follow each other, and how many days one of them takes. */
const SITES = 90;
const LEAST_DAYS = 20;
const MAX_DAYS = 160;
/**
 * The list reaches from works that ended so many days ago to works that start so many days from
 * now.
 */
const ENDED_BEFORE = 400;
const STARTING_WITHIN = 60;
/** Sites whose newest work has one of the flaws of real lists. */
const FLAWS: Readonly<Record<number, 'backwards' | 'undated' | 'unposted'>> = {
  11: 'backwards',
  29: 'undated',
  53: 'unposted',
  71: 'unposted',
};

/** The roadworks known today: ended, going on and coming; processed every midnight. */
export function roadworks(seed: number): CityTable {
  const key = seriesKey(seed, 'city/works');
  const arcs = townArcs(seed);
  const districts = townDistricts();
  return {
    id: 'chantiers-perturbants',
    title: 'Chantiers perturbants la circulation',
    fields: WORK_FIELDS,
    lineEnd: '\n',
    processedAt: (now) => dayAt(now.getTime()).firstQuarter * 900_000,
    *rows(_range, processedAt) {
      const today = dayAt(processedAt).number;
      for (let site = 0; site < SITES; site += 1) {
        const arc = arcs[(site * 7) % arcs.length];
        const [lon, lat] = arc?.middle ?? [2.35, 48.85];
        const days = LEAST_DAYS + (hash(key, site) % (MAX_DAYS - LEAST_DAYS));
        const first = Math.floor((today - ENDED_BEFORE) / days);
        const last = Math.floor((today + STARTING_WITHIN) / days);
        // The district whose middle is nearest: near enough for a postcode in a list of works.
        const district =
          [...districts].sort((a, b) => far(a.centre, [lon, lat]) - far(b.centre, [lon, lat]))[0]
            ?.number ?? 1;
        for (let round = first; round <= last; round += 1) {
          const flaw = round === last ? FLAWS[site] : undefined;
          yield workRow(key, { site, round, days, lon, lat, district, flaw });
        }
      }
    },
  };
}

function far([x, y]: readonly [number, number], [lon, lat]: readonly [number, number]): number {
  return (x - lon) ** 2 + (y - lat) ** 2;
}

interface Work {
  readonly site: number;
  readonly round: number;
  readonly days: number;
  readonly lon: number;
  readonly lat: number;
  readonly district: number;
  readonly flaw: 'backwards' | 'undated' | 'unposted' | undefined;
}

function workRow(key: number, { site, round, days, lon, lat, district, flaw }: Work): Cell[] {
  const chance = hash(key ^ site, round);
  const start = round * days + (chance % 9);
  const end = flaw === 'backwards' ? start - 6 : start + days - 12;
  const size = 0.0004;
  const ring = [
    [lon, lat],
    [lon + size, lat],
    [lon + size, lat + size / 2],
    [lon, lat + size / 2],
    [lon, lat],
  ];
  const id = `CP${String((site * 1_000 + round) % 1_000_000).padStart(6, '0')}`;
  return [
    ...[
      id,
      null,
      flaw === 'unposted' ? null : `750${String(district).padStart(2, '0')}`,
      String(1 + (site % 20)),
    ],
    ...[String(1 + (chance % 4)), 'Ville exemple', 'REAMENAGEMENT_SECTEUR'],
    // Line ends and delimiters inside quotes, as people type them.
    site % 9 === 4 ? 'Réfection de la chaussée ;\nphase 2 : trottoirs' : null,
    `rue du chantier ${site}`,
    site % 13 === 5 ? 'entre les numéros 4 et 28; côté pair' : null,
    ...(flaw === 'undated' ? [null, null] : [dayText(start), dayText(end)]),
    IMPACTS[chance % IMPACTS.length] ?? null,
    ...[null, '1', '2', null],
    { shape: { coordinates: [ring], type: 'Polygon' } },
    { point: [lon + size / 2, lat + size / 4] },
  ];
}

const DISTRICT_FIELDS = [
  { name: 'c_ar', label: 'Numéro d’arrondissement', type: 'int' },
  { name: 'c_arinsee', label: 'Numéro d’arrondissement INSEE', type: 'int' },
  { name: 'l_aroff', label: 'Nom officiel de l’arrondissement', type: 'text' },
  { name: 'geom', label: 'Geometry', type: 'geo_shape' },
] as const;

/** The twenty districts as GeoJSON. */
export function districtsTable(): CityTable {
  return {
    id: 'arrondissements',
    title: 'Arrondissements',
    fields: DISTRICT_FIELDS,
    lineEnd: '\n',
    processedAt: () => Date.UTC(2023, 8, 12, 8, 40),
    *rows() {
      for (const { number, ring } of townDistricts()) {
        yield [
          number,
          75_100 + number,
          `Quartier ${number}`,
          { shape: { coordinates: [ring], type: 'Polygon' } },
        ];
      }
    },
  };
}
