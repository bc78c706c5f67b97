import type { JSX } from 'preact';
import type { AnswerRow, ChartDefinition } from '../pipelines/tables.ts';

/** Rows as a drawing on the server: lines or bars, with the largest value, the first and the last place named. Gaps stay gaps. */

const WIDTH = 900;
const HEIGHT = 260;
const MARGIN = { left: 70, right: 10, top: 20, bottom: 30 };
const COLOURS = ['#0b57b0', '#c1121f', '#1a7f37', '#9a6700', '#7b2cbf', '#0b7285'];

interface Series {
  readonly name: string;
  readonly values: readonly (number | null)[];
}

/** An SVG without a script; null where there is no number to draw. */
export function Chart({
  chart,
  rows,
  title,
}: {
  readonly chart: ChartDefinition;
  readonly rows: readonly AnswerRow[];
  readonly title: string;
}): JSX.Element | null {
  const { places, series } = seriesOf(chart, rows);
  const numbers = series.flatMap(({ values }) => values.filter((value) => value !== null));
  if (numbers.length === 0) return null;
  const [low, high] = [Math.min(0, ...numbers), Math.max(0, ...numbers)];
  const inner = { width: WIDTH - MARGIN.left - MARGIN.right, height: HEIGHT - MARGIN.top - MARGIN.bottom };
  const x = (index: number): number => MARGIN.left + ((index + 0.5) / places.length) * inner.width;
  const y = (value: number): number => MARGIN.top + ((high - value) / (high - low || 1)) * inner.height;
  const step = inner.width / places.length;
  return (
    <svg viewBox={`0 0 ${WIDTH} ${HEIGHT}`} role="img" aria-label={title}>
      <line x1={MARGIN.left} x2={WIDTH - MARGIN.right} y1={y(0)} y2={y(0)} stroke="currentColor" stroke-width="1" />
      <text x={MARGIN.left - 6} y={y(high) + 4} text-anchor="end">
        {`${Math.round(high)} ${chart.unit ?? ''}`}
      </text>
      <text x={MARGIN.left} y={HEIGHT - 8}>
        {places[0]}
      </text>
      <text x={WIDTH - MARGIN.right} y={HEIGHT - 8} text-anchor="end">
        {places.at(-1)}
      </text>
      {series.map(({ name, values }, index) =>
        chart.kind === 'line' ? (
          <path
            key={name}
            d={lineOf(values, x, y)}
            fill="none"
            stroke={COLOURS[index % COLOURS.length]}
            stroke-width="2"
          />
        ) : (
          values.map((value, place) =>
            value === null ? null : (
              <rect
                key={`${name}/${place}`}
                x={x(place) - step * 0.4 + (index * step * 0.8) / series.length}
                y={Math.min(y(value), y(0))}
                width={(step * 0.8) / series.length}
                height={Math.abs(y(value) - y(0))}
                fill={COLOURS[index % COLOURS.length]}
              />
            ),
          )
        ),
      )}
    </svg>
  );
}

function lineOf(
  values: readonly (number | null)[],
  x: (index: number) => number,
  y: (value: number) => number,
): string {
  let path = '';
  let isOpen = false;
  values.forEach((value, index) => {
    if (value !== null) path += `${isOpen ? 'L' : 'M'}${x(index).toFixed(1)} ${y(value).toFixed(1)}`;
    isOpen = value !== null;
  });
  return path;
}

/** Times from left to right, whatever order the rows have. */
function seriesOf(
  { kind, x, y, series: by }: ChartDefinition,
  rows: readonly AnswerRow[],
): { readonly places: readonly string[]; readonly series: readonly Series[] } {
  const isTime = kind === 'line' || rows.every((row) => /^\d{4}/.test(String(row[x])));
  const given = [...new Set(rows.map((row) => String(row[x])))];
  const places = isTime ? given.sort((a, b) => a.localeCompare(b, 'en', { numeric: true })) : given;
  const found = new Map<string, (number | null)[]>();
  for (const row of rows) {
    for (const column of y) {
      const name = by === undefined ? column : String(row[by]);
      const values = found.get(name) ?? places.map(() => null);
      const value = row[column];
      values[places.indexOf(String(row[x]))] = typeof value === 'number' ? value : null;
      found.set(name, values);
    }
  }
  return { places, series: [...found].map(([name, values]) => ({ name, values })) };
}
