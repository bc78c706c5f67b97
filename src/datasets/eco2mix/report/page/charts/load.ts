import { instantText, megawatts } from '../../../../kit/page/index.ts';
import type { DayMetrics, Extreme } from '../../../metrics-model.ts';
import { dayAxis } from '../day-axis.ts';
import { ink } from '../palette.ts';
import { lineSamples } from '../samples.ts';
import type { Plot } from './frame.ts';
import { dayFrame, dayLine, guides, haloStyle, intervals } from './frame.ts';
import type { ChartOption, LineSeries } from './svg.ts';
import { valueScale } from './value-scale.ts';

/** Load against both forecasts, with its peak and its trough. */
export function loadChart({ curves, load }: DayMetrics, plot: Plot): ChartOption {
  const axis = dayAxis(curves.at);
  const actual = lineSamples(curves.consommation);
  const dayAhead = lineSamples(curves.prevision_j1);
  const sameDay = lineSamples(curves.prevision_j);
  const extremes = [
    ...extremeMark(load.peak, 'Pic', curves.at, plot),
    ...extremeMark(load.trough, 'Creux', curves.at, plot),
  ];
  return {
    ...dayFrame(
      axis,
      plot,
      valueScale([actual, dayAhead, sameDay], {
        withZero: false,
        below: 0.14,
        above: 0.12,
        intervals: intervals(plot),
      }),
    ),
    series: [
      guides(axis, plot),
      dayLine(dayAhead, 'forecast_j1', { width: 1.5, dash: [6, 3] }),
      dayLine(sameDay, 'forecast_j', { width: 1.5, dash: [2, 2] }),
      {
        ...dayLine(actual, 'load', { width: 2.25 }),
        markPoint: { silent: true, symbol: 'circle', symbolSize: 8, data: extremes },
      },
    ],
  };
}

type Mark = NonNullable<NonNullable<LineSeries['markPoint']>['data']>[number];

/** The label leans away from the nearer edge of the plot. */
function extremeMark(
  extreme: Extreme | null,
  name: 'Pic' | 'Creux',
  at: readonly string[],
  plot: Plot,
): Mark[] {
  const position = extreme === null ? -1 : at.indexOf(extreme.at);
  if (extreme === null || position < 0) return [];
  const part = position / at.length;
  const align = part < 0.3 ? 'left' : part > 0.7 ? 'right' : 'center';
  return [
    {
      name,
      coord: [position, extreme.mw],
      itemStyle: { color: ink('load'), borderColor: ink('paper'), borderWidth: 1.5 },
      label: {
        ...haloStyle(plot, 'ink'),
        fontWeight: 600,
        position: name === 'Pic' ? 'top' : 'bottom',
        align,
        formatter: `${name} ${megawatts(extreme.mw)} à ${instantText(extreme.at, at.length / 4)}`,
      },
    },
  ];
}
