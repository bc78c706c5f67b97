import { dayByDay, dayOf, jsonOutput, parquetSql, neededInput } from '../../kit/index.ts';
import { rounded, sum } from '../statistics.ts';
import type { NetworkArc } from '../transform/network.ts';
import { postcodeOf } from '../zones.ts';

/** `metrics/referentiel`: the network as other sections look things up in it. */

/** One arc of the network. */
export interface NetworkEntry {
  readonly libelle: string | null;
  /** Length of its geometry (haversine); 0 without one. */
  readonly longueur_metres: number;
  readonly noeud_amont: string | null;
  readonly noeud_aval: string | null;
  /** Halfway along the arc, `lat, lon`, as the publisher writes places. */
  readonly geo_point_2d: string | null;
  readonly center: readonly [lon: number, lat: number] | null;
  readonly actif: boolean;
  /** Postcode; null outside of the districts, or without them. */
  readonly arrondissement: string | null;
  /** Direction from the centre, `Centre` within 2.5 km of it; also of arcs inside of a district. */
  readonly zone_fallback: string | null;
  /** Published pieces that the arc was made of. */
  readonly objets: number;
}

/** The published document; lengths are metres. */
export interface NetworkMetrics {
  readonly schema: 'cityflow.referentiel/1';
  readonly metric_type: 'referentiel';
  readonly date: string;
  readonly coverage: {
    readonly troncons: number;
    readonly avec_geometrie: number;
    readonly avec_arrondissement: number;
  };
  readonly statistiques: {
    readonly nombre_troncons: number;
    readonly nombre_actifs: number;
    readonly nombre_objets: number;
    readonly longueur_totale_metres: number;
    readonly longueur_moyenne_metres: number | null;
  };
  /** By arc id. */
  readonly mapping: Readonly<Record<string, NetworkEntry>>;
}

/** Fact: `rows`, the number of arcs. */
export const metricsNetwork = dayByDay(async (unit, _task, sql) => {
  const arcs = await sql.rows<NetworkArc>(
    `SELECT * FROM ${parquetSql(neededInput(unit, 'core').path)}`,
  );
  const metrics = networkMetrics(dayOf(unit).date, arcs);
  return { outputs: { metrics: jsonOutput(metrics) }, checks: [], facts: { rows: arcs.length } };
});

/** The mean length is null for an empty network. */
export function networkMetrics(date: string, arcs: readonly NetworkArc[]): NetworkMetrics {
  const total = sum(arcs.map(({ length_m: length }) => length));
  return {
    schema: 'cityflow.referentiel/1',
    metric_type: 'referentiel',
    date,
    coverage: {
      troncons: arcs.length,
      avec_geometrie: arcs.filter(({ length_m: length }) => length > 0).length,
      avec_arrondissement: arcs.filter(({ district }) => district !== null).length,
    },
    statistiques: {
      nombre_troncons: arcs.length,
      nombre_actifs: arcs.filter(({ is_open: open }) => open).length,
      nombre_objets: sum(arcs.map(({ pieces }) => pieces)),
      longueur_totale_metres: rounded(total, 3),
      longueur_moyenne_metres: arcs.length === 0 ? null : rounded(total / arcs.length, 3),
    },
    mapping: Object.fromEntries(arcs.map((arc) => [arc.arc_id, entryOf(arc)])),
  };
}

function entryOf(arc: NetworkArc): NetworkEntry {
  const { lon, lat, district } = arc;
  return {
    libelle: arc.label,
    longueur_metres: arc.length_m,
    noeud_amont: arc.upstream_node,
    noeud_aval: arc.downstream_node,
    geo_point_2d: lon === null || lat === null ? null : `${lat}, ${lon}`,
    center: lon === null || lat === null ? null : [lon, lat],
    actif: arc.is_open,
    arrondissement: district === null ? null : postcodeOf(district),
    zone_fallback: arc.sector,
    objets: arc.pieces,
  };
}
