import { datesBetween } from '../../pipelines/civil-date.ts';
import { firstDayOf } from '../../pipelines/part-days.ts';
import { periodsOf } from '../../pipelines/period.ts';
import type { Scope } from '../../pipelines/vocabulary.ts';
import { civilDateAt } from '../../pipelines/zoned-day.ts';
import { datasetOf } from '../engine.ts';
import type { Engine } from '../engine.ts';
import type { KnownVersions } from './known-versions.ts';

/** A day or period whose newest version is without units that nobody has decided on. */
export interface HeldScope {
  readonly pipeline: string;
  readonly scope: Scope;
  readonly version: number;
  /** How many units wait. */
  readonly units: number;
  /** ISO instant of that version. */
  readonly committedAt: string;
}

/**
 * All days and periods that the pipeline can have, ascending by scope: a question waits however old
 * its day is.
 */
export async function heldScopes(
  engine: Engine,
  known: KnownVersions,
  pipeline: string,
): Promise<HeldScope[]> {
  const { definition } = datasetOf(engine, pipeline);
  const { rollups, zone } = definition;
  const dates = datesBetween(firstDayOf(definition), civilDateAt(engine.now(), zone));
  const grains = [...new Set(rollups.map(({ grain }) => grain))];
  const periods = grains.flatMap((grain) => periodsOf(grain, dates));
  const newest = await known.newest(pipeline, [...dates, ...periods]);
  return [...newest.values()]
    .filter(({ waitingUnits }) => waitingUnits > 0)
    .map(({ scope, version, waitingUnits: units, committedAt }) => ({
      pipeline,
      scope,
      version,
      units,
      committedAt,
    }))
    .sort((one, other) => (one.scope < other.scope ? -1 : 1));
}
