import { calendarDay } from '../../pipelines/calendar-of-days.ts';
import type { CalendarDay, RunningDay } from '../../pipelines/calendar-of-days.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { lacksOf } from '../../pipelines/completeness.ts';
import { SEVERAL, staleSteps, stepsOfRun } from '../../pipelines/execution.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import { planDays } from '../../pipelines/plan.ts';
import { readDegraded } from '../records/degraded.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { surveyDays } from '../plan/evidence.ts';
import { firstDayMade } from '../publish/publish-calendar.ts';
import { readFailures } from '../records/failures.ts';

/**
 * How the days stand, in the order of the dates; those before the pipeline's first day are left
 * out. What is out of date is told from the records; whether every artefact is still there is for
 * `stale` and `verify` to look at. What a previous day will change is told when that day is among
 * the dates, as `stale` tells it. Which days run is known to Temporal alone: the caller gives what
 * it found.
 */
export async function calendarOfDays(
  engine: Engine,
  pipeline: string,
  dates: readonly CivilDate[],
  running: ReadonlyMap<CivilDate, RunningDay>,
): Promise<CalendarDay[]> {
  const { definition } = datasetOf(engine, pipeline);
  const firstDay = firstDayOf(definition);
  const known = dates.filter((date) => date >= firstDay);
  const [{ evidence, manifests, unreadable }, failures, degraded, firstMade] = await Promise.all([
    surveyDays(engine, definition, known),
    readFailures(engine.documents, pipeline, known),
    readDegraded(engine, pipeline, known),
    firstDayMade(engine, pipeline),
  ]);
  // After the readings, which find out.
  const blind = engine.fallback?.away('documents') !== undefined;
  const now = engine.now();
  const plans = new Map(
    planDays(definition, evidence, { offline: true }).map(({ date, steps }) => [date, steps]),
  );
  const told = new Map(evidence.map((day) => [day.date, day]));
  return known.map((date) => {
    const own = told.get(date);
    const planned = plans.get(date) ?? [];
    const standing = {
      manifest: manifests.get(date),
      failure: failures.get(date),
      running: running.get(date),
      degraded: degraded.get(date),
      blind,
      firstMade,
      unreadable: unreadable.get(date),
      stale: staleSteps(stepsOfRun(definition, SEVERAL, planned), manifests.get(date)),
      lacks: own === undefined ? [] : lacksOf(definition, own),
      askAgainAt: manifests.has(date)
        ? planned.flatMap(({ askAgainAt }) => askAgainAt ?? []).sort()[0]
        : undefined,
    };
    return calendarDay(definition, date, standing, now);
  });
}
