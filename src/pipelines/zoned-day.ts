import { DateTime } from 'luxon';
import { PipelineError } from '../errors.ts';
import type { CivilDate } from './vocabulary.ts';

/** A data day as instants: `[startAt, endAt)` in UTC, 23, 24 or 25 hours long. */
export interface ZonedDay {
  readonly date: CivilDate;
  readonly zone: string;
  readonly startAt: string;
  readonly endAt: string;
  readonly hours: number;
}

function midnight(date: CivilDate, zone: string): DateTime {
  const start = DateTime.fromISO(date, { zone }).startOf('day');
  if (!start.isValid) throw new PipelineError('INPUT_INVALID', `${date} is not a day in zone ${zone}`);
  return start;
}

export function zonedDay(date: CivilDate, zone: string): ZonedDay {
  const start = midnight(date, zone);
  const end = start.plus({ days: 1 });
  return {
    date,
    zone,
    startAt: utcText(start),
    endAt: utcText(end),
    hours: end.diff(start, 'hours').hours,
  };
}

/** The civil date that an instant falls on in a zone. */
export function civilDateAt(instant: Date, zone: string): CivilDate {
  return DateTime.fromJSDate(instant, { zone }).toFormat('yyyy-MM-dd');
}

/** The instant `days` and `minutes` after the end of the data day (`days` are civil days of the zone). */
export function afterDayEnd(date: CivilDate, zone: string, after: { days?: number; minutes?: number }): Date {
  return midnight(date, zone)
    .plus({ days: 1 + (after.days ?? 0) })
    .plus({ minutes: after.minutes ?? 0 })
    .toJSDate();
}

function utcText(time: DateTime): string {
  return time.toUTC().toISO({ suppressMilliseconds: true }) ?? '';
}
