import type { CivilDate, FlatTable } from '../../kit/index.ts';
import { weekdayOf } from '../../kit/index.ts';
import type { FleetDay } from '../marts/day.ts';

/** The load of the fleet by weekday and hour of the clock, over the last four weeks. */

/** The day and those before it that are looked at: four of each weekday. */
export const WEEK_LOAD_DAYS = 28;
/**
 * A day counts when this share of its readings came, or where nobody knows how many should have.
 */
const LEAST_OF_DAY = 0.9;

/** The name of the input that has the fleet of so many days before. */
export function fleetBefore(days: number): string {
  return `fleet_${days}`;
}

/** One hour of the clock on one weekday. */
export interface WeekHour {
  /** 1 is Monday, 7 Sunday. */
  readonly weekday: number;
  /** 0–23, local. */
  readonly hour: number;
  /** Mean energy that the fleet withdrew in such an hour, to the Wh; null where no day counts. */
  readonly mean_kwh: number | null;
  /** Days with readings in the hour that count. */
  readonly days: number;
}

/** The figures of the heat map. */
export interface WeekLoad {
  /** Days that count, ascending. */
  readonly days: readonly CivilDate[];
  /** Days of which too many readings are missing, ascending; they are in no mean. */
  readonly left_out: readonly CivilDate[];
  /** 168 of them: Monday first, from 0 to 23 h. */
  readonly hours: readonly WeekHour[];
}

/** Of the days that are there, in their order; a day without a document is in neither list. */
export function weekLoad(fleets: readonly FleetDay[]): WeekLoad {
  const counts = ({ metrics }: FleetDay): boolean => (metrics[0]?.coverage ?? 1) >= LEAST_OF_DAY;
  const counted = fleets.filter((fleet) => fleet.load.length > 0 && counts(fleet));
  const energies = Array.from({ length: 7 * 24 }, (): number[] => []);
  for (const fleet of counted) {
    const weekday = isoWeekday(fleet.date);
    for (const [hour, kwh] of hoursOf(fleet)) energies[(weekday - 1) * 24 + hour]?.push(kwh);
  }
  return {
    days: counted.map(({ date }) => date),
    left_out: fleets.filter((fleet) => !counts(fleet)).map(({ date }) => date),
    hours: energies.map((own, index) => ({
      weekday: Math.floor(index / 24) + 1,
      hour: index % 24,
      mean_kwh:
        own.length === 0 ? null : roundedToWh(own.reduce((sum, kwh) => sum + kwh, 0) / own.length),
      days: own.length,
    })),
  };
}

function isoWeekday(date: CivilDate): number {
  return weekdayOf(date) || 7;
}

function roundedToWh(kwh: number): number {
  return Math.round(kwh * 1000) / 1000;
}

/**
 * The energy of each hour of the clock with readings; the mean of both where the clock shows one
 * twice.
 */
function hoursOf({ load }: FleetDay): Map<number, number> {
  const sums = new Map<number, { kwh: number; readonly elapsed: Set<number> }>();
  for (const { slot, hour, import_kwh: kwh, observed } of load) {
    if (!(observed > 0)) continue;
    const own = sums.get(hour) ?? { kwh: 0, elapsed: new Set() };
    own.kwh += kwh;
    own.elapsed.add(Math.floor(slot / 2));
    sums.set(hour, own);
  }
  return new Map([...sums].map(([hour, { kwh, elapsed }]) => [hour, kwh / elapsed.size]));
}

const COLUMNS = {
  weekday: 'integer',
  hour: 'integer',
  mean_kwh: 'number',
  days: 'integer',
} as const;

/** One row for each weekday and hour. */
export function weekLoadTable({ hours }: WeekLoad): FlatTable {
  return {
    columns: Object.entries(COLUMNS).map(([name, type]) => ({ name, type })),
    rows: hours.map(({ weekday, hour, mean_kwh: mean, days }) => [weekday, hour, mean, days]),
  };
}
