import { PipelineError } from '../../errors.ts';
import type { StepUnit } from '../../pipelines/dataset.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import type { ZonedDay } from '../../pipelines/zoned-day.ts';

/** Data days of Paris begin and end at its midnights. */
export const ZONE = 'Europe/Paris';

export const HOUR_MS = 3_600_000;
/** Since 1996 the clocks of the European Union change at 01:00 UTC (Directive 2000/84/EC). */
const CHANGE_HOUR_UTC = 1;

/** The data day of a step's unit; `INTERNAL` for a period, which no step of days is given. */
export function dayOf(unit: StepUnit): ZonedDay {
  if (unit.day === undefined) throw new PipelineError('INTERNAL', `${unit.scope} is no data day`);
  return unit.day;
}

/** The local start of every hour of a data day with its offset, `2024-01-15T19:00:00+01:00`; 23, 24 or 25 of them. */
export function localHours(day: ZonedDay): string[] {
  const startMs = Date.parse(day.startAt);
  return Array.from({ length: day.hours }, (_, hour) => localTime(day, startMs + hour * HOUR_MS));
}

/** An instant inside a data day (its end included) as local time with offset. */
export function localTime(day: ZonedDay, ms: number): string {
  const midnight = Date.parse(`${day.date}T00:00:00Z`);
  const changeMs = midnight + CHANGE_HOUR_UTC * HOUR_MS;
  const offset = ms < changeMs ? midnight - Date.parse(day.startAt) : midnight + 24 * HOUR_MS - Date.parse(day.endAt);
  const minutes = Math.abs(offset) / 60_000;
  const [hours, rest] = [Math.floor(minutes / 60), minutes % 60].map((part) => String(part).padStart(2, '0'));
  return `${new Date(ms + offset).toISOString().slice(0, 19)}${offset < 0 ? '-' : '+'}${hours ?? ''}:${rest ?? ''}`;
}

/** The hour of the local clock, 0–23, of each hour of a data day: an autumn day has 2 twice, a spring day has no 2. */
export function clockHours(day: ZonedDay): number[] {
  return localHours(day).map((time) => Number(time.slice(11, 13)));
}

/** 0 Sunday … 6 Saturday. */
export function weekdayOf(date: CivilDate): number {
  return new Date(`${date}T00:00:00Z`).getUTCDay();
}
