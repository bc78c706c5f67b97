import { calendarDay } from '../pipelines/calendar-of-days.ts';
import type { CalendarDay, RunningDay } from '../pipelines/calendar-of-days.ts';
import type { CivilDate } from '../pipelines/vocabulary.ts';
import { readDegraded } from './degraded.ts';
import { datasetOf } from './engine.ts';
import type { Engine } from './engine.ts';
import { readFailures } from './failures.ts';
import { newestManifests } from './ledger-reader.ts';

/**
 * How the days stand, in the order of the dates; those before the pipeline's first day are left out. Reads a month in two queries, three where a store is remote.
 * Which days run is known to Temporal alone: the caller gives what it found.
 */
export async function calendarOfDays(
  engine: Pick<Engine, 'datasets' | 'documents' | 'now' | 'fallback'>,
  pipeline: string,
  dates: readonly CivilDate[],
  running: ReadonlyMap<CivilDate, RunningDay>,
): Promise<CalendarDay[]> {
  const { definition } = datasetOf(engine, pipeline);
  const known = dates.filter((date) => date >= definition.since);
  const [manifests, failures, degraded] = await Promise.all([
    newestManifests(engine.documents, pipeline, known),
    readFailures(engine.documents, pipeline, known),
    readDegraded(engine, pipeline, known),
  ]);
  const now = engine.now();
  return known.map((date) => {
    const evidence = {
      manifest: manifests.get(date),
      failure: failures.get(date),
      running: running.get(date),
      degraded: degraded.get(date),
    };
    return calendarDay(definition, date, evidence, now);
  });
}
