import type { BarSeriesOption, LineSeriesOption } from 'echarts/charts';
import type {
  GridComponentOption,
  MarkLineComponentOption,
  MarkPointComponentOption,
} from 'echarts/components';
import type { ComposeOption } from 'echarts/core';
import { init, use } from 'echarts/core';
// One entry per chart type: `echarts/charts` would load all of them, which doubles the time to the
// first page (0.42 s instead of 0.21 s).
import 'echarts/lib/chart/bar.js';
import 'echarts/lib/chart/line.js';
import 'echarts/lib/component/gridSimple.js';
import 'echarts/lib/component/markLine.js';
import 'echarts/lib/component/markPoint.js';
import { SVGRenderer } from 'echarts/renderers';

/** The part of echarts' options that our charts may use: more would have to be registered above. */
export type ChartOption = ComposeOption<
  | BarSeriesOption
  | LineSeriesOption
  | GridComponentOption
  | MarkLineComponentOption
  | MarkPointComponentOption
>;
/** A curve, or an area of a stack. */
export type LineSeries = LineSeriesOption;

/** In CSS pixels. */
export interface ChartSize {
  readonly width: number;
  readonly height: number;
}

/**
 * Draws a chart as SVG text without a browser. Texts are measured by the engine's own table of
 * widths, so that the result is the same on every machine. `idPrefix` makes the ids of clip paths
 * unique in the page.
 */
export function renderSvg(
  option: ChartOption,
  { width, height }: ChartSize,
  idPrefix: string,
): string {
  use(SVGRenderer);
  const chart = init(null, null, { renderer: 'svg', ssr: true, width, height });
  try {
    chart.setOption({ animation: false, ...option });
    return tidy(chart.renderToSVGString({ useViewBox: true }), idPrefix);
  } finally {
    chart.dispose();
  }
}

/**
 * Takes out what depends on how many charts the process drew before (ids count up over all of them)
 * and what only a chart with scripts needs (hover styles, data indexes), and the invisible outlines
 * of layers. Fonts come from the page.
 */
function tidy(svg: string, idPrefix: string): string {
  const ids = new Map<string, string>();
  return svg
    .replace(/<style[^>]*>[\s\S]*?<\/style>/g, '')
    .replace(/<path [^>]*stroke-width="0"[^>]*><\/path>/g, '')
    .replace(
      / (?:class="zr[^"]*"|ecmeta_\w+="[^"]*"|pointer-events="[^"]*"|xmlns(?::\w+)?="[^"]*"|version="1.1"|baseProfile="full")/g,
      '',
    )
    .replace(/font-family:[^;"]*;?/g, '')
    .replace(/\bzr\d+-[a-z]+\d+\b/g, (id) => {
      const known = ids.get(id) ?? `${idPrefix}-${ids.size}`;
      ids.set(id, known);
      return known;
    })
    .replace(/\n+/g, '\n')
    .trim();
}
