import { PortalError } from '../portal-error.ts';

/**
 * Civil days and quarter-hours of Europe/Paris, by the European rule since 1996: summer time from
 * the last Sunday of March to the last Sunday of October, 01:00 UTC. Days are counted from
 * 1970-01-01 and quarters from 1970-01-01T00:00Z, as integers.
 */

/** The unit of quarters counted since 1970. */
export const QUARTER_MS = 900_000;
const DAY_MS = 86_400_000;

/** A civil day in Paris. */
export interface ParisDay {
  readonly number: number;
  /** `YYYY-MM-DD` */
  readonly text: string;
  readonly year: number;
  /** 1 to 12 */
  readonly month: number;
  readonly dayOfMonth: number;
  /** 0 is 1 January. */
  readonly dayOfYear: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  /** The quarters `[firstQuarter, endQuarter)`: 92, 96 or 100 of them. */
  readonly firstQuarter: number;
  readonly endQuarter: number;
  /**
   * Paris minus UTC, in quarters, before and from `changesAt` (01:00 UTC); they differ on two days
   * a year.
   */
  readonly changesAt: number;
  readonly firstOffset: 4 | 8;
  readonly lastOffset: 4 | 8;
}

/**
 * The number of a civil day written `YYYY-MM-DD`.
 * @throws `INPUT_INVALID` when the text is no date of the calendar.
 */
export function dayNumber(text: string): number {
  if (!isDay(text)) {
    throw new PortalError(
      'INPUT_INVALID',
      `“${text}” is not a date: give a real day as YYYY-MM-DD.`,
    );
  }
  return Date.parse(`${text}T00:00:00Z`) / DAY_MS;
}

/** Whether a text is a day of the calendar, `YYYY-MM-DD`. */
export function isDay(text: string): boolean {
  const number = /^\d{4}-\d\d-\d\d$/.test(text)
    ? Date.parse(`${text}T00:00:00Z`) / DAY_MS
    : Number.NaN;
  return !Number.isNaN(number) && dayText(number) === text;
}

/** The day `days` after (or, when negative, before) a day, both `YYYY-MM-DD`. */
export function dayAfter(text: string, days: number): string {
  return dayText(dayNumber(text) + days);
}

/** Where a day in Paris begins and ends, `[startMs, endMs)` in milliseconds since 1970. */
export function dayBounds(text: string): { readonly startMs: number; readonly endMs: number } {
  const number = dayNumber(text);
  return { startMs: midnight(number) * QUARTER_MS, endMs: midnight(number + 1) * QUARTER_MS };
}

/** `YYYY-MM-DD` of a number of days since 1970-01-01. */
export function dayText(number: number): string {
  return new Date(number * DAY_MS).toISOString().slice(0, 10);
}

/** The quarter in which summer time begins (month 2) or ends (month 9) in a year. */
function transition(year: number, month: 2 | 9): number {
  const last = new Date(Date.UTC(year, month + 1, 0, 1));
  return (last.getTime() - last.getUTCDay() * DAY_MS) / QUARTER_MS;
}

const transitions = new Map<number, readonly [number, number]>();

/** Paris minus UTC in quarters of an hour: 4 in winter, 8 in summer. */
export function offsetQuarters(quarter: number): 4 | 8 {
  const year = new Date(quarter * QUARTER_MS).getUTCFullYear();
  let pair = transitions.get(year);
  if (pair === undefined)
    transitions.set(year, (pair = [transition(year, 2), transition(year, 9)]));
  return quarter >= pair[0] && quarter < pair[1] ? 8 : 4;
}

/** The quarter at which a Paris day begins. */
function midnight(number: number): number {
  // The clock never changes around midnight, so asking six quarters earlier is safe in both
  // seasons.
  return number * 96 - offsetQuarters(number * 96 - 6);
}

/** By the number of days since 1970-01-01; 92, 96 or 100 quarters. */
export function parisDay(number: number): ParisDay {
  const date = new Date(number * DAY_MS);
  const year = date.getUTCFullYear();
  const firstQuarter = midnight(number);
  return {
    number,
    text: date.toISOString().slice(0, 10),
    year,
    month: date.getUTCMonth() + 1,
    dayOfMonth: date.getUTCDate(),
    dayOfYear: number - Date.UTC(year, 0, 1) / DAY_MS,
    weekday: date.getUTCDay(),
    firstQuarter,
    endQuarter: midnight(number + 1),
    changesAt: number * 96 + 4,
    firstOffset: offsetQuarters(firstQuarter),
    lastOffset: offsetQuarters(number * 96 + 48),
  };
}

/** Local quarters since midnight as a clock on the wall shows them. */
export function wallQuarters(day: ParisDay, quarter: number): number {
  return quarter + (quarter < day.changesAt ? day.firstOffset : day.lastOffset) - day.number * 96;
}

/** The Paris day that holds an instant in epoch milliseconds. */
export function parisDayNumberAt(ms: number): number {
  const quarter = Math.floor(ms / QUARTER_MS);
  return Math.floor((quarter + offsetQuarters(quarter)) / 96);
}

/** Local hour of the day of an instant, with its fraction. */
export function parisHourAt(ms: number): number {
  const quarter = Math.floor(ms / QUARTER_MS);
  const local = ms / QUARTER_MS + offsetQuarters(quarter);
  return (local - Math.floor(local / 96) * 96) / 4;
}

/** The same day of the month `months` later, or the last day of a month that is shorter. */
export function addMonths(number: number, months: number): number {
  const date = new Date(number * DAY_MS);
  const first = Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1);
  const target = new Date(first);
  const length = new Date(
    Date.UTC(target.getUTCFullYear(), target.getUTCMonth() + 1, 0),
  ).getUTCDate();
  return first / DAY_MS + Math.min(date.getUTCDate(), length) - 1;
}

/** The number of the first day of a month; `month` 1 to 12, any integer rolls over the year. */
export function firstOfMonth(year: number, month: number): number {
  return Date.UTC(year, month - 1, 1) / DAY_MS;
}
