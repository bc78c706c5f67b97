import { datesOfMonth, monthOf, yearOf } from './civil-date.ts';
import type { RollupDefinition } from './definition.ts';
import { WHOLE_HISTORY, parseScope } from './scope.ts';
import type { CivilDate, Period } from './vocabulary.ts';

/** The period of a grain that a day belongs to. */
export function periodOf(grain: RollupDefinition['grain'], date: CivilDate): Period {
  switch (grain) {
    case 'month':
      return monthOf(date);
    case 'year':
      return yearOf(date);
    case 'history':
      return WHOLE_HISTORY;
  }
}

/** The periods of a grain that contain any of the days, ascending, each once. */
export function periodsOf(grain: RollupDefinition['grain'], dates: readonly CivilDate[]): Period[] {
  return [...new Set(dates.map((date) => periodOf(grain, date)))].sort();
}

/** The first and last date of a month or year. */
export function datesOfPeriod(period: Period): {
  readonly from: CivilDate;
  readonly to: CivilDate;
} {
  const scope = parseScope(period);
  if (scope.kind === 'period' && scope.grain === 'year')
    return { from: `${period}-01-01`, to: `${period}-12-31` };
  const dates = datesOfMonth(period);
  return { from: `${period}-01`, to: dates.at(-1) ?? `${period}-28` };
}
