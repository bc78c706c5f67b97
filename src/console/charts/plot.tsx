import type { JSX } from 'preact';
import type { ChartDefinition } from '../../pipelines/tables.ts';
import { extentOf, numbersOf, stacked, thinned } from './series.ts';
import type { Placed, Series } from './series.ts';

/**
 * Lines, bars and stacks over places from left to right, with zero, the largest and the least
 * value, the first and the last place named.
 */

const WIDTH = 900;
const HEIGHT = 280;
const MARGIN = { left: 10, right: 10, top: 34, bottom: 38 };
const INNER = {
  width: WIDTH - MARGIN.left - MARGIN.right,
  height: HEIGHT - MARGIN.top - MARGIN.bottom,
};
/** Of the room of a place, what bars take. */
const BARS = 0.8;
/** Series have so many colours, in turn. */
export const COLOURS = 10;

/** The class of the colour of a series. */
export function colourOf(index: number): string {
  return `c${index % COLOURS}`;
}

interface Scales {
  readonly x: (index: number) => number;
  readonly y: (value: number) => number;
  /** Of a place. */
  readonly step: number;
}

/** An SVG without a script; null where there is no number to draw. */
export function Plot({
  chart,
  placed,
  title,
  tell,
  name,
}: {
  readonly chart: ChartDefinition;
  readonly placed: Placed;
  readonly title: string;
  /** A value as people read it. */
  readonly tell: (value: number) => string;
  /** What a place is called. */
  readonly name: (own: string) => string;
}): JSX.Element | null {
  const { places, series } = placed;
  if (numbersOf(series).length === 0) return null;
  const lines = chart.lines ?? [];
  const over = series.filter(({ name }) => lines.includes(name));
  const own = series.filter(({ name }) => !lines.includes(name));
  const isStacked = chart.kind === 'stack' || chart.kind === 'stacked-bar';
  const layers = isStacked ? stacked({ places, series: own }) : [];
  const ends = isStacked
    ? layers.flatMap((layer) => layer.flatMap((one) => one?.[1] ?? []))
    : numbersOf(own);
  const [low, high] = extentOf([...ends, ...numbersOf(over)]);
  const scales: Scales = {
    x: (index) => MARGIN.left + ((index + 0.5) / places.length) * INNER.width,
    y: (value) => MARGIN.top + ((high - value) / (high - low || 1)) * INNER.height,
    step: INNER.width / places.length,
  };
  const zero = scales.y(0);
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={title}>
      <line class="axis" x1={MARGIN.left} x2={WIDTH - MARGIN.right} y1={zero} y2={zero} />
      <line
        class="grid"
        x1={MARGIN.left}
        x2={WIDTH - MARGIN.right}
        y1={MARGIN.top}
        y2={MARGIN.top}
      />
      <text x={MARGIN.left} y={MARGIN.top - 10}>
        {[low < 0 ? `${tell(low)} …` : undefined, tell(high), chart.unit].filter(Boolean).join(' ')}
      </text>
      <Places places={places.map(name)} x={scales.x} />
      {chart.kind === 'line' ? <Lines series={own} scales={scales} first={0} /> : null}
      {chart.kind === 'bar' ? <Bars series={own} scales={scales} /> : null}
      {chart.kind === 'stacked-bar' ? <StackedBars layers={layers} scales={scales} /> : null}
      {chart.kind === 'stack' ? <Areas layers={layers} scales={scales} /> : null}
      <Lines series={over} scales={scales} first={own.length} />
    </svg>
  );
}

/** Of the letters of a telephone, which are the largest. */
const LETTER_WIDTH = 17;

/** All places where their names have room, else the first and the last. */
function Places({
  places,
  x,
}: {
  readonly places: readonly string[];
  readonly x: Scales['x'];
}): JSX.Element {
  const letters = places.reduce((longest, place) => Math.max(longest, place.length + 1), 0);
  if (letters * places.length * LETTER_WIDTH <= INNER.width) {
    return (
      <>
        {places.map((place, index) => (
          <text key={place} x={x(index).toFixed(1)} y={HEIGHT - 8} text-anchor="middle">
            {place}
          </text>
        ))}
      </>
    );
  }
  return (
    <>
      <text x={MARGIN.left} y={HEIGHT - 8}>
        {places[0]}
      </text>
      <text x={WIDTH - MARGIN.right} y={HEIGHT - 8} text-anchor="end">
        {places.at(-1)}
      </text>
    </>
  );
}

function Lines({
  series,
  scales: { x, y },
  first,
}: {
  readonly series: readonly Series[];
  readonly scales: Scales;
  /** Colour of the first of them. */
  readonly first: number;
}): JSX.Element {
  return (
    <>
      {series.map(({ name, values }, index) => {
        let path = '';
        let isOpen = false;
        for (const [place, value] of thinned(values, WIDTH)) {
          if (value !== null)
            path += `${isOpen ? 'L' : 'M'}${x(place).toFixed(1)} ${y(value).toFixed(1)}`;
          isOpen = value !== null;
        }
        return <path key={name} class={`line ${colourOf(first + index)}`} d={path} />;
      })}
    </>
  );
}

function bar(left: number, width: number, one: number, other: number): string {
  const top = Math.min(one, other);
  const [x, y] = [left.toFixed(1), top.toFixed(1)];
  return `M${x} ${y}h${width.toFixed(1)}v${Math.abs(one - other).toFixed(1)}h-${width.toFixed(1)}z`;
}

function Bars({
  series,
  scales: { x, y, step },
}: {
  series: readonly Series[];
  scales: Scales;
}): JSX.Element {
  const width = (step * BARS) / series.length;
  return (
    <>
      {series.map(({ name, values }, index) => (
        <path
          key={name}
          class={colourOf(index)}
          fill="currentColor"
          d={values
            .map((value, place) =>
              value === null
                ? ''
                : bar(x(place) - (step * BARS) / 2 + index * width, width, y(value), y(0)),
            )
            .join('')}
        />
      ))}
    </>
  );
}

type Layers = ReturnType<typeof stacked>;

function StackedBars({
  layers,
  scales: { x, y, step },
}: {
  layers: Layers;
  scales: Scales;
}): JSX.Element {
  return (
    <>
      {layers.map((layer, index) => (
        <path
          key={index}
          class={colourOf(index)}
          fill="currentColor"
          d={layer
            .map((one, place) =>
              one === null
                ? ''
                : bar(x(place) - (step * BARS) / 2, step * BARS, y(one[0]), y(one[1])),
            )
            .join('')}
        />
      ))}
    </>
  );
}

/** A place without a value ends an area. */
function Areas({ layers, scales: { x, y } }: { layers: Layers; scales: Scales }): JSX.Element {
  return (
    <>
      {layers.map((layer, index) => (
        <path key={index} class={colourOf(index)} fill="currentColor" d={areasOf(layer, x, y)} />
      ))}
    </>
  );
}

function areasOf(layer: Layers[number], x: Scales['x'], y: Scales['y']): string {
  let path = '';
  let edge: string[] = [];
  let isOpen = false;
  const close = (): void => {
    if (isOpen) path += `${edge.reverse().join('')}Z`;
    [edge, isOpen] = [[], false];
  };
  layer.forEach((one, place) => {
    if (one === null) {
      close();
      return;
    }
    const at = x(place).toFixed(1);
    path += `${isOpen ? 'L' : 'M'}${at} ${y(one[1]).toFixed(1)}`;
    edge.push(`L${at} ${y(one[0]).toFixed(1)}`);
    isOpen = true;
  });
  close();
  return path;
}
