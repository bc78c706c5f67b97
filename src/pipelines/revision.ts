import type { JsonObject } from '../ports/json.ts';
import type { PipelineDefinition } from './definition.ts';
import { REVISIONS } from './vocabulary.ts';
import type { CivilDate, Revision } from './vocabulary.ts';
import { afterDayEnd } from './zoned-day.ts';

type Calendar = Pick<PipelineDefinition, 'zone' | 'publication'>;

/**
 * How final a finished day is: as its data say, or else by the publication calendar of pipelines
 * whose data are final after the cut-off. Undefined where neither tells.
 */
export function revisionOf(
  definition: Calendar,
  { scope, facts }: { readonly scope: CivilDate; readonly facts: JsonObject },
  now: Date,
): Revision | undefined {
  const told = REVISIONS.find((known) => known === facts['revision']);
  if (told !== undefined) return told;
  const finalAt = finalInstant(definition, scope);
  if (finalAt === undefined) return undefined;
  return now < finalAt ? 'provisional' : 'definitive';
}

/**
 * From when on nothing of the day is expected any more; undefined where the calendar does not say.
 */
export function finalInstant({ zone, publication }: Calendar, date: CivilDate): Date | undefined {
  return publication.finalAtCutOff === true
    ? afterDayEnd(date, zone, publication.cutOffAfter)
    : undefined;
}
