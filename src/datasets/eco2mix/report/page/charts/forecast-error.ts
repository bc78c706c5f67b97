import type { DayCurves, Series } from '../../../metrics-model.ts';
import { dayAxis } from '../day-axis.ts';
import { lineSamples } from '../samples.ts';
import type { Plot } from './frame.ts';
import { dayFrame, dayLine, guides, intervals } from './frame.ts';
import type { ChartOption } from './svg.ts';
import { valueScale } from './value-scale.ts';

/** Forecast minus load: above zero the forecast was too high. */
export function forecastErrorChart(curves: DayCurves, plot: Plot): ChartOption {
  const axis = dayAxis(curves.at);
  const dayAhead = lineSamples(forecastErrors(curves.prevision_j1, curves.consommation));
  const sameDay = lineSamples(forecastErrors(curves.prevision_j, curves.consommation));
  return {
    ...dayFrame(
      axis,
      plot,
      valueScale([dayAhead, sameDay], {
        withZero: true,
        below: 0.04,
        above: 0.04,
        intervals: intervals(plot),
      }),
    ),
    series: [
      guides(axis, plot, { zero: true }),
      dayLine(dayAhead, 'forecast_j1', { width: 1.75, dash: [6, 3] }),
      dayLine(sameDay, 'forecast_j', { width: 1.75 }),
    ],
  };
}

/** Forecast minus load of each instant that has both, in MW. */
export function forecastErrors(forecast: Series, load: Series): Series {
  return forecast.map((value, index) => {
    const actual = load[index] ?? null;
    return value === null || actual === null ? null : value - actual;
  });
}
