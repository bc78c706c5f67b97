import type { JSX } from 'preact';
import { boxOf } from '../../geometry.ts';
import type { Position } from '../../geometry.ts';
import type { ArcMetrics } from '../../metrics/arc-day.ts';
import type { ActiveWork } from '../../metrics/works.ts';
import type { TrafficState } from '../../thresholds.ts';
import { STATES } from '../../thresholds.ts';
import type { NetworkMap } from '../../transform/network.ts';
import { STATE_TONES } from './tones.ts';

/**
 * The map of the day: every segment as its network draws it, as wide as its flow and in the colour of its dominant state, and the roadworks. All
 * segments of one look are one path, because three thousand elements would take the browser longer than the page.
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

interface Projection {
  readonly height: number;
  readonly point: (position: Position) => string;
}

function projectionOf(positions: readonly Position[]): Projection {
  const [west, south, east, north] = boxOf(positions);
  const scale = (WIDTH - 2 * MARGIN) / ((east - west) * LON_SCALE);
  return {
    height: Math.ceil((north - south) * scale + 2 * MARGIN),
    point: ([lon, lat]) =>
      `${(MARGIN + (lon - west) * LON_SCALE * scale).toFixed(1)} ${(MARGIN + (north - lat) * scale).toFixed(1)}`,
  };
}

function pathOf(lines: readonly (readonly Position[])[], { point }: Projection): string {
  return lines.map((line) => `M${line.map(point).join('L')}`).join('');
}

export interface MapProps {
  readonly map: NetworkMap;
  readonly arcs: readonly ArcMetrics[];
  readonly works: readonly ActiveWork[];
  /** Named on the map, in their order. */
  readonly ranked: readonly ArcMetrics[];
}

export function CityMap({ map, arcs, works, ranked }: MapProps): JSX.Element | null {
  const positions = [...Object.values(map.arcs), ...map.districts.map(({ outlines }) => outlines)].flat(2);
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
      <Segments map={map} arcs={arcs} projection={projection} />
      <Works works={works} projection={projection} />
      <Ranked map={map} ranked={ranked} projection={projection} />
    </svg>
  );
}

interface Drawn {
  readonly map: NetworkMap;
  readonly projection: Projection;
}

function Segments({ map, arcs, projection }: Drawn & { readonly arcs: readonly ArcMetrics[] }): JSX.Element {
  const largest = Math.max(1, ...arcs.map((arc) => arc.debit_journalier_total ?? 0));
  const byId = new Map(arcs.map((arc) => [arc.identifiant_arc, arc]));
  const looks = new Map<string, { state: TrafficState; px: number; lines: (readonly Position[])[] }>();
  for (const [id, lines] of Object.entries(map.arcs)) {
    const arc = byId.get(id);
    const state = arc?.etat_trafic_dominant ?? 'Inconnu';
    const px = widthOf(arc?.debit_journalier_total ?? null, largest);
    const look = looks.get(`${state} ${px}`) ?? { state, px, lines: [] };
    look.lines.push(...lines);
    looks.set(`${state} ${px}`, look);
  }
  // The most congested are drawn last, over the others.
  const ordered = [...looks.values()].sort((a, b) => STATES.indexOf(a.state) - STATES.indexOf(b.state) || a.px - b.px);
  return (
    <g>
      {ordered.map(({ state, px, lines }) => (
        <path
          key={`${state} ${px}`}
          class={`arc ${STATE_TONES[state].name}`}
          stroke-width={px}
          d={pathOf(lines, projection)}
        />
      ))}
    </g>
  );
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
        const words = [work.identifiant, work.impact, work.voies].filter((part) => part !== null).join(' · ');
        const [x = '0', y = '0'] = positionOf(work)?.map(String) ?? [];
        return outlines.length > 0 ? (
          <path key={work.identifiant} class="work" d={pathOf(outlines, projection)}>
            <title>{words}</title>
          </path>
        ) : x === '0' ? null : (
          <circle key={work.identifiant} class="work" r="4" {...centre(projection.point([Number(x), Number(y)]))}>
            <title>{words}</title>
          </circle>
        );
      })}
    </g>
  );
}

function positionOf({ geo_point_2d: point }: ActiveWork): Position | null {
  const [lat, lon] = (point ?? '').split(', ').map(Number);
  return point === null || lat === undefined || lon === undefined ? null : [lon, lat];
}

function centre(point: string): { cx: string; cy: string } {
  const [cx = '0', cy = '0'] = point.split(' ');
  return { cx, cy };
}

/** Invisible wide lines that tell about the segment under the pointer, and their ranks. */
function Ranked({ map, ranked, projection }: Drawn & { readonly ranked: readonly ArcMetrics[] }): JSX.Element {
  return (
    <g>
      {ranked.map((arc, index) => {
        const lines = map.arcs[arc.identifiant_arc] ?? [];
        const middle = lines[0]?.[Math.floor((lines[0].length - 1) / 2)];
        if (middle === undefined) return null;
        const { cx, cy } = centre(projection.point(middle));
        return (
          <g key={arc.identifiant_arc}>
            <path class="hit" d={pathOf(lines, projection)}>
              <title>{`${arc.libelle ?? arc.identifiant_arc} · ${arc.debit_journalier_total ?? '–'} véhicules · ${arc.etat_trafic_dominant}`}</title>
            </path>
            <text class="rank" x={cx} y={Number(cy) - 5}>
              {index + 1}
            </text>
          </g>
        );
      })}
    </g>
  );
}
