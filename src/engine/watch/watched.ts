import { addDays, datesBetween, monthOf } from '../../pipelines/civil-date.ts';
import type { CivilDate } from '../../pipelines/vocabulary.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import type { VersionDiff } from '../../pipelines/version-diff.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import { REVISION_TABLE, WATCH_TABLE } from './watch-publisher.ts';

/** What the watch over a publisher has heard and found. */

/** A part, and the value by which its publisher tells of revisions. */
export interface WatchedPart {
  readonly part: string;
  /** Null for a publisher that tells none: it is asked for the data themselves. */
  readonly value: string | null;
  /** ISO instant of the last watch that ended. */
  readonly checkedAt: string;
}

/** A day of which the publisher gave other data. */
export interface FoundRevision {
  readonly date: CivilDate;
  readonly difference: VersionDiff;
}

/** By part; empty where no watch has ended. */
export async function watchedParts(
  { documents }: Pick<Engine, 'documents'>,
  pipeline: string,
): Promise<WatchedPart[]> {
  const parts: WatchedPart[] = [];
  const query = { table: WATCH_TABLE, partition: pipeline };
  for await (const { sort, body } of documents.query<Omit<WatchedPart, 'part'>>(query))
    parts.push({ part: sort, ...body });
  return parts;
}

const LOOK_BACK_DAYS = 365;

/** Revisions of the days of the last year that the watch kept, the newest day first. */
export async function foundRevisions(
  { documents, datasets, now }: Pick<Engine, 'documents' | 'datasets' | 'now'>,
  pipeline: string,
): Promise<FoundRevision[]> {
  const { definition } = datasetOf({ datasets }, pipeline);
  const today = civilDateAt(now(), definition.zone);
  const months = [...new Set(datesBetween(addDays(today, -LOOK_BACK_DAYS), today).map(monthOf))];
  const found: FoundRevision[] = [];
  for (const month of months) {
    const query = { table: REVISION_TABLE, partition: `${pipeline}/${month}` };
    for await (const { sort, body } of documents.query<VersionDiff>(query))
      found.push({ date: sort.slice(0, 10), difference: body });
  }
  return found.reverse();
}
