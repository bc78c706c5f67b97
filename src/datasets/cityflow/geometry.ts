import { area } from '@turf/area';
import { booleanPointInPolygon } from '@turf/boolean-point-in-polygon';
import { length } from '@turf/length';
import { isRecord } from '../kit/index.ts';
import type { JsonRecord } from '../kit/index.ts';

/**
 * Lengths, areas and places on the sphere, by turf. Results are rounded so that they are the same
 * on every machine.
 */

/** `[longitude, latitude]` in degrees, WGS 84. */
export type Position = readonly [lon: number, lat: number];

/** The mean radius that published lengths were computed with. */
const EARTH_RADIUS_M = 6_371_000;
const CENTRE: Position = [2.3522, 48.8566];
const CENTRE_RADIUS_M = 2_500;
const SECTORS = [
  'Nord',
  'Nord-Est',
  'Est',
  'Sud-Est',
  'Sud',
  'Sud-Ouest',
  'Ouest',
  'Nord-Ouest',
] as const;

type Ring = number[][];
type PolygonGeometry =
  | { readonly type: 'Polygon'; readonly coordinates: Ring[] }
  | { readonly type: 'MultiPolygon'; readonly coordinates: Ring[][] };

/**
 * Length of a line in metres, by great circles (haversine) on a sphere of 6,371 km, to the
 * millimetre.
 */
export function lineLengthM(line: readonly Position[]): number {
  if (line.length < 2) return 0;
  const coordinates = line.map(([lon, lat]) => [lon, lat]);
  const radians = length(
    { type: 'Feature', properties: {}, geometry: { type: 'LineString', coordinates } },
    { units: 'radians' },
  );
  return Math.round(radians * EARTH_RADIUS_M * 1000) / 1000;
}

/** The point halfway along the lines taken one after the other. */
export function middleOf(lines: readonly (readonly Position[])[]): Position | null {
  const pieces = lines.flatMap((line) =>
    line.slice(1).map((to, index) => ({ from: line[index] ?? to, to })),
  );
  const lengths = pieces.map(({ from, to }) => lineLengthM([from, to]));
  let left = lengths.reduce((sum, piece) => sum + piece, 0) / 2;
  for (const [index, { from, to }] of pieces.entries()) {
    const piece = lengths[index] ?? 0;
    if (left <= piece) {
      const share = piece === 0 ? 0 : left / piece;
      return [
        degrees(from[0] + (to[0] - from[0]) * share),
        degrees(from[1] + (to[1] - from[1]) * share),
      ];
    }
    left -= piece;
  }
  return lines[0]?.[0] ?? null;
}

/**
 * Six decimals are a tenth of a metre; what comes after them is noise of the publisher's
 * projections.
 */
export function degrees(value: number): number {
  return Math.round(value * 1e6) / 1e6;
}

/** The lines of a GeoJSON LineString or MultiLineString given as text; empty when it is none. */
export function linesOfText(text: string | null): Position[][] {
  const geometry = parseGeometry(text);
  if (geometry?.['type'] === 'LineString')
    return [positionsOf(geometry['coordinates'])].filter((line) => line.length > 1);
  if (geometry?.['type'] !== 'MultiLineString' || !Array.isArray(geometry['coordinates']))
    return [];
  return (geometry['coordinates'] as unknown[]).map(positionsOf).filter((line) => line.length > 1);
}

function parseGeometry(text: string | null): JsonRecord | undefined {
  if (text === null) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isRecord(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function positionsOf(list: unknown): Position[] {
  if (!Array.isArray(list)) return [];
  return (list as unknown[]).flatMap((point): Position[] => {
    if (!Array.isArray(point)) return [];
    const [lon, lat] = point as unknown[];
    return typeof lon === 'number' && typeof lat === 'number' ? [[lon, lat]] : [];
  });
}

function polygonOf(value: unknown): PolygonGeometry | undefined {
  if (!isRecord(value) || !Array.isArray(value['coordinates'])) return undefined;
  if (value['type'] === 'Polygon')
    return { type: 'Polygon', coordinates: value['coordinates'] as Ring[] };
  if (value['type'] === 'MultiPolygon')
    return { type: 'MultiPolygon', coordinates: value['coordinates'] as Ring[][] };
  return undefined;
}

/** Outer rings of a polygon given as GeoJSON text, for drawing. */
export function outlinesOfText(text: string | null): Position[][] {
  return outlinesOf(polygonOf(parseGeometry(text)));
}

function outlinesOf(polygon: PolygonGeometry | undefined): Position[][] {
  if (polygon === undefined) return [];
  const rings =
    polygon.type === 'Polygon'
      ? [polygon.coordinates[0]]
      : polygon.coordinates.map(([outer]) => outer);
  return rings.map(positionsOf).filter((ring) => ring.length > 2);
}

/**
 * Area of a polygon given as GeoJSON text, in m² to the square decimetre; null when it is no
 * polygon.
 */
export function areaM2(text: string | null): number | null {
  const geometry = polygonOf(parseGeometry(text));
  return geometry === undefined ? null : roundedArea(geometry);
}

function roundedArea(geometry: PolygonGeometry): number {
  return Math.round(area(geometry) * 100) / 100;
}

/** `48.85, 2.35` as a position. */
export function positionOfText(text: string | null): Position | null {
  if (text === null) return null;
  const [lat, lon] = text
    .split(',')
    .map((part) => (part.trim() === '' ? Number.NaN : Number(part)));
  return lat === undefined || lon === undefined || Number.isNaN(lat) || Number.isNaN(lon)
    ? null
    : [lon, lat];
}

/** One of the 20 districts of Paris. */
export interface District {
  /** 1–20. */
  readonly number: number;
  readonly name: string;
  readonly areaM2: number;
  readonly outlines: readonly (readonly Position[])[];
  contains(position: Position): boolean;
}

/** The district of a GeoJSON feature; undefined when it is none. */
export function districtOf(feature: JsonRecord): District | undefined {
  const properties = feature['properties'];
  const geometry = polygonOf(feature['geometry']);
  if (!isRecord(properties) || geometry === undefined) return undefined;
  const number = Number(properties['c_ar']);
  if (!Number.isInteger(number)) return undefined;
  const outlines = outlinesOf(geometry);
  const [west, south, east, north] = boxOf(outlines.flat());
  return {
    number,
    name: typeof properties['l_aroff'] === 'string' ? properties['l_aroff'] : `${number}e`,
    areaM2: roundedArea(geometry),
    outlines,
    contains: ([lon, lat]) =>
      lon >= west &&
      lon <= east &&
      lat >= south &&
      lat <= north &&
      booleanPointInPolygon([lon, lat], geometry),
  };
}

/** `[west, south, east, north]` */
export function boxOf(positions: readonly Position[]): readonly [number, number, number, number] {
  return positions.reduce<readonly [number, number, number, number]>(
    ([west, south, east, north], [lon, lat]) => [
      Math.min(west, lon),
      Math.min(south, lat),
      Math.max(east, lon),
      Math.max(north, lat),
    ],
    [Infinity, Infinity, -Infinity, -Infinity],
  );
}

/** The number of the district that a position lies in; null outside all of them. Never guessed. */
export function districtAt(
  districts: readonly District[],
  position: Position | null,
): number | null {
  if (position === null) return null;
  return districts.find((district) => district.contains(position))?.number ?? null;
}

/**
 * Where a place lies seen from Notre-Dame: `Centre` within 2.5 km, otherwise one of eight
 * directions.
 */
export function sectorOf(position: Position): string {
  if (lineLengthM([CENTRE, position]) <= CENTRE_RADIUS_M) return 'Centre';
  const east = (position[0] - CENTRE[0]) * Math.cos((CENTRE[1] * Math.PI) / 180);
  const turn = Math.atan2(east, position[1] - CENTRE[1]) / (Math.PI / 4);
  return SECTORS[(Math.round(turn) + 8) % 8] ?? 'Nord';
}
