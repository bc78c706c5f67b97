import type { JSX } from 'preact';
import { number, Plot } from '../../kit/page/index.ts';
import type { PlotLayout } from '../../kit/page/index.ts';

/** A load curve as a drawing of its own: half-hours from left to right, kWh upwards. */

const HEIGHT = 220;
const LEFT = 52;
const RIGHT = 8;
const BOTTOM = 24;
const TOP = 10;
/** Labels below the drawing on a wide screen, and on a telephone. */
const LABELS = { wide: 8, compact: 4 } as const;

/** Null is a gap in the curve. */
export interface CurvePoint {
  readonly label: string;
  readonly value: number | null;
}

interface CurveProps {
  readonly title: string;
  readonly unit: string;
  readonly curves: readonly {
    readonly name: 'import' | 'export';
    readonly points: readonly CurvePoint[];
  }[];
}

/** Both curves share one scale from zero; labels are those of the first. */
export function Curve(props: CurveProps): JSX.Element {
  return (
    <>
      <Plot draw={(layout) => <CurveIn {...props} layout={layout} />} />
      <p class="note">
        {props.title}, en {props.unit}.
      </p>
    </>
  );
}

function CurveIn({
  title,
  curves,
  layout,
}: CurveProps & { readonly layout: PlotLayout }): JSX.Element {
  const { width } = layout;
  const points = curves[0]?.points ?? [];
  const largest = Math.max(
    1e-9,
    ...curves.flatMap((curve) => curve.points.map(({ value }) => value ?? 0)),
  );
  const x = (index: number): number =>
    LEFT + (index * (width - LEFT - RIGHT)) / Math.max(1, points.length - 1);
  const y = (value: number): number =>
    HEIGHT - BOTTOM - (value / largest) * (HEIGHT - BOTTOM - TOP);
  const every = Math.ceil(points.length / LABELS[layout.class]);
  return (
    <svg viewBox={`0 0 ${width} ${HEIGHT}`} role="img" aria-label={title}>
      {[0, 0.5, 1].map((share) => (
        <g key={share}>
          <line
            class="axis"
            x1={LEFT}
            x2={width - RIGHT}
            y1={y(share * largest)}
            y2={y(share * largest)}
          />
          <text class="tick" x={LEFT - 6} y={y(share * largest) + 4} text-anchor="end">
            {number(share * largest, largest < 10 ? 2 : 0)}
          </text>
        </g>
      ))}
      {points.map(({ label }, index) =>
        index % every === 0 ? (
          <text
            key={index}
            class="tick"
            x={x(index)}
            y={HEIGHT - 6}
            text-anchor={index === 0 ? 'start' : 'middle'}
          >
            {label}
          </text>
        ) : null,
      )}
      {curves.map(({ name, points: own }) => (
        <path key={name} class={`curve ${name}`} d={pathOf(own, x, y)} />
      ))}
    </svg>
  );
}

/** A gap of the data is a gap of the line. */
function pathOf(
  points: readonly CurvePoint[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  let isOpen = false;
  return points
    .map(({ value }, index) => {
      const command = isOpen ? 'L' : 'M';
      isOpen = value !== null;
      return value === null ? '' : `${command}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    })
    .join('');
}
