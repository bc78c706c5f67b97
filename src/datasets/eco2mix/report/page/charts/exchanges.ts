import type { Border, DayCurves, Series } from '../../../metrics-model.ts';
import { BORDERS } from '../../../metrics-model.ts';
import { dayAxis } from '../day-axis.ts';
import { hasValues, heldSamples, lineSamples, onSide, stackable } from '../samples.ts';
import type { Plot } from './frame.ts';
import { dayFrame, dayLayer, dayLineOnLayers, guides, intervals } from './frame.ts';
import type { ChartOption } from './svg.ts';
import { stackHeights, valueScale } from './value-scale.ts';

/**
 * Commercial schedules by border, imports above zero and exports below, with the physical balance
 * as a line.
 */
export function exchangesChart(curves: DayCurves, plot: Plot): ChartOption {
  const axis = dayAxis(curves.at);
  const physical = lineSamples(curves.ech_physiques);
  const imports = layersOf(curves, 'positive');
  const exports = layersOf(curves, 'negative');
  const heights = [imports, exports].map((layers) =>
    stackHeights(layers.map(({ series }) => series)),
  );
  return {
    ...dayFrame(
      axis,
      plot,
      valueScale([...heights, physical], {
        withZero: true,
        below: 0.02,
        above: 0.02,
        intervals: intervals(plot),
      }),
    ),
    series: [
      ...imports.map(({ border, series }) => dayLayer(series, border, 'imports', 'end')),
      ...exports.map(({ border, series }) => dayLayer(series, border, 'exports', 'end')),
      guides(axis, plot, { zero: true }),
      ...dayLineOnLayers(physical, 'ink', 1.5),
    ],
  };
}

function layersOf(
  curves: DayCurves,
  sign: 'positive' | 'negative',
): readonly { border: Border; series: Series }[] {
  const borders = BORDERS.filter((border) => hasValues(curves.borders[border]));
  const layers = stackable(
    borders.map((border) => onSide(untilMidnight(heldSamples(curves.borders[border])), sign)),
  );
  return borders.map((border, index) => ({ border, series: layers[index] ?? [] }));
}

/** A schedule keeps its last value until the end of the day. */
function untilMidnight(series: Series): Series {
  return [...series, series.at(-1) ?? null];
}
