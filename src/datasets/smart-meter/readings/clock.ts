import { localTime, zonedDay } from '../../kit/index.ts';
import type { CivilDate } from '../../kit/index.ts';
import { secondsOf } from './days.ts';

/** The local clock of a day: 46, 48 or 50 half-hours, counted as they pass. */

/** Seconds of a half-hour. */
export const HALF_HOUR_S = 1_800;

/** One half-hour of a day. */
export interface HalfHour {
  /** From 0, in the order in which they pass. */
  readonly slot: number;
  /** 0–23, as the clock shows it: twice or not at all on the days on which it changes. */
  readonly hour: number;
  /** 0–47, as the clock shows it. */
  readonly halfHour: number;
}

/** The half-hours of a day in a zone. */
export function halfHoursOf(date: CivilDate, zone: string): HalfHour[] {
  const [from, to] = secondsOf(date, zone);
  const day = zonedDay(date, zone);
  return Array.from({ length: (to - from) / HALF_HOUR_S }, (_, slot) => {
    const clock = localTime(day, (from + slot * HALF_HOUR_S) * 1000);
    const hour = Number(clock.slice(11, 13));
    return { slot, hour, halfHour: hour * 2 + (Number(clock.slice(14, 16)) >= 30 ? 1 : 0) };
  });
}

/**
 * `(zone, half_hours, slot, hour, day_start_s)` of a day as a table function, one row for each
 * half-hour of a zone; `half_hours` is the whole half-hours since 1970 at which it begins, by which
 * it is found.
 */
export function clockSql(date: CivilDate, zones: readonly string[]): string {
  const rows = zones.flatMap((zone) => {
    const [from] = secondsOf(date, zone);
    return halfHoursOf(date, zone).map(
      ({ slot, hour }) => `('${zone}', ${from / HALF_HOUR_S + slot}, ${slot}, ${hour}, ${from})`,
    );
  });
  return `(VALUES ${rows.join(', ')}) AS clock(zone, half_hours, slot, hour, day_start_s)`;
}

/** Zones that files of readings are of. */
export const ZONES = ['Europe/Paris', 'Europe/London', 'UTC'] as const;
