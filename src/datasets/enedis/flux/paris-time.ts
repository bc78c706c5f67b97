import { addDays, isCivilDate, wallTime } from '../../kit/index.ts';
import type { CivilDate } from '../../kit/index.ts';

/**
 * Times of the distributor: a bare date is a civil day, a time with an offset an instant, a naive
 * time wall time in Paris.
 */

/** Days, months and naive times of the distributor are those of Paris. */
export const ZONE = 'Europe/Paris';

const HOUR_MS = 3_600_000;

/**
 * Offsets by hour since 1970: finding one takes 50 µs, and a file asks for the same few thousands
 * of times.
 */
const offsets = new Map<number, string>();
const MAX_OFFSETS = 50_000;

function offsetAt(ms: number): string {
  const hour = Math.floor(ms / HOUR_MS);
  const known = offsets.get(hour);
  if (known !== undefined) return known;
  if (offsets.size >= MAX_OFFSETS) offsets.clear();
  const offset = wallTime(ms, ZONE).slice(19);
  offsets.set(hour, offset);
  return offset;
}

function offsetMs(offset: string): number {
  const sign = offset.startsWith('-') ? -1 : 1;
  return sign * (Number(offset.slice(1, 3)) * HOUR_MS + Number(offset.slice(4, 6)) * 60_000);
}

/** An instant as Paris wall time with its offset, `2024-10-04T00:01:00+02:00`. */
function parisText(ms: number): string {
  const offset = offsetAt(ms);
  return `${new Date(ms + offsetMs(offset)).toISOString().slice(0, 19)}${offset}`;
}

const INSTANT = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/** An instant with offset in Paris wall time; a text that is none stays null. */
export function instantOf(text: string | null): string | null {
  if (text === null || !INSTANT.test(text)) return null;
  const ms = Date.parse(text.replace(/\.\d+/, ''));
  return Number.isNaN(ms) ? null : parisText(ms);
}

/**
 * The instant of a naive wall time in Paris, `2026-06-01 00:00:00`; of a time that comes twice the
 * first one.
 */
export function instantOfWallTime(text: string | null): string | null {
  if (text === null || !/^\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d/.test(text)) return null;
  const date = text.slice(0, 10);
  const time = text.slice(11, 19);
  if (!isCivilDate(date)) return null;
  const utc = Date.parse(`${date}T${time}Z`);
  // The offset of some hours before is the one in force at the first of two equal wall times.
  const [before, after] = [utc - 3 * HOUR_MS, utc].map((near) =>
    parisText(utc - offsetMs(offsetAt(near))),
  );
  const wall = `${date}T${time}`;
  // A time that the clocks leave out is as long after the change as it is written.
  return before?.startsWith(wall) === true || after?.startsWith(wall) !== true
    ? (before ?? null)
    : after;
}

/** By day: all readings of a file end on a few. */
const ends = new Map<CivilDate, string | null>();
const MAX_DAYS = 10_000;

/** The midnight in Paris that ends a civil day. */
export function endOfDay(date: CivilDate | null): string | null {
  if (date === null) return null;
  const known = ends.get(date);
  if (known !== undefined) return known;
  const end = isCivilDate(date) ? instantOfWallTime(`${addDays(date, 1)} 00:00:00`) : null;
  if (ends.size >= MAX_DAYS) ends.clear();
  ends.set(date, end);
  return end;
}

/** `2024-10-04 00:01:00`, the wall time of a text in Paris. */
export function wallTimeOf(instant: string): string {
  return instant.slice(0, 19).replace('T', ' ');
}

/** By text: a file has a few days, thousands of times. */
const days = new Map<string, CivilDate | null>();

/** The civil day of a date that may carry an offset, `2025-10-01+02:00`. */
export function civilDayOf(text: string | null): CivilDate | null {
  if (text === null) return null;
  const date = text.slice(0, 10);
  const known = days.get(date);
  if (known !== undefined) return known;
  const day = isCivilDate(date) ? date : null;
  if (days.size >= MAX_DAYS) days.clear();
  days.set(date, day);
  return day;
}
