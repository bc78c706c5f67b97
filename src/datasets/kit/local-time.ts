import { required } from '../../given.ts';
import { PipelineError } from '../../errors.ts';
import type { StepUnit } from '../../pipelines/dataset.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { ZonedDay } from '../../pipelines/zoned-day.ts';

/**
 * Local times of a data day, from the day's own bounds: 50 times faster than a calendar library for
 * each of them. For zones whose clocks change at most once in a day and at 01:00 UTC, as those of
 * the European Union do (Directive 2000/84/EC).
 */

/** An hour in milliseconds. */
export const HOUR_MS = 3_600_000;
const QUARTER_MS = HOUR_MS / 4;
const CHANGE_HOUR_UTC = 1;

/** The data day of a step's unit; `INTERNAL` for a period, which no step of days is given. */
export function dayOf(unit: StepUnit): ZonedDay {
  if (unit.day === undefined) throw new PipelineError('INTERNAL', `${unit.scope} is no data day`);
  return unit.day;
}

/**
 * The local start of every hour of a data day with its offset, `2024-01-15T19:00:00+01:00`; 23, 24
 * or 25 of them.
 */
export function localHours(day: ZonedDay): string[] {
  const startMs = Date.parse(day.startAt);
  return Array.from({ length: day.hours }, (_, hour) => localTime(day, startMs + hour * HOUR_MS));
}

/**
 * Every quarter of an hour of a data day in order, as local time with offset; 92, 96 or 100 of
 * them.
 */
export function localQuarters(day: ZonedDay): string[] {
  const midnight = Date.parse(`${day.date}T00:00:00Z`);
  const startMs = Date.parse(day.startAt);
  const [offsetAtStart, offsetAtEnd] = [
    midnight - startMs,
    midnight + 24 * HOUR_MS - Date.parse(day.endAt),
  ];
  const [textAtStart, textAtEnd] = [offsetText(offsetAtStart), offsetText(offsetAtEnd)];
  return Array.from({ length: day.hours * 4 }, (_, quarter) => {
    const ms = startMs + quarter * QUARTER_MS;
    const isBefore = ms < midnight + CHANGE_HOUR_UTC * HOUR_MS;
    const clock = CLOCKS[(ms + (isBefore ? offsetAtStart : offsetAtEnd) - midnight) / QUARTER_MS];
    return `${day.date}T${required(clock, 'the quarter of an hour')}:00${isBefore ? textAtStart : textAtEnd}`;
  });
}

/**
 * `00:00`, `00:15`, … `23:45`: a day has 96 texts to put together, and a table is faster than a
 * calendar.
 */
const CLOCKS = Array.from({ length: 24 * 4 }, (_, quarter) => {
  return `${String(Math.floor(quarter / 4)).padStart(2, '0')}:${String((quarter % 4) * 15).padStart(2, '0')}`;
});

/** An instant inside a data day (its end included) as local time with offset. */
export function localTime(day: ZonedDay, ms: number): string {
  const midnight = Date.parse(`${day.date}T00:00:00Z`);
  const changeMs = midnight + CHANGE_HOUR_UTC * HOUR_MS;
  const offset =
    ms < changeMs
      ? midnight - Date.parse(day.startAt)
      : midnight + 24 * HOUR_MS - Date.parse(day.endAt);
  return `${new Date(ms + offset).toISOString().slice(0, 19)}${offsetText(offset)}`;
}

function offsetText(offsetMs: number): string {
  const minutes = Math.abs(offsetMs) / 60_000;
  const twoDigits = (part: number): string => String(part).padStart(2, '0');
  return `${offsetMs < 0 ? '-' : '+'}${twoDigits(Math.floor(minutes / 60))}:${twoDigits(minutes % 60)}`;
}

/**
 * The hour of the local clock, 0–23, of each hour of a data day: an autumn day has 2 twice, a
 * spring day has no 2.
 */
export function clockHours(day: ZonedDay): number[] {
  return localHours(day).map((time) => Number(time.slice(11, 13)));
}

/** 0 Sunday … 6 Saturday. */
export function weekdayOf(date: CivilDate): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay();
}
