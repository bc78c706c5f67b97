import { addDays } from './civil-date.ts';
import type { PartDefinition, PipelineDefinition } from './definition.ts';
import type { CivilDate } from './vocabulary.ts';
import { civilDateAt } from './zoned-day.ts';

/** Of which days a part has data, and of which of them its publisher can still tell. */

/** The first day of which the part has data. */
export function sinceOf(
  { since }: Pick<PipelineDefinition, 'since'>,
  part: Pick<PartDefinition, 'since'>,
): CivilDate {
  return part.since ?? since;
}

/** The first day that a pipeline can make: before it none of its parts has data. */
export function firstDayOf(definition: Pick<PipelineDefinition, 'since' | 'parts'>): CivilDate {
  const begins = definition.parts.map((part) => sinceOf(definition, part)).sort();
  return begins[0] ?? definition.since;
}

/** Why the publisher cannot be asked for a day of the part now, in words; undefined when it can. */
export function whyNotAsked(
  definition: Pick<PipelineDefinition, 'since' | 'zone'>,
  part: Pick<PartDefinition, 'id' | 'closed' | 'since' | 'listed'>,
  date: CivilDate,
  now: Date,
): string | undefined {
  if (part.closed !== undefined) return part.closed;
  const since = sinceOf(definition, part);
  if (date < since) return `${part.id} has no data before ${since}`;
  if (part.listed === undefined) return undefined;
  const today = civilDateAt(now, definition.zone);
  const { daysBefore, daysAfter } = part.listed;
  if (addDays(today, -daysBefore) <= date && date <= addDays(today, daysAfter)) return undefined;
  return `a list of ${today} says nothing of ${date}; import one of that time with --as-of`;
}
