import { standingOf } from '../../pipelines/calendar-of-days.ts';
import type { DayStanding, RunningDay } from '../../pipelines/calendar-of-days.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { firstDayMade } from '../publish/publish-calendar.ts';
import { readDegraded } from '../records/degraded.ts';
import { readFailures } from '../records/failures.ts';
import type { KnownVersions } from './known-versions.ts';

/**
 * The standing of every day and nothing else, for views of many years: `calendarOfDays` plans each
 * day, to tell what is out of date or asked for again, which costs two seconds a year. Both give
 * the same standing, but for a day whose rows are damaged, which is missing here. Days before the
 * pipeline's first one are left out.
 */
export async function standingsOfDays(
  engine: Engine,
  known: KnownVersions,
  pipeline: string,
  dates: readonly CivilDate[],
  running: ReadonlyMap<CivilDate, RunningDay>,
): Promise<ReadonlyMap<CivilDate, DayStanding>> {
  const { definition } = datasetOf(engine, pipeline);
  const firstDay = firstDayOf(definition);
  const asked = dates.filter((date) => date >= firstDay);
  const [versions, failures, degraded, firstMade] = await Promise.all([
    known.newest(pipeline, asked),
    readFailures(engine.documents, pipeline, asked),
    readDegraded(engine, pipeline, asked),
    firstDayMade(engine, pipeline),
  ]);
  const blind = engine.fallback?.away('documents') !== undefined;
  const now = engine.now();
  return new Map(
    asked.map((date) => {
      const evidence = {
        manifest: versions.get(date),
        failure: failures.get(date),
        running: running.get(date),
        degraded: degraded.get(date),
        blind,
        firstMade,
      };
      return [date, standingOf(definition, date, evidence, now)];
    }),
  );
}
