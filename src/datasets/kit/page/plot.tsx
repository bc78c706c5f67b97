import type { JSX } from 'preact';

/** Charts drawn by hand as SVG: rectangles on two axes need no chart engine. */

/** How a chart is laid out on one kind of screen; lengths are units of its drawing. */
export interface PlotLayout {
  readonly class: 'wide' | 'compact';
  readonly width: number;
  /** Width of the column of names. */
  readonly labels: number;
  /** Characters of the longest name that fits. */
  readonly longestName: number;
  /** Every how many hours there is a word. */
  readonly hoursApart: number;
}

/** Height of one row of a chart, and of what is above the first of them. */
export const [PLOT_ROW, PLOT_TOP] = [22, 20] as const;

const LAYOUTS: readonly PlotLayout[] = [
  { class: 'wide', width: 860, labels: 210, longestName: 30, hoursApart: 1 },
  { class: 'compact', width: 360, labels: 112, longestName: 16, hoursApart: 3 },
];

/** A chart as a wide screen and a telephone show it; the style of all pages hides one of them. */
export function Plot({
  draw,
}: {
  readonly draw: (layout: PlotLayout) => JSX.Element;
}): JSX.Element {
  return (
    <div class="plot">
      {LAYOUTS.map((layout) => (
        <div key={layout.class} class={layout.class}>
          {draw(layout)}
        </div>
      ))}
    </div>
  );
}
