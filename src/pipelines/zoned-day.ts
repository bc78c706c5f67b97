import { DateTime } from 'luxon';
import { PipelineError } from '../errors.ts';
import { addDays } from './civil-date.ts';
import type { CivilDate } from './vocabulary.ts';

/** The only place that knows a calendar library: what the others need of zones is here. */

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

/** A data day as instants: `[startAt, endAt)` in UTC, 23, 24 or 25 hours long. */
export interface ZonedDay {
  readonly date: CivilDate;
  readonly zone: string;
  readonly startAt: string;
  readonly endAt: string;
  readonly hours: number;
}

/**
 * Midnights kept; the memory is started afresh when it is full. Finding an offset takes 50 µs, and
 * a backfill asks for each day often.
 */
const MAX_MIDNIGHTS = 20_000;
const midnights = new Map<string, number>();

/** When the day starts, in milliseconds since 1970. */
function midnight(date: CivilDate, zone: string): number {
  const name = `${date} ${zone}`;
  const known = midnights.get(name);
  if (known !== undefined) return known;
  const start = DateTime.fromISO(date, { zone }).startOf('day');
  if (!start.isValid)
    throw new PipelineError('INPUT_INVALID', `${date} is not a day in zone ${zone}`);
  if (midnights.size >= MAX_MIDNIGHTS) midnights.clear();
  midnights.set(name, start.toMillis());
  return start.toMillis();
}

/** Throws `INPUT_INVALID` for a date or zone that does not exist. */
export function zonedDay(date: CivilDate, zone: string): ZonedDay {
  const [start, end] = [midnight(date, zone), midnight(addDays(date, 1), zone)];
  return {
    date,
    zone,
    startAt: utcText(start),
    endAt: utcText(end),
    hours: (end - start) / HOUR_MS,
  };
}

/** The civil date that an instant falls on in a zone. */
export function civilDateAt(instant: Date, zone: string): CivilDate {
  return DateTime.fromJSDate(instant, { zone }).toFormat('yyyy-MM-dd');
}

/**
 * The instant of an ISO text in milliseconds since 1970; a text without an offset is wall time of
 * the zone. `NaN` for a text that is none.
 */
export function instantMs(text: string, zone: string): number {
  return DateTime.fromISO(text, { zone }).toMillis();
}

/** An instant as wall time of a zone with its offset, `2024-10-04T00:01:00+02:00`. */
export function wallTime(ms: number, zone: string): string {
  return DateTime.fromMillis(ms, { zone }).toFormat("yyyy-MM-dd'T'HH:mm:ssZZ");
}

/**
 * The instant `days` and `minutes` after the end of the data day (`days` are civil days of the
 * zone).
 */
export function afterDayEnd(
  date: CivilDate,
  zone: string,
  after: { days?: number; minutes?: number },
): Date {
  return new Date(
    midnight(addDays(date, 1 + (after.days ?? 0)), zone) + (after.minutes ?? 0) * MINUTE_MS,
  );
}

/**
 * The newest data day that is over by `expectedAfter`: in the first hours after midnight not yet
 * the day that has just ended.
 */
export function lastDueDay(
  now: Date,
  zone: string,
  expectedAfter: { days?: number; minutes?: number },
): CivilDate {
  let date = addDays(civilDateAt(now, zone), -1);
  while (now < afterDayEnd(date, zone, expectedAfter)) date = addDays(date, -1);
  return date;
}

function utcText(ms: number): string {
  return new Date(ms).toISOString().replace('.000Z', 'Z');
}
