import { datesBetween, monthOf, yearOf } from './civil-date.ts';
import type { FetchWindow } from './dataset.ts';
import type { PartDefinition } from './definition.ts';
import type { CivilDate } from './vocabulary.ts';

/**
 * Cuts days into the stretches that one request may fetch. A window always spans from the first to the last wanted day
 * of its month (or year), so that the few missing days of a month cost one small request, not a whole month.
 */
export function fetchWindows(dates: readonly CivilDate[], bulkWindow: PartDefinition['bulkWindow']): FetchWindow[] {
  const groups = new Map<string, { from: CivilDate; to: CivilDate }>();
  for (const date of [...dates].sort()) {
    const group = bulkWindow === 'month' ? monthOf(date) : bulkWindow === 'year' ? yearOf(date) : 'all';
    const known = groups.get(group);
    if (known === undefined) groups.set(group, { from: date, to: date });
    else known.to = date;
  }
  return [...groups.values()];
}

/** The windows of at most a month that a range of days is worked through in, ascending. */
export function monthWindows(from: CivilDate, to: CivilDate): FetchWindow[] {
  return fetchWindows(datesBetween(from, to), 'month');
}
