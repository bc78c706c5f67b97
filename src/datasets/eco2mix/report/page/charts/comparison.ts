import { signed } from '../../../../kit/page/index.ts';
import type { ComparedQuantity, ComparisonName, DayComparison } from '../../../metrics-model.ts';
import { COMPARISONS, SOURCES } from '../../../metrics-model.ts';
import { ink } from '../palette.ts';
import { quantityName } from '../words.ts';
import type { Plot } from './frame.ts';
import { textStyle } from './frame.ts';
import type { ChartOption } from './svg.ts';

const ROWS: readonly { readonly quantity: ComparedQuantity; readonly name: string }[] = [
  { quantity: 'load_energy_mwh', name: 'Consommation' },
  ...SOURCES.map((source) => ({
    quantity: `generation_${source}_mwh` as const,
    name: quantityName(source),
  })),
  { quantity: 'exchange_net_mwh', name: 'Solde échanges' },
];

/** Energy of the day minus that of each reference day, in GWh, by source. */
export function comparisonChart(comparison: DayComparison, plot: Plot): ChartOption {
  const names = COMPARISONS.filter((name) => comparison.against[name] !== null);
  return {
    grid: {
      left: plot.compact ? 98 : 112,
      right: plot.compact ? 22 : 24,
      top: 6,
      bottom: 28,
      outerBoundsMode: 'none',
    },
    xAxis: {
      type: 'value',
      splitNumber: plot.compact ? 3 : 5,
      axisLabel: { ...textStyle(plot), formatter: (value: number) => signed(value) },
      splitLine: { lineStyle: { color: ink('grid') } },
    },
    yAxis: {
      type: 'category',
      inverse: true,
      data: ROWS.map(({ name }) => name),
      axisLine: { onZero: true, lineStyle: { color: ink('zero') } },
      axisTick: { show: false },
      axisLabel: { ...textStyle(plot, 'ink'), interval: 0 },
    },
    series: names.map((name) => ({
      type: 'bar',
      silent: true,
      barGap: '10%',
      barCategoryGap: '28%',
      itemStyle: { color: ink(name) },
      data: ROWS.map(({ quantity }) => gigawattHours(comparison, name, quantity)),
    })),
  };
}

function gigawattHours(
  comparison: DayComparison,
  name: ComparisonName,
  quantity: ComparedQuantity,
): number | '-' {
  const difference = comparison.against[name]?.values[quantity].difference ?? null;
  return difference === null ? '-' : difference / 1000;
}
