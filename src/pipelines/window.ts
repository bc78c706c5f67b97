import { firstOf, lastOf } from '../given.ts';
import { datesBetween, monthOf, yearOf } from './civil-date.ts';
import type { FetchWindow } from './source-declaration.ts';
import type { PartDefinition } from './definition.ts';
import type { CivilDate } from './vocabulary.ts';
import { byCalendar } from './work-window.ts';

const CALENDAR_OF = { month: monthOf, year: yearOf, all: () => 'all' } as const satisfies Record<
  PartDefinition['bulkWindow'],
  (date: CivilDate) => string
>;

/**
 * Cuts days into the spans that one request may fetch. A window always spans from the first to the
 * last wanted day of its month (or year), so that the few missing days of a month cost one small
 * request, not a whole month.
 */
export function fetchWindows(
  dates: readonly CivilDate[],
  bulkWindow: PartDefinition['bulkWindow'],
): FetchWindow[] {
  return byCalendar(dates, CALENDAR_OF[bulkWindow]).map((days) => ({
    from: firstOf(days),
    to: lastOf(days),
  }));
}

/** The windows of at most a month that a range of days is worked through in, ascending. */
export function monthWindows(from: CivilDate, to: CivilDate): FetchWindow[] {
  return fetchWindows(datesBetween(from, to), 'month');
}
