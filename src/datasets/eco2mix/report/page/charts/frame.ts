import { definedMembers } from '../../../../kit/index.ts';
import { number } from '../../../../kit/page/index.ts';
import type { Series } from '../../../metrics-model.ts';
import type { DayAxis } from '../day-axis.ts';
import { labelledHours } from '../day-axis.ts';
import type { ToneName } from '../palette.ts';
import { ink } from '../palette.ts';
import type { ChartOption, ChartSize, LineSeries } from './svg.ts';
import type { ValueScale } from './value-scale.ts';

/** One drawing of a chart: its size in CSS pixels, and whether it is the one for a telephone. */
export interface Plot extends ChartSize {
  readonly compact: boolean;
}

const MARGIN = { left: 60, right: 18, top: 20, bottom: 28 };
const COMPACT_MARGIN = { left: 54, right: 14, top: 18, bottom: 26 };

/** Where a chart over the day has its curves, in the drawing's own pixels. */
export function plotArea(plot: Plot): { left: number; top: number; width: number; height: number } {
  const { left, right, top, bottom } = plot.compact ? COMPACT_MARGIN : MARGIN;
  return { left, top, width: plot.width - left - right, height: plot.height - top - bottom };
}

function fontSize(plot: Plot): number {
  return plot.compact ? 11 : 12;
}

/** Smaller on a telephone; muted unless another tone is given. */
export function textStyle(
  plot: Plot,
  tone: ToneName = 'muted',
): { color: string; fontSize: number } {
  return { color: ink(tone), fontSize: fontSize(plot) };
}

/** About how many intervals the value axis of a plot has room for. */
export function intervals(plot: Plot): number {
  return Math.max(4, Math.round(plot.height / 60));
}

/** Text on top of lines, readable through a halo of paper. */
export function haloStyle(plot: Plot, tone: ToneName) {
  return {
    ...textStyle(plot, tone),
    textBorderColor: ink('paper'),
    textBorderWidth: 3,
    textBorderType: 'solid',
  } as const;
}

/**
 * Axes of a chart over the day: hours of the local clock below, values with horizontal grid lines
 * at the left.
 */
export function dayFrame(axis: DayAxis, plot: Plot, scale: ValueScale): ChartOption {
  const labels = labelledHours(axis, plot.compact ? 6 : 2);
  const positions = [...labels.keys()];
  return {
    grid: { ...(plot.compact ? COMPACT_MARGIN : MARGIN), outerBoundsMode: 'none' },
    xAxis: {
      type: 'value',
      min: 0,
      max: axis.quarters,
      axisLine: { onZero: false, lineStyle: { color: ink('zero') } },
      axisTick: {
        customValues: axis.hours.map(({ position }) => position),
        length: 4,
        lineStyle: { color: ink('zero') },
      },
      axisLabel: {
        ...textStyle(plot),
        customValues: positions,
        hideOverlap: false,
        formatter: (position: number) => labels.get(position) ?? '',
      },
      splitLine: { show: false },
    },
    yAxis: {
      type: 'value',
      min: scale.min,
      max: scale.max,
      axisLine: { show: false },
      // The grid lines stand at the ticks, so these carry the values although they are not drawn
      // themselves.
      axisTick: { show: false, customValues: [...scale.ticks] },
      axisLabel: {
        ...textStyle(plot),
        customValues: [...scale.ticks],
        formatter: (mark: number) => number(mark),
      },
      splitLine: { lineStyle: { color: ink('grid') } },
    },
  };
}

/** A line over the day. A value between two gaps has no line to be on, so it gets a dot. */
export function dayLine(
  series: Series,
  tone: ToneName,
  { width = 1.5, dash }: { width?: number; dash?: number[] } = {},
): LineSeries {
  const alone = series.map((_, position) => isAlone(series, position));
  return {
    type: 'line',
    silent: true,
    symbol: 'none',
    // The engine lays out a symbol per value, seen or not: only where a dot is needed.
    showSymbol: alone.includes(true),
    showAllSymbol: true,
    connectNulls: false,
    color: ink(tone),
    lineStyle: { color: ink(tone), width, ...definedMembers({ type: dash }) },
    emphasis: { disabled: true },
    data: series.map((value, position) =>
      alone[position] === true
        ? { value: [position, value], symbol: 'circle', symbolSize: 4 }
        : { value: [position, value] },
    ),
  };
}

/**
 * A line on top of filled layers, on a ground of paper so that it stands out from any of their
 * colours.
 */
export function dayLineOnLayers(
  series: Series,
  tone: ToneName,
  width: number,
): readonly LineSeries[] {
  return [dayLine(series, 'paper', { width: width + 2 }), dayLine(series, tone, { width })];
}

function isAlone(series: Series, position: number): boolean {
  const empty = (at: number): boolean => (series[at] ?? null) === null;
  return !empty(position) && empty(position - 1) && empty(position + 1);
}

/** A layer of a stack, filled without an outline. */
export function dayLayer(series: Series, tone: ToneName, stack: string, step?: 'end'): LineSeries {
  return {
    ...dayLine(series, tone, { width: 0 }),
    stack,
    areaStyle: { color: ink(tone), opacity: 1 },
    ...definedMembers({ step }),
  };
}

interface Guides {
  /** Draws the line of zero. */
  readonly zero?: boolean;
}

/** Lines that belong to the frame: zero, and the place where the clock changes. */
export function guides(axis: DayAxis, plot: Plot, { zero = false }: Guides = {}): LineSeries {
  const change = axis.change;
  return {
    type: 'line',
    silent: true,
    data: [],
    markLine: {
      silent: true,
      symbol: 'none',
      data: [
        ...(zero
          ? [
              {
                yAxis: 0,
                lineStyle: { color: ink('zero'), width: 1, type: 'solid' as const },
                label: { show: false },
              },
            ]
          : []),
        ...(change === undefined
          ? []
          : [
              {
                xAxis: change.position,
                lineStyle: { color: ink('muted'), width: 1, type: [2, 3] },
                label: {
                  ...textStyle(plot),
                  formatter: `${change.from}\u00a0h → ${change.to}\u00a0h`,
                  position: 'end' as const,
                },
              },
            ]),
      ],
    },
  };
}
