import type { JSX } from 'preact';
import type { AnswerRow, ChartDefinition } from '../../pipelines/tables.ts';
import { colourOf } from './plot.tsx';
import { extentOf, seriesOf } from './series.ts';

/**
 * Drawings that are not over places from left to right: rings, heat maps, points, lists of bars and
 * figures.
 */

/** What each of them is given. */
export interface ShapeOf {
  readonly chart: ChartDefinition;
  readonly rows: readonly AnswerRow[];
  readonly title: string;
  readonly tell: (value: number) => string;
  /** What a value or column that names something is called. */
  readonly name: (own: string) => string;
}

const numberIn = (row: AnswerRow, name: string | undefined): number | undefined => {
  const value = name === undefined ? undefined : row[name];
  return typeof value === 'number' ? value : undefined;
};

const RADIUS = 40;
const AROUND = 2 * Math.PI * RADIUS;

/**
 * Shares of a whole: the largest first as the rows have them, each with its part in the list beside
 * it.
 */
export function Ring({
  chart: { x, y, unit },
  rows,
  title,
  tell,
  name,
}: ShapeOf): JSX.Element | null {
  const parts = rows.flatMap((row) => {
    const value = numberIn(row, y[0]);
    return value === undefined || value <= 0 ? [] : [{ part: name(String(row[x])), value }];
  });
  const whole = parts.reduce((sum, { value }) => sum + value, 0);
  if (whole === 0) return null;
  let done = 0;
  return (
    <div class="ring">
      <svg viewBox="0 0 120 120" role="img" aria-label={title}>
        {parts.map(({ part, value }, index) => {
          const length = (value / whole) * AROUND;
          const offset = -(done / whole) * AROUND;
          done += value;
          return (
            <circle
              key={part}
              class={`slice ${colourOf(index)}`}
              cx="60"
              cy="60"
              r={RADIUS}
              stroke-dasharray={`${length.toFixed(2)} ${(AROUND - length).toFixed(2)}`}
              stroke-dashoffset={offset.toFixed(2)}
              transform="rotate(-90 60 60)"
            />
          );
        })}
      </svg>
      <Legend
        names={parts.map(
          ({ part, value }) =>
            `${part}: ${tell(value)}${unit === undefined ? '' : ` ${unit}`} (${Math.round((value / whole) * 100)} %)`,
        )}
      />
    </div>
  );
}

/** Which colour is what. */
export function Legend({ names }: { readonly names: readonly string[] }): JSX.Element {
  return (
    <ul class="key">
      {names.map((name, index) => (
        <li key={name}>
          <svg
            class={colourOf(index)}
            viewBox="0 0 12 12"
            width="12"
            height="12"
            aria-hidden="true"
          >
            <rect width="12" height="12" fill="currentColor" />
          </svg>{' '}
          {name}
        </li>
      ))}
    </ul>
  );
}

/** Rows are as high as the letters of a telephone. */
const CELL = { width: 34, height: 34, left: 200, bottom: 40 };
/** The faintest cell that has a value: it is told from one that has none. */
const FAINT = 0.08;

/**
 * A cell for each place and row; the darker, the larger. The least and the largest value are told.
 */
export function HeatMap({ chart, rows, title, tell, name: nameOf }: ShapeOf): JSX.Element | null {
  const { places, series } = seriesOf(chart, rows);
  const numbers = series.flatMap(({ values }) => values.filter((value) => value !== null));
  if (numbers.length === 0) return null;
  const low = numbers.reduce((least, value) => Math.min(least, value), Infinity);
  const high = numbers.reduce((greatest, value) => Math.max(greatest, value), -Infinity);
  const width = CELL.left + places.length * CELL.width;
  const height = series.length * CELL.height + CELL.bottom;
  const every = Math.max(1, Math.ceil(places.length / 12));
  return (
    <>
      <p>{[tell(low), '…', tell(high), chart.unit].filter(Boolean).join(' ')}</p>
      <svg viewBox={`0 0 ${width} ${height}`} role="img" aria-label={title}>
        {series.map(({ name, values }, row) => (
          <>
            <text key={name} x="0" y={(row + 0.75) * CELL.height}>
              {nameOf(name)}
            </text>
            {values.map((value, place) =>
              value === null ? null : (
                <rect
                  key={places[place]}
                  class="c0"
                  fill="currentColor"
                  fill-opacity={(FAINT + (1 - FAINT) * ((value - low) / (high - low || 1))).toFixed(
                    2,
                  )}
                  x={CELL.left + place * CELL.width + 1}
                  y={row * CELL.height + 1}
                  width={CELL.width - 2}
                  height={CELL.height - 2}
                />
              ),
            )}
          </>
        ))}
        {places.map((place, index) =>
          index % every === 0 ? (
            <text key={place} x={CELL.left + index * CELL.width} y={height - 8}>
              {place}
            </text>
          ) : null,
        )}
      </svg>
    </>
  );
}

const BOX = { width: 900, height: 420, margin: 30 };
const DOT = 5;
/** Of the latitude of Paris: a degree of longitude is so much of one of latitude. */
const cosine = (latitude: number): number => Math.cos((latitude * Math.PI) / 180);

/**
 * A dot for each row at two numbers; on a map these are longitude and latitude, and a third is the
 * size of the dot.
 */
export function Dots({ chart, rows, title, tell, name }: ShapeOf): JSX.Element | null {
  const isMap = chart.kind === 'map';
  const [across, third] = chart.y;
  const dots = rows.flatMap((row) => {
    const [x, y] = [numberIn(row, chart.x), numberIn(row, across)];
    return x === undefined || y === undefined ? [] : [{ x, y, size: numberIn(row, third), row }];
  });
  const [first] = dots;
  if (first === undefined) return null;
  const groupOf = (row: AnswerRow): string =>
    chart.series === undefined ? 'all' : String(row[chart.series]);
  const names = [...new Set(dots.map(({ row }) => groupOf(row)))];
  const squeeze = isMap ? cosine(first.y) : 1;
  const xs = rangeOf(dots.map(({ x }) => x * squeeze));
  const ys = rangeOf(dots.map(({ y }) => y));
  const [wide, high] = [BOX.width - 2 * BOX.margin, BOX.height - 2 * BOX.margin];
  // A map has one scale for both.
  const scale = isMap ? Math.min(wide / xs.length, high / ys.length) : undefined;
  const [, largest] = extentOf(dots.map(({ size }) => size ?? 0));
  return (
    <>
      <svg viewBox={`0 0 ${BOX.width} ${BOX.height}`} role="img" aria-label={title}>
        {isMap ? null : (
          <>
            <line
              class="axis"
              x1={BOX.margin}
              x2={BOX.width - BOX.margin}
              y1={BOX.height - 26}
              y2={BOX.height - 26}
            />
            <text
              x={BOX.margin}
              y={BOX.height - 6}
            >{`${name(chart.x)}: ${tell(xs.from)} … ${tell(xs.from + xs.length)}`}</text>
            <text
              x={BOX.margin}
              y="16"
            >{`${name(String(across))}: ${tell(ys.from)} … ${tell(ys.from + ys.length)}`}</text>
          </>
        )}
        {dots.map(({ x, y, size, row }, index) => (
          <circle
            key={index}
            class={colourOf(names.indexOf(groupOf(row)))}
            fill="currentColor"
            fill-opacity="0.6"
            cx={(BOX.margin + (x * squeeze - xs.from) * (scale ?? wide / xs.length)).toFixed(1)}
            cy={(BOX.height - BOX.margin - (y - ys.from) * (scale ?? high / ys.length)).toFixed(1)}
            r={
              size === undefined || largest === 0
                ? DOT
                : (2 + 14 * Math.sqrt(Math.max(0, size) / largest)).toFixed(1)
            }
          />
        ))}
      </svg>
      {names.length > 1 ? <Legend names={names.map(name)} /> : null}
    </>
  );
}

function rangeOf(values: readonly number[]): { readonly from: number; readonly length: number } {
  const from = values.reduce((least, value) => Math.min(least, value), Infinity);
  const to = values.reduce((greatest, value) => Math.max(greatest, value), -Infinity);
  return { from, length: to - from || 1 };
}
