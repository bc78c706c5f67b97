import type { JSX } from 'preact';
import { Plot, PLOT_ROW, PLOT_TOP } from './plot.tsx';
import type { PlotLayout } from './plot.tsx';

/** One row of a heat map: a cell for each column, with null where there is no value. */
export interface HeatRow {
  readonly name: string;
  /** `title`: what is told of the cell when it is pointed at. */
  readonly cells: readonly { readonly value: number | null; readonly title: string }[];
}

interface HeatMapProps {
  /** What the drawing shows, for who does not see it. */
  readonly label: string;
  /** Words above the columns, mostly hours. */
  readonly columns: readonly string[];
  readonly rows: readonly HeatRow[];
  /** The value of the darkest cell, above 0; that of the palest is 0. */
  readonly most: number;
  /** Width of the column of names, where it is not that of the layout. */
  readonly labels?: number;
}

/**
 * Rows by columns; darker is more, an empty frame has no value. Its colours are those of `.heat` in
 * the style of the page.
 */
export function HeatMap(props: HeatMapProps): JSX.Element {
  return <Plot draw={(layout) => <HeatMapIn {...props} layout={layout} />} />;
}

function HeatMapIn(props: HeatMapProps & { readonly layout: PlotLayout }): JSX.Element {
  const { label, columns, rows, most, layout } = props;
  const { width } = layout;
  const labels = props.labels ?? layout.labels;
  const cell = (width - labels) / Math.max(1, columns.length);
  return (
    <svg
      class="heat"
      viewBox={`0 0 ${width} ${PLOT_TOP + rows.length * PLOT_ROW}`}
      role="img"
      aria-label={label}
    >
      {columns.map((column, index) =>
        index % layout.hoursApart === 0 ? (
          <text key={index} x={labels + (index + 0.5) * cell} y={13} text-anchor="middle">
            {column}
          </text>
        ) : null,
      )}
      {rows.map(({ name, cells }, row) => (
        <g key={row}>
          <text x={0} y={PLOT_TOP + row * PLOT_ROW + 15}>
            {name}
          </text>
          {cells.map(({ value, title }, index) => (
            <rect
              key={index}
              class={value === null ? 'none' : undefined}
              x={(labels + index * cell + 0.5).toFixed(1)}
              y={PLOT_TOP + row * PLOT_ROW + 1}
              width={(cell - 1).toFixed(1)}
              height={PLOT_ROW - 2}
              fill-opacity={value === null ? undefined : (0.06 + (0.94 * value) / most).toFixed(3)}
            >
              <title>{title}</title>
            </rect>
          ))}
        </g>
      ))}
    </svg>
  );
}
