import { addMonths, datesBetween, monthOf, yearOf } from '../../pipelines/civil-date.ts';
import type { PipelineDefinition, RollupInput } from '../../pipelines/definition.ts';
import { datesOfPeriod } from '../../pipelines/period.ts';
import { WHOLE_HISTORY } from '../../pipelines/scope.ts';
import type { Period, Scope } from '../../pipelines/vocabulary.ts';

/** The days, months or years that lie in a period and can have data by now, ascending. */
export function scopesRolledUp(
  { since }: PipelineDefinition,
  each: RollupInput['each'],
  period: Period,
  now: Date,
): Scope[] {
  const today = now.toISOString().slice(0, 10);
  const { from, to } = period === WHOLE_HISTORY ? { from: since, to: today } : datesOfPeriod(period);
  if (each === 'day') return datesBetween(from, to);
  const scopes = new Set<Scope>();
  for (let month = monthOf(from); month <= monthOf(to); month = addMonths(month, 1)) {
    scopes.add(each === 'month' ? month : yearOf(month));
  }
  return [...scopes];
}
