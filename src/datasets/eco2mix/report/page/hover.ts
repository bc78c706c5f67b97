import { definedMembers } from '../../../kit/index.ts';
import { instantText, number, withUnit } from '../../../kit/page/index.ts';
import type { DayCurves, Series } from '../../metrics-model.ts';
import type { Plot } from './charts/frame.ts';
import { plotArea } from './charts/frame.ts';
import { quantityName } from './words.ts';

/** A curve as the hover text of an instant names it. */
interface HoverCurve {
  readonly name: string;
  readonly series: Series;
  /** `MW` unless told. */
  readonly unit?: string;
}

/** What a chart says of one instant, under the pointer. */
interface HoverText {
  /** Quarters of an hour since local midnight. */
  readonly position: number;
  /** Lines of text, the time first. */
  readonly text: string;
}

/** The curve of a published column, under the name that the page gives it. */
export function hoverCurve(column: string, series: Series, unit?: string): HoverCurve {
  return { name: quantityName(column), series, ...definedMembers({ unit }) };
}

/** What a chart over the day says under the pointer. */
export interface DayHover {
  readonly quarters: number;
  /** Ascending; an instant without any value has none. */
  readonly texts: readonly HoverText[];
}

/** The published values of each instant; a missing value has no line. */
export function dayHover({ at }: DayCurves, curves: readonly HoverCurve[]): DayHover {
  const texts = at.flatMap((time, position) => {
    const lines = curves.flatMap(({ name, series, unit = 'MW' }) => {
      const value = series[position] ?? null;
      return value === null ? [] : [`${name} ${withUnit(number(value), unit)}`];
    });
    const text = [instantText(time, at.length / 4), ...lines].join('\n');
    return lines.length === 0 ? [] : [{ position, text }];
  });
  return { quarters: at.length, texts };
}

/**
 * Strips over the drawing, one for each instant, whose titles the browser shows without a script.
 * A strip reaches half-way to its neighbours, and never over more than one quarter at each side, so
 * that a hole says nothing. The texts hold no markup.
 */
export function hoverStrips({ texts, quarters }: DayHover, plot: Plot): string {
  const { left, top, width, height } = plotArea(plot);
  const x = (position: number): number =>
    Math.round((left + (width * position) / quarters) * 10) / 10;
  const strips = texts.map(({ position, text }, index) => {
    const before = texts[index - 1]?.position ?? -Infinity;
    const after = texts[index + 1]?.position ?? Infinity;
    const from = x(Math.max(0, position - 1, (before + position) / 2));
    const to = x(Math.min(quarters, position + 1, (position + after) / 2));
    return `<path d="M${from} ${top}H${to}v${height}H${from}z"><title>${text}</title></path>`;
  });
  return `<g class="hover">${strips.join('')}</g>`;
}
