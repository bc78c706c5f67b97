import type { SyntheticDatasetId, SyntheticLayout } from './columns.ts';
import {
  addMonths,
  dayNumber,
  firstOfMonth,
  parisDay,
  parisDayNumberAt,
  parisHourAt,
  QUARTER_MS,
} from './paris-days.ts';

/**
 * When the synthetic publisher releases what; every setting has the default of the real one where
 * that is known.
 */
export interface SyntheticOptions {
  /**
   * Header of every export; by default that of the day of the request: `2025` from 2025-01-01 on.
   */
  readonly layout?: SyntheticLayout;
  /**
   * How many months back, to the day, the real-time dataset reaches; older days have no rows.
   * Default 5.
   */
  readonly realTimeMonths?: number;
  /** How far measured values stay behind the clock, in minutes. Default 120. */
  readonly realTimeLagMinutes?: number;
  /**
   * Day of the following month (1–28) on which a month appears in the consolidated dataset. Default
   * 10.
   */
  readonly consolidatedOnDay?: number;
  /** `MM-DD` of the following year on which a year becomes definitive. Default `06-01`. */
  readonly definitiveOn?: string;
  /**
   * Gives the spring day 96 rows, as the real portal sometimes does: four more whose local time
   * 02:00–02:45 does not exist, with the instants of 03:00–03:45. 02:00 repeats the row of 03:00,
   * 02:30 that of 01:30. Default false.
   */
  readonly springDuplicates?: boolean;
}

/**
 * What one dataset shows at one moment. Days are Paris day numbers, quarters are counted from the
 * epoch.
 */
export interface Publication {
  /**
   * When the publisher last processed the dataset, in epoch milliseconds; everything below follows
   * from it.
   */
  readonly processedAt: number;
  readonly layout: SyntheticLayout;
  /** Days `[firstDay, lastDay]` have rows; none when `lastDay < firstDay`. */
  readonly firstDay: number;
  readonly lastDay: number;
  /** Days up to this one are definitive; `-Infinity` in the real-time dataset. */
  readonly definitiveThrough: number;
  /** Quarters before this one have measured values. */
  readonly measuredUntil: number;
  /** Quarters before this one have the forecast of the day before, and of the same day. */
  readonly dayAheadUntil: number;
  readonly sameDayUntil: number;
}

const FIRST_DAY = '2012-01-01';
/** The hour of the day at which the forecast of the next day is known. */
const DAY_AHEAD_HOUR = 18;
const HOUR_MS = 3_600_000;

function realTime(processedAt: number, options: SyntheticOptions): Omit<Publication, 'layout'> {
  const today = parisDayNumberAt(processedAt);
  const lag = (options.realTimeLagMinutes ?? 120) * 60_000;
  const endOfToday = parisDay(today).endQuarter;
  const lastDay = today + 1;
  return {
    processedAt,
    firstDay: Math.max(dayNumber(FIRST_DAY), addMonths(today, -(options.realTimeMonths ?? 5))),
    lastDay,
    definitiveThrough: -Infinity,
    measuredUntil: Math.floor((processedAt - lag) / QUARTER_MS) + 1,
    dayAheadUntil:
      parisHourAt(processedAt) >= DAY_AHEAD_HOUR ? parisDay(lastDay).endQuarter : endOfToday,
    sameDayUntil: endOfToday,
  };
}

function consolidated(processedAt: number, options: SyntheticOptions): Omit<Publication, 'layout'> {
  const today = parisDay(parisDayNumberAt(processedAt));
  const released =
    today.dayOfMonth >= (options.consolidatedOnDay ?? 10) ? today.month : today.month - 1;
  const definitiveOn = dayNumber(`${today.year}-${options.definitiveOn ?? '06-01'}`);
  const definitiveBefore = today.number >= definitiveOn ? today.year : today.year - 1;
  return {
    processedAt,
    firstDay: dayNumber(FIRST_DAY),
    lastDay: firstOfMonth(today.year, released) - 1,
    definitiveThrough: firstOfMonth(definitiveBefore, 1) - 1,
    measuredUntil: Infinity,
    dayAheadUntil: Infinity,
    sameDayUntil: Infinity,
  };
}

/**
 * What a dataset shows at an instant: real time is processed every hour, consolidated every
 * midnight in Paris.
 * @throws `INPUT_INVALID` when `definitiveOn` is not a day of the calendar.
 */
export function publicationAt(
  dataset: SyntheticDatasetId,
  now: Date,
  options: SyntheticOptions,
): Publication {
  const ms = now.getTime();
  const publication =
    dataset === 'eco2mix-national-tr'
      ? realTime(Math.floor(ms / HOUR_MS) * HOUR_MS, options)
      : consolidated(parisDay(parisDayNumberAt(ms)).firstQuarter * QUARTER_MS, options);
  const year = parisDay(parisDayNumberAt(publication.processedAt)).year;
  return { ...publication, layout: options.layout ?? (year >= 2025 ? '2025' : '2024') };
}
