import { clamp, hash, jitter, seriesKey, smooth } from '../synthetic/noise.ts';
import { hoursBetween, HOUR_MS } from './rhythm.ts';
import type { TownHour } from './rhythm.ts';
import type { Cell, CityTable, TimeRange } from './table.ts';
import { townArcs } from './town.ts';
import type { TownArc } from './town.ts';

/** Road counts and the road network. */

/** Of every hundred hours, how many are never published, lack the flow, or lack the occupancy. */
const MISSING = 7;
const WITHOUT_FLOW = 6;
const WITHOUT_OCCUPANCY = 4;
/** One row in so many is there twice. */
const TWICE_IN = 331;
/** A sensor that falls silent does so for this many days. */
const SILENT_DAYS = 9;
const SILENT_IN = 23;
/** Steps through all cells without any order, for every number of cells it does not divide. */
const STRIDE = 1_000_003;

/** Rows in no order, some twice; the time of a row is the END of its hour. */
export function roadCounts(seed: number): CityTable {
  const arcs = townArcs(seed);
  const key = seriesKey(seed, 'city/counts');
  return {
    id: 'comptages-routiers-permanents',
    title: 'Comptage routier - Données trafic issues des capteurs permanents',
    fields: COUNT_FIELDS,
    timeField: 't_1h',
    lineEnd: '\r\n',
    processedAt: (now) => Math.floor(now.getTime() / HOUR_MS) * HOUR_MS,
    *rows({ from, to }: TimeRange, processedAt) {
      // The time of a row is the end of its hour.
      const hours = hoursBetween(from - HOUR_MS, Math.min(to, processedAt + 1) - HOUR_MS);
      const cells = arcs.length * hours.length;
      for (let step = 0; step < cells; step += 1) {
        const cell = (step * STRIDE) % cells;
        const [arc, hour] = [arcs[cell % arcs.length], hours[Math.floor(cell / arcs.length)]];
        if (arc === undefined || hour === undefined || isMissing(key, arc, hour)) continue;
        const row = countRow(key, arc, hour);
        yield row;
        if (draw(key, arc, hour, 7) % TWICE_IN === 0) yield row;
      }
    },
  };
}

const COUNT_FIELDS = [
  { name: 'iu_ac', label: 'Identifiant arc', type: 'text' },
  { name: 'libelle', label: 'Libelle', type: 'text' },
  { name: 't_1h', label: 'Date et heure de comptage', type: 'datetime' },
  { name: 'q', label: 'Débit horaire', type: 'double' },
  { name: 'k', label: "Taux d'occupation", type: 'double' },
  { name: 'etat_trafic', label: 'Etat trafic', type: 'text' },
  { name: 'iu_nd_amont', label: 'Identifiant noeud amont', type: 'text' },
  { name: 'libelle_nd_amont', label: 'Libelle noeud amont', type: 'text' },
  { name: 'iu_nd_aval', label: 'Identifiant noeud aval', type: 'text' },
  { name: 'libelle_nd_aval', label: 'Libelle noeud aval', type: 'text' },
  { name: 'etat_barre', label: 'Etat arc', type: 'text' },
  { name: 'date_debut', label: 'Date debut dispo data', type: 'date' },
  { name: 'date_fin', label: 'Date fin dispo data', type: 'date' },
  { name: 'geo_point_2d', label: 'geo_point_2d', type: 'geo_point_2d' },
  { name: 'geo_shape', label: 'geo_shape', type: 'geo_shape' },
] as const;

function draw(key: number, arc: TownArc, hour: TownHour, salt: number): number {
  return hash(key ^ Math.imul(Number(arc.id), 0x9e3779b1) ^ salt, hour.index);
}

function isMissing(key: number, arc: TownArc, hour: TownHour): boolean {
  const block = Math.floor(hour.day.number / SILENT_DAYS);
  const isSilent = hash(key ^ Number(arc.id), block) % SILENT_IN === 0;
  return isSilent || hour.isAutumnFirst || draw(key, arc, hour, 1) % 100 < MISSING;
}

/** How full the arc is: 1 is its capacity. */
function loadOf(key: number, arc: TownArc, hour: TownHour): number {
  const slow = smooth(key ^ Number(arc.id), hour.index, 30);
  return Math.max(
    0.02,
    hour.demand * arc.stress * (1 + 0.16 * slow + 0.08 * jitter(key ^ Number(arc.id), hour.index)),
  );
}

function countRow(key: number, arc: TownArc, hour: TownHour): Cell[] {
  const load = loadOf(key, arc, hour);
  // Beyond its capacity an arc carries less the fuller it is.
  const carried = load <= 1 ? load : Math.max(0.45, 1 - (load - 1) * 1.1);
  const full = clamp(4 + 24 * load * load + Math.max(0, load - 0.85) * 90, 0, 96);
  const flow =
    hour.isSpringGap || draw(key, arc, hour, 3) % 100 < WITHOUT_FLOW
      ? null
      : Math.round(arc.capacity * carried);
  const occupancy =
    hour.isSpringGap || draw(key, arc, hour, 4) % 100 < WITHOUT_OCCUPANCY
      ? null
      : Math.round(full * 1e5) / 1e5;
  const [first] = arc.pieces;
  return [
    ...[arc.id, arc.label],
    { at: hour.startMs + HOUR_MS },
    flow === null ? null : flow.toFixed(1),
    occupancy,
    stateOf(occupancy),
    ...[String(arc.upstream), `Nd_${arc.upstream}`, String(arc.downstream), `Nd_${arc.downstream}`],
    // The publisher calls nearly every good row invalid.
    draw(key, arc, hour, 5) % 100 < 98 ? 'Invalide' : 'Ouvert',
    ...['1996-10-10', '2023-01-01'],
    // Coordinates of one arc vary in their 15th digit.
    { point: [arc.middle[0] + (draw(key, arc, hour, 6) % 3) * 4e-16, arc.middle[1]] },
    { shape: { coordinates: first ?? [], type: 'LineString' } },
  ];
}

function stateOf(occupancy: number | null): string {
  if (occupancy === null) return 'Inconnu';
  if (occupancy < 15) return 'Fluide';
  return occupancy < 30 ? 'Pré-saturé' : occupancy < 50 ? 'Saturé' : 'Bloqué';
}

const NETWORK_FIELDS = [
  { name: 'iu_ac', label: 'IU_AC', type: 'int' },
  { name: 'date_debut', label: 'DATE_DEBUT', type: 'datetime' },
  { name: 'date_fin', label: 'DATE_FIN', type: 'datetime' },
  { name: 'libelle', label: 'LIBELLE', type: 'text' },
  { name: 'iu_nd_aval', label: 'IU_ND_AVAL', type: 'int' },
  { name: 'iu_nd_amont', label: 'IU_ND_AMONT', type: 'int' },
  { name: 'libelle_nd_amont', label: 'LIBELLE_ND_AMONT', type: 'text' },
  { name: 'libelle_nd_aval', label: 'LIBELLE_ND_AVAL', type: 'text' },
  { name: 'geo_point_2d', label: 'geo_point_2d', type: 'geo_point_2d' },
  { name: 'geo_shape', label: 'geo_shape', type: 'geo_shape' },
  { name: 'shape_len', label: 'SHAPE.LEN', type: 'double' },
] as const;

const NETWORK_FROM = Date.UTC(2005, 0, 1, 1);
const NETWORK_TO = Date.UTC(2019, 5, 1, 2);
const NETWORK_PROCESSED = Date.UTC(2024, 2, 4, 5, 12);

/** One row per piece of an arc; the published length is 0 everywhere. */
export function roadNetwork(seed: number): CityTable {
  const arcs = townArcs(seed);
  return {
    id: 'referentiel-comptages-routiers',
    title: 'Référentiel géographique pour les données trafic issues des capteurs permanents',
    fields: NETWORK_FIELDS,
    lineEnd: '\n',
    processedAt: () => NETWORK_PROCESSED,
    *rows() {
      for (const arc of arcs) {
        for (const piece of arc.pieces) {
          yield [
            ...[
              arc.id,
              { at: NETWORK_FROM },
              { at: NETWORK_TO },
              arc.label,
              String(arc.downstream),
              String(arc.upstream),
            ],
            ...[`Nd_${arc.upstream}`, `Nd_${arc.downstream}`],
            { point: piece[Math.floor(piece.length / 2)] ?? arc.middle },
            { shape: { type: 'LineString', coordinates: piece } },
            '0.0',
          ];
        }
      }
    },
  };
}
