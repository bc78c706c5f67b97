import { PipelineError } from '../errors.ts';
import type { CivilDate, Period } from './vocabulary.ts';

/**
 * Arithmetic of civil dates as text. No zone and no clock: these functions are safe inside
 * workflows. Where an instant is needed, see `zoned-day.ts`.
 */

const DAY_MS = 86_400_000;
/** What a month looks like, `YYYY-MM`. */
export const MONTH_FORM = /^\d{4}-(0[1-9]|1[0-2])$/;
/**
 * What a day looks like that exists, `YYYY-MM-DD`, of the years 1000 to 2999: a form that documents
 * can tell too.
 */
export const DAY_FORM = new RegExp(
  [
    String.raw`^(?:[12]\d{3}-(?:`,
    String.raw`(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|`,
    String.raw`02-(?:0[1-9]|1\d|2[0-8]))|`,
    String.raw`(?:[12]\d(?:0[48]|[2468][048]|[13579][26])|(?:1[26]|2[048])00)-02-29)$`,
  ].join(''),
);
const CIVIL_DATE = /^\d{4}-\d{2}-\d{2}$/;

/**
 * Read by places and checked by number: through the text of a `Date` it takes three times as long,
 * and plans do little else.
 */
function epochDay(date: CivilDate): number | undefined {
  if (!CIVIL_DATE.test(date)) return undefined;
  const [year, month, day] = [
    Number(date.slice(0, 4)),
    Number(date.slice(5, 7)),
    Number(date.slice(8)),
  ];
  const ms = Date.UTC(year, month - 1, day);
  const found = new Date(ms);
  const exists =
    found.getUTCDate() === day &&
    found.getUTCMonth() === month - 1 &&
    found.getUTCFullYear() === year;
  return exists ? ms / DAY_MS : undefined;
}

function fromEpochDay(day: number): CivilDate {
  const date = new Date(day * DAY_MS);
  const year = date.getUTCFullYear();
  // Others, and what is no instant at all, look as they do in an instant.
  if (!(year >= 1000 && year <= 9999)) return date.toISOString().slice(0, 10);
  return `${year}-${twoDigits(date.getUTCMonth() + 1)}-${twoDigits(date.getUTCDate())}`;
}

function twoDigits(value: number): string {
  return value < 10 ? `0${value}` : String(value);
}

/** Whether the text is `YYYY-MM-DD` and the day exists: 2023-02-29 does not. */
export function isCivilDate(text: string): boolean {
  return epochDay(text) !== undefined;
}

/** Refuses anything that is not an existing date `YYYY-MM-DD` with `INPUT_INVALID`. */
export function parseCivilDate(text: string, what = 'date'): CivilDate {
  if (!isCivilDate(text)) {
    throw new PipelineError(
      'INPUT_INVALID',
      `${what} ${JSON.stringify(text)} is not an existing date: write it as YYYY-MM-DD`,
    );
  }
  return text;
}

/** The date `days` after (or, when negative, before) `date`. */
export function addDays(date: CivilDate, days: number): CivilDate {
  return fromEpochDay(toEpochDay(date) + days);
}

/** Days since 1970-01-01; consecutive dates have consecutive numbers. */
export function toEpochDay(date: CivilDate): number {
  const day = epochDay(date);
  if (day === undefined)
    throw new PipelineError('INPUT_INVALID', `${JSON.stringify(date)} is not a date YYYY-MM-DD`);
  return day;
}

/** How many days `datesBetween` has. */
export function countDays(from: CivilDate, to: CivilDate): number {
  return Math.max(0, toEpochDay(to) - toEpochDay(from) + 1);
}

/** Every date from `from` to `to`, both included; empty when `to` is before `from`. */
export function datesBetween(from: CivilDate, to: CivilDate): CivilDate[] {
  const [first, last] = [toEpochDay(from), toEpochDay(to)];
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, index) =>
    fromEpochDay(first + index),
  );
}

/** `YYYY-MM` of a date. */
export function monthOf(date: CivilDate): Period {
  return date.slice(0, 7);
}

/** `YYYY` of a date or a month. */
export function yearOf(dateOrMonth: string): Period {
  return dateOrMonth.slice(0, 4);
}

/** Every date of a month `YYYY-MM`. */
export function datesOfMonth(month: Period): CivilDate[] {
  const first = `${month}-01`;
  const next = addDays(first, 31).slice(0, 7);
  return datesBetween(first, addDays(`${next}-01`, -1));
}

/** The month that is `months` after (or before) `month`. */
export function addMonths(month: Period, months: number): Period {
  const count = Number(month.slice(0, 4)) * 12 + (Number(month.slice(5, 7)) - 1) + months;
  return `${String(Math.floor(count / 12)).padStart(4, '0')}-${String((count % 12) + 1).padStart(2, '0')}`;
}
