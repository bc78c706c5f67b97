import { zonedDay } from '../../../src/pipelines/zoned-day.ts';
import type { CivilDate } from '../../../src/pipelines/vocabulary.ts';

/** Small made-up sources in the publishers' forms, for tests that say what is in them. */

export const SHAPE =
  '{"coordinates": [[2.3009951475338766, 48.87177704259844], [2.302450437378247, 48.87129471535591]], "type": "LineString"}';

export const COUNT_HEADER =
  "Identifiant arc;Libelle;Date et heure de comptage;Débit horaire;Taux d'occupation;Etat trafic;Identifiant noeud amont;" +
  'Libelle noeud amont;Identifiant noeud aval;Libelle noeud aval;Etat arc;Date debut dispo data;Date fin dispo data;geo_point_2d;geo_shape';

export interface MadeCount {
  readonly arc: string;
  /** Hours since the start of the day; the row is published at the END of the hour. */
  readonly hour: number;
  readonly q: number | null;
  readonly k: number | null;
  readonly label?: string;
}

/** Local time with offset of an instant. */
export function parisTime(ms: number): string {
  const parts = new Intl.DateTimeFormat('sv-SE', {
    timeZone: 'Europe/Paris',
    dateStyle: 'short',
    timeStyle: 'medium',
  }).format(ms);
  const local = Date.parse(`${parts.replace(' ', 'T')}Z`);
  return `${parts.replace(' ', 'T')}+0${(local - ms) / 3_600_000}:00`;
}

function stateOf(k: number | null): string {
  if (k === null) return 'Inconnu';
  return k < 15 ? 'Fluide' : k < 30 ? 'Pré-saturé' : k < 50 ? 'Saturé' : 'Bloqué';
}

/** One row of the portal's export. */
export function countLine(
  date: CivilDate,
  { arc, hour, q, k, label = `Rue_${arc}` }: MadeCount,
): string {
  const at = parisTime(Date.parse(zonedDay(date, 'Europe/Paris').startAt) + (hour + 1) * 3_600_000);
  const cells = [
    arc,
    label,
    at,
    q === null ? '' : q.toFixed(1),
    k ?? '',
    stateOf(k),
    '1',
    'A',
    '2',
    'B',
    'Invalide',
    '1996-10-10',
    '2023-01-01',
  ];
  return [...cells, '48.87, 2.30', `"${SHAPE.replaceAll('"', '""')}"`].join(';');
}

export function countsCsv(lines: readonly string[]): string {
  return [COUNT_HEADER, ...lines, ''].join('\r\n');
}

export interface MadeBike {
  readonly counter: string;
  readonly at: string;
  readonly bikes: number | null;
  readonly name?: string;
  readonly place?: readonly [lon: number, lat: number];
}

export function bikeRecord({
  counter,
  at,
  bikes,
  name = `12 rue ${counter} N-S`,
  place = [2.38, 48.859],
}: MadeBike): object {
  return {
    id_compteur: counter,
    nom_compteur: name,
    id: counter,
    name,
    sum_counts: bikes,
    date: at,
    coordinates: { lon: place[0], lat: place[1] },
    installation_date: '2018-12-03',
    mois_annee_comptage: at.slice(0, 7),
  };
}

/** A page of the records endpoint. */
export function bikePage(records: readonly object[], total = records.length): string {
  return JSON.stringify({ total_count: total, results: records });
}

export interface MadeDisruption {
  readonly id: string;
  readonly periods: readonly (readonly [begin: string, end: string])[];
  readonly text?: string;
  readonly priority?: number;
  readonly updated?: string;
  readonly cause?: string;
}

export function disruption({
  id,
  periods,
  text = '',
  priority = 30,
  updated = '20251103T000000',
  cause = 'perturbation',
}: MadeDisruption): object {
  return {
    id,
    status: 'active',
    severity: { effect: 'REDUCED_SERVICE', priority },
    application_periods: periods.map(([begin, end]) => ({ begin, end })),
    messages: [{ text }],
    cause,
    category: 'Incidents',
    updated_at: updated,
  };
}

export function weatherAnswer(date: CivilDate, values: Readonly<Record<string, number>>): string {
  return JSON.stringify({
    days: [{ datetime: date, conditions: 'Overcast', hours: [], ...values }],
    currentConditions: {},
  });
}

export const WORK_HEADER =
  "Identifiant;Code postal de l'arrondissement;Typologie;Voie(s);Date de début;Date de fin;Impact sur la circulation;Statut;geo_shape;geo_point_2d";

export function networkCsv(
  arcs: readonly { readonly arc: string; readonly shape: string }[],
): string {
  const header =
    'IU_AC;DATE_DEBUT;DATE_FIN;LIBELLE;IU_ND_AVAL;IU_ND_AMONT;LIBELLE_ND_AMONT;LIBELLE_ND_AVAL;geo_point_2d;geo_shape;SHAPE.LEN';
  const lines = arcs.map(({ arc, shape }) => {
    return `${arc};2005-01-01;2019-06-01;Rue_${arc};2;1;A;B;48.87,2.30;"${shape.replaceAll('"', '""')}";0.0`;
  });
  return [header, ...lines, ''].join('\n');
}

/** Two square districts: the 1st west of 2.35°, the 2nd east of it. */
export const DISTRICTS = JSON.stringify({
  type: 'FeatureCollection',
  features: [square(1, 2.2, 2.35), square(2, 2.35, 2.5)],
});

function square(number: number, west: number, east: number): object {
  const ring = [
    [west, 48.8],
    [east, 48.8],
    [east, 48.92],
    [west, 48.92],
    [west, 48.8],
  ];
  return {
    type: 'Feature',
    properties: { c_ar: number, l_aroff: `Quartier ${number}` },
    geometry: { type: 'Polygon', coordinates: [ring] },
  };
}
