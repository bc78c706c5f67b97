import type { DayMetrics } from '../../../metrics-model.ts';
import { dayAxis } from '../day-axis.ts';
import { ink } from '../palette.ts';
import { lineSamples } from '../samples.ts';
import type { Plot } from './frame.ts';
import { dayFrame, dayLine, guides, intervals } from './frame.ts';
import type { ChartOption } from './svg.ts';
import { valueScale } from './value-scale.ts';

/** Carbon intensity of generation, with its mean over the day. */
export function carbonChart(
  { curves, carbon_intensity: carbon }: DayMetrics,
  plot: Plot,
): ChartOption {
  const axis = dayAxis(curves.at);
  const intensity = lineSamples(curves.taux_co2);
  const mean = carbon.mean_g_per_kwh;
  return {
    ...dayFrame(
      axis,
      plot,
      valueScale([intensity], { withZero: true, above: 0.06, intervals: intervals(plot) }),
    ),
    series: [
      guides(axis, plot),
      {
        ...dayLine(intensity, 'carbon', { width: 2 }),
        markLine: {
          silent: true,
          symbol: 'none',
          data: mean === null ? [] : [{ yAxis: mean }],
          lineStyle: { color: ink('carbon'), width: 1, type: [4, 3] },
          label: { show: false },
        },
      },
    ],
  };
}
