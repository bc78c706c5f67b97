import type { DayCurves, Series } from '../../../metrics-model.ts';
import { SOURCES } from '../../../metrics-model.ts';
import { dayAxis } from '../day-axis.ts';
import type { ToneName } from '../palette.ts';
import { hasValues, lineSamples, onSide, stackable } from '../samples.ts';
import type { Plot } from './frame.ts';
import { dayFrame, dayLayer, dayLineOnLayers, guides, intervals } from './frame.ts';
import type { ChartOption } from './svg.ts';
import { stackHeights, valueScale } from './value-scale.ts';

interface Layer {
  readonly tone: ToneName;
  readonly series: Series;
}

/**
 * How load was met: generation, battery discharge and imports above zero, pumping, battery charge
 * and exports below, and load as a line. What is above zero and what is below add up to the load.
 */
export function generationChart(curves: DayCurves, plot: Plot): ChartOption {
  const axis = dayAxis(curves.at);
  const exchanges = lineSamples(curves.ech_physiques);
  const storage = (name: keyof DayCurves['storages']): Layer => ({
    tone: name,
    series: lineSamples(curves.storages[name]),
  });
  const load = lineSamples(curves.consommation);
  const above = stackOf([
    ...SOURCES.map((source) => ({ tone: source, series: lineSamples(curves.sources[source]) })),
    storage('destockage_batterie'),
    { tone: 'ech_physiques', series: onSide(exchanges, 'positive') },
  ]);
  const below = stackOf([
    storage('pompage'),
    storage('stockage_batterie'),
    { tone: 'ech_physiques', series: onSide(exchanges, 'negative') },
  ]);
  const heights = [above, below].map((layers) => stackHeights(layers.map(({ series }) => series)));
  return {
    ...dayFrame(
      axis,
      plot,
      valueScale([...heights, load], { withZero: true, above: 0.02, intervals: intervals(plot) }),
    ),
    series: [
      ...above.map(({ tone, series }) => dayLayer(series, tone, 'above')),
      ...below.map(({ tone, series }) => dayLayer(series, tone, 'below')),
      guides(axis, plot, { zero: true }),
      ...dayLineOnLayers(load, 'ink', 1.5),
    ],
  };
}

/** The layers that have values, ended where a layer below them is unknown. */
function stackOf(layers: readonly Layer[]): readonly Layer[] {
  const shown = layers.filter(({ series }) => hasValues(series));
  const known = stackable(shown.map(({ series }) => series));
  return shown.map(({ tone }, index) => ({ tone, series: known[index] ?? [] }));
}
