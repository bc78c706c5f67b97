import { clockTime } from '../../../kit/page/index.ts';

/**
 * The day on a chart's x axis: positions are quarters of an hour since local midnight, so that a
 * repeated hour has its own place and a missing one has none.
 */
export interface DayAxis {
  /** 92, 96 or 100; the day ends at this position. */
  readonly quarters: number;
  /** Positions of full hours with the hour of the local clock, the end of the day as 24. */
  readonly hours: readonly { readonly position: number; readonly hour: number }[];
  /** Where the clock changes, with its hours before and after. */
  readonly change:
    | { readonly position: number; readonly from: number; readonly to: number }
    | undefined;
}

/** `at`: local time with offset of every quarter of the day, 92, 96 or 100 of them. */
export function dayAxis(at: readonly string[]): DayAxis {
  const full = at.flatMap((time, position) =>
    clockTime(time).endsWith(':00')
      ? [{ position, hour: Number(clockTime(time).slice(0, 2)) }]
      : [],
  );
  return {
    quarters: at.length,
    hours: [...full, { position: at.length, hour: 24 }],
    change: clockChange(at),
  };
}

function clockChange(at: readonly string[]): DayAxis['change'] {
  const position = at.findIndex(
    (time, index) => index > 0 && time.slice(19) !== at[index - 1]?.slice(19),
  );
  if (position < 1) return undefined;
  const to = Number(at[position]?.slice(11, 13));
  const lastHour = Number(at[position - 1]?.slice(11, 13));
  return { position, from: lastHour + 1, to };
}

/**
 * Hours to label, every so many of the local clock; both occurrences of a repeated hour are among
 * them.
 */
export function labelledHours(axis: DayAxis, every: number): ReadonlyMap<number, string> {
  return new Map(
    axis.hours
      .filter(({ hour }) => hour % every === 0)
      .map(({ position, hour }) => [position, `${hour}\u00a0h`]),
  );
}
