import { addMonths, monthOf } from './civil-date.ts';
import type { Retention } from './definition.ts';
import { datesOfPeriod } from './period.ts';
import { parseScope } from './scope.ts';
import type { CivilDate, Scope } from './vocabulary.ts';

/** When content is past its time. Pure. */

/** Content of days before this one is past its time. */
export function keptSince({ months }: Retention, today: CivilDate): CivilDate {
  return `${addMonths(monthOf(today), -months)}-01`;
}

/** Whether content of a day or period is past its time; what spans the whole history never is. */
export function isExpired(retention: Retention, scope: Scope, today: CivilDate): boolean {
  const { kind } = parseScope(scope);
  if (kind === 'history') return false;
  const last = kind === 'period' ? datesOfPeriod(scope).to : scope;
  return last < keptSince(retention, today);
}
