import type { JSX } from 'preact';
import type { Plot } from './charts/frame.ts';
import type { ChartOption } from './charts/svg.ts';
import { renderSvg } from './charts/svg.ts';
import type { DayHover } from './hover.ts';
import { hoverStrips } from './hover.ts';
import type { ToneName } from './palette.ts';
import { toneVariable } from './palette.ts';

/** Lengths are CSS pixels. */
export interface ChartProps {
  /** Unique in the page. */
  readonly id: string;
  /** What the chart shows, for those who do not see it. */
  readonly label: string;
  readonly draw: (plot: Plot) => ChartOption;
  readonly height: number;
  /** Width of the drawing for large screens. */
  readonly width?: number;
  /** Of the drawing for telephones. */
  readonly compactHeight?: number;
  /** The values of each instant, for the drawing that a pointer reaches. */
  readonly hover?: DayHover;
}

const WIDE = 860;
const COMPACT = 360;
/** Beyond this a drawing's text looks larger than the page's. */
const LARGEST_SCALE = 1.25;

/**
 * Drawn twice, because text that is scaled down to a telephone cannot be read; the style sheet
 * shows the one that fits.
 */
export function Chart({
  id,
  label,
  draw,
  height,
  width = WIDE,
  compactHeight = 240,
  hover,
}: ChartProps): JSX.Element {
  const drawings: readonly (Plot & { readonly name: string })[] = [
    { name: 'wide', width, height, compact: false },
    { name: 'compact', width: COMPACT, height: compactHeight, compact: true },
  ];
  const svgOf = (name: string, plot: Plot): string => {
    const svg = renderSvg(draw(plot), plot, `${id}-${name}`);
    if (hover === undefined || plot.compact) return svg;
    return svg.replace(/<\/svg>$/, `${hoverStrips(hover, plot)}</svg>`);
  };
  return (
    <div class="plot" role="img" aria-label={label}>
      {drawings.map(({ name, ...plot }) => (
        <div
          key={name}
          class={name}
          aria-hidden="true"
          style={`max-width:${Math.round(plot.width * LARGEST_SCALE)}px`}
          dangerouslySetInnerHTML={{ __html: svgOf(name, plot) }}
        />
      ))}
    </div>
  );
}

/** A colour with its meaning; `mark` is the form in which the chart draws it. */
export interface LegendEntry {
  readonly tone: ToneName;
  readonly name: string;
  readonly mark?: 'area' | 'line' | 'dashed' | 'dotted' | undefined;
}

/** Hidden from screen readers: the name beside it says the same. */
export function Swatch({ tone, mark = 'area' }: Pick<LegendEntry, 'tone' | 'mark'>): JSX.Element {
  return <i class={`swatch ${mark}`} style={`--tone:${toneVariable(tone)}`} aria-hidden="true" />;
}

/** What the chart's title says, its unit, and the meaning of its lines. */
export function ChartHead({
  title,
  entries = [],
}: {
  title: string;
  entries?: readonly LegendEntry[];
}): JSX.Element {
  return (
    <div class="chart-head">
      <h3>{title}</h3>
      {entries.length > 0 && (
        <ul class="legend">
          {entries.map(({ tone, name, mark }) => (
            <li key={name}>
              <Swatch tone={tone} mark={mark} /> {name}
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
