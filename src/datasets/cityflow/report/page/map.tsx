import type { JSX } from 'preact';
import { boxOf } from '../../geometry.ts';
import type { Position } from '../../geometry.ts';
import type { ArcMetrics } from '../../metrics/arc-day.ts';
import type { ActiveWork } from '../../metrics/works.ts';
import type { Thresholds, TrafficState } from '../../thresholds.ts';
import { stateOf, STATES } from '../../thresholds.ts';
import type { NetworkMap } from '../../transform/network.ts';
import { number } from '../../../kit/page/index.ts';
import { STATE_TONES } from './tones.ts';
import { impactWords, streetOf } from './words.ts';

/**
 * The map of the day: every segment as its network draws it, as wide as its flow and in the colour
 * of the most congested state that it had, and the roadworks. Wide invisible copies of the lines
 * tell the street under the pointer.
 */

const WIDTH = 1_184;
const MARGIN = 12;
/** Lengths of degrees differ by this factor at the latitude of Paris. */
const LON_SCALE = Math.cos((48.8566 * Math.PI) / 180);
/** Line widths by share of the largest flow. */
const WIDTHS = [
  { upTo: 0.05, px: 1.2 },
  { upTo: 0.2, px: 2 },
  { upTo: 0.5, px: 3.2 },
  { upTo: 1, px: 5 },
] as const;
const NO_FLOW_PX = 0.9;

/** Of a degree of latitude, on a sphere of the mean radius of the Earth. */
const KM_PER_DEGREE = 111.195;
/** The bar of the scale is the longest of these that fits into so many units. */
const SCALES_KM = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20];
const LONGEST_BAR = 260;

interface Projection {
  readonly height: number;
  /** Units of the drawing per kilometre. */
  readonly perKm: number;
  readonly point: (position: Position) => string;
}

function projectionOf(positions: readonly Position[]): Projection {
  const [west, south, east, north] = boxOf(positions);
  const scale = (WIDTH - 2 * MARGIN) / ((east - west) * LON_SCALE);
  return {
    height: Math.ceil((north - south) * scale + 2 * MARGIN),
    perKm: scale / KM_PER_DEGREE,
    point: ([lon, lat]) =>
      `${(MARGIN + (lon - west) * LON_SCALE * scale).toFixed(1)} ${(MARGIN + (north - lat) * scale).toFixed(1)}`,
  };
}

function pathOf(lines: readonly (readonly Position[])[], { point }: Projection): string {
  return lines.map((line) => `M${line.map(point).join('L')}`).join('');
}

/** The network as drawn, and the figures that colour it; an arc without figures is unknown. */
export interface MapProps {
  readonly map: NetworkMap;
  readonly arcs: readonly ArcMetrics[];
  readonly works: readonly ActiveWork[];
  /** Named on the map, in their order. */
  readonly ranked: readonly ArcMetrics[];
  readonly thresholds: Thresholds;
}

/**
 * The most congested state of any hour of the day: a jam of an hour does not change the dominant
 * state of 24.
 */
export function worstState(arc: ArcMetrics | undefined, thresholds: Thresholds): TrafficState {
  return stateOf(arc?.taux_occupation_max ?? null, thresholds);
}

/** Null where fewer than two points are known: no map can be laid out. */
export function CityMap({ map, arcs, works, ranked, thresholds }: MapProps): JSX.Element | null {
  const positions = [
    ...Object.values(map.arcs),
    ...map.districts.map(({ outlines }) => outlines),
  ].flat(2);
  if (positions.length < 2) return null;
  const projection = projectionOf(positions);
  return (
    <svg
      class="map"
      viewBox={`0 0 ${WIDTH} ${projection.height}`}
      role="img"
      aria-label="Carte du trafic et des chantiers de la journée"
    >
      {map.districts.map(({ number, outlines }) => (
        <path key={number} class="district" d={pathOf(outlines, projection)}>
          <title>{`${number}${number === 1 ? 'er' : 'e'} arrondissement`}</title>
        </path>
      ))}
      <Segments map={map} arcs={arcs} thresholds={thresholds} projection={projection} />
      <Works works={works} projection={projection} />
      <Ranked map={map} ranked={ranked} projection={projection} />
      <Scale {...projection} />
    </svg>
  );
}

interface Drawn {
  readonly map: NetworkMap;
  readonly projection: Projection;
}

interface Segment {
  readonly id: string;
  readonly state: TrafficState;
  readonly px: number;
  readonly path: string;
  readonly words: string;
}

function Segments(
  props: Drawn & { readonly arcs: readonly ArcMetrics[]; readonly thresholds: Thresholds },
): JSX.Element {
  const segments = segmentsOf(props);
  return (
    <>
      {looksOf(segments).map(({ look, members }) => (
        <g
          key={`${look} ${members[0]?.px ?? 0}`}
          class={`arc ${look}`}
          stroke-width={members[0]?.px}
        >
          {members.map(({ id, path }) => (
            <path key={id} id={`arc-${id}`} d={path} />
          ))}
        </g>
      ))}
      <g class="hits">
        {segments.map(({ id, words }) => (
          <use key={id} href={`#arc-${id}`}>
            <title>{words}</title>
          </use>
        ))}
      </g>
    </>
  );
}

/** Runs of segments that look the same. */
function looksOf(segments: readonly Segment[]): { look: string; members: Segment[] }[] {
  const looks = new Map<string, { look: string; members: Segment[] }>();
  for (const segment of segments) {
    const look = STATE_TONES[segment.state].name;
    const found = looks.get(`${look} ${segment.px}`) ?? { look, members: [] };
    found.members.push(segment);
    looks.set(`${look} ${segment.px}`, found);
  }
  return [...looks.values()];
}

/** The most congested come last and so are drawn over the others. */
function segmentsOf({
  map,
  arcs,
  projection,
  thresholds,
}: Drawn & { readonly arcs: readonly ArcMetrics[]; readonly thresholds: Thresholds }): Segment[] {
  const largest = Math.max(1, ...arcs.map((arc) => arc.debit_journalier_total ?? 0));
  const byId = new Map(arcs.map((arc) => [arc.identifiant_arc, arc]));
  const segments = Object.entries(map.arcs).map(([id, lines]): Segment => {
    const arc = byId.get(id);
    const state = worstState(arc, thresholds);
    const px = widthOf(arc?.debit_journalier_total ?? null, largest);
    return { id, state, px, path: pathOf(lines, projection), words: wordsOf(id, arc, state) };
  });
  return segments.sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || a.px - b.px);
}

function wordsOf(id: string, arc: ArcMetrics | undefined, worst: TrafficState): string {
  if (arc === undefined) return `Tronçon ${id} · aucun comptage`;
  const vehicles = `${number(arc.debit_journalier_total)} véhicules`;
  return `${streetOf(arc)} · ${vehicles} · au pire ${worst}, le plus souvent ${arc.etat_trafic_dominant}`;
}

function widthOf(vehicles: number | null, largest: number): number {
  if (vehicles === null) return NO_FLOW_PX;
  return WIDTHS.find(({ upTo }) => vehicles / largest <= upTo)?.px ?? 5;
}

function Works({
  works,
  projection,
}: {
  readonly works: readonly ActiveWork[];
  readonly projection: Projection;
}): JSX.Element {
  return (
    <g>
      {works.map((work) => {
        const outlines = JSON.parse(work.contours) as Position[][];
        const impact = work.impact === null ? null : impactWords(work.impact);
        const words = [work.identifiant, impact, work.voies]
          .filter((part) => part !== null)
          .join(' · ');
        const [x = '0', y = '0'] = positionOf(work)?.map(String) ?? [];
        return outlines.length > 0 ? (
          <path key={work.identifiant} class="work" d={pathOf(outlines, projection)}>
            <title>{words}</title>
          </path>
        ) : x === '0' ? null : (
          <circle
            key={work.identifiant}
            class="work"
            r="4"
            {...centre(projection.point([Number(x), Number(y)]))}
          >
            <title>{words}</title>
          </circle>
        );
      })}
    </g>
  );
}

function positionOf({ geo_point_2d: point }: ActiveWork): Position | null {
  if (point === null) return null;
  const [lat, lon] = point.split(', ').map(Number);
  return lat === undefined || lon === undefined ? null : [lon, lat];
}

function centre(point: string): { cx: string; cy: string } {
  const [cx = '0', cy = '0'] = point.split(' ');
  return { cx, cy };
}

/** The ranks of the segments that lose the most time. */
function Ranked({
  map,
  ranked,
  projection,
}: Drawn & { readonly ranked: readonly ArcMetrics[] }): JSX.Element {
  return (
    <g>
      {ranked.map((arc, index) => {
        const lines = map.arcs[arc.identifiant_arc] ?? [];
        const middle = lines[0]?.[Math.floor((lines[0].length - 1) / 2)];
        if (middle === undefined) return null;
        const { cx, cy } = centre(projection.point(middle));
        return (
          <text key={arc.identifiant_arc} class="rank" x={cx} y={Number(cy) - 5}>
            {index + 1}
          </text>
        );
      })}
    </g>
  );
}

function Scale({ height, perKm }: Projection): JSX.Element | null {
  const km = SCALES_KM.findLast((length) => length * perKm <= LONGEST_BAR);
  if (km === undefined) return null;
  const [left, bottom] = [MARGIN, height - MARGIN];
  const right = (left + km * perKm).toFixed(1);
  return (
    <g class="scale">
      <path d={`M${left} ${bottom - 8}V${bottom}H${right}V${bottom - 8}`} />
      <text x={left} y={bottom - 14}>
        {km < 1 ? `${km * 1_000} m` : `${km} km`}
      </text>
    </g>
  );
}
